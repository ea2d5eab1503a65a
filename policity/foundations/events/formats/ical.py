"""Events as others' calendars read them (iCalendar, RFC 5545). Pure.

Each time is an entry of its own, so that one that is moved or called off needs no exception to a
rule, and every reader shows the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from icalendar import Calendar
from icalendar import Event as Entry

PRODUCT = "-//Policity//Events//JA"


@dataclass(frozen=True, slots=True)
class Time:
    """One time of an event. `uid` stays the same for ever, `revision` grows (SEQUENCE)."""

    uid: str
    title: str
    body: str
    place: str
    url: str
    starts: datetime
    ends: datetime
    all_day: bool
    cancelled: bool
    revision: int
    changed_at: datetime


def calendar(name: str, times: Iterable[Time]) -> bytes:
    """A calendar of these times; moments in UTC, whole days as days."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    # Not in the standard; every reader shows it.
    made.add("x-wr-calname", name)
    for time in times:
        made.add_component(_entry(time))
    return bytes(made.to_ical())


def _entry(time: Time) -> Entry:
    entry = Entry()
    entry.add("uid", time.uid)
    entry.add("dtstamp", time.changed_at.astimezone(UTC).replace(microsecond=0))
    entry.add("sequence", time.revision)
    entry.add("summary", time.title)
    if time.all_day:
        entry.add("dtstart", time.starts.date())
        entry.add("dtend", time.ends.date())
    else:
        entry.add("dtstart", time.starts.astimezone(UTC))
        entry.add("dtend", time.ends.astimezone(UTC))
    if time.place:
        entry.add("location", time.place)
    if time.body:
        entry.add("description", time.body)
    entry.add("url", time.url)
    entry.add("status", "CANCELLED" if time.cancelled else "CONFIRMED")
    return entry
