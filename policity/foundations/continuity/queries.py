"""How a city stands, from files in its home: asked also when the database is away."""

import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, connection

from policity.foundations.continuity.rules import health, waiting
from policity.foundations.continuity.rules.age import too_old
from policity.foundations.continuity.rules.waiting import Kept
from policity.kit.sides import Role

# Notes in the home's run/: copies, what kept us from making them, the last trial of them, other
# servers' clocks, the certificate.
FILE = "copied.json"
FAULT = "copy-fault.json"
DRILLED = "drilled.json"
CLOCKS = "clocks.json"
CERTIFICATE = "certificate.json"
# What of persons faded last.
FADED = "faded.json"
# How everything stands, for a city's monitoring.
ALARMS = "alarms.json"

# Each of these touches its file at least every few seconds.
CHILDREN = ("live", "worker", "watcher", "sender-urgent", "sender-routine")
# Inside nobody is told anything, and nothing comes in but by hand.
CHILDREN_INSIDE = ("worker",)
HEARTBEAT_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Synced:
    """Up to when everything is in the copy; `changes` are those since the whole one."""

    at: datetime
    generation: str
    changes: int


def files_note(generation: str) -> str:
    """The note of which files a generation holds."""
    return f"files-{generation}.json"


def synced(home: Path) -> Synced | None:
    """Up to when everything is in the copy; None where nothing was ever copied."""
    try:
        said = json.loads((home / "run" / FILE).read_text())
    except FileNotFoundError:
        return None
    return Synced(datetime.fromisoformat(said["at"]), said["generation"], said["changes"])


def files_synced(home: Path, generation: str) -> int:
    """How often files were copied into a generation, as far as this home knows."""
    return int(noted(home, files_note(generation)).get("number", 0))


def copy_fault(home: Path) -> str:
    """What the place of copies said when it last took none; empty: it has taken one since."""
    said, found = noted(home, FAULT), synced(home)
    if not said or (found and found.at >= datetime.fromisoformat(said["at"])):
        return ""
    return str(said["fault"])


def counterfoils_behind(home: Path) -> bool:
    """Whether what is being sent cannot be noted where the copies are."""
    return any((home / "run" / "hand").glob("*.behind"))


def behind(*, now: datetime) -> bool:
    """Whether copies are to be made and are too old to rely on. A file is read, no database."""
    if not settings.BACKUP:
        return False
    found = synced(Path(settings.HOME))
    return too_old(found.at if found else None, now=now)


def noted(home: Path, file: str) -> dict[str, Any]:
    """A note; empty where there is none, or none that can be read."""
    try:
        said = json.loads((home / "run" / file).read_text())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


# Forms that came while the database was away; those that could not be taken in afterwards.
SPOOL = "spool"
REFUSED = "spool/refused"


def spooled(home: Path) -> list[Kept]:
    """The forms that wait for the database, in the order in which they come in."""
    return waiting.order(_kept(home / SPOOL))


def set_aside(home: Path) -> list[Kept]:
    """The forms that waited and could not be taken."""
    return sorted(_kept(home / REFUSED), key=str)


def _kept(folder: Path) -> list[Kept]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - 50,000 names, at each form that is kept
    except FileNotFoundError:
        return []
    return [kept for name in names if (kept := waiting.parse(name))]


def calls_among(kept: list[Kept]) -> int:
    """How many of these say that somebody needs help."""
    return sum(one.call for one in kept)


def database_fault() -> str:
    """Why the database does not answer; empty: it does."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM work_item")
            cursor.fetchone()
    except Error as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def children() -> tuple[str, ...]:
    """The processes that a city of this role has, besides the front and the web server."""
    return CHILDREN_INSIDE if settings.ROLE == Role.INTERNAL else CHILDREN


def slot_name(database: str) -> str:
    """By which name a PostgreSQL server keeps its log for the copies of a database."""
    return f"policity_copies_{re.sub('[^a-z0-9_]', '_', database.lower())}"[:63]


def slot() -> health.Slot:
    """How the log stands that a PostgreSQL server keeps for the copies."""
    name = slot_name(str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wal_status, current_setting('max_slot_wal_keep_size')"
            " FROM pg_replication_slots WHERE slot_name = %s",
            [name],
        )
        found = cursor.fetchone()
    return health.slot(*found) if found else health.Slot.NONE


def silent(home: Path, *, now: datetime) -> tuple[str, ...]:
    """Which of the city's processes have shown no sign of life just now."""
    return tuple(name for name in children() if not _alive(home / "run" / f"{name}.alive", now))


def _alive(file: Path, now: datetime) -> bool:
    try:
        return now.timestamp() - file.stat().st_mtime < HEARTBEAT_SECONDS
    except FileNotFoundError:
        return False


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes: what is free where the home lies, and what the database takes with its log."""

    free: int
    database: int


def disk(home: Path) -> Disk:
    """The home's disk."""
    files = home.glob("policity.sqlite3*")
    return Disk(shutil.disk_usage(home).free, sum(file.stat().st_size for file in files))


def clock_ahead(home: Path, *, now: datetime) -> timedelta | None:
    """How far our clock is ahead of other servers'; None where none has said so lately."""
    heard = [
        (datetime.fromisoformat(said["at"]), timedelta(seconds=said["ahead_s"]))
        for said in noted(home, CLOCKS).values()
    ]
    return health.ahead(heard, now=now)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was seen of the city's own address `at`: until when it holds, or what was wrong."""

    at: datetime
    until: datetime | None
    fault: str


def certificate(home: Path) -> Certificate | None:
    """The certificate as it was last looked at; None: nobody has looked."""
    said = noted(home, CERTIFICATE)
    if not said:
        return None
    until = said["until"] and datetime.fromisoformat(said["until"])
    return Certificate(datetime.fromisoformat(said["at"]), until, said["fault"])


def drilled(home: Path) -> datetime | None:
    """When copies were last brought back for a trial from here, and compared."""
    said = noted(home, DRILLED)
    return datetime.fromisoformat(said["at"]) if said else None


@dataclass(frozen=True, slots=True)
class Faded:
    """When what is known of persons faded last, and how much of each kind."""

    at: datetime
    counts: dict[str, int]


def faded(home: Path) -> Faded | None:
    """What faded last; None: nothing ever did."""
    said = noted(home, FADED)
    return Faded(datetime.fromisoformat(said["at"]), said["counts"]) if said else None


def old_files(folder: Path, before: datetime) -> list[Path]:
    """The files of a folder that were last written before a moment."""
    if not folder.is_dir():
        return []
    edge = before.timestamp()
    return [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < edge]
