"""The desk between an engine's thread and the sender, with the hand log under it."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.formats.handlog import Key
from policity.foundations.delivery.rules.handing import Answer, Item

# A log of this many bytes is closed and the next one begun.
LONGEST = 4_000_000
FULL_DISK_SECONDS = 0.5


class Log:
    """A hand log on disk: numbered files in a folder, the last one open for appending.

    One sender writes them. A file goes when everything in it is in the ledger.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._number = max((int(file.stem) for file in logs(folder)), default=-1) + 1
        self._size = 0
        self._file = self._open()

    def append(self, data: bytes) -> None:
        """It outlives the process when this returns. After an OSError nothing was written."""
        try:
            done = os.write(self._file, data)
            while done < len(data):
                done += os.write(self._file, data[done:])
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    @property
    def is_long(self) -> bool:
        """Whether it is time for the next file."""
        return self._size > LONGEST

    def next(self, open_keys: Iterable[Key]) -> list[Path]:
        """Begin the next file with what is unanswered; gives the older ones, to be removed."""
        older = [file for file in logs(self.folder) if file != self._path]
        older.append(self._path)
        os.close(self._file)
        self._number += 1
        self._file = self._open()
        self.append(handlog.still_open(open_keys))
        return older

    def close(self) -> None:
        """No more is appended."""
        os.close(self._file)

    @property
    def _path(self) -> Path:
        return self.folder / f"{self._number:06}.log"

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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = log
        self._pace = pace
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Item, float]] = deque()
        self._answers: list[Answer] = []
        self._open: dict[Key, None] = {}
        self._late: list[Item] = []
        self._paused = False
        self._ended = False
        # Why nothing moves, in the system's words; empty when all is well.
        self.trouble = ""

    # What the engine calls.

    def take(self, limit: int) -> Sequence[Item]:
        """Up to `limit` items to begin now."""
        found: list[Item] = []
        with self._changed:
            if self._paused or self._ended:
                return found
            now = self._clock()
            for _ in range(len(self._waiting)):
                if len(found) == limit:
                    break
                item, deadline = self._waiting.popleft()
                if now >= deadline:
                    self._late.append(item)
                elif self._pace and self._pace(item, now) > 0:
                    self._waiting.append((item, deadline))
                else:
                    found.append(item)
        return found

    def note(self, answers: Sequence[Answer], begun: Sequence[Item]) -> None:
        """Append to the log with one write; then the sender may know, too."""
        if not answers and not begun:
            return
        data = handlog.lines(answers, begun)
        with self._changed:
            while True:
                try:
                    self.log.append(data)
                    break
                except OSError as error:
                    # A full disk: nothing of this round is sent before it can be noted.
                    self.trouble = str(error)
                    self._changed.wait(FULL_DISK_SECONDS)
                    if self._ended:
                        raise
            self.trouble = ""
            self._open.update(dict.fromkeys(handlog.keys(begun)))
            for key in handlog.keys([answer.item for answer in answers]):
                self._open.pop(key, None)
            self._answers += answers

    def wait(self, seconds: float) -> bool:
        """Rest until there may be something to take. False: the engine shall end."""
        with self._changed:
            if not self._ended and (self._paused or not self._waiting):
                self._changed.wait(seconds)
            return not self._ended

    # What the sender calls.

    def put(self, items: Iterable[Item], *, deadline: float, first: bool = False) -> None:
        """Lay out items that may be begun until `deadline`; `first`: before all others."""
        with self._changed:
            pairs = [(item, deadline) for item in items]
            if first:
                self._waiting.extendleft(reversed(pairs))
            else:
                self._waiting.extend(pairs)
            self._changed.notify_all()

    def drop(self, claims: set[int]) -> list[Item]:
        """Take back what nobody has begun of these claims."""
        with self._changed:
            dropped = [item for item, _ in self._waiting if item.claim in claims]
            kept = [pair for pair in self._waiting if pair[0].claim not in claims]
            self._waiting = deque(kept)
        return dropped

    def collect(self) -> tuple[list[Answer], list[Item]]:
        """The answers since the last time, and the items whose time ran out before they began."""
        with self._changed:
            answers, self._answers = self._answers, []
            late, self._late = self._late, []
        return answers, late

    def turn_over(self) -> list[Path]:
        """Begin the next log when this one is long; the older files, of which all is collected.

        To be called when what was collected is in the ledger, and before more is.
        """
        with self._changed:
            if not self.log.is_long or self._answers:
                return []
            return self.log.next(list(self._open))

    def pause(self, paused: bool) -> None:
        """Begin nothing while others are more urgent."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def end(self) -> None:
        """Tell the engine to end; what is under way is still answered."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._waiting)
