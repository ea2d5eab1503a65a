"""The pages that residents meet first, the state for machines, error pages and assets."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from functools import partial

from django.conf import settings
from django.utils import timezone, translation

from policity.design import assets
from policity.fields.alerts.queries import IN_FORCE, ORDERS, RECENT
from policity.fields.alerts.queries.records import EMERGENCY
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import (
    CITY,
    SITES,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.places.queries import CityView
from policity.foundations.publishing.formats import page
from policity.kit.declare import Lane, PageFamily, Rendered, Stage
from policity.kit.languages import LANGUAGES, split
from policity.kit.sides import Side
from policity.public_site import presenters

_STATE_KEYS = frozenset({IN_FORCE, RECENT, ORDERS, CITY})
_SITE_KEYS = frozenset({*_STATE_KEYS, SITES})
_FIRST_KEYS = frozenset({*_SITE_KEYS, EMERGENCY})


def _home(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    if not _city():
        yield from _home_without_city(addresses)
        return
    read = presenters.read()
    for address in addresses:
        language, rest = split(address)
        with translation.override(language.code):
            context = presenters.home(read, language.code)
        calm = "home_headquarters" if context["headquarters"] else "home_calm"
        looks = {"order": "home_order", "worst": "home_in_force"}
        name = next((look for key, look in looks.items() if key in context), calm)
        body = page(f"public_site/{name}.html", language, rest, context)
        yield address, Rendered(body, _FIRST_KEYS)


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
        yield address, Rendered(body, _SITE_KEYS)


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


_HOMES = in_each_language("")
_SHELTERS = in_each_language("shelters/")
_MANIFEST = in_each_language("city.webmanifest")
_ERRORS = tuple(f"/errors/{kind}.html" for kind in ("404", "413", "429", "500", "503"))
_STATE = ("/state.json",)
# Asked for as /.well-known/security.txt: the fronts know, for no name here starts with a dot.
_SECURITY = ("/security.txt",)
_ASSETS = tuple(assets.address(name) for name in assets.ASSETS)

PAGES = (
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
