"""From copies to a home that serves; nothing is brought back half."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage

from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.rules import keeping
from policity.foundations.continuity.rules.wal import Changes
from policity.foundations.continuity.services.packing import DATABASE, unpack_home
from policity.foundations.continuity.services.tables import rows

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: as of `at`, with how many changes since the whole copy.

    `beyond` are changes that lie there and could not be laid on: one before them is missing.
    `server` is the major version of the PostgreSQL whose data folder was brought back, or 0.
    """

    generation: str
    at: datetime
    changes: int
    beyond: int
    rows: int
    seconds: float
    server: int = 0


def generations(store: Folder) -> list[str]:
    """Those whose whole copy lies there, the newest first."""
    found = (name for name in store.names() if copies.begun(name))
    return sorted((one for one in found if copies.BASE in store.names(one)), reverse=True)


def restore(
    store: Folder,
    keys: Sequence[Any],
    into: Path,
    *,
    report: Report,
    generation: str = "",
    lasting: bool = True,
) -> Restored:
    """Bring a home back into a folder that is empty, or not there: as of now, or a named copy.

    Not `lasting`: it is looked at and thrown away.

    Raises BadCopyError, OSError; what was written until then is left for who looks into it.
    """
    if into.exists() and any(into.iterdir()):
        raise BadCopyError(f"{into} は空ではありません。空のフォルダーを指定してください")
    found = generations(store)
    if generation and generation not in found:
        raise BadCopyError(f"{generation} の写しはありません")
    if not found:
        raise BadCopyError("写しがありません")
    chosen, began = generation or _furthest(store, keys, found), time.monotonic()
    into.mkdir(mode=0o750, parents=True, exist_ok=True)
    report(f"{chosen} の写しを読んでいます（{store.size(f'{chosen}/{copies.BASE}') // 2**20}MB）…")
    with store.reading(f"{chosen}/{copies.BASE}") as file:
        said = _unpacked(file, keys, into)
    if "system" in said:
        # Imported here: it needs the extra `cluster`.
        from policity.foundations.continuity.services.recovering import recover

        return recover(store, keys, chosen, into, said, report=report, began=began, lasting=lasting)
    database = into / DATABASE
    database.chmod(0o600)
    _counted(database, said["rows"])
    at, count = datetime.fromisoformat(said["at"]), 0
    with database.open("r+b") as file:
        found_changes = changes(store, chosen)
        numbers = following(found_changes)
        for number in numbers:
            change = _change(store, keys, chosen, number)
            apply(file, change)
            at, count = change.at, number
    beyond = len(found_changes) - len(numbers)
    tell_beyond(beyond, count, report)
    report(f"変更を{count}回分、重ねました。データベースを調べています …")
    return Restored(chosen, at, count, beyond, _sound(database), time.monotonic() - began)


def _furthest(store: Folder, keys: Sequence[Any], found: Sequence[str]) -> str:
    """Of the newest, the one that comes nearest to now.

    A whole copy that was made by hand is newer than the one which is followed, and stands still.
    """

    def reach(name: str) -> datetime:
        begun = copies.begun(name) or datetime.min.replace(tzinfo=UTC)
        numbers = following(changes(store, name))
        try:
            return copies.moment(opened(store, keys, name, numbers[-1])) if numbers else begun
        except BadCopyError:
            return begun

    return max(found[: keeping.NEWEST + 1], key=reach)


def tell_beyond(beyond: int, count: int, report: Report) -> None:
    """Say so where changes lie behind one that is missing."""
    if beyond:
        report(f"{missing(count + 1)}。そのあとの{beyond}回分は、もどせません")


def missing(number: int) -> str:
    """In words: this change is not where copies are kept."""
    return f"変更{number}の写しがありません"


def _unpacked(file: Any, keys: Sequence[Any], into: Path) -> dict[str, Any]:
    try:
        return unpack_home(file, keys, into)
    except pyrage.DecryptError as error:
        raise BadCopyError(f"この鍵では開けないか、写しがこわれています（{error}）") from error
    except (ValueError, KeyError, OSError) as error:
        raise BadCopyError(f"写しがこわれています（{error}）") from error


def changes(store: Folder, generation: str) -> list[int]:
    """The changes that lie there, ascending."""
    return sorted(filter(None, map(copies.change_number, store.names(generation))))


def following(numbers: Sequence[int]) -> list[int]:
    """Those that follow one another from the first on; beyond a hole nothing is of use."""
    return [number for wanted, number in enumerate(numbers, 1) if number == wanted]


def opened(store: Folder, keys: Sequence[Any], generation: str, number: int) -> bytes:
    """A change as it was packed. Raises BadCopyError."""
    name = f"{generation}/{copies.change_name(number)}"
    with store.reading(name) as file:
        try:
            return bytes(pyrage.decrypt(file.read(), keys))
        except pyrage.DecryptError as error:
            raise BadCopyError(f"{name} がこわれています（{error}）") from error


def belongs(found: copies.Change | copies.Logged, generation: str, number: int) -> None:
    """Raises BadCopyError where a change lies where another should."""
    if (found.generation, found.number) != (generation, number):
        name = f"{generation}/{copies.change_name(number)}"
        raise BadCopyError(f"{name} は、ほかの写しのものです")


def _change(store: Folder, keys: Sequence[Any], generation: str, number: int) -> copies.Change:
    change = copies.unpack(opened(store, keys, generation, number))
    belongs(change, generation, number)
    return change


def apply(file: Any, change: copies.Change) -> None:
    """Write changed pages into a database that nobody uses."""
    made: Changes = change.changes
    for number, page in made.pages.items():
        file.seek((number - 1) * change.page_size)
        file.write(page)
    file.truncate(made.size * change.page_size)


def _counted(database: Path, wanted: dict[str, int]) -> None:
    with closing(sqlite3.connect(database)) as connection:
        found = rows(connection)
    if found != wanted:
        wrong = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        raise BadCopyError(f"行の数が、写したときと違います（{'、'.join(wrong)}）")


def _sound(database: Path) -> int:
    """How many rows it has. Raises BadCopyError where SQLite finds anything wrong with it."""
    with closing(sqlite3.connect(database)) as connection:
        said = [row[0] for row in connection.execute("PRAGMA integrity_check(10)")]
        if said != ["ok"]:
            raise BadCopyError(f"データベースがこわれています（{said[0]}）")
        if wrong := connection.execute("PRAGMA foreign_key_check").fetchone():
            raise BadCopyError(f"データベースのつながりがこわれています（{wrong[0]}）")
        return sum(rows(connection).values())
