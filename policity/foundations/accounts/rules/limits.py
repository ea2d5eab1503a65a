"""The city's settings for sign-ins. Pure."""

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Limits:
    """facts/accounts.toml, whole. `tries` and its neighbours are counted within `window`."""

    idle: timedelta
    longest: timedelta
    second_step: timedelta
    fresh: timedelta
    window: timedelta
    tries: int
    tries_from_address: int
    codes: int
    link: timedelta
    glass: timedelta


def parse(text: str) -> Limits:
    """Read the setting's file. Raises ValueError that names what is missing or no number."""
    data = tomllib.loads(text)

    def number(part: str, name: str) -> int:
        value = data.get(part, {}).get(name)
        if type(value) is not int or value < 1:
            raise ValueError(f"[{part}] {name}: a whole number from 1 is wanted, not {value!r}")
        return value

    return Limits(
        idle=timedelta(minutes=number("sessions", "idle_minutes")),
        longest=timedelta(hours=number("sessions", "longest_hours")),
        second_step=timedelta(minutes=number("sessions", "second_step_minutes")),
        fresh=timedelta(minutes=number("sessions", "fresh_minutes")),
        window=timedelta(minutes=number("tries", "window_minutes")),
        tries=number("tries", "most"),
        tries_from_address=number("tries", "most_from_address"),
        codes=number("tries", "most_codes"),
        link=timedelta(hours=number("links", "hours")),
        glass=timedelta(hours=number("break_glass", "hours")),
    )


@cache
def limits() -> Limits:
    """The setting that ships."""
    return parse((files("policity.foundations.accounts") / "facts/accounts.toml").read_text())
