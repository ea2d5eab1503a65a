"""Positions in PostgreSQL's write-ahead log (LSN): bytes since the server was made. Pure.

https://www.postgresql.org/docs/15/wal-internals.html: the log lies in files of one size, each named
by its timeline and its number.
"""

from collections.abc import Iterator

_UNITS = {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def number(text: str) -> int:
    """A position as the server writes it, `16/B374D848`. Raises ValueError."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) | int(low, 16)


def text(position: int) -> str:
    """A position as the server reads it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def size(said: str) -> int:
    """Bytes, as the server says them: `16MB`. Raises ValueError."""
    for unit, times in _UNITS.items():
        if said.endswith(unit):
            return int(said.removesuffix(unit)) * times
    return int(said)


def begin(position: int, *, segment: int) -> int:
    """Where the file begins in which a position lies; `segment` is the size of one in bytes."""
    return position - position % segment


def file(timeline: int, position: int, *, segment: int) -> str:
    """The name of the file in which a position lies."""
    count = position // segment
    each = (1 << 32) // segment
    return f"{timeline:08X}{count // each:08X}{count % each:08X}"


def split(position: int, length: int, *, segment: int) -> Iterator[tuple[int, int]]:
    """As (position, length), what of some bytes from a position on lies in each file."""
    end = position + length
    while position < end:
        some = min(end, begin(position, segment=segment) + segment) - position
        yield position, some
        position += some
