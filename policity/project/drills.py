"""Drills run in homes of their own, below the city's: made, played, kept, opened.

This process is the city's own: it reads the city's places and its settings, and writes nothing
there. What happens in the drill happens in other processes (`drill_play` and the drill's own
senders and worker), which die with this one.
"""

import errno
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from policity.project import environment, home
from policity.project.children import Child
from policity.project.environment import Environment

SCENARIOS = Path(__file__).parent / "facts" / "drills"
# Below the city's home: the drills, and beside them who may run one now.
FOLDER, LOCK = "drills", "lock"
RESULT, PROGRESS, LOG = "result.json", "progress.txt", "log"
# What a drill takes over from the city: where it lies. Nobody who lives there, nothing that was
# said, no account.
TABLES = ("places_jmaarea", "places_city", "places_town", "places_site")
GRACE_SECONDS = 8.0
GLANCE_SECONDS = 0.2
# A database, five languages of pages, and a mail for each message and person.
BYTES_AT_LEAST, BYTES_A_PERSON = 100_000_000, 40_000
# `policity drill open`: beside the city's own port.
PORT = 8100


class DrillError(Exception):
    """There is no such drill to be had. The message is one Japanese line that says what to do."""


def scenarios() -> tuple[str, ...]:
    """What can be played, by name."""
    return tuple(sorted(file.stem for file in SCENARIOS.glob("*.toml")))


def run(where: Environment, *, scenario: str, people: int, now: datetime) -> dict[str, Any]:
    """Play a scenario for this home's city in a home of its own, and give its result.

    Raises DrillError. A drill that was begun and not finished leaves its home behind, to look at.
    """
    if scenario not in scenarios():
        raise DrillError(
            f"訓練「{scenario}」は、ありません。{'、'.join(scenarios())} から選んでください。"
        )
    if where.drill:
        raise DrillError("ここは訓練のホームです。訓練は、市のホームから始めてください。")
    with _alone(where.home / FOLDER):
        try:
            own = _prepare(where, scenario=scenario, people=people, now=now)
            return _play(own, scenario=scenario, people=people)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise DrillError(FULL) from error


FULL = "ディスクがいっぱいです。空きを作ってから、もう一度始めてください。"


def found(where: Environment, name: str) -> Path:
    """A drill's home by its name. Raises DrillError."""
    own = where.home / FOLDER / name
    if Path(name).name != name or not (own / environment.DRILL).is_file():
        raise DrillError(f"訓練「{name}」は、ありません。policity drill list で確かめてください。")
    return own


def listed(where: Environment) -> tuple[str, ...]:
    """The names of all drills of this home, the newest first."""
    folder = where.home / FOLDER
    names = (mark.parent.name for mark in folder.glob(f"*/{environment.DRILL}"))
    return tuple(sorted(names, reverse=True))


def result(own: Path) -> dict[str, Any] | None:
    """What a drill came to; None where it was not finished."""
    try:
        read: dict[str, Any] = json.loads((own / RESULT).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return read


def open_in_place(own: Path, *, port: int) -> None:
    """Become the server of a drill's home: its pages and its board, all marked."""
    command = [sys.executable, "-m", "policity.project.cli", "serve"]
    os.execve(  # noqa: S606  # our own program, in another home
        sys.executable,
        command,
        os.environ | {"POLICITY_HOME": str(own), "POLICITY_DEMO": "1", "PORT": str(port)},
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One drill at a time: two would only measure each other."""
    folder.mkdir(mode=0o750, exist_ok=True)
    with (folder / LOCK).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DrillError("ほかの訓練が動いています。終わってから始めてください。") from error
        yield


def _prepare(where: Environment, *, scenario: str, people: int, now: datetime) -> Path:
    """A home that is a drill's before anything else is in it, with the city and nobody."""
    if shutil.disk_usage(where.home).free < BYTES_AT_LEAST + people * BYTES_A_PERSON:
        raise DrillError(FULL)
    source = where.home / "policity.sqlite3"
    if not _has_city(source):
        raise DrillError("まだ市がありません。policity places load で市を読み込んでください。")
    own = where.home / FOLDER / f"{now:%Y%m%d-%H%M%S}-{scenario}"
    own.mkdir(mode=0o750, parents=True)
    (own / environment.DRILL).write_text(f"{scenario}\n")
    home.prepare(replace(where, home=own, demo=False, drill=True))
    _copy_city(source, own / "policity.sqlite3")
    return own


def _has_city(database: Path) -> bool:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        return bool(
            connection.execute("SELECT count(*) FROM places_city WHERE is_here").fetchone()[0]
        )


def _copy_city(source: Path, target: Path) -> None:
    """Both were prepared by this program, and have the same columns."""
    with closing(sqlite3.connect(f"file:{target}", uri=True, timeout=5)) as connection:
        connection.execute("ATTACH ? AS city", (f"file:{source}?mode=ro",))
        with connection:
            for table in TABLES:
                columns = ", ".join(
                    f'"{row[1]}"' for row in connection.execute(f"PRAGMA main.table_info({table})")
                )
                connection.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM city.{table}"  # noqa: S608  # our models' names
                )
        connection.execute("DETACH city")


def _play(own: Path, *, scenario: str, people: int) -> dict[str, Any]:
    def python(name: str, *words: str) -> Child:
        surroundings = {
            "POLICITY_HOME": str(own),
            "POLICITY_DEMO": "0",
            "DJANGO_SETTINGS_MODULE": "policity.project.settings.embedded",
        }
        return Child(name, [sys.executable, "-m", *words], surroundings, own / LOG)

    play = python("play", "policity.project.drill_play", scenario, str(people))
    cli = "policity.project.cli"
    children = [
        play,
        python("worker", cli, "worker", "run"),
        *(
            python(f"sender-{lane}", cli, "delivery", "send", "--lane", lane)
            for lane in ("urgent", "routine")
        ),
    ]
    # Both by name: whoever starts us in the background may have had Ctrl-C ignored.
    before = {number: signal.signal(number, _interrupt) for number in ENDINGS}
    try:
        for child in children:
            child.start()
        status = _wait(children, own / PROGRESS)
    finally:
        _end(children)
        for number, handler in before.items():
            signal.signal(number, handler)
    said = result(own)
    if status == 0 and said is not None:
        return said
    raise DrillError(_why(own))


ENDINGS = (signal.SIGINT, signal.SIGTERM)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(children: Sequence[Child], progress: Path) -> int:
    """Until the play is over. Who ends before it is started again, as in a city."""
    play, *others = children
    progress.touch()
    with progress.open(encoding="utf-8") as lines:
        while (status := play.ended()) is None:
            _care(others)
            time.sleep(GLANCE_SECONDS)
            for line in lines:
                home.say(f"【訓練】{line.rstrip()}")
    return status


def _care(others: Sequence[Child]) -> None:
    now = time.monotonic()
    for child in others:
        if child.ended() is not None:
            child.buried()
        elif child.process is None and child.due <= now:
            child.start()


def _end(children: Sequence[Child]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop(deadline)


def _why(own: Path) -> str:
    try:
        *_, last = (own / PROGRESS).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        last = ""
    return f"訓練を最後まで行えませんでした。{last}（記録：{own / LOG}）"
