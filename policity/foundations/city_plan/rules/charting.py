"""Where the years of an indicator stand in a picture: figures, targets, what may come. Pure.

The picture is `WIDTH` by `HEIGHT` units, years from left to right, more above less. It begins at
nought wherever figures are not below it: a small change is not drawn as a large one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 400, 190
LEFT, RIGHT, TOP, BASE = 30, 380, 24, 158
_SIGN = 8.5
"""How wide one figure of a label is."""
_GAP = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """A year: what was measured, and from `low` to `high` the target; None where there is none.

    `unmeasured`: it is known that nobody measured it. `reached` is None without a target.
    """

    year: int
    value: float | None
    low: float | None = None
    high: float | None = None
    reached: bool | None = None
    provisional: bool = False
    unmeasured: bool = False


@dataclass(frozen=True, slots=True)
class Ahead:
    """A year to come: the line's figure, and the interval around it."""

    year: int
    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A year's figure: where it stands, and where its label does (`says` is whether it fits)."""

    mark: Mark
    x: float
    y: float
    label: float
    says: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval of a year to come, from `bottom` up to `top`."""

    x: float
    top: float
    middle: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Hatch:
    """Years that nobody measured, side by side."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn. Lines are paths; `years` is where each year's name stands."""

    dots: tuple[Dot, ...]
    figures: str
    targets: tuple[str, ...]
    bars: tuple[Bar, ...]
    hatches: tuple[Hatch, ...]
    years: tuple[tuple[int, float], ...]


def chart(
    marks: Sequence[Mark], ahead: Sequence[Ahead] = (), *, longest: int = 4, most: float = 0
) -> Chart:
    """The picture of some years, at least one, in their order. `longest`: signs of a label.

    It reaches up to `most` where no figure is above that.
    """
    years = sorted({one.year for one in marks} | {one.year for one in ahead})
    step = (RIGHT - LEFT) / max(len(years) - 1, 1)
    at = {year: LEFT + step * number for number, year in enumerate(years)}
    if len(years) == 1:
        at = {years[0]: (LEFT + RIGHT) / 2}
    rise = _rise(marks, ahead, most)
    known = [one for one in marks if one.value is not None]
    says = step >= _SIGN * longest + _GAP
    return Chart(
        dots=tuple(
            _dot(one, at[one.year], rise, says=says or one is known[-1]) for one in known
        ),
        figures=_line(((at[one.year], one.value) for one in marks), rise),
        targets=tuple(
            line
            for side in ("low", "high")
            if (line := _line(((at[one.year], getattr(one, side)) for one in marks), rise))
        ),
        bars=tuple(
            Bar(at[one.year], rise(one.high), rise(one.middle), rise(one.low)) for one in ahead
        ),
        hatches=tuple(_hatches(marks, at, step)),
        years=tuple(at.items()),
    )  # fmt: skip


class _Rise:
    """From a figure to its height in the picture."""

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most

    def __call__(self, value: float) -> float:
        part = (value - self._least) / (self._most - self._least)
        return round(BASE - min(max(part, 0.0), 1.0) * (BASE - TOP), 1)


def _rise(marks: Iterable[Mark], ahead: Iterable[Ahead], top: float) -> _Rise:
    found = [
        value for one in marks for value in (one.value, one.low, one.high) if value is not None
    ]
    found.append(top)
    found += [value for one in ahead for value in (one.low, one.high)]
    least, most = min([0.0, *found]), max([0.0, *found])
    return _Rise(least, most if most > least else least + 1)


def _dot(mark: Mark, x: float, rise: _Rise, *, says: bool) -> Dot:
    y = rise(mark.value or 0.0)
    targets = [rise(value) for value in (mark.low, mark.high) if value is not None]
    # On the side where no target is drawn, and within the picture.
    below = any(target <= y for target in targets) and y + 22 < BASE
    return Dot(mark, round(x, 1), y, y + 22 if below else y - 11, says)


def _line(points: Iterable[tuple[float, float | None]], rise: _Rise) -> str:
    """A path from year to year; where a year is missing it is broken, and one alone is a dash."""
    path, drawn = [], False
    found = list(points)
    for number, (x, value) in enumerate(found):
        if value is None:
            drawn = False
            continue
        alone = not drawn and (number + 1 == len(found) or found[number + 1][1] is None)
        path.append(f"{'L' if drawn else 'M'}{x:.1f} {rise(value):.1f}")
        if alone:
            path[-1] = f"M{x - 6:.1f} {rise(value):.1f}h12"
        drawn = True
    return "".join(path)


def _hatches(marks: Sequence[Mark], at: dict[int, float], step: float) -> Iterable[Hatch]:
    half = min(step / 2, LEFT - 4, WIDTH - RIGHT)
    runs: list[list[int]] = []
    for before, one in pairwise((None, *marks)):
        if one is None or not one.unmeasured:
            continue
        if before is not None and before.unmeasured:
            runs[-1].append(one.year)
        else:
            runs.append([one.year])
    for run in runs:
        first, last = at[run[0]], at[run[-1]]
        yield Hatch(round(first - half, 1), round(last - first + 2 * half, 1))
