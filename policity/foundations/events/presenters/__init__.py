"""Events as the public pages say them, in one language. Call it with that language active."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from policity.foundations.events.formats import ical
from policity.foundations.events.queries import EventView, TimeView
from policity.foundations.events.rules.registering import closes_at
from policity.foundations.events.services.words import reason
from policity.kit import moments, ruby

OFF = gettext_noop("中止")
FULL = gettext_noop("満席")
WAIT = gettext_noop("満席・キャンセル待ちできます")
ROOM = gettext_noop("あと%(count)s人")
TAKES = gettext_noop("申込みがいります")
OVER = gettext_noop("終わりました")


@dataclass(frozen=True, slots=True)
class Row:
    """One time of an event in a list. `lang` is that of its title, where it is another one.

    Of a course `dates` are all of it.
    """

    id: int
    title: str
    lang: str
    page: str
    day: date
    at: datetime
    when: str
    clock: str
    place: str
    mark: str
    off: bool
    why: tuple[str, ...]
    dates: tuple[str, ...]


def own(event: EventView, code: str, part: str) -> str:
    """A text of an event in a language; in Japanese where nobody translated it."""
    text = event.texts.get(code, {}).get(part) or event.texts["ja"].get(part, "")
    return ruby.foreign(text)


def lang(event: EventView, code: str) -> str:
    """The lang attribute of its title, empty where it is the page's own."""
    if code in ("ja", "ja-easy") or event.texts.get(code, {}).get("title"):
        return ""
    return "ja"


def place(event: EventView, code: str) -> str:
    """Where it is."""
    return ruby.foreign(event.venue) or own(event, code, "place")


def when(time: TimeView, code: str) -> str:
    """Day and hours: "12月3日(木) 12時00分〜14時00分"; of more than a day both days."""
    starts, ends = timezone.localtime(time.starts), timezone.localtime(time.ends)
    dash = "–" if code in ("en", "ko") else "〜"
    if time.event.all_day:
        last = (ends - timedelta(days=1)) if ends > starts else starts
        first = moments.date(starts, code)
        return first if last.date() <= starts.date() else f"{first}{dash}{moments.date(last, code)}"
    if starts == ends:
        return moments.full(starts, code)
    end = moments.clock(ends, code) if starts.date() == ends.date() else moments.full(ends, code)
    return f"{moments.full(starts, code)}{dash}{end}"


def mark(time: TimeView) -> str:
    """How it stands, in a few words; empty where there is nothing to say."""
    terms = time.event.terms
    if time.cancelled:
        return gettext(OFF)
    if time.over:
        return gettext(OVER)
    if not terms.takes or time.under_way:
        return ""
    if time.room == 0:
        return gettext(WAIT if terms.waits else FULL)
    return gettext(ROOM) % {"count": time.room} if time.room else gettext(TAKES)


def row(time: TimeView, code: str) -> Row:
    """One line of a list."""
    starts = timezone.localtime(time.starts)
    return Row(
        id=time.id,
        title=own(time.event, code, "title"),
        lang=lang(time.event, code),
        page=f"events/{time.event.id}/",
        day=starts.date(),
        at=starts,
        when=when(time, code),
        clock="" if time.event.all_day else moments.clock(starts, code),
        place=place(time.event, code),
        mark=mark(time),
        off=time.cancelled,
        why=reason(time.reason, time.reason_words),
        dates=tuple(moments.full(timezone.localtime(at), code) for at in time.course),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Some times under one heading; `page` leads to more of them."""

    name: str
    page: str
    rows: tuple[Row, ...]


def month_name(day: date, code: str) -> str:
    """Year and month: "2026年12月"."""
    if code == "en":
        return f"{day:%B %Y}"
    if code == "ko":
        return f"{day.year}년 {day.month}월"
    if code == "ja-easy":
        return f"{day.year}{{年|ねん}} {day.month}{{月|がつ}}"
    return f"{day.year}年{day.month}月"


def month_of(time: TimeView) -> date:
    """The first day of the month in which it begins."""
    return timezone.localtime(time.starts).date().replace(day=1)


def month_page(day: date) -> str:
    """A month's page, without its language."""
    return f"events/month/{day:%Y-%m}/"


def by_month(times: Sequence[TimeView], code: str) -> list[Group]:
    """The list: a heading a month."""
    found: dict[date, list[Row]] = {}
    for time in times:
        found.setdefault(month_of(time), []).append(row(time, code))
    return [Group(month_name(m, code), month_page(m), tuple(rows)) for m, rows in found.items()]


def by_place(times: Sequence[TimeView], code: str) -> list[Group]:
    """The same by where it is, places by name; what has none comes last."""
    found: dict[str, list[Row]] = {}
    for time in times:
        found.setdefault(place(time.event, code), []).append(row(time, code))
    names = sorted(found, key=lambda name: (not name, name))
    return [Group(name or gettext("場所は、ページの中"), "", tuple(found[name])) for name in names]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar. `name` says it in full, `outside` is another month's."""

    number: int
    name: str
    outside: bool
    rows: tuple[Row, ...]


DAYS = {
    "ja": "日月火水木金土",
    "ja-easy": ("にち", "げつ", "か", "すい", "もく", "きん", "ど"),
    "en": ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"),
    "zh-hans": "日一二三四五六",
    "ko": "일월화수목금토",
}


def month(first: date, times: Iterable[TimeView], code: str) -> dict[str, Any]:
    """A month as weeks that begin on Sunday, as Japanese calendars do."""
    rows: dict[date, list[Row]] = {}
    for time in times:
        one = row(time, code)
        rows.setdefault(one.day, []).append(one)
    day = first - timedelta(days=(first.weekday() + 1) % 7)
    weeks: list[list[Day]] = []
    while not weeks or (day.month, day.year) == (first.month, first.year):
        week = []
        for _ in range(7):
            at = datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
            found = tuple(rows.get(day, ()))
            week.append(Day(day.day, moments.date(at, code), day.month != first.month, found))
            day += timedelta(days=1)
        weeks.append(week)
    return {"name": month_name(first, code), "weeks": weeks, "days": list(DAYS[code])}


@dataclass(frozen=True, slots=True)
class Slot:
    """One time on its event's page. `form` is where one signs up, empty where nobody can."""

    row: Row
    closes: str
    form: str
    waits: bool


def event(times: Sequence[TimeView], code: str) -> dict[str, Any]:
    """An event's page: what, when, where, how to sign up."""
    said, terms = times[0].event, times[0].event.terms
    coming = [time for time in times if not time.over]
    slots = [_slot(time, code) for time in coming or times[-1:]]
    # Of a course there is one way in, for all of it.
    course = next((slot for slot in slots if slot.form), None) if said.whole else None
    return {
        "event": said,
        "title": own(said, code, "title"),
        "lang": lang(said, code),
        "translated": code == "ja" or bool(said.texts.get(code, {}).get("title")),
        "paragraphs": [p for p in own(said, code, "body").splitlines() if p.strip()],
        "place": place(said, code),
        "facility": f"places/{said.facility}/" if said.facility else "",
        "address": ruby.foreign(said.address),
        "department": ruby.foreign(said.department),
        "contact": ruby.foreign(said.contact),
        "source": ruby.foreign(said.source),
        "capacity": terms.capacity if terms.takes else None,
        "opens": moments.full(timezone.localtime(terms.opens), code) if terms.opens else "",
        "slots": slots,
        "course": course,
        "off": all(time.cancelled for time in coming or times),
        "over": not coming,
        "data": json_ld(coming or times[-1:], code),
    }


def _slot(time: TimeView, code: str) -> Slot:
    terms = time.event.terms
    may = terms.takes and not (time.cancelled or time.over or time.under_way)
    may = may and (time.room is None or time.room > 0 or terms.waits)
    closes = moments.full(timezone.localtime(closes_at(terms, time.begins)), code)
    form = f"events/register/{time.id}/" if may else ""
    return Slot(row(time, code), closes, form, waits=time.room == 0)


def next_day(times: Sequence[TimeView]) -> date:
    """The day of the next time of an event; of its last, when it is over."""
    coming = [time.starts for time in times if not time.over and not time.cancelled]
    return timezone.localtime(min(coming, default=times[-1].starts)).date()


def json_ld(times: Sequence[TimeView], code: str) -> str:
    """schema.org Event, one for each time, for search engines. Nothing in it can end the script."""
    found = []
    for time in times:
        data: dict[str, Any] = {
            "@context": "https://schema.org",
            "@type": "Event",
            "name": own(time.event, code, "title"),
            "startDate": timezone.localtime(time.starts).isoformat(timespec="minutes"),
            "endDate": timezone.localtime(time.ends).isoformat(timespec="minutes"),
            "eventStatus": "https://schema.org/"
            + ("EventCancelled" if time.cancelled else "EventScheduled"),
            "url": f"{settings.PUBLIC_URL}/events/{time.event.id}/",
        }
        if body := own(time.event, code, "body"):
            data["description"] = body
        if where := place(time.event, code):
            data["location"] = {"@type": "Place", "name": where}
            if time.event.address:
                data["location"]["address"] = time.event.address
        if time.event.terms.capacity is not None:
            data["maximumAttendeeCapacity"] = time.event.terms.capacity
        found.append(data)
    text = json.dumps(found, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def calendar(name: str, times: Iterable[TimeView], host: str) -> bytes:
    """Times as an iCalendar, in Japanese; the city's name for a feed, the event's for one."""
    return ical.calendar(name, [_entry(time, host) for time in times])


def _entry(time: TimeView, host: str) -> ical.Time:
    local = timezone.localtime if time.event.all_day else (lambda at: at)
    return ical.Time(
        uid=f"event-{time.id}@{host}",
        title=own(time.event, "ja", "title"),
        body="\n\n".join(
            filter(None, (*reason(time.reason, time.reason_words), own(time.event, "ja", "body")))
        ),
        place=place(time.event, "ja"),
        url=f"{settings.PUBLIC_URL}/events/{time.event.id}/",
        starts=local(time.starts),
        ends=local(time.ends),
        all_day=time.event.all_day,
        cancelled=time.cancelled,
        revision=time.event.revision,
        changed_at=time.event.changed_at,
    )
