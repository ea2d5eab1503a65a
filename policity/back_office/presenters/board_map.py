"""How far a message came, as a drawing beside the table of towns. The table carries the facts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from policity.back_office.presenters.reach import Line, Reach
from policity.foundations.delivery import queries as delivery
from policity.foundations.places import queries as places
from policity.kit import geometry
from policity.kit.drawing import Sheet, apart
from policity.kit.geometry import Ring

# Units across, which is about as many pixels; and how far a line may stray (degrees).
_WIDTH = 366.0
_WITHIN = 0.0001
# From the middle of a mark to that of the next, so that a finger meets one on the narrowest screen.
_GAP = 36.0
_EDGE = 16.0
MOST_CALLS = 8
"""Towns: those whose calls wait longest. The list of who needs help has all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on a town: where it is drawn, and, where it had to move, which place it is of."""

    town: int
    x: float
    y: float
    at_x: float
    at_y: float
    text: str
    said: str

    @property
    def moved(self) -> bool:
        """Whether a line has to lead from it to its town."""
        return (self.x, self.y) != (self.at_x, self.at_y)


@dataclass(frozen=True, slots=True)
class TownMap:
    """Paths of the towns where nine of ten were reached, where fewer were, and where nobody lives
    whom the message is for; the towns of the table by their numbers, and where help is needed.
    """

    height: float
    far: str
    low: str
    rest: str
    numbered: tuple[Mark, ...]
    calls: tuple[Mark, ...]

    @property
    def box(self) -> str:
        """What an SVG shows: the sheet, and room for its outermost lines."""
        return f"-3 -3 {_WIDTH + 6:g} {self.height + 6:g}"


def town_map(reach: Reach, alarms: Iterable[delivery.AlarmView]) -> TownMap | None:
    """The map of one message; None where no city is loaded."""
    towns = places.towns()
    if not towns:
        return None
    sheet, paths = _paths(tuple(sorted(places.outlines().items())))
    lines = {int(line.key): line for line in reach.towns if line.key}
    low = {town for town, line in lines.items() if line.low}
    at = {town.id: sheet.at((town.lon, town.lat)) for town in towns}
    numbered = [
        (int(line.key), str(number), _said(number, line))
        for number, line in enumerate(reach.lowest, 1)
        if line.key and int(line.key) in at
    ]
    number_of = {town.name: town.id for town in towns}
    waiting = Counter(alarm.town for alarm in alarms if alarm.town in number_of)
    calls = [
        (number_of[name], f"助{count}", f"{name}　助けを求める人 {count}人")
        for name, count in list(waiting.items())[:MOST_CALLS]
    ]
    marks = _placed([*numbered, *calls], at, sheet)
    return TownMap(
        sheet.height,
        "".join(path for town, path in paths if town in lines and town not in low),
        "".join(path for town, path in paths if town in low),
        "".join(path for town, path in paths if town not in lines),
        marks[: len(numbered)],
        marks[len(numbered) :],
    )


def _said(number: int, line: Line) -> str:
    return f"{number}　{line.name}　届いた {line.percent}、まだ {line.rest}人"


def _placed(
    marks: Sequence[tuple[int, str, str]], at: dict[int, tuple[float, float]], sheet: Sheet
) -> tuple[Mark, ...]:
    """None hides another, and none is cut off at the edge."""
    places_ = [_inside(at[town], sheet) for town, _, _ in marks]
    moved = [_inside(point, sheet) for point in apart(places_, _GAP)]
    return tuple(
        Mark(town, *point, *origin, text, said)
        for (town, text, said), point, origin in zip(marks, moved, places_, strict=True)
    )


def _inside(point: tuple[float, float], sheet: Sheet) -> tuple[float, float]:
    x, y = point
    return (
        min(max(x, _EDGE), _WIDTH - _EDGE),
        min(max(y, _EDGE), sheet.height - _EDGE),
    )


@lru_cache(maxsize=2)
def _paths(
    outlines: tuple[tuple[int, tuple[Ring, ...]], ...],
) -> tuple[Sheet, tuple[tuple[int, str], ...]]:
    """The same for every message and every tick: it depends on the city alone."""
    sheet = Sheet.around((ring for _, rings in outlines for ring in rings), _WIDTH)
    return sheet, tuple(
        (town, sheet.path(geometry.sketch([rings], within=_WITHIN))) for town, rings in outlines
    )
