"""The pages on which residents are asked what they think of a plan, and read the city's answers."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from policity.foundations.city_plan.presenters import comments as present
from policity.foundations.city_plan.queries.comments import (
    COMMENTS,
    ROOT,
    call_key,
    calls,
    results,
)
from policity.foundations.city_plan.rules.commenting import PUBLIC, Stage
from policity.foundations.city_plan.services import fading
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.places.declarations import (
    CITY,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.publishing.formats import document, page
from policity.kit.declare import Document, Fading, Lane, PageFamily, Rendered
from policity.kit.declare import Stage as Written
from policity.kit.languages import split

_NUMBER = re.compile(r"/(\d+)/")
_LIST = in_each_language(ROOT)
_KIND = gettext_noop("意見の募集")
_SECTION = gettext_noop("計画への意見")


def _list(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), calls()
    for address in addresses:
        language, rest = split(address)
        code = language.code
        with translation.override(code):
            context = present.listed(found, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("city_plan/calls.html", language, rest, context)
        keys = frozenset({COMMENTS, CITY})
        yield address, Rendered(body, keys, documents=(_document(body, code),))


def _calls(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city, found = places_queries.city(), {view.id: view for view in calls()}
    for address in addresses:
        language, rest = split(address)
        view = found.get(_number(address))
        if view is None:
            yield address, None
            continue
        code = language.code
        with translation.override(code):
            context = present.call(view, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("city_plan/call.html", language, rest, context)
        said = _document(body, code, now=view.stage is Stage.OPEN)
        yield address, Rendered(body, frozenset({call_key(view.id), CITY}), documents=(said,))


def _results(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    city = places_queries.city()
    found = {one.call.id: one for one in results({_number(address) for address in addresses})}
    for address in addresses:
        language, rest = split(address)
        one = found.get(_number(address))
        if one is None:
            yield address, None
            continue
        code = language.code
        with translation.override(code):
            context = present.result(one, code)
        context |= {"city_name": places.city_name(city, code)}
        body = page("city_plan/result.html", language, rest, context)
        keys = frozenset({call_key(one.call.id), CITY})
        yield address, Rendered(body, keys, documents=(_document(body, code),))


def _tables(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    found = {one.call.id: one for one in results({_number(address) for address in addresses})}
    for address in addresses:
        one = found.get(_number(address))
        key = frozenset({call_key(_number(address))})
        yield address, Rendered(present.table(one), key) if one else None


def _document(body: bytes, code: str, *, now: bool = False) -> Document:
    """What searching finds of a page; its kind is told in Japanese."""
    with translation.override(code):
        return document(body, kind=gettext(_KIND), section=gettext(_SECTION), now=now)


def _number(address: str) -> int:
    return int(_NUMBER.search(address)[1])  # type: ignore[index]  # ours


def _numbers(key: str | None, *stages: Stage) -> list[int]:
    """The calls at these stages, or the one of a key, whatever its stage."""
    if key is None:
        return [view.id for view in calls() if view.stage in stages]
    before = call_key(0).removesuffix("0")
    rest = key.removeprefix(before)
    return [int(rest)] if key.startswith(before) and rest.isdecimal() else []


def _call_addresses(key: str | None = None) -> Iterator[str]:
    for number in _numbers(key, *PUBLIC):
        yield from in_each_language(f"{ROOT}{number}/")


def _result_addresses(key: str | None = None) -> Iterator[str]:
    for number in _numbers(key, Stage.PUBLISHED):
        yield from in_each_language(f"{ROOT}{number}/result/")


def _table_addresses(key: str | None = None) -> Iterator[str]:
    for number in _numbers(key, Stage.PUBLISHED):
        yield f"/{ROOT}{number}/result.csv"


PAGES = (
    PageFamily(
        name="plan-comment-tables",
        lane=Lane.ROUTINE,
        stage=Written.ASSET,
        addresses=_table_addresses,
        born_of=_table_addresses,
        render=_tables,
    ),
    PageFamily(
        name="plan-comment-results",
        lane=Lane.ROUTINE,
        stage=Written.LEAF,
        addresses=_result_addresses,
        born_of=_result_addresses,
        render=_results,
    ),
    PageFamily(
        name="plan-calls",
        lane=Lane.ROUTINE,
        stage=Written.LEAF,
        addresses=_call_addresses,
        born_of=_call_addresses,
        render=_calls,
    ),
    PageFamily(
        name="plan-call-list",
        lane=Lane.ROUTINE,
        stage=Written.LIST,
        addresses=partial(fixed, *_LIST),
        born_of=partial(born_with_city, _LIST),
        render=_list,
    ),
)

FADES = (
    Fading(
        "comments",
        lambda before: fading.due(before=before),
        lambda before, now: fading.fade(before=before, now=now),
    ),
)
