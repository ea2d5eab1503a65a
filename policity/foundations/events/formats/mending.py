"""Others' calendars as programs write them, made what the standard (RFC 5545) says. Pure.

Programs fold lines in the middle of a sign, join two calendars, leave the end of a rule as a day,
leave out the zone of what is off, or the name of what is moved. What cannot be told for certain is
left out, with a reason that staff can read: a wrong time on a public page is worse than none.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from math import prod
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, vDDDLists, vDDDTypes, vRecur, vText

from policity.foundations.events.formats.reading import HERE

NO_START = "始まりの日時が読めません"
NO_TITLE = "名前がありません"
PRIVATE = "公開しない印（CLASS）があります"
TOO_OFTEN = "1日に何度もくり返します"
NO_RULE = "くり返しの決まりが読めません"
NEVER = "くり返しの日が、一度も来ません"
NO_EXCEPTION = "くり返しの休みの日か、変えた日が読めません"

# What of an entry is looked at: whatever else a program writes cannot make it unreadable.
_LINE = re.compile(
    r"(UID|SEQUENCE|STATUS|CLASS|DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|RECURRENCE-ID"
    r"|SUMMARY|DESCRIPTION|LOCATION|URL)[;:]",
    re.IGNORECASE,
)
_ENDS = re.compile("\r\n|\n|\r")
_OF_DAYS = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_YEARS = range(1900, 2200)
_LONGEST_STEP, _MOST_A_DAY = 1_000, 24
_LEAP_YEAR = 2024
_LONGEST_NAME = 40


def _plain(text: str, *, zones: bool = True) -> str:
    """The whole entries and time zones of a text as one calendar, without what is around them.

    Also of several calendars in a row, and of one that breaks off.
    """
    kept: list[str] = []
    block: list[str] | None = None
    kind, within = "", 0
    for line in _ENDS.split(text):
        word = line.strip().upper()
        if word in ("BEGIN:VEVENT", "BEGIN:VTIMEZONE"):
            block, kind, within = [line], word.removeprefix("BEGIN:"), 0
        elif block is None:
            kept += [line] if word.startswith("X-WR-TIMEZONE") else []
        elif word == f"END:{kind}":
            kept += [*block, line] if zones or kind == "VEVENT" else []
            block = None
        elif word == "END:VCALENDAR":
            block = None
        elif kind == "VTIMEZONE":
            block.append(line)
        elif word.startswith(("BEGIN:", "END:")):
            # Alarms have texts of their own.
            within = max(0, within + (1 if word.startswith("BEGIN:") else -1))
        elif not within and _LINE.match(line):
            block.append(line)
    return "\r\n".join(["BEGIN:VCALENDAR", *kept, "END:VCALENDAR", ""])


def parsed(text: str) -> tuple[Any, list[tuple[str, str]]]:
    """A calendar with what of it can be taken, and a name and a reason for each that cannot.

    Raises ValueError, KeyError, IndexError, TypeError where nothing can be made of it.
    """
    try:
        found = Calendar.from_ical(_plain(text))
    except ValueError:
        # One time zone that is none; what names it is taken for this country's.
        found = Calendar.from_ical(_plain(text, zones=False))
    if not found.events and "END:VCALENDAR" not in text.upper():
        raise ValueError(text[:100])
    if _no_zone(said(found, "X-WR-TIMEZONE")):
        found.pop("X-WR-TIMEZONE", None)
    masters = {said(one, "UID"): one for one in found.events if "RECURRENCE-ID" not in one}
    left = []
    for entry in found.events:
        master = masters.get(said(entry, "UID")) if "RECURRENCE-ID" in entry else None
        if reason := mend(entry, master):
            left.append((name_of(entry), reason))
            found.subcomponents.remove(entry)
    return found, left


def series(calendar: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Each entry, and all that its times are found by: itself, and those that were changed."""
    alike: dict[Any, list[Any]] = {}
    for number, entry in enumerate(calendar.events):
        alike.setdefault(said(entry, "UID") or number, []).append(entry)
    for uid, entries in alike.items():
        changed = [one for one in entries if "RECURRENCE-ID" in one]
        masters = [one for one in entries if "RECURRENCE-ID" not in one]
        newest = max((_sequence(one) for one in masters), default=0)
        different = {one["DTSTART"].dt: one for one in masters if _sequence(one) == newest}
        # Some number all of their entries alike.
        for number, (starts, one) in enumerate(different.items()):
            if number:
                one["UID"] = vText(f"{uid} {starts.isoformat()}")
            yield one, [one] if number else [one, *changed]
        if changed and not masters:
            yield changed[0], changed


def times(calendar: Any, entries: list[Any], since: datetime, until: datetime) -> list[Any]:
    """What of a series takes place in a period. Whatever a rule may be wrong in is raised."""
    if len(entries) == 1 and not {"RRULE", "RDATE"} & entries[0].keys():
        # Most calendars are years of these, and all others take a hundred times as long.
        starts = entries[0]["DTSTART"].dt
        ends = entries[0]["DTEND"].dt if "DTEND" in entries[0] else starts
        return entries if moment(ends) >= since and moment(starts) < until else []
    own = Calendar(calendar)
    own.subcomponents = entries
    found = recurring_ical_events.of(own).between(since, until)
    return [one for one in found if moment(one["DTSTART"].dt) < until]


def moment(at: date | datetime) -> datetime:
    """A time in UTC; of a day, its first."""
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(), HERE)
    return (at if at.tzinfo else at.replace(tzinfo=HERE)).astimezone(UTC)


def _sequence(entry: Any) -> int:
    found = entry.get("SEQUENCE")
    return found if isinstance(found, int) else 0


def name_of(entry: Any) -> str:
    """What staff find an entry by, in the calendar that it is from."""
    title = said(entry, "SUMMARY")[:_LONGEST_NAME] or "名前のない予定"
    title = "非公開の予定" if _private(entry) else title
    starts = getattr(entry.get("DTSTART"), "dt", None)
    return f"{title}（{starts:%Y-%m-%d}）" if isinstance(starts, date) else title


def _private(entry: Any) -> bool:
    return said(entry, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL")


def _no_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return True
    return False


def said(entry: Any, name: str) -> str:
    """A text of an entry. Some write it once for each language: the first that says something."""
    found = entry.get(name, "")
    texts = found if isinstance(found, list) else [found]
    return next((text for one in texts if (text := str(one).strip())), "")


def mend(entry: Any, master: Any) -> str:
    """Put an entry right in place; why it cannot be taken, in Japanese, or "".

    `master` is what it is a changed time of (RECURRENCE-ID); None for all others.
    """
    unread = {name for name, _ in entry.errors}
    for name in unread - {None} - {"EXDATE", "RDATE", "RECURRENCE-ID", "RRULE"}:
        entry.pop(name, None)
    starts = getattr(entry.get("DTSTART"), "dt", None)
    if not isinstance(starts, date) or starts.year not in _YEARS:
        return NO_START
    if _private(entry):
        return PRIVATE
    if not said(entry, "SUMMARY"):
        # Programs that only move or call off one time of many name it no more.
        if master is None or not said(master, "SUMMARY"):
            return NO_TITLE
        for name in ("SUMMARY", "DESCRIPTION", "LOCATION", "URL"):
            if name in master and not said(entry, name):
                entry[name] = master[name]
    if unread & {"EXDATE", "RDATE", "RECURRENCE-ID"}:
        return NO_EXCEPTION
    starts = _here(starts)
    _put(entry, "DTSTART", starts)
    _end(entry, starts)
    for name in ("EXDATE", "RDATE"):
        _put_days(entry, name, starts)
    first = _here(master["DTSTART"].dt) if master is not None else starts
    changed = getattr(entry.get("RECURRENCE-ID"), "dt", None)
    if changed is not None:
        _put(entry, "RECURRENCE-ID", _like(changed, first))
    rules = entry.get("RRULE", [])
    faults = (_rule(one, starts) for one in (rules if isinstance(rules, list) else [rules]))
    return next(filter(None, faults), "")


def _here(at: Any) -> Any:
    """A time without a zone is this country's: what is off is only off at the same moment."""
    naive = isinstance(at, datetime) and at.tzinfo is None
    return at.replace(tzinfo=HERE) if naive else at


def _like(at: Any, first: Any) -> Any:
    """A day or time as its series has it: Exchange says the day alone of what begins at a time."""
    if isinstance(first, datetime) and not isinstance(at, datetime):
        return datetime.combine(at, first.timetz())
    if isinstance(at, datetime) and not isinstance(first, datetime):
        return at.astimezone(HERE).date() if at.tzinfo else at.date()
    return _here(at)


def _put(entry: Any, name: str, at: Any) -> None:
    kept = entry[name].params if name in entry else {}
    entry[name] = vDDDTypes(at)
    # THISANDFUTURE.
    entry[name].params.update({key: kept[key] for key in ("RANGE",) if key in kept})


def _put_days(entry: Any, name: str, starts: Any) -> None:
    """What is off, or comes as well. Periods (start and end or length) stay as they are."""
    lists = entry.pop(name, [])
    days = [
        one.dt
        for part in (lists if isinstance(lists, list) else [lists])
        for one in getattr(part, "dts", ())
    ]
    if days:
        entry[name] = vDDDLists(
            [
                tuple(map(_here, one)) if isinstance(one, tuple) else _like(one, starts)
                for one in days
            ]
        )


def _end(entry: Any, starts: Any) -> None:
    """An end that is one: not before the beginning, a whole day at least of whole days."""
    ends, lasts = (getattr(entry.get(name), "dt", None) for name in ("DTEND", "DURATION"))
    entry.pop("DTEND", None)
    entry.pop("DURATION", None)
    whole = not isinstance(starts, datetime)
    if isinstance(ends, date):
        ends = _like(ends, starts) if whole else _here(_midnight(ends))
    elif isinstance(lasts, timedelta) and abs(lasts) < timedelta(days=1_000):
        ends = starts + lasts
    if isinstance(ends, date) and ends > starts:
        entry["DTEND"] = vDDDTypes(ends)
    elif whole:
        entry["DTEND"] = vDDDTypes(starts + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time())


def _rule(rule: Any, starts: Any) -> str:
    """Put a rule right in place, or say what is wrong with it."""
    if not isinstance(rule, vRecur):
        return NO_RULE
    if not rule:
        return ""
    often = str((rule.get("FREQ") or [""])[0]).upper()
    if often in ("SECONDLY", "MINUTELY", "HOURLY"):
        return TOO_OFTEN
    clock = ("BYHOUR", "BYMINUTE", "BYSECOND")
    if prod(len(rule.get(name) or [0]) for name in clock) > _MOST_A_DAY:
        return TOO_OFTEN
    steps = [int(one) for one in rule.get("INTERVAL", [1])]
    counts = [int(one) for one in rule.get("COUNT", [1])]
    if often not in _OF_DAYS or min(steps) < 1 or max(steps) > _LONGEST_STEP or min(counts) < 1:
        return NO_RULE
    if _never(rule):
        return NEVER
    if until := rule.get("UNTIL"):
        rule["UNTIL"] = [_last(until[0], starts)]
    return ""


def _never(rule: Any) -> bool:
    """Whether there is no such day in any month, as the 30th of February. Not every such rule."""
    if not (days := [int(one) for one in rule.get("BYMONTHDAY", [])]):
        return False
    months = [int(one) for one in rule.get("BYMONTH", range(1, 13))]
    return not any(
        1 <= abs(day) <= monthrange(_LEAP_YEAR, month)[1]
        for day, month in product(days, months)
        if 1 <= month <= 12
    )


def _last(until: Any, starts: Any) -> Any:
    """When a rule ends, as its series has it. The last day belongs to it."""
    if isinstance(starts, datetime):
        # Whoever writes moments of the world still means days of this country.
        zone = starts.tzinfo if starts.utcoffset() else HERE
        if not isinstance(until, datetime):
            return datetime.combine(until, time(23, 59, 59), zone).astimezone(UTC)
        return until.replace(tzinfo=until.tzinfo or starts.tzinfo).astimezone(UTC)
    if isinstance(until, datetime) and until.tzinfo:
        # Whole days: midnight of this country, or whatever time of the day that is meant.
        here = until.astimezone(HERE)
        return here.date() if here.time() == time() else until.date()
    return until.date() if isinstance(until, datetime) else until
