"""The back office's button: what is refused before a process is begun, and what is read back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from policity.back_office.services import Course, DrillRefused, Ground
from policity.project import drills, environment
from policity.project.drill_desk import Desk
from policity.project.tests.test_drills import begin, city_home

__all__ = ["city_home"]

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def desk(city_home: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("POLICITY_HOME", str(city_home))
    return Desk()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "is_served", lambda where: True)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is begun only waits, and has ended when the test has."""
    begun: list[object] = []
    popen = subprocess.Popen

    def wait(command: list[str], **options: Any) -> object:
        assert command[:3] == [sys.executable, "-m", "policity.project.cli"]
        begun.append(popen(["sleep", "60"], **options))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", wait)
    yield
    for process in begun:
        process.kill()  # type: ignore[attr-defined]
        process.wait()  # type: ignore[attr-defined]


def press(desk: Desk, by: str = "見本 当直") -> str:
    return desk.begin(scenario="heavy-rain", people=10, by=by, now=NOW)


def test_the_settings_name_who_runs_drills() -> None:
    named: type[Ground] = import_string(settings.DRILLS)
    assert named is Desk


def test_without_a_server_nothing_is_begun(desk: Desk, city_home: Path) -> None:
    with pytest.raises(DrillRefused, match="policity serve"):
        press(desk)
    assert desk.drills() == ()
    assert not list(city_home.glob("drills/*"))


@pytest.mark.usefixtures("served", "idle")
def test_a_second_press_is_told_who_began_what_runs(desk: Desk) -> None:
    name = press(desk)
    with pytest.raises(DrillRefused, match="見本 当直が始めた訓練「大雨」が動いています"):
        press(desk, by="見本 本部長")
    (one,) = desk.drills()
    assert (one.name, one.title, one.people, one.by) == (name, "大雨", 10, "見本 当直")
    assert (one.course, one.at, one.result) == (Course.RUNNING, NOW, None)
    desk.stop(name, by="見本 本部長", now=NOW)
    (one,) = desk.drills()
    assert (one.stopped_by, one.stopped_at) == ("見本 本部長", NOW)


@pytest.mark.usefixtures("served")
def test_of_what_a_command_began_nobody_is_named(desk: Desk, city_home: Path) -> None:
    with begin(city_home), pytest.raises(DrillRefused, match="コマンドで始めた訓練「大雨」"):
        press(desk)


@pytest.mark.usefixtures("served")
def test_in_a_drills_home_no_drill_is_begun(city_home: Path, desk: Desk) -> None:
    (city_home / environment.DRILL).write_text("heavy-rain")
    with pytest.raises(DrillRefused, match="訓練のホーム"):
        press(Desk())


def test_how_an_earlier_one_ended_is_read_from_its_folder(desk: Desk, city_home: Path) -> None:
    with begin(city_home, by="見本 当直") as begun:
        own = begun.own
    assert desk.drills()[0].course is Course.BROKEN_OFF
    (own / drills.STOP).write_text(json.dumps({"by": "見本 本部長", "at": NOW.isoformat()}))
    assert desk.drills()[0].course is Course.STOPPED
    (own / drills.RESULT).write_text('{"targets": 3}')
    assert desk.drills()[0].course is Course.FINISHED
    with pytest.raises(DrillRefused, match="もう終わって"):
        desk.stop(own.name, by="見本 当直", now=NOW)
    with pytest.raises(DrillRefused, match="ありません"):
        desk.stop("nothing", by="見本 当直", now=NOW)


def test_one_without_a_record_is_listed_too(desk: Desk, city_home: Path) -> None:
    own = city_home / "drills" / "20261101-090000-heavy-rain"
    own.mkdir(parents=True)
    (own / environment.DRILL).write_text("heavy-rain\n")
    (one,) = desk.drills()
    assert (one.title, one.people, one.by, one.course) == ("大雨", 0, "", Course.BROKEN_OFF)
