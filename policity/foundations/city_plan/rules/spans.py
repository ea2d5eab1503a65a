"""Months and fiscal years as spans of days, from the first day to the day after the last. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from policity.foundations.city_plan.rules.attaining import MONTHS
from policity.kit.eras import APRIL, fiscal_year


class Length(StrEnum):
    """How long a span is."""

    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Span:
    """From a day on, and before another."""

    length: Length
    begins: date
    ends: date


def month(day: date) -> Span:
    """The month of a day."""
    begins = day.replace(day=1)
    return Span(Length.MONTH, begins, _after(begins, 1))


def year(fiscal: int) -> Span:
    """A fiscal year."""
    return Span(Length.YEAR, date(fiscal, APRIL, 1), date(fiscal + 1, APRIL, 1))


def _after(first: date, months: int) -> date:
    number = first.year * MONTHS + first.month - 1 + months
    return date(number // MONTHS, number % MONTHS + 1, 1)


def over(today: date, *, since: date | None) -> Iterator[Span]:
    """The months, and the fiscal years that ended with one of them, from a day on and over by now.

    With none to begin at, only the last month, and the year that ended with it.
    """
    begins = _after(today.replace(day=1), -1) if since is None else since
    while (span := month(begins)).ends <= today:
        yield span
        if span.ends.month == APRIL:
            yield year(fiscal_year(span.begins))
        begins = span.ends


def whole_months(fiscal: int, today: date) -> int:
    """How many months of a fiscal year are over on a day: 0 to 12."""
    begins = year(fiscal).begins
    return max(0, min((today.year - begins.year) * MONTHS + today.month - begins.month, MONTHS))
