"""The pages that residents meet first, the state for machines, error pages and assets."""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, time
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext

from policity.design import assets
from policity.fields.alerts.queries import IN_FORCE, ORDERS, RECENT
from policity.fields.alerts.queries.records import EMERGENCY
from policity.foundations.events import presenters as events
from policity.foundations.events import queries as events_queries
from policity.foundations.events.queries import TO_COME, TimeView
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import (
    CITY,
    SITES,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.places.queries import CityView
from policity.foundations.publishing.formats import document, page
from policity.foundations.publishing.services import pictures
from policity.kit.declare import Lane, PageFamily, Rendered, Stage
from policity.kit.languages import LANGUAGES, split
from policity.kit.sides import Side
from policity.public_site import presenters, queries, rules
from policity.public_site.presenters import content

# As many as one looks at without scrolling a list.
EVENTS_ON_HOME = 4
_STATE_KEYS = frozenset({IN_FORCE, RECENT, ORDERS, CITY})
_SITE_KEYS = frozenset({*_STATE_KEYS, SITES})
_FIRST_KEYS = frozenset({*_SITE_KEYS, EMERGENCY})


def _home(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    if not _city():
        yield from _home_without_city(addresses)
        return
    read = presenters.read()
    tree: dict[str, Any] | None = None
    coming: Sequence[TimeView] = ()
    for address in addresses:
        language, rest = split(address)
        with translation.override(language.code):
            context = presenters.home(read, language.code)
        calm = "home_headquarters" if context["headquarters"] else "home_calm"
        looks = {"order": "home_order", "worst": "home_in_force"}
        name = next((look for key, look in looks.items() if key in context), calm)
        keys = _FIRST_KEYS
        if name == "home_calm":
            # In an emergency nothing waits for an ordinary day's pages, nor fails with them.
            if tree is None:
                tree, coming = content.home(), events_queries.to_come()[:EVENTS_ON_HOME]
            with translation.override(language.code):
                context |= content.home_in(tree, language)
                context["events"] = [events.row(time, language.code) for time in coming]
            keys |= content.home_keys(tree) | {TO_COME}
        body = page(f"public_site/{name}.html", language, rest, context)
        with translation.override(language.code):
            found = presenters.home_documents(body, context["city_name"], language)
        yield address, Rendered(body, keys, documents=found)


def _home_without_city(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    for address in addresses:
        language, rest = split(address)
        body = page("public_site/home_empty.html", language, rest, {"city_name": ""})
        yield address, Rendered(body, frozenset({CITY}))


def _city() -> CityView | None:
    try:
        return places_queries.city()
    except places_queries.NoCity:
        return None


def _shelters(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    read = presenters.read()
    for address in addresses:
        language, rest = split(address)
        with translation.override(language.code):
            context = presenters.shelters(read, language.code)
        body = page("public_site/shelters.html", language, rest, context)
        with translation.override(language.code):
            found = presenters.shelter_documents(body, context["kinds"])
        yield address, Rendered(body, _SITE_KEYS, documents=found)


def _reading(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = places_queries.city()
    for address in addresses:
        language, rest = split(address)
        context = {"city_name": places.city_name(city, language.code)}
        body = page("public_site/reading.html", language, rest, context)
        with translation.override(language.code):
            found = document(body, kind=gettext("案内"))
        yield address, Rendered(body, frozenset({CITY}), documents=(found,))


def _state(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    body = json.dumps(presenters.state(presenters.read()), ensure_ascii=False).encode()
    for address in addresses:
        yield address, Rendered(body, _FIRST_KEYS)


def _manifest(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = places_queries.city()
    for address in addresses:
        body = json.dumps(presenters.manifest(city, split(address)[0]), ensure_ascii=False)
        yield address, Rendered(body.encode(), frozenset({CITY}))


def _errors(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = _city()
    for address in addresses:
        kind = address.removeprefix("/errors/").removesuffix(".html")
        context = {"voices": presenters.voices(city, kind)}
        body = page("public_site/error.html", LANGUAGES[0], "", context)
        yield address, Rendered(body, frozenset({CITY}))


def _security(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    # The one page that looks at the clock: it has to say how long it counts.
    text, renewed = presenters.security_txt(timezone.localdate())
    again = timezone.make_aware(datetime.combine(renewed, time()))
    for address in addresses:
        said = Rendered(text.encode(), frozenset({CITY}), again)
        yield address, said if settings.SECURITY_CONTACT else None


def _assets(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    ours = {assets.address(name): name for name in assets.ASSETS}
    for address in addresses:
        name = ours.get(address)
        yield address, Rendered(assets.content(name), frozenset()) if name else None


def _pages(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    parts = {address: split(address) for address in addresses}
    read = content.read({rest for _, rest in parts.values()}) if _city() else None
    for address, (language, rest) in parts.items():
        found = read.pages.get(rest) if read and rest else None
        if read is None or found is None:
            yield address, None
        else:
            body = content.body(read, found, language)
            documents = content.documents(read, found, language, body)
            keys, again = content.keys(read, found), content.again(read, found)
            yield address, Rendered(body, keys, again, documents)


def _page_addresses(*, sections: bool) -> Iterator[str]:
    if _city():
        for rest, is_section in queries.addresses():
            if is_section is sections:
                yield from in_each_language(rest)


def _born_pages(key: str, *, sections: bool) -> Iterator[str]:
    number = rules.numbered(key, rules.page_key(0)[:-1])
    below = rules.numbered(key, rules.tree_key(0)[:-1])
    if number is not None or below is not None:
        found = queries.below(below) if below is not None else queries.below(number or 0, only=True)
        for rest, is_section in found:
            if is_section is sections:
                yield from in_each_language(rest)
    elif key == CITY:
        yield from _page_addresses(sections=sections)


def _pictures(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    wanted = {pictures.number_of(address) for address in addresses} & queries.shown_pictures()
    sizes = {
        size.address: (number, size)
        for number, picture in pictures.ready(wanted).items()
        for size in (*picture.wide, *picture.narrow)
    }
    for address in addresses:
        number, size = sizes.get(address, (0, None))
        keys = frozenset({rules.picture_key(number)})
        yield address, Rendered(pictures.content(size), keys) if size else None


def _picture_addresses(numbers: Collection[int]) -> Iterator[str]:
    """Every size of these pictures."""
    for picture in pictures.ready(numbers).values():
        yield from (size.address for size in (*picture.wide, *picture.narrow))


def _born_pictures(key: str) -> Iterator[str]:
    number = rules.numbered(key, rules.picture_key(0)[:-1])
    if number is not None and number in queries.shown_pictures():
        yield from _picture_addresses([number])


def _files(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    found = {content.file_address(file): file for file in queries.files().values()}
    for address in addresses:
        file = found.get(address)
        keys = frozenset({rules.file_key(file.id)}) if file else frozenset()
        yield address, Rendered(pictures.stored(file.name), keys) if file else None


def _born_files(key: str) -> Iterator[str]:
    number = rules.numbered(key, rules.file_key(0)[:-1])
    if number is not None:
        yield from map(content.file_address, queries.files([number]).values())


def _old_addresses(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, ends = _city(), content.leads_to(queries.old_addresses())
    # A page that stands there now goes before one that stood there once.
    taken = {address for address in addresses if address[1:] in queries.pages(
        [address[1:] for address in addresses]
    )}  # fmt: skip
    for address in addresses:
        if city is None or address not in ends or address in taken:
            yield address, None
            continue
        context = {"city_name": city.name, "to": ends[address], "voices": content.moved()}
        body = page("public_site/redirect.html", LANGUAGES[0], "", context)
        yield address, Rendered(body, frozenset({rules.OLD_ADDRESSES, CITY}))


def _old() -> Iterator[str]:
    if _city():
        ends = content.leads_to(queries.old_addresses())
        taken = queries.pages([address[1:] for address in ends]) if ends else {}
        yield from (address for address in ends if address[1:] not in taken)


_HOMES = in_each_language("")
_SHELTERS = in_each_language("shelters/")
_READING = in_each_language("reading/")
_MANIFEST = in_each_language("city.webmanifest")
_ERRORS = tuple(f"/errors/{kind}.html" for kind in ("404", "413", "429", "500", "503"))
_STATE = ("/state.json",)
# Asked for as /.well-known/security.txt: the fronts know, for no name here starts with a dot.
_SECURITY = ("/security.txt",)
_ASSETS = tuple(assets.address(name) for name in assets.ASSETS)

PAGES = (
    PageFamily(
        name="pictures",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=lambda: _picture_addresses(queries.shown_pictures()),
        born_of=_born_pictures,
        render=_pictures,
    ),
    PageFamily(
        name="files",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=lambda: map(content.file_address, queries.files().values()),
        born_of=_born_files,
        render=_files,
    ),
    PageFamily(
        name="articles",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=partial(_page_addresses, sections=False),
        born_of=partial(_born_pages, sections=False),
        render=_pages,
    ),
    PageFamily(
        name="sections",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=partial(_page_addresses, sections=True),
        born_of=partial(_born_pages, sections=True),
        render=_pages,
    ),
    PageFamily(
        name="old-addresses",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=_old,
        born_of=lambda key: _old() if key in (rules.OLD_ADDRESSES, CITY) else (),
        render=_old_addresses,
    ),
    PageFamily(
        name="home",
        lane=Lane.URGENT,
        stage=Stage.HOME,
        # Whoever comes before there is a city is told so.
        addresses=lambda: _HOMES,
        born_of=partial(born_with_city, _HOMES),
        render=_home,
    ),
    PageFamily(
        name="shelters",
        lane=Lane.URGENT,
        stage=Stage.LIST,
        addresses=partial(fixed, *_SHELTERS),
        born_of=partial(born_with_city, _SHELTERS),
        render=_shelters,
    ),
    PageFamily(
        name="reading",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=partial(fixed, *_READING),
        born_of=partial(born_with_city, _READING),
        render=_reading,
    ),
    PageFamily(
        name="state",
        lane=Lane.URGENT,
        stage=Stage.LIST,
        addresses=partial(fixed, *_STATE),
        born_of=partial(born_with_city, _STATE),
        render=_state,
    ),
    PageFamily(
        name="manifest",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=partial(fixed, *_MANIFEST),
        born_of=partial(born_with_city, _MANIFEST),
        render=_manifest,
    ),
    PageFamily(
        name="errors",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=lambda: _ERRORS,
        born_of=partial(born_with_city, _ERRORS),
        render=_errors,
    ),
    PageFamily(
        name="security",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=lambda: fixed(*_SECURITY) if settings.SECURITY_CONTACT else (),
        born_of=lambda key: born_with_city(_SECURITY, key) if settings.SECURITY_CONTACT else (),
        render=_security,
    ),
    PageFamily(
        name="assets",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=lambda: _ASSETS,
        born_of=partial(born_with_city, _ASSETS),
        render=_assets,
        # Staff's pages are drawn with them, too.
        side=Side.BOTH,
    ),
)
