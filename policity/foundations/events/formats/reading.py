"""Others' calendars (iCalendar, RFC 5545) as values. Pure, and run in a process with a limit:

`python -m policity.foundations.events.formats.reading SINCE UNTIL < calendar.ics`

What others write may repeat every second for ever, or have a rule that never comes true: looking
for its next time cannot be broken off from inside.
"""

import json
import re
import resource
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from policity.kit.web import is_web_address

LARGEST = 1_000_000
"""Bytes."""

MOST_ENTRIES, MOST_TIMES = 2_000, 5_000
CPU_SECONDS, MEMORY = 10, 1_500_000_000
LONGEST_TITLE, LONGEST_BODY, LONGEST_PLACE, LONGEST_UID = 200, 4000, 200, 300

# Where a calendar's clock stands that does not say so: this country's.
HERE = ZoneInfo("Asia/Tokyo")
_TOO_OFTEN = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.I)
# Halfwidth katakana, private use, and what could not be read at all.
_ODD = re.compile("[\uff61-\uff9f\ue000-\uf8ff\ufffd]")
_BEGIN = re.compile(rb"^BEGIN:VEVENT", re.I | re.M)


class BadCalendar(ValueError):  # noqa: N818  # the thing refused
    """Not a calendar that can be taken. The message is one Japanese sentence for staff."""


@dataclass(slots=True)
class Item:
    """One entry with its times: beginning, end (ISO 8601 in UTC), and whether it is called off."""

    uid: str
    title: str
    body: str = ""
    place: str = ""
    link: str = ""
    all_day: bool = False
    times: list[tuple[str, str, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """A calendar: what of it takes place in a period, and how many entries could not be taken."""

    items: list[Item]
    skipped: int


def text_of(data: bytes) -> str:
    """The text: UTF-8 by its standard, but programs here write others. Raises BadCalendar."""
    if len(data) > LARGEST:
        raise BadCalendar(f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです。")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    # Escapes of ISO-2022-JP are plain ASCII to all others.
    if b"\x1b$" in data:
        return data.decode("iso2022_jp", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return min((data.decode(one, errors="replace") for one in ("cp932", "euc_jp")), key=_odd)


def _odd(text: str) -> int:
    """How many signs stand in it that nobody writes: each of the two reads the other so."""
    return len(_ODD.findall(text))


def read(data: bytes, *, since: date, until: date) -> Reading:
    """What of a calendar takes place from one day up to another. Raises BadCalendar."""
    import icalendar
    import recurring_ical_events

    text = text_of(data)
    count = len(_BEGIN.findall(data))
    if count > MOST_ENTRIES:
        raise BadCalendar(f"予定が多すぎます（{count:,}件）。{MOST_ENTRIES:,}件までです。")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise BadCalendar("カレンダー（iCalendar）のファイルではありません。")
    try:
        calendar = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadCalendar("カレンダー（iCalendar）として読めません。") from error
    skipped = _drop_unreadable(calendar)
    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    items: dict[str, Item] = {}
    days: defaultdict[str, set[str]] = defaultdict(set)
    end = datetime.combine(until, time(), HERE)
    for number, entry in enumerate(_until(query.after(datetime.combine(since, time(), HERE)), end)):
        if number >= MOST_TIMES:
            raise BadCalendar(
                f"予定が多すぎます。これから{(until - since).days}日に、{MOST_TIMES:,}回までです。"
            )
        _take(entry, items, days)
    return Reading(list(items.values()), skipped)


def _drop_unreadable(calendar: Any) -> int:
    """Take out what repeats within a day, has no beginning or no name; how many that were."""
    dropped = 0
    for component in list(calendar.subcomponents):
        if component.name != "VEVENT":
            continue
        rule = component.get("RRULE")
        rules = rule if isinstance(rule, list) else [rule] if rule is not None else []
        if (
            component.errors
            or any(_TOO_OFTEN.search(one.to_ical().decode()) for one in rules)
            or not isinstance(getattr(component.get("DTSTART"), "dt", None), date)
            or not str(component.get("SUMMARY", "")).strip()
        ):
            calendar.subcomponents.remove(component)
            dropped += 1
    return dropped


def _until(found: Iterator[Any], end: datetime) -> Iterator[Any]:
    return takewhile(lambda entry: _moment(entry["DTSTART"].dt) < end, found)


def _take(entry: Any, items: dict[str, Item], days: dict[str, set[str]]) -> None:
    title = _cut(str(entry.get("SUMMARY", "")), LONGEST_TITLE)
    starts = entry["DTSTART"].dt
    all_day = not isinstance(starts, datetime)
    ends = getattr(entry.get("DTEND"), "dt", None) or (
        starts + timedelta(days=1) if all_day else starts
    )
    uid = str(entry.get("UID") or f"{title} {starts}")[:LONGEST_UID]
    link = str(entry.get("URL", ""))[:500]
    item = items.setdefault(
        uid,
        Item(
            uid,
            title,
            _cut(str(entry.get("DESCRIPTION", "")), LONGEST_BODY),
            _cut(str(entry.get("LOCATION", "")), LONGEST_PLACE),
            link if is_web_address(link) else "",
            all_day,
        ),
    )
    begins, over = _moment(starts), _moment(ends)
    at = begins.isoformat()
    if at not in days[uid]:
        days[uid].add(at)
        off = str(entry.get("STATUS", "")).upper() == "CANCELLED"
        item.times.append((at, max(begins, over).isoformat(), off))


def _moment(at: date | datetime) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(), HERE)
    return (at if at.tzinfo else at.replace(tzinfo=HERE)).astimezone(UTC)


def _cut(text: str, longest: int) -> str:
    """A text of a length that pages have room for, without signs that are none."""
    clean = "".join(sign for sign in text.strip() if sign >= " " or sign == "\n")
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def main() -> None:
    """Read from standard input, write JSON: what was read, or why it could not be."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    since, until = (date.fromisoformat(word) for word in sys.argv[1:3])
    try:
        found: dict[str, Any] = asdict(
            read(sys.stdin.buffer.read(LARGEST + 1), since=since, until=until)
        )
    except BadCalendar as error:
        found = {"refusal": str(error)}
    json.dump(found, sys.stdout, ensure_ascii=True)


if __name__ == "__main__":
    main()
