"""Where a spot is, and where a walk leads, as small drawings. The words beside them say the same.

Nothing is fetched for them: they are there without a network, and tell nobody who looks.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from policity.fields.charm.rules.walking import Point
from policity.kit import geometry, ruby
from policity.kit.drawing import Sheet
from policity.kit.geometry import Ring

# Units across, about as many pixels on a phone; how far a line may stray (degrees).
_WIDTH = 400.0
_WITHIN = 0.0003
# How much is seen around a walk, and the least that is (degrees): about 600 metres.
_AROUND, _LEAST = 0.15, 0.006


@dataclass(frozen=True, slots=True)
class Drawing:
    """The city, a way upon it (empty: none), and marks with their numbers."""

    width: float
    height: float
    city: str
    way: str
    marks: tuple[tuple[float, float, int], ...]


def of_city(boundary: tuple[Ring, ...], place: Point) -> Drawing:
    """One place in the whole city; or with a part of it, where it lies outside."""
    corners: tuple[Ring, ...] = (*boundary, (place,))
    sheet = _with_edge(Sheet.around(corners, _WIDTH), 0.03)
    return _drawn(sheet, boundary, (), (place,))


def of_walk(boundary: tuple[Ring, ...], line: Sequence[Point], stops: Sequence[Point]) -> Drawing:
    """A way and its stops, numbered as they are passed."""
    return _drawn(
        _with_edge(Sheet.around([tuple(line), tuple(stops)], _WIDTH), _AROUND),
        boundary,
        line,
        stops,
    )


def moving(places: Sequence[tuple[Point, str, str]], line: Sequence[Point] = ()) -> str:
    """What a map that moves shows (design/moving.html): places with name and page, and a way."""
    points = [
        (round(lat, 6), round(lon, 6), ruby.plain(name), page) for (lon, lat), name, page in places
    ]
    way = [(round(lat, 6), round(lon, 6)) for lon, lat in line]
    return json.dumps({"points": points, "line": way}, ensure_ascii=False)


def _with_edge(tight: Sheet, part: float) -> Sheet:
    """The same with a little around it, and never a mere strip or a point."""
    wide, tall = tight.east - tight.west, tight.north - tight.south
    least = max(wide, tall, _LEAST)
    side = max(wide * part, (least * 0.75 - wide) / 2, 0.0005)
    top = max(tall * part, (least * 0.6 - tall) / 2, 0.0005)
    return Sheet(tight.west - side, tight.south - top, tight.east + side, tight.north + top, _WIDTH)


def _drawn(
    sheet: Sheet, boundary: tuple[Ring, ...], line: Sequence[Point], places: Sequence[Point]
) -> Drawing:
    edge = (sheet.east - sheet.west) * 0.03
    frame = (sheet.west - edge, sheet.south - edge, sheet.east + edge, sheet.north + edge)
    land = geometry.sketch([boundary] if boundary else [], within=_WITHIN, frame=frame)
    way = "L".join(f"{x:g} {y:g}" for x, y in map(sheet.at, line))
    marks = tuple((*sheet.at(place), number) for number, place in enumerate(places, 1))
    return Drawing(_WIDTH, sheet.height, sheet.path(land), f"M{way}" if way else "", marks)
