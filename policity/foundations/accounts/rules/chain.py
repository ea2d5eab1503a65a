"""The chain that makes an audit trail tell when it was changed. Pure.

Each entry's digest covers the entry and the digest before it, so that a changed byte shows from
there on. Whoever can write the whole table can also compute a whole new chain, or cut its end off:
that shows against heads (number and digest) which were kept elsewhere in time.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

BEGINNING = "0" * 64
"""What stands before the first entry."""


class Entry(NamedTuple):
    """One thing done. `at` is ISO 8601 in UTC with microseconds, `detail` JSON as it is stored."""

    number: int
    at: str
    by: str
    act: str
    on: str
    detail: str


class Link(NamedTuple):
    """An entry with the digest that was stored beside it."""

    entry: Entry
    digest: str


class Fault(NamedTuple):
    """Where the trail is not what it was, and how that shows, in Japanese."""

    number: int
    what: str


def digest(entry: Entry, before: str) -> str:
    """SHA-256 (FIPS 180-4) over an entry and the digest before it, as 64 hexadecimal digits."""
    said = json.dumps([*entry, before], ensure_ascii=False, separators=(",", ":"))
    return sha256(said.encode()).hexdigest()


def check(links: Iterable[Link], heads: Mapping[int, str]) -> Iterator[Fault]:
    """Everything by which a trail differs from what was once written; ascending by number."""
    before, last = BEGINNING, 0
    for entry, stored in links:
        if entry.number != last + 1:
            yield Fault(last + 1, f"{last + 1}番から{entry.number - 1}番までの記録がありません")
        elif digest(entry, before) != stored:
            yield Fault(entry.number, f"{entry.number}番の記録が、書きかえられています")
        if heads.get(entry.number, stored) != stored:
            yield Fault(entry.number, f"{entry.number}番の記録が、外にある控えと合いません")
        # One fault is told once: what follows is held against what stands there.
        before, last = stored, entry.number
    if gone := [number for number in heads if number > last]:
        yield Fault(last + 1, f"{last + 1}番から{max(gone)}番までの記録が、消されています")


def head(line: str) -> tuple[int, str] | None:
    """A head as it was kept, one a line: number, digest, moment. None for no such line."""
    number, _, rest = line.strip().partition(" ")
    kept = rest.partition(" ")[0]
    return (int(number), kept) if number.isdecimal() and len(kept) == len(BEGINNING) else None
