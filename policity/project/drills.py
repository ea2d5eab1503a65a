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
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.utils import timezone

from policity.kit.sides import Role
from policity.project import cluster, environment, home
from policity.project.children import Child
from policity.project.environment import Environment

SCENARIOS = Path(__file__).parent / "facts" / "drills"
# Below the city's home: the drills, and beside them who may run one now.
FOLDER, LOCK = "drills", "lock"
RESULT, PROGRESS, LOG = "result.json", "progress.txt", "log"
# Who began it with what, and who asked it to stop: the asking is the record of it.
BEGUN, STOP = "begun.json", "stop.json"
# What a drill takes over from the city: where it lies. Nobody who lives there, nothing that was
# said, no account.
TABLES = ("places_jmaarea", "places_city", "places_town", "places_site")
GRACE_SECONDS = 8.0
GLANCE_SECONDS = 0.2
# Who only looks whether a drill runs has the lock for an instant.
LOOK_SECONDS = 0.5
PEOPLE, MOST = 2000, 20_000
# A database, five languages of pages, and a mail for each message and person.
BYTES_AT_LEAST, BYTES_A_PERSON = 100_000_000, 40_000
# `policity drill open`: beside the city's own port.
PORT = 8100


class DrillError(Exception):
    """There is no such drill to be had. The message is one Japanese line that says what to do."""


class StoppedError(DrillError):
    """The drill was ended before its end. The message says by whom, or by what."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A drill that may be carried out: its home, and the descriptor that keeps all others away.

    Whoever inherits the descriptor goes on keeping them away, until it ends, however it ends.
    """

    own: Path
    lock: int


def scenarios() -> tuple[str, ...]:
    """What can be played, by name."""
    return tuple(sorted(file.stem for file in SCENARIOS.glob("*.toml")))


def titles() -> dict[str, str]:
    """What can be played: each name with its Japanese one."""
    return {
        name: tomllib.loads((SCENARIOS / f"{name}.toml").read_text("utf-8"))["title"]
        for name in scenarios()
    }


def run(where: Environment, *, scenario: str, people: int, now: datetime) -> dict[str, Any]:
    """Play a scenario for this home's city in a home of its own, and give its result.

    Raises DrillError. A drill that was begun and not finished leaves its home behind, to look at.
    """
    with begin(where, scenario=scenario, people=people, by="", now=now) as begun:
        return _carry_out(where, begun.own, scenario=scenario, people=people, serving=False)


def go_on(where: Environment, *, name: str, scenario: str, people: int) -> dict[str, Any]:
    """Play a drill that whoever started this process has begun, as long as the city is served.

    Raises DrillError, StoppedError where the city is not served any more.
    """
    return _carry_out(where, found(where, name), scenario=scenario, people=people, serving=True)


@contextmanager
def begin(
    where: Environment, *, scenario: str, people: int, by: str, now: datetime
) -> Iterator[Begun]:
    """A new drill's home with its record, and nothing else in it yet. Raises DrillError.

    `by` is empty where a command begins it.
    """
    if scenario not in scenarios():
        raise DrillError(
            f"訓練「{scenario}」は、ありません。{'、'.join(scenarios())} から選んでください。"
        )
    if where.drill:
        raise DrillError("ここは訓練のホームです。訓練は、市のホームから始めてください。")
    with _alone(where.home / FOLDER) as lock:
        if shutil.disk_usage(where.home).free < BYTES_AT_LEAST + people * BYTES_A_PERSON:
            raise DrillError(FULL)
        if not _has_city(where):
            raise DrillError("まだ市がありません。policity places load で市を読み込んでください。")
        with _room():
            own = where.home / FOLDER / f"{now:%Y%m%d-%H%M%S}-{scenario}"
            own.mkdir(mode=0o750, parents=True)
            # It is a drill's home before anything else is in it.
            (own / environment.DRILL).write_text(f"{scenario}\n")
            said = {"scenario": scenario, "people": people, "by": by, "at": now.isoformat()}
            _write(own / BEGUN, said)
            os.truncate(lock, 0)
            os.pwrite(lock, own.name.encode(), 0)
        yield Begun(own, lock)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DrillError(FULL) from error


def _carry_out(
    where: Environment, own: Path, *, scenario: str, people: int, serving: bool
) -> dict[str, Any]:
    with _room():
        _furnish(where, own)
        return _play(own, scenario=scenario, people=people, ends=_reasons(where, own, serving))


DATABASE = "policity.sqlite3"
FULL = "ディスクがいっぱいです。空きを作ってから、もう一度始めてください。"


def found(where: Environment, name: str) -> Path:
    """A drill's home by its name. Raises DrillError."""
    own = where.home / FOLDER / name
    if Path(name).name != name or not (own / environment.DRILL).is_file():
        raise DrillError(f"訓練「{name}」は、ありません。policity drill list で確かめてください。")
    return own


def running(where: Environment) -> str | None:
    """The name of the drill that runs now; empty where it has no name yet."""
    try:
        handle = os.open(where.home / FOLDER / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        if _free(handle):
            return None
        return os.pread(handle, 200, 0).decode()
    finally:
        os.close(handle)


def is_served(where: Environment) -> bool:
    """Whether this home's city is being served."""
    try:
        handle = os.open(where.home / "run" / "serve.lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _free(handle)
    finally:
        os.close(handle)


def _free(handle: int) -> bool:
    """Whether nobody holds a lock. The kernel lets it go with its holder, however that ends."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stop(where: Environment, name: str, *, by: str, now: datetime) -> None:
    """Ask a drill that runs to end; it does within some seconds. The first who asks is noted.

    Raises DrillError.
    """
    own = found(where, name)
    if running(where) != name:
        raise DrillError("この訓練は、もう終わっています。")
    if not (own / STOP).exists():
        _write(own / STOP, {"by": by, "at": now.isoformat()})


def listed(where: Environment) -> tuple[str, ...]:
    """The names of all drills of this home, the newest first."""
    folder = where.home / FOLDER
    names = (mark.parent.name for mark in folder.glob(f"*/{environment.DRILL}"))
    return tuple(sorted(names, reverse=True))


def result(own: Path) -> dict[str, Any] | None:
    """What a drill came to; None where it was not finished."""
    return _read(own / RESULT)


def record(own: Path) -> dict[str, Any]:
    """Who began a drill, with what and when; and, as `stop`, who stopped it and when."""
    return {**(_read(own / BEGUN) or {}), "stop": _read(own / STOP)}


def progress(own: Path) -> tuple[str, ...]:
    """What a drill has said until now, line by line."""
    try:
        return tuple((own / PROGRESS).read_text("utf-8").splitlines())
    except FileNotFoundError:
        return ()


def note(own: Path, text: str, *, at: datetime) -> None:
    """One more line for who waits, and for who asks later."""
    with (own / PROGRESS).open("a", encoding="utf-8") as out:
        out.write(f"{at:%H:%M:%S} {text}\n")


def _read(file: Path) -> dict[str, Any] | None:
    try:
        read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return read


def _write(file: Path, said: Mapping[str, Any]) -> None:
    """Whole or not at all: others read it at any moment."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(json.dumps(said, ensure_ascii=False) + "\n", "utf-8")
    part.rename(file)


def open_in_place(own: Path, *, port: int) -> None:
    """Become the server of a drill's home: its pages and its board, all marked."""
    command = [sys.executable, "-m", "policity.project.cli", "serve"]
    os.execve(  # noqa: S606  # our own program, in another home
        sys.executable,
        command,
        os.environ | {"POLICITY_HOME": str(own), "POLICITY_DEMO": "1", "PORT": str(port)},
    )


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """One drill at a time: two would only measure each other. Gives the lock's descriptor."""
    folder.mkdir(mode=0o750, exist_ok=True)
    # Not emptied before it is ours: who runs stands in it.
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        _lock(handle)
        os.truncate(handle, 0)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    deadline = time.monotonic() + LOOK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise DrillError(
                    "ほかの訓練が動いています。終わってから始めてください。"
                ) from error
            time.sleep(LOOK_SECONDS / 10)
        else:
            return


def _furnish(where: Environment, own: Path) -> None:
    """A database with the city and nobody in it."""
    # As its own processes find themselves (`environment.read`), whichever role the city has.
    role = Role.INTERNET
    home.prepare(replace(where, home=own, demo=False, drill=True, role=role, database_url=""))
    if where.database_url:
        _take_city(where.database_url, own / DATABASE)
    else:
        _copy_city(where.home / DATABASE, own / DATABASE)


def _has_city(where: Environment) -> bool:
    if where.database_url:
        return cluster.has_city(where.database_url)
    database = f"file:{where.home / DATABASE}?mode=ro"
    with closing(sqlite3.connect(database, uri=True, timeout=5)) as connection:
        return bool(
            connection.execute("SELECT count(*) FROM places_city WHERE is_here").fetchone()[0]
        )


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})")]


def _take_city(url: str, target: Path) -> None:
    """A drill is one machine's: SQLite holds it wherever the city's own data is."""
    with closing(sqlite3.connect(target, timeout=5)) as connection, connection:
        for table in TABLES:
            columns = _columns(connection, table)
            names = ", ".join(f'"{column}"' for column in columns)
            marks = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  # our models' names
                cluster.rows(url, table, columns),
            )


def _copy_city(source: Path, target: Path) -> None:
    """Both were prepared by this program, and have the same columns."""
    with closing(sqlite3.connect(f"file:{target}", uri=True, timeout=5)) as connection:
        connection.execute("ATTACH ? AS city", (f"file:{source}?mode=ro",))
        with connection:
            for table in TABLES:
                columns = ", ".join(f'"{column}"' for column in _columns(connection, table))
                connection.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM city.{table}"  # noqa: S608  # our models' names
                )
        connection.execute("DETACH city")


def _reasons(where: Environment, own: Path, serving: bool) -> Callable[[], str]:
    """Why a drill has to end before its end; empty as long as it may go on."""

    def ends() -> str:
        if stopped := _read(own / STOP):
            return f"{stopped['by']}が、訓練を止めました。"
        if serving and not is_served(where):
            return "市のサーバーが止まったので、訓練も止めました。"
        return ""

    return ends


def _play(own: Path, *, scenario: str, people: int, ends: Callable[[], str]) -> dict[str, Any]:
    def python(name: str, *words: str) -> Child:
        surroundings = {
            "POLICITY_HOME": str(own),
            "POLICITY_DEMO": "0",
            "DJANGO_SETTINGS_MODULE": environment.EMBEDDED,
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
        status = _wait(children, own / PROGRESS, ends)
    except (StoppedError, KeyboardInterrupt) as why:
        note(own, str(why) or INTERRUPTED, at=timezone.localtime())
        raise
    finally:
        _end(children)
        for number, handler in before.items():
            signal.signal(number, handler)
    said = result(own)
    if status == 0 and said is not None:
        return said
    raise DrillError(_why(own))


INTERRUPTED = "訓練を止めました。"
ENDINGS = (signal.SIGINT, signal.SIGTERM)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(children: Sequence[Child], said: Path, ends: Callable[[], str]) -> int:
    """Until the play is over. Who ends before it is started again, as in a city.

    Raises StoppedError.
    """
    play, *others = children
    said.touch()
    with said.open(encoding="utf-8") as lines:
        while (status := play.ended()) is None:
            if why := ends():
                raise StoppedError(why)
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
    *_, last = ("", *progress(own))
    return f"訓練を最後まで行えませんでした。{last}（記録：{own / LOG}）"
