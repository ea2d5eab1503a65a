"""What crossed between the two installations, and the situation as it came."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from policity.fields.alerts.queries.situation import received
from policity.fields.alerts.rules.situation import Situation
from policity.foundations.crossing import queries
from policity.foundations.crossing.rules import SAID, Refusal
from policity.foundations.places.rules.openings import OPENNESS_NAMES, Openness
from policity.kit.sides import SIDE_NAMES, Role, Side, other

SHOWN = 100
# Whoever reads an older one is told so before anything else.
FRESH = timedelta(hours=1)
HERE = {
    Role.INTERNET: "ここは、インターネット側の設置です。"
    "内部側の情報（避難行動要支援者名簿など）は、ここにはありません。",
    Role.INTERNAL: "ここは、内部側の設置です。市民のページも、電文の受け取りも、送信もありません。",
    Role.ALL: "これは見本です。1つの設置が、インターネット側と内部側の両方を兼ねています。"
    "本番では、必ず2つに分けます。",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind that may cross, with its last number that went from here or came."""

    name: str
    way: str
    fields: tuple[str, ...]
    sent: int
    taken: int


@dataclass(frozen=True, slots=True)
class Line:
    """One file: what became of it, and what to do where it was refused."""

    at: datetime
    course: str
    refused: bool
    name: str
    way: str
    number: int | None
    size: int
    digest: str
    by: str
    said: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """The situation as the other side said it. `towns` by level, the gravest first."""

    made_at: datetime
    received_at: datetime
    old: bool
    levels: tuple[tuple[int, tuple[str, ...]], ...]
    sites: tuple[tuple[str, str], ...]


def here() -> str:
    """Which installation this is, in a sentence."""
    return HERE[Role(settings.ROLE)]


def kinds() -> tuple[Kind, ...]:
    """What may cross at all. Two queries a kind; there are few."""
    return tuple(
        Kind(
            one.name,
            _way(other(one.to)),
            tuple(one.schema.__dataclass_fields__),
            queries.last_sent(one.kind),
            queries.last_taken(one.kind),
        )
        for one in queries.declared().values()
    )


def lines() -> tuple[Line, ...]:
    """What went, came and was refused, the newest first."""
    names = {one.kind: one.name for one in queries.declared().values()}
    return tuple(_lines(names))


def _lines(names: Mapping[str, str]) -> Iterator[Line]:
    for one in queries.crossed(SHOWN):
        said = SAID[Refusal(one.refusal)] if one.refusal else ""
        if one.missed:
            said = f"前の{one.missed}件の抜けを認めて受け取りました。"
        yield Line(
            one.at, one.course.label, bool(one.refusal), names.get(one.kind, "分かりません"),
            _way(Side(one.sender)) if one.sender else "", one.number, one.size, one.digest[:12],
            one.by, said,
        )  # fmt: skip


def arrived(*, now: datetime) -> Arrived | None:
    """The situation that came in; None where none did."""
    found = received()
    if found is None:
        return None
    return Arrived(
        found.made_at, found.received_at, now - found.made_at > FRESH,
        tuple(_levels(found.situation)),
        tuple((one.name, OPENNESS_NAMES[Openness(one.state)]) for one in found.situation.sites),
    )  # fmt: skip


def _levels(situation: Situation) -> Iterator[tuple[int, tuple[str, ...]]]:
    for level in sorted({one.level for one in situation.orders}, reverse=True):
        yield level, tuple(one.town for one in situation.orders if one.level == level)


def _way(sender: Side) -> str:
    return f"{SIDE_NAMES[sender]} → {SIDE_NAMES[other(sender)]}"
