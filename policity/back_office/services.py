"""Drills, as the crisis room has them run. They are run by `project`, above this room.

So this room says what it wants of them (`Ground`), and the settings name who does it: `DRILLS`, the
dotted name of a class, as Django's own back ends are named. Nothing here imports it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, cast

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import audit

log = structlog.get_logger("policity.back_office")


class DrillRefused(ValueError):  # noqa: N818  # the thing refused
    """It was not begun, or not stopped. The text says why and what to do, in Japanese."""


class Course(StrEnum):
    """How a drill stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    BROKEN_OFF = "broken_off"


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill of this city, by the name of its folder.

    `by` and `stopped_by` are names; empty where a command did it, or nobody. `people` is 0 where
    nobody noted it. `result` is None for what was not finished, `progress` what it has said.
    """

    name: str
    title: str
    people: int
    at: datetime
    by: str
    course: Course
    stopped_at: datetime | None
    stopped_by: str
    result: Mapping[str, Any] | None
    progress: tuple[str, ...]


class Ground(Protocol):
    """Where drills are run."""

    most: int
    people: int

    def titles(self) -> Mapping[str, str]:
        """The scenarios: each name with the one staff read."""

    def drills(self) -> Sequence[Drill]:
        """Every drill of this city, the newest first."""

    def begin(self, *, scenario: str, people: int, by: str, now: datetime) -> str:
        """Begin one beside us, and give its name. Raises DrillRefused."""

    def stop(self, name: str, *, by: str, now: datetime) -> None:
        """Ask one to end. Raises DrillRefused."""


def ground() -> Ground:
    """Where this city's drills are run."""
    return cast(Ground, import_string(settings.DRILLS)())


def bounds() -> str:
    """Over how many made-up people a drill may be, in words."""
    return f"1人から{ground().most:,}人まで"


def begin_drill(*, scenario: str, people: int, by: User, now: datetime) -> str:
    """Begin a drill over made-up people, in a home of its own; its name. Raises DrillRefused."""
    _require(by, now=now)
    on = ground()
    if not 1 <= people <= on.most:
        raise DrillRefused(f"見本の市民は、{bounds()}です。")
    if scenario not in on.titles():
        raise DrillRefused("訓練の種類を、えらんでください。")
    name = on.begin(scenario=scenario, people=people, by=str(by), now=now)
    audit.record("drill.begun", on=f"drill:{name}", by=by, now=now, people=people)
    log.info("drill_begun", drill=name, people=people, by=by.pk)
    return name


def stop_drill(name: str, *, by: User, now: datetime) -> None:
    """End a drill before its end. Raises DrillRefused."""
    _require(by, now=now)
    ground().stop(name, by=str(by), now=now)
    audit.record("drill.ended", on=f"drill:{name}", by=by, now=now)
    log.info("drill_stopped", drill=name, by=by.pk)


def _require(by: User, *, now: datetime) -> None:
    if not may(roles(by, on=timezone.localdate(now)), Act.RUN_DRILLS):
        raise DrillRefused("この仕事をする権限がありません。管理者に相談してください。")
