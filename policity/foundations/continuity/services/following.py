"""Copies of a running city whose data is in PostgreSQL: all of it once a day, and its log.

The server keeps its log in a slot until we say that the copies have it. A whole copy is made
beside, while what changes still follows into the one before. Needs the extra `cluster`.
"""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyrage
import structlog
from psycopg import conninfo

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels import programs
from policity.foundations.continuity.channels.replication import (
    RefusedError,
    Replication,
)
from policity.foundations.continuity.channels.store import Store, lies
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.rules import lsn
from policity.foundations.continuity.rules.age import too_old
from policity.foundations.continuity.services import accompanying
from policity.foundations.continuity.services.noting import note
from policity.foundations.continuity.services.packing import pack_home
from policity.foundations.continuity.services.streaming import (
    ALL_AGAIN,
    keep_on,
    remove_outlived,
)

log = structlog.get_logger("policity.continuity")

# Bytes of the log that go into one file at most, and are in our memory.
AT_ONCE = 16 << 20
# The channels' own are RuntimeErrors.
FAULTS = (OSError, ValueError, RuntimeError, psycopg.Error, pyrage.EncryptError)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which server's log a generation goes on: all before `at` is in its files."""

    generation: str
    number: int
    system: str
    timeline: int
    at: int


class Whole:
    """A whole copy, made in a thread; the log since it was begun is kept until `end`."""

    def __init__(self, follower: "Follower", now: datetime) -> None:
        self.began, self._follower = now, follower
        self.fault: Exception | None = None
        self.place: Place | None = None
        self._kept: Replication | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether it lies there, or failed."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Until it is over. Raises what it failed with."""
        self._thread.join()
        if self.fault:
            raise self.fault

    def end(self) -> None:
        """Let go of the log."""
        if self._kept:
            self._kept.close()

    def _run(self) -> None:
        try:
            self._kept = Replication(self._follower.server)
            self.place = self._follower.copy_all(self._kept, self.began)
        except FAULTS as error:
            self.fault = error


class Follower:
    """Copies one home and its server to one place, until it is told to stop."""

    def __init__(
        self,
        home: Path,
        store: Store,
        keys: Sequence[Any],
        *,
        server: str,
        database: str,
        clock: Callable[[], datetime],
    ) -> None:
        """`server` is an address by which its log is given out, `database` the city's own."""
        self.home, self.store, self.keys, self.clock = home, store, keys, clock
        self.server, self.database = server, conninfo.conninfo_to_dict(database)
        self.slot = queries.slot_name(str(self.database["dbname"]))
        self._ask: Replication | None = None
        self._log: Replication | None = None
        self._place: Place | None = None
        self._whole: Whole | None = None
        # After an end we look once whether what was copied before can go on.
        self._looked = False

    def run(self, stop: threading.Event) -> None:
        """Copy what changes every few seconds. What fails is told, and tried again."""
        keep_on(self, stop, FAULTS)
        if self._whole:
            self._whole.end()

    @property
    def follows(self) -> bool:
        """Whether it has something to go on with."""
        return self._log is not None

    def step(self) -> None:
        """Bring the copy up to now: with what has changed, or with everything."""
        now = self.clock()
        if self._place is None and not self._looked:
            self._place, self._looked = self._copied_before(), True
        try:
            if self._place is None:
                self._begin(now)
            self._care_for_whole(now)
            self._copy_changes()
        except RefusedError:
            # The slot or the log in it is gone: it is begun anew, with everything.
            self._place = None
            self.end()
            with suppress(RefusedError):
                self._asked().ask(f"DROP_REPLICATION_SLOT {self.slot}")
            raise
        self._note(now)

    def backup(self) -> str:
        """A whole copy now, beside the one that is followed; gives its generation."""
        now = self.clock()
        whole = Whole(self, now)
        try:
            whole.wait()
        finally:
            whole.end()
        assert whole.place is not None  # noqa: S101  # for the types
        followed = queries.synced(self.home)
        if too_old(followed.at if followed else None, now=now):
            # Nobody follows: it is what there is. But nothing can go on from it.
            said = {"at": now.isoformat(), "generation": whole.place.generation, "changes": 0}
            note(self.home, queries.FILE, said)
        return whole.place.generation

    def end(self) -> None:
        """Let go of the server; the next step goes on where the copies end."""
        for connection in (self._ask, self._log):
            if connection is not None:
                connection.close()
        self._ask = self._log = None

    def _begin(self, now: datetime) -> None:
        """The first of all, or after something was missed."""
        self._asked().reserve(self.slot)
        # Only one follows: another would make whole copies for nobody.
        _, start, timeline = self._asked().ask(f"READ_REPLICATION_SLOT {self.slot}")
        probe = Replication(self.server)
        try:
            probe.follow(self.slot, start or "0/0", int(timeline or 0))
        finally:
            probe.close()
        whole = self._whole or Whole(self, now)
        self._whole = None
        try:
            whole.wait()
            self._go_on_from(whole)
        finally:
            whole.end()

    def _care_for_whole(self, now: datetime) -> None:
        """Once a day a whole copy is begun, and gone over to when it lies there."""
        if self._whole is None:
            begun = self._place and copies.begun(self._place.generation)
            if begun and now - begun >= ALL_AGAIN:
                self._whole = Whole(self, now)
        elif self._whole.over:
            whole, self._whole = self._whole, None
            try:
                whole.wait()
                self._copy_changes()
                self._go_on_from(whole)
            finally:
                whole.end()

    def _go_on_from(self, whole: Whole) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None
        self._place = whole.place
        # Before the log is let go that the whole copy has held.
        self._copy_changes()
        remove_outlived(self.store, self.home, now=whole.began)

    def copy_all(self, kept: Replication, now: datetime) -> Place:
        """Everything as of now; `kept` holds the log from before on while it is open."""
        own = f"{self.slot[:50]}_{os.getpid()}"
        kept.ask(f"CREATE_REPLICATION_SLOT {own} TEMPORARY PHYSICAL RESERVE_WAL")
        system, timeline, at, _ = kept.ask("IDENTIFY_SYSTEM")
        (segment,) = kept.ask("SHOW wal_segment_size")
        (version,) = kept.ask("SHOW server_version_num")
        name, major = copies.generation(now), int(version) // 10000
        size = lsn.size(segment)
        said = {
            "generation": name, "at": now.isoformat(), "system": system, "timeline": int(timeline),
            "segment": size, "version": major, "database": self.database["dbname"],
            "user": self.database.get("user", ""),
        }  # fmt: skip
        try:
            with (
                self.store.writing(f"{name}/{copies.SERVER}") as file,
                programs.data_folder(self.server, major) as data,
            ):
                pyrage.encrypt_io(data, file, self.keys)
            # Last: a generation is whole when it lies there.
            with self.store.writing(f"{name}/{copies.BASE}") as file:
                files = pack_home(self.home, None, said, file, self.keys)
        except BaseException:
            with suppress(OSError):
                self.store.remove(name)
            raise
        accompanying.begin(self.home, name, files)
        log.info("copied_all", generation=name)
        return Place(name, 0, system, int(timeline), lsn.begin(lsn.number(at), segment=size))

    def _asked(self) -> Replication:
        if self._ask is None:
            self._ask = Replication(self.server)
        return self._ask

    def _copy_changes(self) -> None:
        if self._place is not None:
            self._place = self._copied_on(self._place)

    def _copied_on(self, place: Place) -> Place:
        """Where it goes on, once all that the server has written until now is in the copies."""
        system, timeline, flushed, _ = self._asked().ask("IDENTIFY_SYSTEM")
        if (system, int(timeline)) != (place.system, place.timeline):
            raise RefusedError("another server, or another timeline, than was copied")
        if self._log is None:
            self._log = Replication(self.server)
            self._log.follow(self.slot, lsn.text(place.at), place.timeline)
        wanted, pieces, at = lsn.number(flushed), [], place.at
        for position, piece in self._log.read(wanted) if at < wanted else ():
            if position != at:
                raise RefusedError(f"a hole in the log before {lsn.text(position)}")
            pieces.append(piece)
            at += len(piece)
            if at - place.at >= AT_ONCE or at >= wanted:
                place = self._written(place, b"".join(pieces))
                pieces = []
        # Only what lies there for good is no longer kept for us.
        self._log.confirm(place.at)
        return place

    def _written(self, place: Place, data: bytes) -> Place:
        number = place.number + 1
        logged = copies.Logged(
            place.generation, number, self.clock(), place.timeline, place.at, data
        )
        with self.store.writing(f"{place.generation}/{copies.change_name(number)}") as file:
            file.write(pyrage.encrypt(copies.pack_log(logged), self.keys))
        # At once: if a later piece cannot be written, we go on from here.
        self._place = replace(place, number=number, at=place.at + len(data))
        return self._place

    def _note(self, at: datetime) -> None:
        """Say up to when everything is in the copy, for who asks, and for us when we start anew."""
        place = self._place
        if place is None:
            return
        said = {
            "at": at.isoformat(), "generation": place.generation, "changes": place.number,
            "system": place.system, "timeline": place.timeline, "position": lsn.text(place.at),
        }  # fmt: skip
        note(self.home, queries.FILE, said)

    def _copied_before(self) -> Place | None:
        """Where an earlier process has stopped, if that is the end of what lies there."""
        said = queries.noted(self.home, queries.FILE)
        if "position" not in said:
            return None
        # Where nothing can be asked, nothing is missing yet.
        self.store.names()
        generation, last = said["generation"], said["changes"]
        newest = copies.change_name(last) if last else copies.BASE
        # By their names: what is new may not be listed yet.
        if not all(lies(self.store, f"{generation}/{name}") for name in (copies.BASE, newest)):
            return None
        if lies(self.store, f"{generation}/{copies.change_name(last + 1)}"):
            return None
        return Place(
            generation, last, said["system"], said["timeline"], lsn.number(said["position"])
        )
