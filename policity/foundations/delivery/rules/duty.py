"""When the queue of those who need help is watched, and when an alarm has waited too long. Pure."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """Some days of the week, from one minute of the day up to another."""

    days: frozenset[int]
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Duty:
    """The city's setting, whole."""

    hours: tuple[Hours, ...]
    escalates_after: timedelta

    def watched(self, at: datetime) -> bool:
        """Whether somebody is on duty. `at` is in the city's zone."""
        minute = at.hour * 60 + at.minute
        return any(
            at.weekday() in hours.days and hours.starts <= minute < hours.ends
            for hours in self.hours
        )


def parse(text: str) -> Duty:
    """Read the setting's file. Raises ValueError that names the faulty entry."""
    try:
        data = tomllib.loads(text)
        hours = tuple(
            Hours(
                frozenset(_DAYS.index(day) for day in entry["days"]),
                _minute(entry["from"]),
                _minute(entry["until"]),
            )
            for entry in data["hours"]
        )
        wait = timedelta(minutes=data["alarm"]["escalates_after_minutes"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"duty.toml: {error} is missing or of the wrong kind") from error
    return Duty(hours, wait)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    value = int(hour) * 60 + int(minute)
    if not 0 <= value <= 24 * 60:
        raise ValueError(f"duty.toml: {text!r} is no time of day")
    return value


@cache
def duty() -> Duty:
    """The setting that ships."""
    return parse(
        (files("policity.foundations.delivery") / "facts" / "duty.toml").read_text("utf-8")
    )
