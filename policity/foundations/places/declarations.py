"""Addresses that exist as long as there is a city, which every room shares; facilities' pages."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext

from policity.foundations.places import queries
from policity.foundations.places.presenters import city_name, sheets
from policity.foundations.places.presenters import facilities as presenters
from policity.foundations.places.presenters import hazards as maps
from policity.foundations.places.queries import facilities
from policity.foundations.places.queries.hazards import HAZARDS, hazard_layers
from policity.foundations.places.rules.facilities import FEATURES
from policity.foundations.places.rules.hazards import State, hits
from policity.foundations.publishing.formats import document, page
from policity.foundations.publishing.queries import beside
from policity.kit.declare import Lane, PageFamily, Rendered, Stage
from policity.kit.languages import LANGUAGES, split

CITY = "places:city"
SITES = "places:sites"
TOWNS = "places:towns"


def fixed(*addresses: str) -> Iterator[str]:
    """Addresses that ought to exist once a city is loaded."""
    try:
        queries.city()
    except queries.NoCity:
        return
    yield from addresses


def in_each_language(rest: str) -> tuple[str, ...]:
    """A page's address in every language: "alerts/" → "/alerts/", "/easy/alerts/" …"""
    return tuple(language.prefix + rest for language in LANGUAGES)


def born_with_city(addresses: tuple[str, ...], key: str) -> Iterator[str]:
    """The same addresses, where the key is the city's: loading it brings them into being."""
    if key == CITY:
        yield from addresses


def _lists(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, towns = queries.city(), queries.towns()
    found = facilities.facilities()
    drawn = presenters.place_map(city, found)
    offered = [key for key in FEATURES if any(key in one.features for one in found)]
    for address in addresses:
        language, rest = split(address)
        code, by_town = language.code, rest == _BY_TOWN
        with translation.override(code):
            groups = (
                presenters.by_town(found, towns, code)
                if by_town
                else presenters.by_kind(found, code)
            )
            features = [(key, gettext(presenters.FEATURE_NAMES[key])) for key in offered]
        context = {
            "city_name": city_name(city, code),
            "groups": groups,
            "by_town": by_town,
            "towns": towns if by_town else (),
            "map": drawn,
            "moving": presenters.moving(found, language.prefix),
            "features": features,
            "has_hours": any(one.hours for one in found),
        }
        body = page("places/list.html", language, rest, context)
        with translation.override(code):
            said = document(body, kind=gettext("案内"), section=gettext("施設"), listed=not by_town)
        yield address, Rendered(body, _LIST_KEYS, documents=(said,))


def _facility(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = queries.city()
    numbers = {address: int(split(address)[1].split("/")[1]) for address in addresses}
    found = {one.id: one for one in facilities.facilities(set(numbers.values()))}
    others = [(one.key, one.read(found)) for one in beside("facility")]
    for address, number in numbers.items():
        one = found.get(number)
        if one is None:
            yield address, None
            continue
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            context = presenters.facility(one, code)
            context["beside"] = [draw(number, language) for _, draw in others]
        context |= {
            "city_name": city_name(city, code),
            "map": presenters.place_map(city, [one]),
            "moving": presenters.moving([one], language.prefix),
        }
        body = page("places/facility.html", language, rest, context)
        with translation.override(code):
            said = document(body, kind=gettext("施設"), section=gettext("施設"), listed=False)
        keys = frozenset(
            {facilities.facility_key(number), CITY, *(key(number) for key, _ in others)}
        )
        yield address, Rendered(body, keys, documents=(said,))


def _sheets(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, towns = queries.city(), queries.towns()
    outlines, sites, found = queries.outlines(), queries.sites(), facilities.facilities()
    known = {_sheet_of(town.id): town for town in towns}
    for address in addresses:
        town = known.get(address)
        if town is None:
            yield address, None
            continue
        url = f"{settings.PUBLIC_URL.rstrip('/')}/places/towns/#t-{town.id}"
        context = {
            "city_name": city.name,
            "town": town,
            "map": sheets.neighbourhood(town, towns, outlines, sites, found),
            "scan": sheets.code(url),
            "address": settings.PUBLIC_URL,
        }
        language, rest = split(address)
        yield address, Rendered(page("places/sheet.html", language, rest, context), _SHEET_KEYS)


def _sheet_of(town: int) -> str:
    return f"/places/sheets/{town}/"


def _sheet_addresses() -> Iterator[str]:
    for town in queries.towns():
        yield _sheet_of(town.id)


def _sheet_born(key: str) -> Iterator[str]:
    if key in (CITY, TOWNS):
        yield from _sheet_addresses()


def _positions(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    # It names the holidays of two years, and looks at the clock to know which.
    year, renewed = presenters.this_year(timezone.now())
    said = json.dumps(presenters.positions(facilities.facilities(), year), ensure_ascii=False)
    for address in addresses:
        yield address, Rendered(said.encode(), _LIST_KEYS, renewed)


def _land(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    said = json.dumps(presenters.land(queries.city(), queries.outlines().values()))
    for address in addresses:
        yield address, Rendered(said.encode(), frozenset({CITY, TOWNS}))


def _hazards(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, towns = queries.city(), {town.id: town for town in queries.towns()}
    layers, surfaces = hazard_layers(State.PUBLISHED), queries.surfaces()
    # Which towns it touches takes a while, and is the same in every language.
    found = [(one, hits(one.areas, surfaces.items())) for one in layers]
    for address in addresses:
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            said = [maps.layer(one, touched, towns, city, code) for one, touched in found]
        context = {
            "city_name": city_name(city, code),
            "layers": said,
            "map": presenters.place_map(city, ()),
            "moving": maps.around(city),
        }
        body = page("places/hazards.html", language, rest, context)
        with translation.override(code):
            offered = document(body, kind=gettext("案内"), section=gettext("防災"))
        yield address, Rendered(body, _HAZARD_KEYS, documents=(offered,))


def _shapes(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    shapes = maps.shapes(hazard_layers(State.PUBLISHED), queries.city())
    said = json.dumps(shapes, separators=(",", ":"))
    for address in addresses:
        yield address, Rendered(said.encode(), frozenset({HAZARDS, CITY}))


def _pages_of(number: int) -> Iterator[str]:
    yield from in_each_language(presenters.page_of(number))


def _facility_addresses() -> Iterator[str]:
    for number in facilities.facility_numbers():
        yield from _pages_of(number)


def _facility_born(key: str) -> Iterator[str]:
    if found := _FACILITY_KEY.fullmatch(key):
        yield from _pages_of(int(found[1]))


_BY_TOWN = "places/towns/"
_PLACES = in_each_language("places/") + in_each_language(_BY_TOWN)
_POSITIONS = ("/places/facilities.json",)
_LAND = ("/places/land.json",)
_HAZARD_PAGES = in_each_language("places/hazards/")
_SHAPES = ("/places/hazards.json",)
_HAZARD_KEYS = frozenset({HAZARDS, CITY, TOWNS})
_LIST_KEYS = frozenset({facilities.FACILITIES, CITY, TOWNS})
_SHEET_KEYS = frozenset({facilities.FACILITIES, CITY, TOWNS, SITES})
_FACILITY_KEY = re.compile(re.escape(facilities.facility_key(0)).replace("0", r"(\d+)"))

PAGES = (
    PageFamily(
        name="land",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=partial(fixed, *_LAND),
        born_of=partial(born_with_city, _LAND),
        render=_land,
        is_linked=False,
    ),
    PageFamily(
        name="town-sheets",
        lane=Lane.ROUTINE,
        stage=Stage.SHEET,
        addresses=_sheet_addresses,
        born_of=_sheet_born,
        render=_sheets,
        is_linked=False,
    ),
    PageFamily(
        name="hazard-shapes",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=partial(fixed, *_SHAPES),
        born_of=partial(born_with_city, _SHAPES),
        render=_shapes,
        is_linked=False,
    ),
    PageFamily(
        name="hazards",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=partial(fixed, *_HAZARD_PAGES),
        born_of=partial(born_with_city, _HAZARD_PAGES),
        render=_hazards,
        is_linked=False,
    ),
    PageFamily(
        name="facility",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_facility_addresses,
        born_of=_facility_born,
        render=_facility,
        is_linked=False,
    ),
    PageFamily(
        name="facility-positions",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=partial(fixed, *_POSITIONS),
        born_of=partial(born_with_city, _POSITIONS),
        render=_positions,
        is_linked=False,
    ),
    PageFamily(
        name="facility-lists",
        lane=Lane.ROUTINE,
        stage=Stage.LIST,
        addresses=partial(fixed, *_PLACES),
        born_of=partial(born_with_city, _PLACES),
        render=_lists,
    ),
)
