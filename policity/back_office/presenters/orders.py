"""Evacuation information for those who compose, approve and follow it, ready to be read."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings

from policity.design import drills
from policity.fields.alerts.models import Order
from policity.fields.alerts.queries import orders as queries
from policity.fields.alerts.queries.orders import OrderView, StepView
from policity.fields.alerts.queries.words import order_texts
from policity.fields.alerts.rules import orders as law
from policity.fields.alerts.rules.orders import Level, Move
from policity.fields.alerts.rules.outlets import Outlet, Ready, fit, outlets
from policity.fields.alerts.services import orders as services
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.services.composing import Sample, samples
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.queries import Inhabitants, TownView
from policity.foundations.residents import queries as residents
from policity.foundations.residents.queries import Reached, TownReach
from policity.kit import geometry, ruby
from policity.kit.drawing import Sheet
from policity.kit.languages import BY_CODE, LANGUAGES, Language
from policity.kit.severity import Severity

PAST = 20
_JA = LANGUAGES[0].code
_MOVES = {
    Move.ISSUED: "新しく出る町",
    Move.RAISED: "レベルが上がる町",
    Move.LOWERED: "レベルが下がる町",
    Move.REPEATED: "同じレベルで出し直す町",
    Move.LIFTED: "解除する町",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An order in one line. `note` says what is the matter with it."""

    id: int
    level: Level | None
    title: str
    towns: str
    count: int
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What stands, what waits, what was."""

    standing: tuple[Line, ...]
    submitted: tuple[Line, ...]
    drafts: tuple[Line, ...]
    unreviewed: tuple[Line, ...]
    past: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ForBoard:
    """What the board says of orders: what stands, and what somebody has to decide."""

    standing: tuple[Line, ...]
    submitted: tuple[Line, ...]
    unreviewed: tuple[Line, ...]


def for_board() -> ForBoard:
    """What stands and what waits; four queries, whatever there is."""
    known = places_queries.towns()
    return ForBoard(
        _standing(known),
        tuple(_line(o, known) for o in queries.open_orders() if o.stage == Order.Stage.SUBMITTED),
        tuple(_line(order, known) for order in queries.unreviewed()),
    )


def _standing(known: Sequence[TownView]) -> tuple[Line, ...]:
    """What stands, each order with the towns where it does, the worst first."""
    where: dict[int, list[int]] = {}
    orders: dict[int, OrderView] = {}
    for town, order in queries.stands().items():
        where.setdefault(order.id, []).append(town)
        orders[order.id] = order
    worst_first = sorted(orders.values(), key=lambda o: (-(o.level or 0), -o.id))
    return tuple(_line(order, known, towns=where[order.id]) for order in worst_first)


def overview() -> Overview:
    """All orders that somebody may have to do with."""
    known = places_queries.towns()
    waiting = queries.open_orders()
    return Overview(
        standing=_standing(known),
        submitted=tuple(_line(o, known) for o in waiting if o.stage == Order.Stage.SUBMITTED),
        drafts=tuple(_line(o, known) for o in waiting if o.stage == Order.Stage.DRAFT),
        unreviewed=tuple(_line(order, known) for order in queries.unreviewed()),
        past=tuple(_line(order, known) for order in queries.past(PAST)),
    )


def _line(
    order: OrderView, known: Sequence[TownView], *, towns: Collection[int] | None = None
) -> Line:
    chosen = order.towns if towns is None else towns
    return Line(
        id=order.id,
        level=order.level,
        title=_title(order),
        towns=_listed(chosen, known),
        count=len(chosen),
        at=order.issued_at or order.changed_at,
        note="誤りとして取り消し" if order.withdrawn_at else "",
    )


def _title(order: OrderView) -> str:
    return order_texts().name(_JA, order.level) if order.level else "解除"


def _listed(numbers: Collection[int], known: Sequence[TownView]) -> str:
    chosen = set(numbers)
    if len(chosen) == len(known):
        return order_texts().everywhere(_JA)
    return places.listed([town for town in known if town.id in chosen], _JA)


@dataclass(frozen=True, slots=True)
class TownBox:
    """One town to choose, with its number within its name, and what stands there."""

    id: int
    name: str
    short: str
    chosen: bool
    standing: Level | None


@dataclass(frozen=True, slots=True)
class TownGroup:
    """The towns of one name."""

    name: str
    kana: str
    towns: tuple[TownBox, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A town on the map."""

    id: int
    name: str
    path: str
    standing: Level | None


@dataclass(frozen=True, slots=True)
class CityMap:
    """The towns as they lie; the sheet lets a drawn line be told in degrees."""

    sheet: Sheet
    shapes: tuple[Shape, ...]

    @property
    def standing(self) -> bool:
        """Whether anything stands anywhere."""
        return any(shape.standing for shape in self.shapes)

    @property
    def box(self) -> str:
        """What an SVG shows: the sheet, and room for its outermost lines."""
        return f"-4 -4 {self.sheet.width + 8} {self.sheet.height + 8}"

    @property
    def measures(self) -> str:
        """The sheet for a script: its corners in degrees, and its size."""
        return json.dumps(asdict(self.sheet) | {"height": self.sheet.height})


def town_groups(chosen: Collection[int]) -> tuple[TownGroup, ...]:
    """Every town of the city, those of one name together, in the order of the city's table."""
    stands = queries.stands()
    groups: dict[str, list[TownView]] = {}
    for town in places_queries.towns():
        groups.setdefault(town.base, []).append(town)
    return tuple(
        TownGroup(
            base,
            towns[0].kana,
            tuple(
                TownBox(
                    town.id,
                    town.name,
                    f"{town.chome}丁目" if town.chome else town.name,
                    town.id in chosen,
                    stands[town.id].level if town.id in stands else None,
                )
                for town in towns
            ),
        )
        for base, towns in groups.items()
    )


def city_map() -> CityMap:
    """The city's towns to press on. Their borders are estimates where the source has none."""
    names = {town.id: town.name for town in places_queries.towns()}
    sheet, paths = _paths(tuple(sorted(places_queries.outlines().items())))
    stands = queries.stands()
    return CityMap(
        sheet,
        tuple(
            Shape(number, names[number], path, stands[number].level if number in stands else None)
            for number, path in paths
        ),
    )


@lru_cache(maxsize=2)
def _paths(
    outlines: tuple[tuple[int, tuple[geometry.Ring, ...]], ...],
) -> tuple[Sheet, list[tuple[int, str]]]:
    sheet = Sheet.around(ring for _, rings in outlines for ring in rings)
    return sheet, [(number, sheet.path(rings)) for number, rings in outlines]


@dataclass(frozen=True, slots=True)
class TownLine:
    """Whom an order reaches in one town. `people` and `households` live there, by the register."""

    name: str
    move: str
    reached: TownReach
    inhabitants: Inhabitants | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """An order in one language, as it will look."""

    language: Language
    sample: Sample
    checked_by: str
    # A note in this language that nobody has checked: it stays behind.
    held_back: str


@dataclass(frozen=True, slots=True)
class HandText:
    """A text for where staff tell by hand, and when that was done."""

    outlet: Outlet
    ready: Ready | None
    told: delivery.ByHand | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Everything about one order."""

    order: OrderView
    title: str
    towns: str
    reason: str
    stage: str
    moves: tuple[tuple[str, int, str], ...]
    reached: Reached | None
    inhabitants: Inhabitants | None
    town_lines: tuple[TownLine, ...]
    spoken: tuple[Spoken, ...]
    by_hand: tuple[HandText, ...]
    steps: tuple[StepView, ...]
    composers: frozenset[int]
    status: delivery.Status | None
    standing_towns: str


def order_page(number: int, *, now: datetime) -> OrderPage | None:
    """One order: whom it reaches, how it will look, what became of it. None: there is none."""
    order = queries.order(number)
    if order is None:
        return None
    known = places_queries.towns()
    stands = queries.stands()
    steps = queries.steps(order=number)
    coming = order.issued_at is None and order.stage != Order.Stage.DISCARDED
    moves = _moves(order, stands) if coming else {}
    reached = residents.preview(services.audience(order)) if coming else None
    standing = [town for town, other in stands.items() if other.id == order.id]
    return OrderPage(
        order=order,
        title=_title(order),
        towns=_listed(order.towns, known),
        reason=order_texts().reason_name(_JA, order.reason) if order.reason else "",
        stage=_stage(order, standing=bool(standing)),
        moves=tuple(
            (word, len(where), _listed(where, known))
            for move, word in _MOVES.items()
            if (where := [town for town, made in moves.items() if made is move])
        ),
        reached=reached,
        inhabitants=places_queries.inhabitants(_chosen(order, known)),
        town_lines=_town_lines(reached, known, moves) if reached else (),
        spoken=_spoken(order, stands, now=now),
        by_hand=_by_hand(order, stands),
        steps=steps,
        composers=queries.composers(number),
        status=delivery.status(order.message) if order.message else None,
        standing_towns=_listed(standing, known) if standing else "",
    )


def _stage(order: OrderView, *, standing: bool) -> str:
    if order.withdrawn_at:
        return "誤りとして取り消し済み"
    if order.issued_at is None:
        return Order.Stage(order.stage).label
    if order.level is None:
        return "解除済み"
    return "発令中" if standing else "終わった発令"


def _before(stands: Mapping[int, OrderView]) -> dict[int, law.Decision]:
    return {town: order.decision for town, order in stands.items()}


def _moves(order: OrderView, stands: Mapping[int, OrderView]) -> dict[int, Move]:
    return law.moves(_before(stands), order.decision)


def _town_lines(
    reached: Reached, known: Sequence[TownView], moves: Mapping[int, Move]
) -> tuple[TownLine, ...]:
    towns = {town.id: town for town in known}
    return tuple(
        TownLine(
            towns[one.town].name,
            _MOVES[moves[one.town]] if one.town in moves else "",
            one,
            towns[one.town].inhabitants,
        )
        for one in reached.towns
    )


def _texts(order: OrderView, stands: Mapping[int, OrderView]) -> dict[str, dict[str, str]]:
    return services.texts(order, _before(stands))


def _spoken(
    order: OrderView, stands: Mapping[int, OrderView], *, now: datetime
) -> tuple[Spoken, ...]:
    """As it will be told, or, once it was issued, as it was."""
    told = delivery.message(order.message) if order.message else None
    made = samples(
        texts=told.texts if told else _texts(order, stands),
        severity=Severity(told.severity) if told else law.heard_as(_before(stands), order.decision),
        path=f"evacuation/{order.story or order.id}/",
        now=told.told_at if told else now,
    )
    notes = order.spoken_notes
    unchecked = order_texts().unchecked(order.level, order.reason)
    return tuple(
        Spoken(
            BY_CODE[code],
            sample,
            "" if code in unchecked else "確認済み",
            "" if code in notes else order.notes.get(code, ""),
        )
        for code, sample in made.items()
    )


def _by_hand(order: OrderView, stands: Mapping[int, OrderView]) -> tuple[HandText, ...]:
    told: dict[str, delivery.ByHand] = {}
    if order.message:
        told = {entry.outlet: entry for entry in delivery.by_hand([order.message])}
    ready = ready_texts(order, stands)
    return tuple(HandText(one, ready[one.code], told.get(one.code)) for one in outlets())


def ready_texts(
    order: OrderView, stands: Mapping[int, OrderView] | None = None
) -> dict[str, Ready | None]:
    """Texts for where staff tell by hand, by the place's code; None where none fits."""
    stands = queries.stands() if stands is None else stands
    message = delivery.message(order.message) if order.message else None
    text = message.texts[_JA] if message else _texts(order, stands)[_JA]
    city = places_queries.city().name
    title = ruby.plain(text["title"])
    lines = ruby.plain(text["body"]).split("\n")
    link = f"{settings.PUBLIC_URL}/evacuation/{order.story or order.id}/"
    people = places_queries.inhabitants(_chosen(order, places_queries.towns()))
    counted = [f"対象の世帯と人：{people.households:,}世帯 {people.people:,}人"] if people else []
    few = f"対象：{len(order.towns)}の町丁目（市のホームページで確かめてください）"
    bodies = [[*lines, link], lines, [few, *lines[1:], link], [few, *lines[1:]], [few, link]]
    titles = [f"{city} {title}", title, _title(order)]
    titles = [drills.titled(said, _JA) for said in titles]
    # Empty, and left out, where this is no drill.
    first = drills.told("", _JA)
    bodies = [[first, *lines] for lines in bodies]
    return {
        one.code: fit(one, titles, [[*lines, *(counted if one.counts else ())] for lines in bodies])
        for one in outlets()
    }


def _chosen(order: OrderView, known: Sequence[TownView]) -> list[TownView]:
    return [town for town in known if town.id in order.towns]


def chosen_by(area: str) -> frozenset[int]:
    """The towns that a drawn polygon touches, by number. Raises geometry.BadPolygon."""
    touched = places_queries.towns_touched(geometry.from_geojson(area))
    return frozenset(town.id for town in touched)


def names(numbers: Iterable[int]) -> str:
    """Towns as a list in Japanese."""
    return _listed(list(numbers), places_queries.towns())
