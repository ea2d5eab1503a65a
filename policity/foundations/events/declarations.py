"""The pages of events: by date, month and place, on a map, a page each, calendars to subscribe to.

And what the city's plan counts of them: how full they were.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from policity.foundations.events import presenters, queries
from policity.foundations.events.models import Event, Occurrence
from policity.foundations.events.presenters import mapping
from policity.foundations.events.queries import TO_COME, TimeView, at_key, event_key
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import CITY, born_with_city, fixed, in_each_language
from policity.foundations.places.queries.facilities import FACILITIES, facility_key
from policity.foundations.publishing.formats import document, page
from policity.kit.declare import (
    Beside,
    Document,
    Lane,
    Metric,
    PageFamily,
    Reading,
    Rendered,
    Stage,
)
from policity.kit.languages import LANGUAGES, Language, split

# Of what stands at a facility its name is said, too.
_KEYS = frozenset({TO_COME, FACILITIES, CITY})
# On a facility's page.
MOST_HERE = 5
_MONTH = re.compile(r"events/month/(\d{4})-(\d{2})/")
_NUMBER = re.compile(r"events/(\d+)/")
_EVENT_KEY = re.compile(re.escape(event_key(0)).replace("0", r"(\d+)"))


def _list(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, times = places_queries.city(), queries.to_come()
    for address in addresses:
        language, rest = split(address)
        code, by_place = language.code, rest == "events/places/"
        with translation.override(code):
            groups = (presenters.by_place if by_place else presenters.by_month)(times, code)
        context = {
            "city_name": places.city_name(city, code),
            "groups": groups,
            "by_place": by_place,
        }
        body = page("events/list.html", language, rest, context)
        yield (
            address,
            Rendered(body, _KEYS, documents=(_found(body, code, "案内", listed=not by_place),)),
        )


def _map(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, times = places_queries.city(), queries.to_come()
    for address in addresses:
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            context = mapping.on_map(times, city, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("events/map.html", language, rest, context)
        yield address, Rendered(body, _KEYS, documents=(_found(body, code, "案内", listed=False),))


def _months(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = places_queries.city()
    found: dict[date, list[TimeView]] = {}
    for time in queries.to_come():
        found.setdefault(presenters.month_of(time), []).append(time)
    for address in addresses:
        language, rest = split(address)
        year, number = map(int, _MONTH.search(address).groups())  # type: ignore[union-attr]  # ours
        first = date(year, number, 1)
        if first not in found:
            yield address, None
            continue
        code, others = language.code, sorted(found)
        with translation.override(code):
            month = presenters.month(first, found[first], code)
            around = [
                (presenters.month_name(other, code), presenters.month_page(other), other == first)
                for other in others
            ]
        context = {"city_name": places.city_name(city, code), "month": month, "months": around}
        yield address, Rendered(page("events/month.html", language, rest, context), _KEYS)


def _event(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), _times(addresses)
    for address in addresses:
        times = found.get(_number(address))
        if not times:
            yield address, None
            continue
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            context = presenters.event(times, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("events/event.html", language, rest, context)
        document_ = _found(body, code, "イベント", presenters.next_day(times))
        facility = times[0].event.facility
        own = {facility_key(facility)} if facility else set()
        keys = frozenset({event_key(_number(address)), CITY, *own})
        yield address, Rendered(body, keys, documents=(document_,))


def _calendars(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    host, found = _host(), _times(address for address in addresses if _NUMBER.search(address))
    for address in addresses:
        if address == _FEED:
            name = places_queries.city().name
            body = presenters.calendar(f"{name}のイベント", queries.to_come(), host)
            yield address, Rendered(body, _KEYS)
            continue
        number = _number(address)
        times = found.get(number)
        if not times:
            yield address, None
            continue
        name = presenters.own(times[0].event, "ja", "title")
        body = presenters.calendar(name, times, host)
        yield address, Rendered(body, frozenset({event_key(number), CITY}))


def _here(facilities: Collection[int]) -> Callable[[int, Language], str]:
    found = queries.at(facilities)

    def draw(facility: int, language: Language) -> str:
        times = found.get(facility, ())
        if not times:
            return ""
        rows = [presenters.row(time, language.code) for time in times[:MOST_HERE]]
        context = {"rows": rows, "more": len(times) > MOST_HERE, "language": language}
        return render_to_string("events/here.html", context)

    return draw


BESIDE = (Beside("facility", at_key, _here),)


def _found(
    body: bytes, code: str, kind: str, day: date | None = None, *, listed: bool = True
) -> Document:
    """What searching finds of a page; its kind is told in Japanese."""
    with translation.override(code):
        return document(
            body, kind=gettext(kind), section=gettext("イベント"), day=day, listed=listed
        )


def _times(addresses: Iterator[str] | Sequence[str]) -> dict[int, tuple[TimeView, ...]]:
    return queries.times_of({_number(address) for address in addresses})


def _number(address: str) -> int:
    return int(_NUMBER.search(address)[1])  # type: ignore[index]  # ours


def _host() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or "localhost"


def _pages_of(number: int) -> Iterator[str]:
    yield from (f"{language.prefix}events/{number}/" for language in LANGUAGES)


def _event_addresses() -> Iterator[str]:
    for number in Event.objects.public().order_by("pk").values_list("pk", flat=True):
        yield from _pages_of(number)


def _event_born(key: str) -> Iterator[str]:
    if found := _EVENT_KEY.fullmatch(key):
        yield from _pages_of(int(found[1]))


def _calendar_addresses() -> Iterator[str]:
    yield from fixed(_FEED)
    for number in Event.objects.public().order_by("pk").values_list("pk", flat=True):
        yield f"/events/{number}/event.ics"


def _calendar_born(key: str) -> Iterator[str]:
    yield from born_with_city((_FEED,), key)
    if found := _EVENT_KEY.fullmatch(key):
        yield f"/events/{found[1]}/event.ics"


def _month_addresses() -> Iterator[str]:
    months = {presenters.month_of(time) for time in queries.to_come()}
    for month in sorted(months):
        yield from in_each_language(presenters.month_page(month))


def _month_born(key: str) -> Iterator[str]:
    if key == TO_COME:
        yield from _month_addresses()


_LISTS = in_each_language("events/") + in_each_language("events/places/")
_MAPS = in_each_language("events/map/")
_FEED = "/events/events.ics"

PAGES = (
    PageFamily(
        name="event",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_event_addresses,
        born_of=_event_born,
        render=_event,
    ),
    PageFamily(
        name="event-calendars",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=_calendar_addresses,
        born_of=_calendar_born,
        render=_calendars,
    ),
    PageFamily(
        name="event-months",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=_month_addresses,
        born_of=_month_born,
        render=_months,
    ),
    PageFamily(
        name="event-lists",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=partial(fixed, *_LISTS),
        born_of=partial(born_with_city, _LISTS),
        render=_list,
    ),
    PageFamily(
        name="event-map",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=partial(fixed, *_MAPS),
        born_of=partial(born_with_city, _MAPS),
        render=_map,
    ),
)


def _filled(since: datetime, until: datetime) -> Reading:
    """Places that were taken, of all there were, at the city's own events that ended."""
    ended = Occurrence.objects.filter(
        ends__gte=since, ends__lt=until, event__takes=True, event__source=None
    )
    held = ended.filter(cancelled_at=None, event__stage=Event.Stage.PUBLISHED)
    limited = held.filter(event__capacity__gt=0)
    has_place = Q(registrations__seated=True, registrations__number__isnull=False)
    has_place &= Q(registrations__cancelled_at=None)
    seats = limited.annotate(
        seats=Coalesce(Sum("registrations__seats", filter=has_place), 0)
    ).values_list("event__capacity", "faded_at", "had", "seats")
    rows = [
        (capacity, min(had if faded_at else seated, capacity))
        for capacity, faded_at, had, seated in seats
        if capacity is not None
    ]
    left_out = {
        "中止になった回": ended.count() - held.count(),
        "定員のない回": held.count() - len(rows),
    }
    left_out = {why: count for why, count in left_out.items() if count}
    if not rows:
        return Reading(None, 0, "この期間に、定員のあるイベントは開かれませんでした。", left_out)
    places, taken = map(sum, zip(*rows, strict=True))
    return Reading(Decimal(100 * taken) / places, len(rows), "", left_out)


METRICS = (
    Metric(
        name="events.filled",
        title="イベントの席がうまった割合",
        unit="%",
        counts="市が申込みを受けて開いたイベントの、席のある人数を定員の合計で割ります。"
        "ほかのカレンダーから取り込んだものは数えません。",
        version=1,
        read=_filled,
    ),
)
