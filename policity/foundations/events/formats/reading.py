"""Others' calendars (iCalendar, RFC 5545) as values. Pure, and run in a process with a limit:

`python -m policity.foundations.events.formats.reading SINCE UNTIL < calendar.ics`

What others write may repeat every second for ever, or have a rule that never comes true: looking
for its next time cannot be broken off from inside.
"""

import json
import re
import resource
import sys
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
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
# Halfwidth katakana, private use, and what could not be read at all.
_ODD = re.compile("[\uff61-\uff9f\ue000-\uf8ff\ufffd]")
_BEGIN = re.compile(r"^BEGIN:VEVENT", re.I | re.M)
_BAD_RULE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
_FOLD = re.compile(rb"(\r\n|\n|\r)[ \t]")


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
    """A calendar: what of it takes place in a period, and which entries could not be taken.

    `left` has a pair for each of these: its name and day, and why, in Japanese.
    """

    items: list[Item]
    left: list[tuple[str, str]] = field(default_factory=list)


def text_of(data: bytes) -> str:
    """The text: UTF-8 by its standard, but programs here write others. Raises BadCalendar."""
    if len(data) > LARGEST:
        raise BadCalendar(f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです。")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    # Many programs fold a line between two bytes of one sign.
    data = _FOLD.sub(b"", data)
    # Escapes of ISO-2022-JP are plain ASCII to all others.
    if b"\x1b$" in data:
        return data.decode("iso2022_jp", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # One bad byte makes no other alphabet of a whole calendar.
        read = (data.decode(one, errors="replace") for one in ("cp932", "euc_jp", "utf-8-sig"))
        return min(read, key=_odd)


def _odd(text: str) -> int:
    """How many signs stand in it that nobody writes: each of the three reads the others so."""
    return len(_ODD.findall(text))


def read(data: bytes, *, since: date, until: date) -> Reading:
    """What of a calendar takes place from one day up to another. Raises BadCalendar."""
    # Its libraries are for this process alone: the others only know the values.
    from policity.foundations.events.formats import mending

    text = text_of(data)
    if (count := len(_BEGIN.findall(text))) > MOST_ENTRIES:
        raise BadCalendar(f"予定が多すぎます（{count:,}件）。{MOST_ENTRIES:,}件までです。")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise BadCalendar("カレンダー（iCalendar）のファイルではありません。")
    try:
        calendar, left = mending.parsed(text)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadCalendar("カレンダー（iCalendar）として読めません。") from error
    items: dict[str, Item] = {}
    number = 0
    period = datetime.combine(since, time(), HERE), datetime.combine(until, time(), HERE)
    for master, entries in mending.series(calendar):
        # Whatever is found in a rule when its days are looked for is about this one alone.
        try:
            times = mending.times(calendar, entries, *period)
        except _BAD_RULE:
            left.append((mending.name_of(master), mending.NO_RULE))
            continue
        number += len(times)
        if number > MOST_TIMES:
            raise BadCalendar(
                f"予定が多すぎます。これから{(until - since).days}日に、{MOST_TIMES:,}回までです。"
            )
        if times:
            item = _item(master, times)
            if (known := items.setdefault(item.uid, item)) is not item:
                known.times += item.times
    return Reading(list(items.values()), left)


def _item(master: Any, times: list[Any]) -> Item:
    from policity.foundations.events.formats.mending import moment, said

    title, starts = _cut(said(master, "SUMMARY"), LONGEST_TITLE), master["DTSTART"].dt
    link = said(master, "URL")[:500]
    item = Item(
        (said(master, "UID") or f"{title} {starts}")[:LONGEST_UID],
        title,
        _cut(said(master, "DESCRIPTION"), LONGEST_BODY),
        _cut(said(master, "LOCATION"), LONGEST_PLACE),
        link if is_web_address(link) else "",
        not isinstance(starts, datetime),
    )
    seen = set[str]()
    for entry in sorted(times, key=lambda entry: moment(entry["DTSTART"].dt)):
        begins = moment(entry["DTSTART"].dt)
        ends = moment(getattr(entry.get("DTEND"), "dt", None) or entry["DTSTART"].dt)
        off = said(entry, "STATUS").upper() == "CANCELLED"
        if (at := begins.isoformat()) not in seen:
            seen.add(at)
            item.times.append((at, max(begins, ends).isoformat(), off))
    return item


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
