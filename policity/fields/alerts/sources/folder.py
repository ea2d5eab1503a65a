"""A folder that another system writes telegrams into. Nothing in it is ever changed."""

import os
import time
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

ENDINGS = (".xml", ".cap", ".gz")

# A file that has not changed for this long (seconds) is complete.
STILL = 1.0


@dataclass(frozen=True, slots=True)
class File:
    """A complete file, and when its bytes were written."""

    path: Path
    written_at: datetime


@dataclass(slots=True)
class _Seen:
    stamp: tuple[int, int, int]
    since: float
    taken: bool = False


@dataclass(slots=True)
class Folder:
    """A watched folder and what was seen in it, while the process lives.

    After a restart every file is offered again: the same bytes change nothing.
    """

    path: Path
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def complete(self) -> list[File]:
        """The files that are complete and were not taken yet, oldest first.

        A file that changes after it was taken is offered again. Raises OSError where the folder
        cannot be read.
        """
        ready: list[tuple[int, str]] = []
        present = set()
        with os.scandir(self.path) as items:
            for item in items:
                if item.name.startswith(".") or not item.name.lower().endswith(ENDINGS):
                    continue
                try:
                    stat = item.stat()
                except FileNotFoundError:
                    continue
                if not S_ISREG(stat.st_mode):
                    continue
                present.add(item.name)
                # The third tells of new rights: what could not be read is offered again.
                stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ctime_ns)
                seen = self._seen.get(item.name)
                if seen is None or seen.stamp != stamp:
                    seen = self._seen[item.name] = _Seen(stamp, time.monotonic())
                if not seen.taken and _is_still(seen):
                    ready.append((stat.st_mtime_ns, item.name))
        for name in self._seen.keys() - present:
            del self._seen[name]
        return [
            File(self.path / name, datetime.fromtimestamp(written / 1e9, UTC))
            for written, name in sorted(ready)
        ]

    def taken(self, file: File) -> None:
        """Offer a file no more, unless it changes."""
        if file.path.name in self._seen:
            self._seen[file.path.name].taken = True


def _is_still(seen: _Seen) -> bool:
    # The age counts for files moved in; what we saw ourselves, where the clocks disagree.
    age = time.time() - seen.stamp[0] / 1e9
    return age >= STILL or time.monotonic() - seen.since >= STILL


def read(file: Path, *, limit: int) -> bytes:
    """The bytes of a file, unpacked where it ends in .gz, and never more than `limit` + 1.

    One byte over the limit is enough for the reader to refuse it. What is no gzip is given as it
    lies. Raises OSError.
    """
    with file.open("rb") as handle:
        data = handle.read(limit + 1)
    if not file.name.lower().endswith(".gz"):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, limit + 1)
    except zlib.error:
        return data
