"""What a room offers to the rest of the house, as values.

A room states its published pages in `declarations.py`; `publishing` discovers them, so that
nothing lower in the house imports anything higher. So it is with what may cross, and with what the
city's plan counts.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

from policity.kit.languages import Language
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
    # Drawings for paper: nobody waits for them, and so large that few are made at a time.
    SHEET = 4
    # Pictures that only programs ask for: drawn when there is nothing else to do.
    CARD = 5


@dataclass(frozen=True, slots=True)
class Document:
    """Something that is found by searching, on a published page, in the page's language.

    Its texts may carry readings (kit.ruby). `kind` and `section` are what a reader may narrow a
    search by, in words ("避難所", "防災"). `address` is where it leads: the page itself
    where it is empty, a place on it ("#site-12"), or a page that the application answers
    ("/register/"). `now`: it counts at this moment, and stands above what is over. `listed`: it
    stands in the site map.
    """

    title: str
    text: str
    kind: str
    section: str = ""
    address: str = ""
    day: date | None = None
    now: bool = False
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Rendered:
    """One published file: its bytes, what it was made from, and when to look again.

    `documents` is what searching finds on it, for as long as it is published. `keys` name objects
    ("alerts:event:12") and collections ("alerts:in-force"); marking any of them stale renders the
    file again. `valid_until` renders it again at that moment; what a service ends by itself,
    marking its keys, needs none.
    """

    body: bytes
    keys: frozenset[str]
    valid_until: datetime | None = None
    documents: tuple[Document, ...] = ()


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
    `is_linked`: urgent pages link to it, so that it must be there when they are. Hundreds of
    pages that only an ordinary day's lists lead to wait in their own lane, born or not.
    """

    name: str
    lane: Lane
    stage: Stage
    addresses: Callable[[], Iterable[str]]
    born_of: Callable[[str], Iterable[str]]
    render: Callable[[Sequence[str]], Iterator[tuple[str, Rendered | None]]]
    side: Side = Side.INTERNET
    is_linked: bool = True


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


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole: its figure, and how many rows it was counted from."""

    number: Decimal
    rows: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a metric came to. `number` is None where there was nothing to count.

    `reason` then says why, in one Japanese sentence. `rows` were counted; `left_out` were not: how
    many, by why (in Japanese). `splits` tells the parts apart, by split and part.
    """

    number: Decimal | None
    rows: int
    reason: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, Mapping[str, Part]] = field(default_factory=dict)


PLACES = 2
"""To how many places after the point a metric's figure is kept: a share of people is no finer."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that the system counts by itself, for the indicators of the city's plan.

    `name` is "room.what"; `title`, `unit` and `counts` (what is counted and what is not) are
    Japanese. `version` grows when the method changes: figures of two versions are not compared.
    `adds_up`: a year's figure is the sum of its months'. `is_state`: how things stand at the end of
    the span, which can only be read then. `read(since, until)` counts from a moment on and before
    another, in few queries; it names nobody.
    """

    name: str
    title: str
    unit: str
    counts: str
    version: int
    read: Callable[[datetime, datetime], Reading]
    adds_up: bool = False
    is_state: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """What a room shows on the pages of a family below it, which does not know it.

    The pages are of numbered things (`PageFamily.name`). `key` names what is shown beside one of
    them: marking it stale renders its pages again. `read` reads the database once for some of them
    and gives who draws one, by its number, in a language that is active: HTML, or nothing.
    """

    family: str
    key: Callable[[int], str]
    read: Callable[[Collection[int]], Callable[[int, Language], str]]


@dataclass(frozen=True, slots=True)
class Fading:
    """A kind of what is known of persons that a room above forgets in time.

    `kind` is one of those whose days are set (continuity/facts/retention.toml). `due(before)` says
    how many are older; `fade(before, now)` lets a piece of them go and says how many that were.
    """

    kind: str
    due: Callable[[datetime], int]
    fade: Callable[[datetime, datetime], int]
