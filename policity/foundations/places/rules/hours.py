"""When a facility is open. Pure: the clock and the public holidays are given.

What is not known is not guessed: a facility without `Hours` says nothing of being open.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

Holiday = Callable[[date], object]
"""Whether a day is a public holiday: anything that is true, such as its name."""

DAY = 24 * 60
LOOK_AHEAD = 60
"""So many days ahead it is looked for the next opening: longer than any closing but the last."""


class OnHoliday(StrEnum):
    """What a public holiday changes."""

    AS_USUAL = "usual"
    CLOSED = "closed"
    DAY_AFTER = "day_after"
    """A holiday on a weekday of rest: open, with Sunday's hours, and the next working day off."""


class Why(StrEnum):
    """Why a day's hours are what they are."""

    WEEK = "week"
    SPECIAL = "special"
    YEAR_END = "year_end"
    HOLIDAY = "holiday"
    AFTER_HOLIDAY = "after_holiday"


class BadHours(ValueError):  # noqa: N818  # the thing refused
    """Such hours cannot be. The message is one Japanese clause."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `opens` until `closes`, in minutes since midnight; until 24:00 is 1440."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= DAY:
            raise BadHours("開く時刻は、閉まる時刻より前にしてください")

    def __str__(self) -> str:
        return f"{clock(self.opens)}-{clock(self.closes)}"


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a week, Monday first, and the days that differ.

    `year_end`: closed from 29 December to 3 January. `special` days go before everything else;
    one without a span is closed.
    """

    week: tuple[Spans, ...]
    on_holiday: OnHoliday = OnHoliday.AS_USUAL
    year_end: bool = False
    special: Mapping[date, Spans] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise BadHours("一週間は七日です")
        for spans in (*self.week, *self.special.values()):
            if any(one.closes > other.opens for one, other in pairwise(spans)):
                raise BadHours("開いている時間が重なっています")


@dataclass(frozen=True, slots=True)
class Day:
    """The hours of one day, none where it is closed, and why."""

    spans: Spans
    why: Why


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands at a moment: open until when, or closed and open again when.

    `until` and `again` are in the city's own time, without a zone. Both None: not within
    `LOOK_AHEAD` days. `all_day`: no hours today at all.
    """

    is_open: bool
    all_day: bool
    until: datetime | None = None
    again: datetime | None = None


def on(hours: Hours, day: date, holiday: Holiday) -> Day:
    """The hours of a day: what is said of that very day, year's end, holidays, then the week."""
    if day in hours.special:
        return Day(hours.special[day], Why.SPECIAL)
    if hours.year_end and ((day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)):
        return Day((), Why.YEAR_END)
    usual = hours.week[day.weekday()]
    if holiday(day):
        if hours.on_holiday is OnHoliday.CLOSED:
            return Day((), Why.HOLIDAY)
        if hours.on_holiday is OnHoliday.DAY_AFTER:
            return Day(usual or hours.week[6], Why.HOLIDAY)
    elif hours.on_holiday is OnHoliday.DAY_AFTER and usual and _rest_was_moved(hours, day, holiday):
        return Day((), Why.AFTER_HOLIDAY)
    return Day(usual, Why.WEEK)


def standing(hours: Hours, at: datetime, holiday: Holiday) -> Standing:
    """How it stands at a moment of the city's own time (without a zone)."""
    today, minute = at.date(), at.hour * 60 + at.minute
    spans = on(hours, today, holiday).spans
    for span in spans:
        if span.opens <= minute < span.closes:
            return Standing(True, False, until=_at(today, _end(hours, today, span, holiday)))
    again = next((_at(day, span.opens) for day, span in _coming(hours, at, holiday)), None)
    return Standing(False, not spans, again=again)


def _end(hours: Hours, day: date, span: Span, holiday: Holiday) -> int:
    """When it really closes: what ends at midnight may go on, for as long as two weeks."""
    minutes = span.closes
    while minutes % DAY == 0 and minutes < 14 * DAY:
        following = on(hours, day + timedelta(days=minutes // DAY), holiday).spans
        if not following or following[0].opens:
            break
        minutes += following[0].closes
    return minutes


def _coming(hours: Hours, at: datetime, holiday: Holiday) -> Iterator[tuple[date, Span]]:
    minute = at.hour * 60 + at.minute
    for ahead in range(LOOK_AHEAD + 1):
        day = at.date() + timedelta(days=ahead)
        for span in on(hours, day, holiday).spans:
            if ahead or span.opens > minute:
                yield day, span


def _rest_was_moved(hours: Hours, day: date, holiday: Holiday) -> bool:
    """Whether one of the holidays right before a day was on a weekday of rest."""
    before = day - timedelta(days=1)
    while holiday(before):
        if not hours.week[before.weekday()]:
            return True
        before -= timedelta(days=1)
    return False


def _at(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def clock(minutes: int) -> str:
    """ "9:00"; midnight at the end of a day is "24:00"."""
    return f"{minutes // 60}:{minutes % 60:02}"


def minutes(text: str) -> int:
    """ "9:00", "09:00", "９：００" or "24:00" as minutes since midnight. Raises BadHours."""
    hour, _, minute = text.strip().replace("：", ":").partition(":")
    if not (hour.isdecimal() and len(hour) < 3 and minute.isdecimal() and len(minute) == 2):
        raise BadHours(f"時刻「{text}」は、9:00 のように書いてください")
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > DAY:
        raise BadHours(f"時刻「{text}」は、0:00 から 24:00 までにしてください")
    return found


def spans(text: str) -> Spans:
    """ "9:00-12:00 13:00-17:00" in order; nothing or "休" is closed. Raises BadHours."""
    words = text.replace("〜", "-").replace("～", "-").replace("、", " ").split()
    if words in ([], ["休"], ["休み"]):
        return ()
    found = []
    for word in words:
        opens, dash, closes = word.partition("-")
        if not dash:
            raise BadHours(f"「{word}」は、9:00-17:00 のように書いてください")
        found.append(Span(minutes(opens), minutes(closes)))
    return tuple(sorted(found))


def written(some: Spans) -> str:
    """Spans as one types them: the opposite of `spans`."""
    return " ".join(map(str, some))


def to_json(hours: Hours) -> dict[str, Any]:
    """Hours as they are stored, and as the pages' script reads them."""
    return {
        "week": [[[one.opens, one.closes] for one in day] for day in hours.week],
        "on_holiday": hours.on_holiday.value,
        "year_end": hours.year_end,
        "special": {
            day.isoformat(): [[one.opens, one.closes] for one in some]
            for day, some in sorted(hours.special.items())
        },
    }


def from_json(stored: Mapping[str, Any]) -> Hours:
    """The opposite of `to_json`."""
    return Hours(
        week=tuple(tuple(Span(*one) for one in day) for day in stored["week"]),
        on_holiday=OnHoliday(stored["on_holiday"]),
        year_end=stored["year_end"],
        special={
            date.fromisoformat(day): tuple(Span(*one) for one in some)
            for day, some in stored["special"].items()
        },
    )
