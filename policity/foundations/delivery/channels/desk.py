"""The desk between an engine and the sender. Orders come in; the hand log is what goes out.

An engine's process works on a `Tray` and writes a `Log`; the sender's has a `Hatch` and reads the
same files. What an engine did is told by its log alone, whether the sender still lives or not.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from policity.foundations.delivery.channels.counterfoil import Counterfoil
from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.formats.handlog import Key, Line
from policity.foundations.delivery.rules.handing import Answer, Item

# A log of this many bytes is closed and the next one begun.
LONGEST = 4_000_000
FULL_DISK_SECONDS = 0.5
# How often it is asked whether a domain takes its next mail.
PACED_SECONDS = 0.02


class Log:
    """A hand log on disk: numbered files in a folder, the last one open for appending.

    One engine writes them. A file goes when everything in it is in the ledger.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        # By the clock: of two files of a home, none has the other's name.
        last = max((int(file.stem) for file in logs(folder)), default=-1)
        self._number = max(last + 1, int(time.time()))
        self._size = 0
        self._file = self._open()

    def append(self, data: bytes) -> int:
        """How many bytes were taken: they outlive the process. Raises OSError if none was."""
        done = os.write(self._file, data)
        self._size += done
        return done

    @property
    def name(self) -> str:
        """The name of the file that is written."""
        return self._path.name

    @property
    def is_long(self) -> bool:
        """Whether it is time for the next file."""
        return self._size > LONGEST

    def next(self) -> None:
        """Begin the next file. The one before says no more."""
        os.close(self._file)
        self._number += 1
        self._file = self._open()

    def close(self) -> None:
        """No more is appended."""
        os.close(self._file)

    @property
    def _path(self) -> Path:
        return self.folder / f"{self._number}.log"

    def _open(self) -> int:
        self._size = 0
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)


def logs(folder: Path) -> list[Path]:
    """The logs in a folder, oldest first."""
    return sorted(folder.glob("*.log"))


class Tray:
    """A desk (`rules.handing.Desk`): items wait here until an engine takes them.

    `pace` says for how many seconds from now an item must still wait, 0 for none: a receiver's
    own limits. The clock is the monotonic one; every item has a moment after which it is no
    longer ours to begin.
    """

    def __init__(
        self,
        log: Log,
        *,
        pace: Callable[[Item, float], float] | None = None,
        counterfoil: Counterfoil | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = log
        self._pace = pace
        self._counterfoil = counterfoil
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Item, float]] = deque()
        self._open: dict[tuple[int, int], Item] = {}
        # What the disk has not taken yet: nobody may write into the middle of somebody's line.
        self._unwritten = b""
        self._paced = False
        self._paused = False
        self._ended = False
        # Why nothing moves, in the system's words; empty when all is well.
        self.trouble = ""

    # What the engine calls.

    def take(self, limit: int) -> Sequence[Item]:
        """Up to `limit` items to begin now."""
        found: list[Item] = []
        late: list[Item] = []
        with self._changed:
            if self._paused or self._ended:
                return found
            now = self._clock()
            for _ in range(len(self._waiting)):
                if len(found) == limit:
                    break
                item, deadline = self._waiting.popleft()
                if now >= deadline:
                    late.append(item)
                elif self._pace and self._pace(item, now) > 0:
                    self._waiting.append((item, deadline))
                else:
                    found.append(item)
            self._paced = bool(self._waiting) and not found
            self._append(handlog.given_back(late))
        return found

    def note(self, answers: Sequence[Answer], begun: Sequence[Item]) -> None:
        """Append to the log with one write; then the sender may know, too."""
        with self._changed:
            self._append(handlog.lines(answers, begun))
            self._copy(answers, begun)
            for item in begun:
                self._open[item.claim, item.person] = item
            for answer in answers:
                self._open.pop((answer.item.claim, answer.item.person), None)
            if self.log.is_long:
                self.log.next()
                # What the one before leaves unanswered: it may go before this one is read.
                self._append(handlog.lines([], self._open.values()))
                self._copy([], self._open.values())

    def wait(self, seconds: float) -> bool:
        """Rest until there may be something to take. False: the engine shall end."""
        with self._changed:
            if not self._ended and (self._paused or not self._waiting):
                self._changed.wait(seconds)
            elif not self._ended and self._paced:
                self._changed.wait(min(seconds, PACED_SECONDS))
            return not self._ended

    # What the sender orders.

    def put(self, items: Iterable[Item], deadline: float, first: bool) -> None:
        """Lay out items that may be begun until `deadline`; `first`: before all others."""
        with self._changed:
            pairs = [(item, deadline) for item in items]
            if first:
                self._waiting.extendleft(reversed(pairs))
            else:
                self._waiting.extend(pairs)
            self._changed.notify_all()

    def drop(self, claims: Collection[int]) -> None:
        """Give back what nobody has begun of these claims."""
        with self._changed:
            dropped = [item for item, _ in self._waiting if item.claim in claims]
            kept = [pair for pair in self._waiting if pair[0].claim not in claims]
            self._waiting = deque(kept)
            self._append(handlog.given_back(dropped))

    def pause(self, paused: bool) -> None:
        """Begin nothing while others are more urgent."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def end(self) -> None:
        """Tell the engine to end; what is under way is still answered, all else given back."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            back = [item for item, _ in self._waiting]
            self._waiting.clear()
            # With a full disk nobody hears it, and `recover` gives them back.
            with suppress(OSError):
                self._append(handlog.given_back(back))

    def _copy(self, answers: Iterable[Answer], begun: Iterable[Item]) -> None:
        if self._counterfoil:
            self._counterfoil.append(self.log.name, handlog.counterfoil(answers, begun))

    def _append(self, data: bytes) -> None:
        """Append to the log, when there is room for it. Raises OSError when that is too late."""
        self._unwritten += data
        while self._unwritten:
            try:
                self._unwritten = self._unwritten[self.log.append(self._unwritten) :]
            except OSError as error:
                # A full disk: nothing of this round is sent before it can be noted.
                self.trouble = str(error)
                self._changed.wait(FULL_DISK_SECONDS)
                if self._ended:
                    raise
        self.trouble = ""


class Hatch:
    """The sender's side of a tray. `order` calls one of its methods, here or far away."""

    def __init__(self, folder: Path, order: Callable[..., object]) -> None:
        self._folder = folder
        self._order = order
        self._paused = False
        # Files that were read to their end, and how far the next one was.
        self._over: list[Path] = []
        self._at = 0

    def put(self, items: Sequence[Item], *, deadline: float, first: bool) -> None:
        """Lay out items that may be begun until `deadline`; `first`: before all others."""
        if items:
            self._order("put", items, deadline, first)

    def drop(self, claims: Collection[int]) -> None:
        """Take back what nobody has begun of these claims: `collect` will tell of it."""
        self._order("drop", claims)

    def pause(self, paused: bool) -> None:
        """Begin nothing while others are more urgent."""
        if paused != self._paused:
            self._paused = paused
            self._order("pause", paused)

    def collect(self) -> tuple[list[Line], list[Key]]:
        """The answers since the last time, and the items that were given back unbegun."""
        answers: list[Line] = []
        unbegun: list[Key] = []
        # Listed first: a file that had a successor then is read to its end now.
        files = [file for file in logs(self._folder) if file not in self._over]
        for file in files:
            with file.open("rb") as log:
                log.seek(self._at)
                data = log.read()
            heard, back = handlog.read_on(data)
            answers += heard
            unbegun += back
            self._at += data.rfind(b"\n") + 1
            if file != files[-1]:
                self._over.append(file)
                self._at = 0
        return answers, unbegun

    def forget(self) -> None:
        """Remove the files that were read to their end, now that all of it is in the ledger."""
        while self._over:
            self._over.pop().unlink()


class TwoHatches:
    """Two engines of one channel as if they were one. `second`: whether an item is the other's."""

    def __init__(self, one: Hatch, other: Hatch, *, second: Callable[[Item], bool]) -> None:
        self._hatches = (one, other)
        self._second = second

    def put(self, items: Sequence[Item], *, deadline: float, first: bool) -> None:
        """As `Hatch.put`."""
        halves: tuple[list[Item], list[Item]] = ([], [])
        for item in items:
            halves[self._second(item)].append(item)
        for hatch, half in zip(self._hatches, halves, strict=True):
            hatch.put(half, deadline=deadline, first=first)

    def drop(self, claims: Collection[int]) -> None:
        """As `Hatch.drop`."""
        for hatch in self._hatches:
            hatch.drop(claims)

    def pause(self, paused: bool) -> None:
        """As `Hatch.pause`."""
        for hatch in self._hatches:
            hatch.pause(paused)

    def collect(self) -> tuple[list[Line], list[Key]]:
        """As `Hatch.collect`, of both."""
        (answers, back), (more, more_back) = (hatch.collect() for hatch in self._hatches)
        return answers + more, back + more_back

    def forget(self) -> None:
        """As `Hatch.forget`."""
        for hatch in self._hatches:
            hatch.forget()
