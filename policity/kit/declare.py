"""What a room offers to the rest of the house, as values.

A room states its published pages in `declarations.py`; `publishing` discovers them, so that
nothing lower in the house imports anything higher.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from policity.kit.sides import Side


class Lane(StrEnum):
    """How long a stale page may wait. Urgent pages have workers of their own."""

    URGENT = "urgent"
    ROUTINE = "routine"


class Stage(IntEnum):
    """The order in which a change is written, so that a reader never meets a dead link.

    Written ascending (what is linked to before what links), deleted descending.
    """

    ASSET = 0
    LEAF = 1
    LIST = 2
    HOME = 3


@dataclass(frozen=True, slots=True)
class Rendered:
    """One published file: its bytes, what it was made from, and when to look again.

    `keys` name objects ("alerts:event:12") and collections ("alerts:in-force"); marking any of
    them stale renders the file again. `valid_until` renders it again at that moment;
    what a service ends by itself, marking its keys, needs none.
    """

    body: bytes
    keys: frozenset[str]
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageFamily:
    """A family of published addresses, such as "an alert's page in every language".

    An address is the path a reader asks for: "/en/alerts/12/" (written as index.html in that
    folder) or "/alerts/feed.atom" (written as that file).

    `addresses` lists every address that ought to exist now (full rebuild, verify).
    `born_of` lists the addresses a key may bring into being ("alerts:event:12" → five pages).
    `render` takes addresses and gives each with its content, or None where it is gone. It reads
    the database once for all of them, and no clock: the same state gives the same bytes.
    `side`: where it is published; pages for residents never by the installation inside.
    """

    name: str
    lane: Lane
    stage: Stage
    addresses: Callable[[], Iterable[str]]
    born_of: Callable[[str], Iterable[str]]
    render: Callable[[Sequence[str]], Iterator[tuple[str, Rendered | None]]]
    side: Side = Side.INTERNET


@dataclass(frozen=True, slots=True)
class Crossing:
    """A kind of file that may go from one installation to the other, one way.

    `to` is the side that takes it. `schema` is a frozen dataclass: its fields are all that can
    cross, and nothing else does. `give` makes one of what is now (None: there is nothing to say).
    `take(value, made_at, now)` writes it down on the other side, in the transaction that notes its
    coming. A slice inside gives what one of the other side has declared with its `take`: it
    declares the same with its own `give`. `oldest`: one that was made longer ago is refused.
    """

    kind: str
    name: str
    to: Side
    schema: type[Any]
    oldest: timedelta
    give: Callable[[], Any] | None = None
    take: Callable[[Any, datetime, datetime], None] | None = None
