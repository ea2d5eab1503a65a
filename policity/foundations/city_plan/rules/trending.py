"""Where a figure has been going, and where it may be in the years to come. Pure.

A straight line by least squares, with the interval in which a new year's figure would fall eight
times in ten. It assumes that the line goes on, and that years scatter around it independently and
alike; it knows nothing of what the city is going to change. Of few years it says nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policity.foundations.city_plan.rules.attaining import Aim

FEWEST = 4
"""Years: of three any line is guesswork."""

FURTHEST = 3
"""Years ahead."""

# Student's t for 80 % (two-sided) by degrees of freedom; a plan has no more years than these.
T = {
    2: 1.886, 3: 1.638, 4: 1.533, 5: 1.476, 6: 1.440, 7: 1.415, 8: 1.397, 9: 1.383, 10: 1.372,
    11: 1.363, 12: 1.356, 13: 1.350, 14: 1.345, 15: 1.341, 16: 1.337, 17: 1.333, 18: 1.330,
}  # fmt: skip


class Course(StrEnum):
    """Where the figure has been going, as far as its scatter lets one say."""

    RISING = "rising"
    FALLING = "falling"
    UNCLEAR = "unclear"


class Chance(StrEnum):
    """Whether a target would be met if things went on as they did."""

    LIKELY = "likely"
    OPEN = "open"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class Forecast:
    """A year's figure if things went on as they did: eight of ten fall from `low` to `high`."""

    year: int
    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trend:
    """The line through the years. `slope` is in the figure's unit a year, with its interval."""

    course: Course
    slope: float
    slope_low: float
    slope_high: float
    forecasts: tuple[Forecast, ...]


class TooFew(ValueError):  # noqa: N818  # the thing refused
    """There are too few years to say anything. The message is one Japanese sentence."""


def trend(
    figures: Mapping[int, float],
    *,
    until: int,
    least: float = -math.inf,
    most: float = math.inf,
) -> Trend:
    """The line through whole years' figures, and forecasts up to a year. Raises TooFew.

    Years may be missing between. `least` and `most` are what the figure cannot leave (0 and 100 of
    a percentage). At most `FURTHEST` years ahead, of the last 20 years.
    """
    years = sorted(figures)[-(max(T) + 2) :]
    count = len(years)
    if count < FEWEST:
        raise TooFew(
            f"見通しは、{FEWEST}年分の実績がそろってから出します（いまは{count}年分です）。"
        )
    mean_year = sum(years) / count
    mean = math.fsum(figures[year] for year in years) / count
    spread = math.fsum((year - mean_year) ** 2 for year in years)
    slope = math.fsum((year - mean_year) * (figures[year] - mean) for year in years) / spread
    rest = math.fsum((figures[year] - mean - slope * (year - mean_year)) ** 2 for year in years)
    scatter = math.sqrt(rest / (count - 2))
    t = T[count - 2]
    margin = t * scatter / math.sqrt(spread)

    def ahead(year: int) -> Forecast:
        middle = mean + slope * (year - mean_year)
        width = t * scatter * math.sqrt(1 + 1 / count + (year - mean_year) ** 2 / spread)
        low, at, high = (
            min(max(value, least), most) for value in (middle - width, middle, middle + width)
        )
        return Forecast(year, at, low, high)

    last = min(until, years[-1] + FURTHEST)
    return Trend(
        _course(slope - margin, slope + margin),
        slope,
        slope - margin,
        slope + margin,
        tuple(ahead(year) for year in range(years[-1] + 1, last + 1)),
    )


def _course(low: float, high: float) -> Course:
    if low > 0:
        return Course.RISING
    return Course.FALLING if high < 0 else Course.UNCLEAR


def chance(forecast: Forecast, aim: Aim) -> Chance:
    """Whether a target would be met: by the whole interval, by none of it, or by a part."""
    low = -math.inf if aim.low is None else float(aim.low)
    high = math.inf if aim.high is None else float(aim.high)
    if low <= forecast.low and forecast.high <= high:
        return Chance.LIKELY
    return Chance.UNLIKELY if forecast.high < low or high < forecast.low else Chance.OPEN
