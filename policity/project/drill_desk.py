"""Drills for the back office: begun by a press of a button, in a process of their own.

The process is no child that a request would wait for, nor one that ends with the web process: it
has a session of its own, and glances at the lock that the supervisor holds while the city is
served (`drills.go_on`). The kernel lets a lock go however its holder ends, so that a supervisor
that is killed leaves no drill behind; the drill's own processes die with it as everywhere.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from policity.back_office.services import Course, Drill, DrillRefused
from policity.project import drills, environment


class Desk:
    """`back_office.services.Ground` over the drills below this home."""

    most = drills.MOST
    people = drills.PEOPLE

    def __init__(self) -> None:
        self._where = environment.read()

    def titles(self) -> Mapping[str, str]:
        """The scenarios: each name with its Japanese one."""
        return drills.titles()

    def drills(self) -> tuple[Drill, ...]:
        """Every drill of this home, the newest first."""
        running, titles = drills.running(self._where), self.titles()
        return tuple(
            _drill(drills.found(self._where, name), running=name == running, titles=titles)
            for name in drills.listed(self._where)
        )

    def begin(self, *, scenario: str, people: int, by: str, now: datetime) -> str:
        """Begin one beside us; its name. Raises DrillRefused: of what runs it says whose it is."""
        where = self._where
        try:
            if not drills.is_served(where):
                raise DrillRefused("サーバー（policity serve）が動いていないので、始められません。")
            local = timezone.localtime(now)
            with drills.begin(where, scenario=scenario, people=people, by=by, now=local) as begun:
                _start(where.home, begun, scenario=scenario, people=people)
        except drills.DrillError as error:
            raise DrillRefused(self._who_runs() or str(error)) from error
        return begun.own.name

    def stop(self, name: str, *, by: str, now: datetime) -> None:
        """Ask one to end. Raises DrillRefused."""
        try:
            drills.stop(self._where, name, by=by, now=now)
        except drills.DrillError as error:
            raise DrillRefused(str(error)) from error

    def _who_runs(self) -> str:
        for one in self.drills():
            if one.course is Course.RUNNING:
                who = f"{one.by}が始めた" if one.by else "コマンドで始めた"
                return f"{who}訓練「{one.title}」が動いています。終わってから始めてください。"
        return ""


def _start(home: Path, begun: drills.Begun, *, scenario: str, people: int) -> None:
    words = ("drill", "run", scenario, "--people", str(people), "--begun", begun.own.name)
    with (begun.own / drills.LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "policity.project.cli", *words],
            env=os.environ | {"POLICITY_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # From the press on there is never a moment in which another could be begun.
            pass_fds=(begun.lock,),
        )
    # Or it would stay behind as a zombie for as long as this process lives.
    threading.Thread(target=process.wait, daemon=True).start()


def _drill(own: Path, *, running: bool, titles: Mapping[str, str]) -> Drill:
    record, result = drills.record(own), drills.result(own)
    stop: Mapping[str, Any] = record["stop"] or {}
    scenario = record.get("scenario") or (own / environment.DRILL).read_text().strip()
    begun = (own / environment.DRILL).stat().st_mtime
    if running:
        course = Course.RUNNING
    elif result is not None:
        course = Course.FINISHED
    else:
        course = Course.STOPPED if stop else Course.BROKEN_OFF
    return Drill(
        name=own.name,
        title=titles.get(scenario, scenario),
        people=record.get("people", 0),
        # A drill of an earlier version has no record.
        at=_moment(record.get("at")) or datetime.fromtimestamp(begun, UTC),
        by=record.get("by", ""),
        course=course,
        stopped_at=_moment(stop.get("at")),
        stopped_by=stop.get("by", ""),
        result=result,
        progress=drills.progress(own),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
