"""How far a walk is, and how long it takes."""

import itertools
import math
from collections.abc import Sequence

Point = tuple[float, float]
"""Longitude and latitude in degrees (WGS 84)."""

# 不動産の表示に関する公正競争規約施行規則 第9条: 道路距離80メートルにつき1分, parts rounded up.
PACE = 80
# With small children, a pram or a wheelchair: our own choice, five eighths of that.
SLOW_PACE = 50
# Mean radius of the earth (IUGG), metres.
_EARTH = 6_371_008.8


def metres(line: Sequence[Point]) -> float:
    """The length of a line along the ground, without its ups and downs."""
    return sum(_between(a, b) for a, b in itertools.pairwise(line))


def _between(a: Point, b: Point) -> float:
    """Haversine formula."""
    (lon1, lat1), (lon2, lat2) = ((math.radians(x), math.radians(y)) for x, y in (a, b))
    square = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH * math.asin(math.sqrt(min(1.0, square)))


def minutes(length: float, pace: int = PACE) -> int:
    """How long a way of so many metres takes, rounded up as advertisements have to."""
    return math.ceil(length / pace)
