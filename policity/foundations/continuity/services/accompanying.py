"""What lies in a home beside its database, copied as it comes and goes: forms that wait, pictures.

New files go out at once, whether the database answers or not. That a file is gone is copied only
when the copy has the database as it was then: a form that came in is in one of the two, always.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage
import structlog

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels.store import Store
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.services.noting import note
from policity.foundations.continuity.services.packing import Stamp, pack_some, taken

log = structlog.get_logger("policity.continuity")

# Seconds.
PAUSE = 2.0
FAULTS = (OSError, ValueError, KeyError, pyrage.EncryptError)


def begin(home: Path, generation: str, files: dict[str, Stamp]) -> None:
    """Note what of a home a whole copy holds: what follows it begins there."""
    note(home, queries.files_note(generation), {"number": 0, "files": files})


class Files:
    """Copies of a home's files into the generation that is followed."""

    def __init__(
        self, home: Path, store: Store, keys: Sequence[Any], *, clock: Callable[[], datetime]
    ) -> None:
        self.home, self.store, self.keys, self.clock = home, store, keys, clock
        self._generation, self._number = "", 0
        self._copied: dict[str, Stamp] = {}
        # Those that are gone, and when we saw it.
        self._gone: dict[str, datetime] = {}

    def run(self, stop: threading.Event) -> None:
        """Copy what is new every few seconds. What fails is told, and tried again."""
        told = ""
        while not stop.wait(PAUSE):
            try:
                self.step()
                told = ""
            except FAULTS as error:
                said = f"{type(error).__name__}: {error}"[:200]
                if said != told:
                    log.error("files_not_copied", error=said)
                told = said
        with suppress(*FAULTS):
            self.step()

    def step(self) -> None:
        """Bring the files up to now."""
        found = queries.synced(self.home)
        if found is None:
            return
        if found.generation != self._generation:
            self._go_over(found.generation)
        # Before we look: who is gone then has left the database before.
        now = self.clock()
        there = taken(self.home)
        new = [name for name, stamp in there.items() if self._copied.get(name) != stamp]
        gone = self._copied.keys() - there.keys()
        self._gone = {name: self._gone.get(name, now) for name in gone}
        removed = sorted(name for name, at in self._gone.items() if at <= found.at)
        if new or removed:
            self._write(new, removed, now)
            self._copied |= {name: there[name] for name in new}
            for name in removed:
                del self._copied[name]
            self._note()

    def _go_over(self, generation: str) -> None:
        said = queries.noted(self.home, queries.files_note(generation))
        self._generation, self._number = generation, said.get("number", 0)
        self._copied = {name: (size, at) for name, (size, at) in said.get("files", {}).items()}
        self._gone = {}
        for file in (self.home / "run").glob(queries.files_note("*")):
            if file.name < queries.files_note(generation):
                file.unlink()

    def _write(self, new: Sequence[str], removed: Sequence[str], now: datetime) -> None:
        number = self._number + 1
        said = {
            "generation": self._generation, "number": number, "at": now.isoformat(),
            "removed": removed,
        }  # fmt: skip
        with self.store.writing(f"{self._generation}/{copies.files_name(number)}") as file:
            pack_some(self.home, new, said, file, self.keys)
        self._number = number

    def _note(self) -> None:
        said = {"number": self._number, "files": self._copied}
        note(self.home, queries.files_note(self._generation), said)
