"""A folder that another system writes telegrams into. Nothing in it is ever changed."""

import os
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

ENDINGS = (".xml", ".cap", ".gz")

# A file that has not changed for this long (seconds) is complete.
STILL = 1.0


@dataclass(slots=True)
class _Seen:
    size: int
    mtime_ns: int
    since: float
    taken: bool = False


@dataclass(slots=True)
class Folder:
    """A watched folder and what was seen in it, while the process lives.

    After a restart every file is offered again: the same bytes change nothing.
    """

    path: Path
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def complete(self) -> list[Path]:
        """The files that are complete and were not taken yet, oldest first.

        A file that changes after it was taken is offered again. Raises OSError where the folder
        cannot be read.
        """
        ready: list[tuple[int, str]] = []
        present = set()
        with os.scandir(self.path) as items:
            for item in items:
                if not item.name.lower().endswith(ENDINGS) or item.name.startswith("."):
                    continue
                try:
                    if not item.is_file():
                        continue
                    stat = item.stat()
                except FileNotFoundError:
                    continue
                present.add(item.name)
                seen = self._seen.get(item.name)
                if seen is None or (seen.size, seen.mtime_ns) != (stat.st_size, stat.st_mtime_ns):
                    seen = _Seen(stat.st_size, stat.st_mtime_ns, time.monotonic())
                    self._seen[item.name] = seen
                if not seen.taken and _is_still(seen):
                    ready.append((seen.mtime_ns, item.name))
        for name in self._seen.keys() - present:
            del self._seen[name]
        return [self.path / name for _, name in sorted(ready)]

    def taken(self, file: Path) -> None:
        """Offer a file no more, unless it changes."""
        if file.name in self._seen:
            self._seen[file.name].taken = True


def _is_still(seen: _Seen) -> bool:
    # The age counts for files moved in; what we saw ourselves, where the clocks disagree.
    age = time.time() - seen.mtime_ns / 1e9
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
