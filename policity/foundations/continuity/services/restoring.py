"""From copies to a home that serves; nothing is brought back half."""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pyrage

from policity.foundations.continuity.channels.store import Store, lies
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.rules import keeping
from policity.foundations.continuity.rules.wal import Changes
from policity.foundations.continuity.services.packing import DATABASE, unpack_home
from policity.foundations.continuity.services.tables import rows
from policity.foundations.delivery.services.counterfoils import HAND, LOST

# Changes that are read at once, and are in our memory: 16 MB each at most.
AT_ONCE = 16
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back: as of `at`, with how many changes since the whole copy.

    `beyond` are changes that lie there and could not be laid on: one before them is missing.
    `files` is how often files followed that are not in the database.
    `server` is the major version of the PostgreSQL whose data folder was brought back, or 0.
    """

    generation: str
    at: datetime
    changes: int
    beyond: int
    rows: int
    seconds: float
    files: int
    server: int = 0


def generations(store: Store) -> list[str]:
    """Those whose whole copy lies there, the newest first."""
    found = (name for name in store.names() if copies.begun(name))
    return sorted((one for one in found if lies(store, f"{one}/{copies.BASE}")), reverse=True)


def restore(
    store: Store,
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
    files = _lay_files(store, keys, chosen, into, report)
    if lasting:
        _lay_counterfoils(store, into)
    if "system" in said:
        # Imported here: it needs the extra `cluster`.
        from policity.foundations.continuity.services.recovering import recover

        return recover(
            store, keys, chosen, into, said, report=report, began=began, files=files,
            lasting=lasting,
        )  # fmt: skip
    database = into / DATABASE
    database.chmod(0o600)
    _counted(database, said["rows"])
    at, count = datetime.fromisoformat(said["at"]), 0
    with database.open("r+b") as file:
        found_changes = changes(store, chosen)
        numbers = following(found_changes)
        for number, data in ahead(store, keys, chosen, numbers):
            change = copies.unpack(data)
            belongs(change, chosen, number)
            apply(file, change)
            at, count = change.at, number
    beyond = len(found_changes) - len(numbers)
    tell_beyond(beyond, count, report)
    report(f"変更を{count}回分、重ねました。データベースを調べています …")
    return Restored(chosen, at, count, beyond, _sound(database), time.monotonic() - began, files)


def _furthest(store: Store, keys: Sequence[Any], found: Sequence[str]) -> str:
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


def changes(store: Store, generation: str) -> list[int]:
    """The changes that lie there, ascending."""
    return _numbers(store, generation, copies.change_number, copies.change_name)


def _numbers(
    store: Store,
    generation: str,
    number_of: Callable[[str], int | None],
    name_of: Callable[[int], str],
) -> list[int]:
    found = set(filter(None, map(number_of, store.names(generation))))
    # What a list leaves out may still lie there. Beyond a hole that is one nothing is of use.
    number = 1
    while number in found or lies(store, f"{generation}/{name_of(number)}"):
        found.add(number)
        number += 1
    return sorted(found)


def _lay_files(
    store: Store, keys: Sequence[Any], generation: str, into: Path, report: Report
) -> int:
    """Lay the files that were new over the whole copy; gives how often there were some."""
    found = _numbers(store, generation, copies.files_number, copies.files_name)
    numbers = following(found)
    for number in numbers:
        name = f"{generation}/{copies.files_name(number)}"
        with store.reading(name) as file:
            said = _unpacked(file, keys, into)
        if (said["generation"], said["number"]) != (generation, number):
            raise BadCopyError(f"{name} は、ほかの写しのものです")
        for gone in map(PurePosixPath, said["removed"]):
            if gone.is_absolute() or ".." in gone.parts:
                raise BadCopyError(f"{name} がこわれています（{gone}）")
            (into / gone).unlink(missing_ok=True)
    if len(found) > len(numbers):
        report(f"ファイルの写し{len(numbers) + 1}がありません。そのあとのファイルは、もどせません")
    return len(numbers)


def _lay_counterfoils(store: Store, into: Path) -> None:
    """What senders had noted where the copies are, for the senders of the home."""
    for home in store.names(HAND):
        for engine in store.names(f"{HAND}/{home}"):
            folder = into / "run" / LOST / f"{home}-{engine}"
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in store.names(f"{HAND}/{home}/{engine}"):
                with store.reading(f"{HAND}/{home}/{engine}/{name}") as file:
                    (folder / name).write_bytes(file.read())


def following(numbers: Sequence[int]) -> list[int]:
    """Those that follow one another from the first on; beyond a hole nothing is of use."""
    return [number for wanted, number in enumerate(numbers, 1) if number == wanted]


def opened(store: Store, keys: Sequence[Any], generation: str, number: int) -> bytes:
    """A change as it was packed. Raises BadCopyError."""
    name = f"{generation}/{copies.change_name(number)}"
    with store.reading(name) as file:
        try:
            return bytes(pyrage.decrypt(file.read(), keys))
        except pyrage.DecryptError as error:
            raise BadCopyError(f"{name} がこわれています（{error}）") from error


def ahead(
    store: Store, keys: Sequence[Any], generation: str, numbers: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Changes as they were packed, in order; the next are being read meanwhile.

    A day has thousands of them, and a network answers each after a while. Raises BadCopyError.
    """
    waiting: deque[tuple[int, Future[bytes]]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in numbers:
            waiting.append((number, pool.submit(opened, store, keys, generation, number)))
            if len(waiting) == AT_ONCE:
                first, read = waiting.popleft()
                yield first, read.result()
        for last, read in waiting:
            yield last, read.result()


def belongs(found: copies.Change | copies.Logged, generation: str, number: int) -> None:
    """Raises BadCopyError where a change lies where another should."""
    if (found.generation, found.number) != (generation, number):
        name = f"{generation}/{copies.change_name(number)}"
        raise BadCopyError(f"{name} は、ほかの写しのものです")


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
