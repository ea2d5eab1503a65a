"""Where the city's own orders stand, as a small drawing. The list beside it carries the facts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from policity.fields.alerts.presenters.orders import Orders
from policity.foundations.places.queries import CityView
from policity.kit import geometry, ruby
from policity.kit.drawing import Sheet
from policity.kit.geometry import Point, Ring

# Units across, which is about as many pixels on a phone; and how far a line may stray (degrees).
_WIDTH = 400.0
_WITHIN = 0.0003
# The least height of a drawing for its width, and how much is seen around the towns.
_LEAST, _AROUND = 0.5, 0.12
# How wide a letter of a name is, and how tall a line of them.
_LETTER, _LINE = 13.0, 17.0


@dataclass(frozen=True, slots=True)
class Label:
    """A word on the map."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class OrderMap:
    """The drawing: the city, the towns of each level, the worst last, names, and sites to go to."""

    width: float
    height: float
    city: str
    levels: tuple[tuple[int, str], ...]
    labels: tuple[Label, ...]
    sites: tuple[tuple[float, float], ...]


def order_map(
    orders: Orders, city: CityView, code: str, *, sites: Iterable[Point] = ()
) -> OrderMap | None:
    """What stands where; None where nothing stands. `sites` are those that may be gone to."""
    levels = tuple(
        (
            level.value,
            tuple(
                orders.outlines[town]
                for town, decision in sorted(orders.course.stands.items())
                if decision.level is level and town in orders.outlines
            ),
        )
        for level in reversed(orders.levels)
    )
    if not any(areas for _, areas in levels):
        return None
    sheet, outline, paths = _drawn(city.boundary, levels)
    inside = [sheet.at(site) for site in sites]
    return OrderMap(
        _WIDTH,
        sheet.height,
        outline,
        paths,
        tuple(_labels(orders, sheet, code)),
        tuple((x, y) for x, y in inside if 12 < x < _WIDTH - 12 and 12 < y < sheet.height - 12),
    )


@lru_cache(maxsize=4)
def _drawn(
    boundary: tuple[Ring, ...], levels: tuple[tuple[int, tuple[tuple[Ring, ...], ...]], ...]
) -> tuple[Sheet, str, tuple[tuple[int, str], ...]]:
    """The same for every language: it depends on nothing else."""
    towns = [ring for _, areas in levels for rings in areas for ring in rings]
    sheet = _sheet(towns)
    outline = geometry.sketch([boundary] if boundary else [], within=_WITHIN, frame=_frame(sheet))
    paths = tuple(
        (level, sheet.path(geometry.sketch(areas, within=_WITHIN))) for level, areas in levels
    )
    return sheet, sheet.path(outline), paths


def _sheet(towns: Sequence[Ring]) -> Sheet:
    """Around the towns, with a little beside them, and never a mere strip."""
    tight = Sheet.around(towns, _WIDTH)
    wide, tall = tight.east - tight.west, tight.north - tight.south
    side = wide * _AROUND
    # A degree of latitude is longer: what is drawn square is not square in degrees.
    ratio = tight.height / _WIDTH / (tall / wide)
    top = max(tall * _AROUND, ((wide + 2 * side) * _LEAST / ratio - tall) / 2)
    if tight.height > _WIDTH:
        side = max(side, (tall + 2 * top) * ratio / 2 - wide / 2)
    return Sheet(tight.west - side, tight.south - top, tight.east + side, tight.north + top, _WIDTH)


def _frame(sheet: Sheet) -> tuple[float, float, float, float]:
    """A little more than the sheet, so that the cut itself is never seen."""
    edge = (sheet.east - sheet.west) * 0.03
    return sheet.west - edge, sheet.south - edge, sheet.east + edge, sheet.north + edge


def _labels(orders: Orders, sheet: Sheet, code: str) -> Iterable[Label]:
    """The names of the towns without their numbers, where there is room for them."""
    groups: dict[tuple[str, str], list[Point]] = {}
    for town in orders.towns:
        if town.id in orders.course.stands:
            groups.setdefault((town.base, town.kana), []).append((town.lon, town.lat))
    taken: list[Label] = []
    for (base, kana), points in groups.items():
        x, y = sheet.at(
            (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
        )
        label = Label(x, y, kana if code == "ja-easy" else ruby.foreign(base))
        if label.text and not any(_overlap(label, other) for other in taken):
            taken.append(label)
    return taken


def _overlap(one: Label, other: Label) -> bool:
    room = (len(one.text) + len(other.text)) * _LETTER / 2
    return abs(one.x - other.x) < room and abs(one.y - other.y) < _LINE
