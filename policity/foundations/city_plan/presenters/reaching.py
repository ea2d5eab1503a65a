"""Of some measures' targets, how many were reached in each year that is told of."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from policity.foundations.city_plan.presenters.figures import Sheet


@dataclass(frozen=True, slots=True)
class Reached:
    """A fiscal year. `all` counts the targets whose figure was measured, never nought.

    `provisional` where one of the figures is."""

    year: int
    reached: int
    all: int
    provisional: bool


def reaching(sheets: Iterable[Sheet]) -> tuple[Reached, ...]:
    """Year by year; a year without a measured target is not among them."""
    by_year = defaultdict(list)
    for sheet in sheets:
        for series in sheet.series:
            for line in series.lines:
                if line.reached is not None:
                    by_year[line.year].append(line)
    return tuple(
        Reached(
            year,
            sum(line.reached is True for line in lines),
            len(lines),
            any(line.provisional for line in lines),
        )
        for year, lines in sorted(by_year.items())
    )
