"""What a hazard map says of a place, and how an area is cut to the city. Depths are classes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import shapely
from shapely.geometry.base import BaseGeometry

from policity.kit.geometry import KM_PER_DEGREE, Surface


class State(StrEnum):
    """A map is looked at before it is shown, and can be taken off and shown again."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


STATE_NAMES = {State.DRAFT: "下書き", State.PUBLISHED: "公開中", State.WITHDRAWN: "取り下げ"}

MAPPED = ("flood", "inland_flood", "storm_surge", "tsunami", "landslide", "volcano")
"""Hazards that maps are made of, by their keys in `rules.sites.HAZARDS`."""

_WATER = frozenset({"flood", "inland_flood", "storm_surge", "tsunami"})

NO_DEPTH = 0
DEPTHS = (1, 2, 3, 4, 5, 6)
"""国土数値情報 A31a 浸水深ランクコード: under 0.5 m, to 3, to 5, to 10, to 20, more."""

MOST_INSIDE_OUT = 0.9
"""A file of which more than this lies outside the city is another place's."""

MOST_POINTS = 12_000
"""Of one map, as the pages carry it; together they are a file of 100 kB compressed at most."""

MOST_POINTS_TOGETHER = 20_000
WITHIN_METRES = (5, 10, 20)
"""How far a line may stray: the first that keeps to MOST_POINTS."""

# Degrees, about a metre: what a line is rounded to.
_GRID = 1e-5
# Square degrees, about 25 m²: what two neighbours' lines share by rounding.
_SLIVER = 2.5e-9
# Of a town's area, by which it counts as wholly inside.
_WHOLE = 0.98


class Then(StrEnum):
    """What to do where a hazard comes (内閣府「避難情報に関するガイドライン」)."""

    AT_ONCE = "at_once"
    LEAVE = "leave"
    UP_OR_LEAVE = "up_or_leave"
    SHALLOW = "shallow"
    UNKNOWN_DEPTH = "unknown_depth"


class BadAreas(ValueError):  # noqa: N818  # the thing refused, in the reader's words
    """The areas cannot be a map of this city. One Japanese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Area:
    """Where it is so deep or deeper: a class of DEPTHS, or NO_DEPTH where the map has none."""

    depth: int
    surface: Surface


@dataclass(frozen=True, slots=True)
class Cut:
    """A map cut to the city: one area a depth, lines straying `within` metres at most."""

    areas: tuple[Area, ...]
    within: int


@dataclass(frozen=True, slots=True)
class TownHit:
    """How much of a town lies in a map: all or a part, and how deep at most."""

    town: int
    whole: bool
    deepest: int


def then(hazard: str, depth: int) -> Then:
    """What to do at a place that a map of this hazard contains."""
    if hazard == "tsunami":
        return Then.AT_ONCE
    if hazard not in _WATER or depth > 2:
        return Then.LEAVE
    return {NO_DEPTH: Then.UNKNOWN_DEPTH, 1: Then.SHALLOW, 2: Then.UP_OR_LEAVE}[depth]


def cut(areas: Iterable[Area], boundary: Surface) -> Cut:
    """The areas within the city, one a depth, drawn with few points. Raises BadAreas.

    Crossing lines are repaired where that leaves an area.
    """
    by_depth: dict[int, list[BaseGeometry]] = {}
    inside = total = 0.0
    shapely.prepare(boundary)
    for area in areas:
        surface = _polygons(
            area.surface if area.surface.is_valid else shapely.make_valid(area.surface)
        )
        total += surface.area
        if not boundary.intersects(surface):
            continue
        part = _polygons(shapely.intersection(surface, boundary))
        inside += part.area
        if not part.is_empty:
            by_depth.setdefault(area.depth, []).append(part)
    if not total:
        raise BadAreas("面が一つもありません。区域（ポリゴン）のファイルを選んでください。")
    if inside < total * (1 - MOST_INSIDE_OUT):
        raise BadAreas(
            "区域の9割より多くが、市の外です。市の部分だけを切り出したファイルを選んでください。"
        )
    # What is deeper is a part of what is less deep: lines that are drawn anew leave no gap between
    # two depths, in which a home would seem to be outside.
    deeper: BaseGeometry = shapely.MultiPolygon()
    joined: dict[int, BaseGeometry] = {}
    for depth in sorted(by_depth, reverse=True):
        joined[depth] = deeper = shapely.union_all([deeper, *by_depth[depth]])
    for within in WITHIN_METRES:
        found = tuple(
            Area(depth, drawn)
            for depth, surface in sorted(joined.items())
            if not (drawn := _drawn(surface, within)).is_empty
        )
        if points(found) <= MOST_POINTS:
            if not found:
                raise BadAreas("区域が小さすぎて、描けません。ファイルを見てください。")
            return Cut(found, within)
    raise BadAreas(
        f"線がこまかすぎます（{points(found):,}点、{MOST_POINTS:,}点まで）。"
        "地図のソフトで線を簡単にしてから、選んでください。"
    )


def points(areas: Iterable[Area]) -> int:
    """How many points the lines have."""
    return sum(int(shapely.get_num_coordinates(area.surface)) for area in areas)


def deepest_at(areas: Iterable[Area], lon: float, lat: float) -> int | None:
    """The deepest class at a place; None outside of all. On a line counts as inside."""
    here = shapely.Point(lon, lat)
    return max((area.depth for area in areas if area.surface.intersects(here)), default=None)


def hits(areas: Iterable[Area], towns: Iterable[tuple[int, Surface]]) -> tuple[TownHit, ...]:
    """The towns that areas lie in, in the towns' order; slivers along a line do not count."""
    known = sorted(areas, key=lambda area: -area.depth)
    whole = shapely.union_all([area.surface for area in known])
    shapely.prepare(whole)
    found = []
    for town, surface in towns:
        if not whole.intersects(surface):
            continue
        covered = shapely.intersection(whole, surface).area
        if covered <= _SLIVER:
            continue
        deepest = next(
            (
                area.depth
                for area in known
                if shapely.intersection(area.surface, surface).area > _SLIVER
            ),
            known[-1].depth,
        )
        found.append(TownHit(town, covered >= surface.area * _WHOLE, deepest))
    return tuple(found)


def _drawn(surface: BaseGeometry, within: int) -> BaseGeometry:
    simple = surface.simplify(within / 1000 / KM_PER_DEGREE)
    return _polygons(shapely.set_precision(simple, _GRID))


def _polygons(surface: BaseGeometry) -> BaseGeometry:
    """Only what has an area: repairing and cutting leave lines and points as well."""
    parts = [part for part in shapely.get_parts(surface) if part.area > 0]
    polygons = [part for one in parts for part in shapely.get_parts(one) if part.area > 0]
    return shapely.multipolygons(polygons) if polygons else shapely.MultiPolygon()
