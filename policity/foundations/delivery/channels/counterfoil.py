"""The hand log's counterfoil: what is begun and answered, noted where the city's copies are, too.

With the machine the hand log is lost. A city that is brought back elsewhere knows from here whom
the lost one had told since the copy. Nobody waits for it: a share that is slow or away holds up a
thread of its own, and the sending goes on.
"""

import os
import threading
import time
from collections import deque
from itertools import islice, takewhile
from pathlib import Path

# Bytes that wait for a share that is away: what two million mails leave. What is more is left out.
MOST = 64_000_000
# Notes that are written at once.
AT_ONCE = 10_000
AGAIN_SECONDS = 1.0
# What waits longer than this would be missing.
BEHIND_SECONDS = 5.0
END_SECONDS = 1.0


class Counterfoil:
    """One engine's: a folder of files that are named as those of its hand log.

    It is made three levels below where copies are kept, which is never made: an empty mount point
    is not the share.
    """

    def __init__(self, folder: Path) -> None:
        self._root, self._folder = folder.parents[2], folder
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._size = 0
        self._since = 0.0
        self._ended = False
        self._name = ""
        self._file = -1
        self._torn = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def append(self, name: str, data: bytes) -> None:
        """Have something written to a file, soon."""
        with self._changed:
            if self._size + len(data) > MOST:
                return
            if not self._size:
                self._since = time.monotonic()
            self._size += len(data)
            self._waiting.append((name, data))
            self._changed.notify()

    @property
    def behind(self) -> bool:
        """Whether something has waited for so long that it would be missing."""
        with self._changed:
            return self._size > 0 and time.monotonic() - self._since > BEHIND_SECONDS

    def end(self) -> None:
        """Write what waits, if that can be done at once."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    return
                name = self._waiting[0][0]
                same = takewhile(lambda one: one[0] == name, islice(self._waiting, AT_ONCE))  # noqa: B023
                some = [data for _, data in same]
                began = time.monotonic()
            # While it is written more comes together, for the next time.
            written = self._write(name, b"".join(some))
            with self._changed:
                if written:
                    for data in some:
                        self._waiting.popleft()
                        self._size -= len(data)
                    self._since = began
                elif self._ended:
                    return
                else:
                    self._changed.wait(AGAIN_SECONDS)

    def _write(self, name: str, data: bytes) -> bool:
        try:
            if name != self._name:
                self._close()
                if not self._root.is_dir():
                    raise FileNotFoundError(self._root)
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._file, self._name = os.open(self._folder / name, flags, 0o600), name
            # What a full disk took of it is said again, and not on the same line.
            data = b"\n" * self._torn + data
            whole = os.write(self._file, data) == len(data)
            self._torn = not whole
            # On the disk, or with another machine: what ours holds in its memory is lost with it.
            os.fdatasync(self._file)
        except OSError:
            self._close()
            return False
        return whole

    def _close(self) -> None:
        self._name = ""
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)
