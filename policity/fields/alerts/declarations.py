"""The pages of alerts and of the city's own orders: the list, a page each, the feed, and CAP."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone, translation
from django.utils.translation import gettext

from policity.fields.alerts import presenters, queries
from policity.fields.alerts.queries import (
    IN_FORCE,
    ORDERS,
    RECENT,
    EventHistory,
    event_key,
    order_key,
)
from policity.fields.alerts.queries import orders as order_queries
from policity.fields.alerts.queries.situation import situation
from policity.fields.alerts.queries.words import responses
from policity.fields.alerts.rules.situation import Situation
from policity.fields.alerts.services.orders import KIND
from policity.fields.alerts.services.situation import take
from policity.foundations.delivery import queries as delivery
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import (
    CITY,
    SITES,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.publishing.formats import document, page
from policity.kit.declare import Crossing, Document, Lane, PageFamily, Rendered, Stage
from policity.kit.languages import LANGUAGES, split
from policity.kit.sides import Side

_LIST_KEYS = frozenset({IN_FORCE, RECENT, ORDERS, CITY})
_PAST = 40
_Pages = Callable[[int], Iterator[str]]
_NUMBER = re.compile(r"alerts/(\d+)(?:/|\.cap)")
_STORY = re.compile(r"evacuation/(\d+)/")
_EVENT_KEY = re.compile(re.escape(event_key(0)).replace("0", r"(\d+)"))
_ORDER_KEY = re.compile(re.escape(order_key(0)).replace("0", r"(\d+)"))


def _list(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, standing = places_queries.city(), presenters.read(_PAST)
    for address in addresses:
        language, rest = split(address)
        code = language.code
        city_name = places.city_name(city, code)
        context = {
            "city_name": city_name,
            "state": standing.state.value,
            "summary": presenters.summary(standing, code),
            "orders": presenters.blocks(standing.orders, code, city=city),
            "in_force": [presenters.view(e, code, city=city) for e in standing.in_force],
            "past": presenters.ended_entries(standing, code, limit=_PAST),
        }
        body = page("alerts/list.html", language, rest, context)
        with translation.override(code):
            found = document(body, kind=gettext("案内"), section=gettext("防災"))
        yield address, Rendered(body, _LIST_KEYS, documents=(found,))


def _feed(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, threads = places_queries.city(), delivery.threads((*responses().kinds, KIND), _PAST)
    for address in addresses:
        language, _ = split(address)
        city_name = places.city_name(city, language.code)
        with translation.override(language.code):
            body = presenters.feed(threads, language, city_name=city_name)
        yield address, Rendered(body, _LIST_KEYS)


def _found_by(body: bytes, kind: str, began: datetime, *, now: bool) -> Document:
    """What searching finds of one event's page; too many for the site map."""
    day = timezone.localtime(began).date()
    return document(body, kind=kind, section=gettext("防災"), day=day, now=now, listed=False)


def _found(addresses: Sequence[str]) -> Iterator[tuple[str, EventHistory | None]]:
    numbers = {address: int(_NUMBER.search(address)[1]) for address in addresses}  # type: ignore[index]  # ours
    histories = queries.histories(numbers.values())
    for address in addresses:
        yield address, histories.get(numbers[address])


def _alert(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, may_go = places_queries.city(), presenters.read(0).may_go
    for address, history in _found(addresses):
        if history is None:
            yield address, None
            continue
        language, rest = split(address)
        keys = {event_key(history.event.id), CITY}
        if not history.event.ended_at:
            # Another alert, or the city, may keep inside whom this one would send to a site.
            keys |= {IN_FORCE, ORDERS}
        code = language.code
        city_name = places.city_name(city, code)
        context = {
            "city_name": city_name,
            "alert": presenters.view(history.event, code, city=city),
            "past": presenters.own_entries(history, code),
            "may_go": may_go,
        }
        with translation.override(code):
            context["card"] = presenters.alert_card(history.event, code)
        body = page("alerts/alert.html", language, rest, context)
        began, ended = history.event.started_at, history.event.ended_at
        with translation.override(code):
            found = _found_by(body, gettext("警報"), began, now=not ended)
        yield address, Rendered(body, frozenset(keys), documents=(found,))


def _cap(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = places_queries.city()
    for address, history in _found(addresses):
        if history is None:
            yield address, None
            continue
        body = presenters.cap(history, city)
        yield address, Rendered(body, frozenset({event_key(history.event.id), CITY}))


def _evacuation(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, standing = places_queries.city(), presenters.read(0)
    sites, openings = places_queries.sites(), places_queries.openings()
    known = {order.story for order in standing.orders.told}
    for address in addresses:
        story = int(_STORY.search(address)[1])  # type: ignore[index]  # ours
        if story not in known:
            yield address, None
            continue
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            context = presenters.story(
                standing, story, code, city=city, sites=sites, openings=openings
            )
        keys = {order_key(story), ORDERS, CITY}
        if "order" in context:
            # It offers open sites, as long as nothing keeps people inside.
            keys |= {IN_FORCE, SITES}
        body = page("alerts/evacuation.html", language, rest, context)
        began = min(order.issued_at or order.changed_at for order in standing.orders.story(story))
        with translation.override(code):
            found = _found_by(body, gettext("避難情報"), began, now="order" in context)
        yield address, Rendered(body, frozenset(keys), documents=(found,))


def _pages_of(event_id: int) -> Iterator[str]:
    yield from (f"{language.prefix}alerts/{event_id}/" for language in LANGUAGES)


def _caps_of(event_id: int) -> Iterator[str]:
    yield f"/alerts/{event_id}.cap"


def _stories_of(story: int) -> Iterator[str]:
    yield from (f"{language.prefix}{order_queries.page(story)}" for language in LANGUAGES)


def _every(of: _Pages) -> Iterator[str]:
    for event_id in queries.event_ids():
        yield from of(event_id)


def _born(of: _Pages, key: str) -> Iterator[str]:
    if found := _EVENT_KEY.fullmatch(key):
        yield from of(int(found[1]))


def _every_story() -> Iterator[str]:
    for story in dict.fromkeys(order.story for order in order_queries.history()):
        if story:
            yield from _stories_of(story)


def _story_born(key: str) -> Iterator[str]:
    if found := _ORDER_KEY.fullmatch(key):
        yield from _stories_of(int(found[1]))


_LISTS = in_each_language("alerts/")
_FEEDS = in_each_language("alerts/feed.atom")

PAGES = (
    PageFamily(
        name="alerts",
        lane=Lane.URGENT,
        stage=Stage.LIST,
        addresses=partial(fixed, *_LISTS),
        born_of=partial(born_with_city, _LISTS),
        render=_list,
    ),
    PageFamily(
        name="alerts-feed",
        lane=Lane.URGENT,
        stage=Stage.LIST,
        addresses=partial(fixed, *_FEEDS),
        born_of=partial(born_with_city, _FEEDS),
        render=_feed,
    ),
    PageFamily(
        name="alert",
        lane=Lane.URGENT,
        stage=Stage.LEAF,
        addresses=partial(_every, _pages_of),
        born_of=partial(_born, _pages_of),
        render=_alert,
    ),
    PageFamily(
        name="alert-cap",
        lane=Lane.URGENT,
        stage=Stage.LEAF,
        addresses=partial(_every, _caps_of),
        born_of=partial(_born, _caps_of),
        render=_cap,
    ),
    PageFamily(
        name="evacuation",
        lane=Lane.URGENT,
        stage=Stage.LEAF,
        addresses=_every_story,
        born_of=_story_born,
        render=_evacuation,
    ),
)

CROSSINGS = (
    Crossing(
        kind="situation",
        name="避難情報と避難所の様子",
        to=Side.INTERNAL,
        schema=Situation,
        give=situation,
        take=take,
        # On a stick, by hand, within a shift. What is older misleads.
        oldest=timedelta(hours=6),
    ),
)
