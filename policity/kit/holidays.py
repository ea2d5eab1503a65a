"""Public holidays (国民の祝日). Pure: the law of Japan, as a kept library knows it."""

from datetime import date

import jpholiday


def holiday(day: date) -> str:
    """The Japanese name of the holiday on a day, empty on any other day."""
    return str(jpholiday.is_holiday_name(day) or "")


def of_year(year: int) -> dict[date, str]:
    """Every holiday of a year with its Japanese name."""
    return {day: str(name) for day, name in jpholiday.year_holidays(year)}
