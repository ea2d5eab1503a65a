"""Areas on the map: which of many cells a polygon touches.

Coordinates are (longitude, latitude) in degrees, as in GeoJSON. Plane geometry: right for a city,
not for a polygon across the 180th meridian.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import shapely
from shapely import GeometryCollection, MultiPolygon, Polygon, STRtree
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

Point = tuple[float, float]
Ring = tuple[Point, ...]
# Where lines cross, in the library's words: "Self-intersection[139.54 35.73]".
_PLACE = re.compile(r"\[(-?[\d.]+) (-?[\d.]+)\]")
Surface = BaseGeometry
"""A polygon or several; a point or a line touches cells too."""

KM_PER_DEGREE = 111.32
"""Of latitude; of longitude it shrinks by the cosine of the latitude."""


class BadPolygon(ValueError):  # noqa: N818  # the thing refused, in the reader's words
    """The polygon is no polygon. The message is one Japanese clause for the person who sent it."""


def around(ring: Sequence[Point]) -> BaseGeometry:
    """The smallest area without dents that holds every corner, for a ring that crosses itself."""
    return shapely.MultiPoint(list(ring)).convex_hull


def check(area: Surface) -> None:
    """BadPolygon for an area whose lines cross or that has no points."""
    if area.is_empty or not all(map(math.isfinite, area.bounds)):
        raise BadPolygon("座標がありません")
    if not area.is_valid:
        at = _PLACE.search(shapely.is_valid_reason(area))
        where = f"（東経{float(at[1]):.4f}、北緯{float(at[2]):.4f}のあたり）" if at else ""
        raise BadPolygon(f"線が交わる、または面になっていません{where}")


def polygon(ring: Sequence[Point]) -> Polygon:
    """A ring of (longitude, latitude), closed or not. BadPolygon: too few points, crossing."""
    if len(set(ring)) < 3:
        raise BadPolygon("多角形には3つ以上の点が要ります")
    if not all(math.isfinite(value) for point in ring for value in point):
        raise BadPolygon("座標が数ではありません")
    area = Polygon(ring)
    check(area)
    return area


# Degrees, a tenth of a millimetre.
HAIR = 1e-9


def together(areas: Sequence[Polygon]) -> Surface:
    """What several areas cover, their lines with it.

    Joining makes new corners, which are rounded: by a hair more than that a line is kept inside.
    """
    joined: Surface = shapely.union_all(areas)
    return joined if len(areas) == 1 else joined.buffer(HAIR, join_style="mitre")


def from_geojson(text: str) -> Surface:
    """The only surface of a GeoJSON geometry, feature or collection. BadPolygon when it has none.

    A collection of several features is one surface of all of them.
    """
    try:
        read = json.loads(text)
        features = read["features"] if read["type"] == "FeatureCollection" else [read]
        parts = [shape(feature.get("geometry", feature)) for feature in features]
    except (ValueError, KeyError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise BadPolygon("GeoJSONとして読めません") from error
    if not parts or not all(isinstance(part, Polygon | MultiPolygon) for part in parts):
        raise BadPolygon("面（Polygon、MultiPolygon）ではありません")
    for part in parts:
        check(part)
    return shapely.union_all(parts)


def outline(area: Surface) -> Ring:
    """The outer line of one piece, closed; of a line or point, one a few metres around it."""
    piece = area if isinstance(area, Polygon) else area.buffer(0.0001)
    assert isinstance(piece, Polygon)  # noqa: S101  # what surrounds one piece
    return tuple((x, y) for x, y in piece.exterior.coords)


def rings(area: Surface) -> tuple[Ring, ...]:
    """Every ring, outer and inner, for drawing with the even-odd rule."""
    pieces = area.geoms if isinstance(area, MultiPolygon) else [area]
    return tuple(
        tuple((x, y) for x, y in ring.coords)
        for piece in pieces
        if isinstance(piece, Polygon)
        for ring in (piece.exterior, *piece.interiors)
    )


def sketch(
    areas: Iterable[Sequence[Ring]],
    *,
    within: float,
    frame: tuple[float, float, float, float] | None = None,
) -> tuple[Ring, ...]:
    """Areas, each by its rings, as one for a small drawing: its line strays less than `within`.

    `frame` cuts away what lies outside of it: west, south, east, north.
    """
    surface = shapely.union_all([_even_odd(rings) for rings in areas]).simplify(within)
    return rings(shapely.intersection(surface, shapely.box(*frame)) if frame else surface)


def _even_odd(rings: Sequence[Ring]) -> BaseGeometry:
    surface: BaseGeometry = Polygon()
    for ring in rings:
        surface = shapely.symmetric_difference(surface, Polygon(ring))
    return surface


def beyond_km(area: Surface, point: Point) -> float:
    """How far outside the box around an area a point lies, in kilometres; 0 inside."""
    west, south, east, north = area.bounds
    lon, lat = point
    across = max(west - lon, lon - east, 0.0) * math.cos(math.radians(lat))
    return math.hypot(across, max(south - lat, lat - north, 0.0)) * KM_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Cells:
    """A surface divided among points, so that a polygon finds those it touches.

    A point with a polygon of its own holds that; the others share the rest of the boundary, each
    what is nearest to it. Points at one place share one cell. Built once, kept, asked often.
    """

    areas: tuple[Surface, ...]
    tree: STRtree

    @classmethod
    def divide(
        cls, boundary: Surface, points: Sequence[Point], own: Mapping[int, Surface] | None = None
    ) -> "Cells":
        """One cell a point, in their order. `own` maps a point's index to its polygon."""
        own = own or {}
        rest = shapely.difference(boundary, shapely.union_all(list(own.values())))
        shared = [point for index, point in enumerate(points) if index not in own]
        nearest = dict(zip(shared, _nearest(rest, shared), strict=True))
        areas = tuple(
            own[index] if index in own else nearest[point] for index, point in enumerate(points)
        )
        return cls(areas, STRtree(areas))

    def touched(self, area: Surface) -> tuple[int, ...]:
        """The indices of the cells that an area touches, ascending; () across empty space."""
        return tuple(sorted(self.tree.query(area, predicate="intersects").tolist()))


def _nearest(area: Surface, points: Sequence[Point]) -> list[Surface]:
    """The part of the area that is nearest to each point, in metres, not in degrees."""
    rounded = [(round(lon, 7), round(lat, 7)) for lon, lat in points]  # a centimetre
    places = list(dict.fromkeys(rounded))
    if len(places) < 2:
        return [area] * len(points)
    origin = places[0]  # small numbers divide more exactly
    shape_of_degree = (math.cos(math.radians(places[0][1])), 1.0)

    def flat(geometry: Surface) -> Surface:
        return shapely.transform(geometry, lambda at: (at - origin) * shape_of_degree)

    cells = shapely.voronoi_polygons(
        flat(shapely.MultiPoint(places)), extend_to=flat(area), ordered=True
    )
    back = shapely.transform(cells, lambda at: at / shape_of_degree + origin)
    assert isinstance(back, GeometryCollection)  # noqa: S101  # what Voronoi cells come in
    clipped = {
        place: shapely.intersection(cell, area)
        for place, cell in zip(places, back.geoms, strict=True)
    }
    return [clipped[place] for place in rounded]
