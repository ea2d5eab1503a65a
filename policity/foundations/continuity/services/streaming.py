"""Copies of a running city: all of it once a day, and what changed in its database every seconds.

Beside the writers one reader is kept open, so that SQLite does not begin its log anew before we
have read it; each step opens the next one before it closes the last. What was read goes out as one
encrypted file. Where something was missed all is copied again: the log's salts tell of it.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyrage
import structlog

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels.store import Store, lies
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.rules import keeping, wal
from policity.foundations.continuity.services import accompanying
from policity.foundations.continuity.services.noting import note
from policity.foundations.continuity.services.packing import DATABASE, pack_home
from policity.foundations.continuity.services.tables import rows
from policity.foundations.delivery.services import counterfoils

log = structlog.get_logger("policity.continuity")

# Seconds. What was acknowledged longer ago, and a moment, is in the copy.
PAUSE, LONGEST_PAUSE = 2.0, 60.0
ALL_AGAIN = timedelta(days=1)
# Frames: 16 MB. A longer log is brought into the database, to be begun anew.
LONG = 4000
# Seconds that we wait for writers, to have them wait for us.
PATIENCE = 1.0
# Frames that are read at once.
AT_ONCE = 1000


class MissedError(Exception):
    """The log does not go on where it was read before."""


FAULTS = (OSError, sqlite3.Error, MissedError, wal.NotALogError, pyrage.EncryptError)
TRIES = 1000


class Copies(Protocol):
    """Copies of one home, kept up in steps."""

    home: Path
    store: Store
    keys: Sequence[Any]
    clock: Callable[[], datetime]

    @property
    def follows(self) -> bool:
        """Whether it has something to go on with."""

    def step(self) -> None:
        """Bring the copy up to now."""

    def end(self) -> None:
        """Let go of the database."""


def keep_on(found: Copies, stop: threading.Event, faults: tuple[type[Exception], ...]) -> None:
    """A step every few seconds, and a last one. What fails is told, and tried again."""
    files = accompanying.Files(found.home, found.store, found.keys, clock=found.clock)
    accompanied = threading.Thread(target=files.run, args=(stop,))
    accompanied.start()
    pause = PAUSE
    while not stop.wait(pause if found.follows else 0):
        try:
            over = counterfoils.over(now=found.clock())
            found.step()
            for file in over:
                file.unlink(missing_ok=True)
            pause = PAUSE
        except faults as error:
            log.error("copy_failed", error=f"{type(error).__name__}: {error}"[:200])
            if isinstance(error, OSError | pyrage.EncryptError):
                # Of the place where copies go: whoever looks sees what is wrong with it.
                said = {"at": found.clock().isoformat(), "fault": str(error)[:200]}
                with suppress(OSError):
                    note(found.home, queries.FAULT, said)
            found.end()
            pause = min(pause * 2, LONGEST_PAUSE)
            stop.wait(pause)
    # What was written until the end belongs to it.
    with suppress(*faults):
        found.step()
    found.end()
    accompanied.join()


def remove_outlived(store: Store, home: Path, *, now: datetime) -> None:
    """Only after a whole new copy lies there; what is followed stays, whoever made newer ones.

    What cannot be removed is told, once for each whole copy, and keeps nobody from copying on.
    """
    followed = queries.noted(home, queries.FILE).get("generation")
    try:
        begun = {at: name for name in store.names() if (at := copies.begun(name))}
        whole = {at for at, name in begun.items() if lies(store, f"{name}/{copies.BASE}")}
        for at in sorted(keeping.outlived(whole, now=now) | keeping.left(begun, whole, now=now)):
            if begun[at] != followed:
                store.remove(begun[at])
                log.info("copy_removed", generation=begun[at])
    except OSError as error:
        # Some keys may only add. The copy that was made is good, and tomorrow we ask again.
        log.warning("copies_not_removed", error=f"{type(error).__name__}: {error}"[:200])


class Streamer:
    """Copies one home to one place, until it is told to stop."""

    def __init__(
        self, home: Path, store: Store, keys: Sequence[Any], *, clock: Callable[[], datetime]
    ) -> None:
        self.home, self.store, self.keys, self.clock = home, store, keys, clock
        self.database = home / DATABASE
        # Kept open, so that the log's files stay when everybody else has left.
        self._own: sqlite3.Connection | None = None
        # While it looks, the log is not begun anew beyond what it sees.
        self._reader: sqlite3.Connection | None = None
        # The index of the log. Never closed: see `_index`.
        self._shared: int | None = None
        self._at: wal.Index | None = None
        self._generation = ""
        self._begun: datetime | None = None
        self._number = 0

    def run(self, stop: threading.Event) -> None:
        """Copy what changes every few seconds. What fails is told, and tried again."""
        keep_on(self, stop, FAULTS)

    @property
    def follows(self) -> bool:
        """Whether it has something to go on with."""
        return self._at is not None

    def step(self) -> None:
        """Bring the copy up to now: with what has changed, or with everything."""
        now = self.clock()
        if self._at is None or self._begun is None or now - self._begun >= ALL_AGAIN:
            self._copy_all(now)
        else:
            self._copy_changes()
        self._note(now)
        if self._at is not None and self._at.frames > LONG:
            self._let_log_begin_anew()

    def backup(self) -> str:
        """A whole copy now; gives its generation."""
        try:
            self.step()
        finally:
            self.end()
        return self._generation

    def _note(self, at: datetime) -> None:
        """Say up to when everything is in the copy, for who asks (`queries.synced`)."""
        said = {"at": at.isoformat(), "generation": self._generation, "changes": self._number}
        note(self.home, queries.FILE, said)

    def end(self) -> None:
        """Let go of the database; the next step copies everything."""
        for connection in (self._reader, self._own):
            if connection is not None:
                connection.close()
        self._reader = self._own = self._at = None

    def _connection(self) -> sqlite3.Connection:
        if self._own is None:
            self._own = sqlite3.connect(self.database, timeout=5, isolation_level=None)
            self._own.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return self._own

    def _copy_all(self, now: datetime) -> None:
        self.end()
        # Before all of it is read: whether there is a place for it.
        self.store.names()
        generation = copies.generation(now)
        reader, at = self._look()
        self._reader = reader
        scratch = self.home / "run" / "copy.sqlite3"
        scratch.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(scratch)) as made:
                # Within the reader's transaction: as of one moment, and no writer waits.
                reader.backup(made)
                made.execute("PRAGMA journal_mode=DELETE")
                said = {"generation": generation, "at": now.isoformat(), "rows": rows(made)}
            with self.store.writing(f"{generation}/{copies.BASE}") as file:
                files = pack_home(self.home, scratch, said, file, self.keys)
            accompanying.begin(self.home, generation, files)
        finally:
            scratch.unlink(missing_ok=True)
        self._at, self._generation, self._begun, self._number = at, generation, now, 0
        log.info("copied_all", generation=generation)
        self._copy_changes()
        remove_outlived(self.store, self.home, now=now)

    def _let_log_begin_anew(self) -> None:
        """Bring all of the log into the database: then the next writer begins it from its start.

        Most of that is done beside the writers. For the rest they wait a moment: our reader must
        see everything, and everything be in the database, before one more frame is written.
        """
        self._copy_changes()
        checkpoint = "PRAGMA wal_checkpoint(PASSIVE)"
        self._connection().execute(checkpoint)
        with closing(
            sqlite3.connect(self.database, timeout=PATIENCE, isolation_level=None)
        ) as lock:
            try:
                lock.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return  # somebody writes much: another time
            self._copy_changes()
            self._connection().execute(checkpoint)
            self._copy_changes()

    def _look(self) -> tuple[sqlite3.Connection, wal.Index]:
        """A reader, and the state of the log that it sees."""
        self._connection()
        for _ in range(TRIES):
            before = self._index()
            reader = sqlite3.connect(self.database, timeout=5, isolation_level=None)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if before is not None and before == self._index():
                return reader, before
            reader.close()
        raise MissedError("the log does not hold still")

    def _index(self) -> wal.Index | None:
        """What the log's index says now.

        Its file stays open: with the first one that a process closes, the system lets go of every
        lock that the process has on it (POSIX), our reader's among them, and the log could be begun
        anew before we have read it.
        """
        path = self.database.with_name(DATABASE + "-shm")
        try:
            if self._shared is None or not os.path.samestat(os.fstat(self._shared), path.stat()):
                self._shared = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        return wal.index(os.pread(self._shared, wal.INDEX_HEADER, 0))

    def _copy_changes(self) -> None:
        reader, now = self._look()
        old, self._reader = self._reader, reader
        if old is not None:
            # Not before: between the two the log might have been begun anew.
            old.close()
        assert self._at is not None  # noqa: S101  # for the types
        if not wal.follows(self._at, now):
            raise MissedError("the log was begun anew more often than we have looked")
        if (now.begun, now.salt) != (self._at.begun, self._at.salt):
            # Begun anew, but not before all of it had been seen: our reader stood at its end.
            self._at = now._replace(frames=0)
        if now.frames > self._at.frames:
            self._write(self._frames(self._at.frames, now), now)
        self._at = now

    def _frames(self, after: int, now: wal.Index) -> Iterator[bytes]:
        with self.database.with_name(DATABASE + "-wal").open("rb") as file:
            file.seek(wal.position(after + 1, now.page_size))
            left = now.frames - after
            while left:
                some = min(left, AT_ONCE)
                yield file.read(some * (wal.FRAME_HEADER + now.page_size))
                left -= some

    def _write(self, frames: Iterator[bytes], now: wal.Index) -> None:
        changed = wal.changes(frames, page_size=now.page_size, begun=now.begun, salt=now.salt)
        number = self._number + 1
        change = copies.Change(self._generation, number, self.clock(), now.page_size, changed)
        with self.store.writing(f"{self._generation}/{copies.change_name(number)}") as file:
            file.write(pyrage.encrypt(copies.pack(change), self.keys))
        self._number = number
