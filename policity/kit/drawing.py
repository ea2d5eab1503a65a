"""Areas as paths of a drawing (SVG), seen from above."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from policity.kit.geometry import Point, Ring

# More than enough for a few dozen marks; hundreds have no room, however long one tries.
_ROUNDS = 100
# They go past each other at a slant (radians): in a row they would only push its ends outwards.
_SLANT = 0.6


def apart(points: Sequence[Point], gap: float) -> list[Point]:
    """Marks moved as little as it takes to see each: none is nearer to another than the gap.

    Where there are too many for that, they come as far as they can.
    """
    moved = list(points)
    for _ in range(_ROUNDS):
        still = True
        for one, other in combinations(range(len(moved)), 2):
            (x, y), (u, v) = moved[one], moved[other]
            # A hair more than the gap, so that what was moved stays.
            lacks = gap + 0.2 - (far := math.dist((x, y), (u, v)))
            if lacks <= 0.1:
                continue
            still = False
            # What stands on the very same place goes round it.
            angle = math.atan2(v - y, u - x) + _SLANT if far else float(other)
            across, along = math.cos(angle) * lacks / 2, math.sin(angle) * lacks / 2
            moved[one] = (x - across, y - along)
            moved[other] = (u + across, v + along)
        if still:
            break
    return [(round(x, 1), round(y, 1)) for x, y in moved]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A drawing of what lies between two corners (degrees), `width` units wide, north on top."""

    west: float
    south: float
    east: float
    north: float
    width: float = 1000.0

    @classmethod
    def around(cls, rings: Iterable[Ring], width: float = 1000.0) -> "Sheet":
        """The smallest sheet that shows all of it. Raises ValueError for nothing."""
        points = [point for ring in rings for point in ring]
        lons, lats = [x for x, _ in points], [y for _, y in points]
        return cls(min(lons), min(lats), max(lons), max(lats), width)

    @property
    def height(self) -> float:
        """In the same units as the width; a degree of latitude is longer than one of longitude."""
        return round(self._unit * (self.north - self.south) / self._narrow, 1)

    def at(self, point: Point) -> tuple[float, float]:
        """Where a place (longitude, latitude) is drawn, from the left and from the top."""
        lon, lat = point
        x = (lon - self.west) * self._unit
        y = (self.north - lat) * self._unit / self._narrow
        return round(x, 1), round(y, 1)

    def place(self, x: float, y: float) -> Point:
        """The place (longitude, latitude) that is drawn there."""
        return self.west + x / self._unit, self.north - y * self._narrow / self._unit

    def path(self, rings: Iterable[Ring]) -> str:
        """Rings as one path, inner ones as holes (even-odd rule)."""
        return "".join(
            "M" + "L".join(f"{x:g} {y:g}" for x, y in map(self.at, ring[:-1])) + "Z"
            for ring in rings
        )

    @property
    def _narrow(self) -> float:
        """How much shorter a degree of longitude is, in the middle of the sheet."""
        return math.cos(math.radians((self.south + self.north) / 2))

    @property
    def _unit(self) -> float:
        return self.width / (self.east - self.west)
