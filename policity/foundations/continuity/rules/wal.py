"""What SQLite's write-ahead log says has been committed, and what it makes of a database. Pure.

As https://www.sqlite.org/walformat.html describes the files: the log itself (FILE-wal) and its
index (FILE-shm), whose header tells how many frames of the log are committed. Frames up to there
do not change until the log is begun anew, which shows by its salts.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

LOG_HEADER, FRAME_HEADER = 32, 24
# Two copies of 48 bytes: they differ while somebody is writing them.
INDEX_HEADER = 96
_COPY = struct.Struct("=IIIBBHII2I2I2I")
_VERSION = 3007000


class NotALogError(ValueError):
    """These bytes are not what they should be."""


class Index(NamedTuple):
    """The log's index: `frames` of it are committed and make a database of `pages` pages.

    `begun` counts how often the log was begun anew (the first salt grows by one each time).
    """

    frames: int
    pages: int
    page_size: int
    begun: int
    salt: int


def index(header: bytes) -> Index | None:
    """What the index's header says; None: it is being written, or was not made yet."""
    if len(header) < INDEX_HEADER or header[:48] != header[48:96]:
        return None
    version, _, _, made, _, size, frames, pages, *rest = _COPY.unpack(header[:48])
    if not made or version != _VERSION:
        return None
    # 65536 does not fit into two bytes, and stands there as 1.
    page_size = (size & 0xFE00) | ((size & 0x0001) << 16)
    # In the log salts stand big-endian; the index holds the same bytes.
    begun, salt = struct.unpack(">II", struct.pack("=II", *rest[2:4]))
    return Index(frames, pages, page_size, begun, salt)


def position(frame: int, page_size: int) -> int:
    """Where in the log a frame begins; the first is frame 1."""
    return LOG_HEADER + (frame - 1) * (FRAME_HEADER + page_size)


class Changes(NamedTuple):
    """The newest state of every page that was changed, and how many pages there are then."""

    pages: Mapping[int, bytes]
    size: int


def changes(some: Iterable[bytes], *, page_size: int, begun: int, salt: int) -> Changes:
    """What frames of one log say, given as pieces of whole frames.

    They must end with a commit, as those do that the index counts. Raises NotALogError where they
    do not, or are another log's.
    """
    length = FRAME_HEADER + page_size
    pages: dict[int, bytes] = {}
    size = 0
    for frames in some:
        if len(frames) % length:
            raise NotALogError("not whole frames")
        for start in range(0, len(frames), length):
            number, size, its_begun, its_salt = struct.unpack_from(">IIII", frames, start)
            if (its_begun, its_salt) != (begun, salt) or not number:
                raise NotALogError("a frame of another log")
            pages[number] = frames[start + FRAME_HEADER : start + length]
    if not size:
        raise NotALogError("the last frame is no commit")
    return Changes({n: page for n, page in pages.items() if n <= size}, size)


def follows(before: Index, now: Index) -> bool:
    """Whether what stands in a log now goes on from where it was read before.

    It does in the same log, and in the next one: frames of one that came in between were missed.
    After an empty log the next one has salts of its own.
    """
    if now.begun == before.begun:
        return now.salt == before.salt and now.frames >= before.frames
    return not before.frames or now.begun == (before.begun + 1) % 2**32
