"""What was found, as a page says it in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.search import queries
from policity.foundations.search.formats.finding import Facets
from policity.foundations.search.queries import Found, Results
from policity.foundations.search.rules.asking import Question
from policity.foundations.search.rules.marking import Piece, excerpt, marked
from policity.foundations.search.rules.static import shards
from policity.kit.languages import BY_CODE, Language

# So many of each kind stand in the site map.
MAPPED = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A document that was found: its title and the part of its text that shows why."""

    address: str
    title: tuple[Piece, ...]
    text: tuple[Piece, ...]
    kind: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to narrow a search, or to take that back: its link, its name, how many it leaves."""

    address: str
    name: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another language in which something is found."""

    language: Language
    address: str
    count: int


def unasked(code: str) -> dict[str, Any]:
    """The page before anything is asked. Files know what a browser needs to search by itself."""
    files = shards(queries.size(code))
    return {"city_name": _city_name(code), "files": files, "typed": "", "searching": True}


def answered(
    results: Results, typed: str, code: str, *, within: Facets, page: int
) -> dict[str, Any]:
    """The page with what was found, narrowed to `within`."""
    pages = min(queries.DEEPEST, -(-results.count // queries.PAGE))
    return {
        "city_name": _city_name(code),
        "typed": typed,
        "results": results,
        "found": [_row(found, results.question) for found in results.found],
        "also": [_row(found, results.question) for found in results.also],
        "choices": _choices(results, typed, within),
        "elsewhere": _elsewhere(typed, code) if not results.count else [],
        "page": page,
        "pages": pages,
        "before": _link(typed, within, page - 1) if page > 1 else "",
        "after": _link(typed, within, page + 1) if page < pages else "",
        "live": True,
        "searching": True,
    }


def site_map(code: str) -> dict[str, Any]:
    """Every page by its kind."""
    kinds = queries.listed(code, MAPPED)
    return {"city_name": _city_name(code), "kinds": list(kinds.items()), "most": MAPPED}


def _city_name(code: str) -> str:
    return places.city_name(places_queries.city(), code)


def _row(found: Found, question: Question) -> Row:
    return Row(
        found.address,
        marked(found.title, question),
        excerpt(found.text, question),
        found.kind,
        found.day,
    )


def _choices(results: Results, typed: str, within: Facets) -> list[tuple[str, list[Choice]]]:
    """What there is to choose from, by what it narrows. One choice alone narrows nothing."""
    chosen = {"kind": within.kind, "section": within.section, "year": str(within.year or "")}
    names = {"kind": gettext("種類"), "section": gettext("分野"), "year": gettext("年")}
    found = []
    for name, values in results.facets.items():
        if len(values) < 2 and not chosen[name]:
            continue
        choices = []
        for value, count in values:
            is_chosen = chosen[name] == value
            wanted = {**chosen, name: "" if is_chosen else value}
            choices.append(Choice(_query(typed, wanted), value, count, is_chosen))
        found.append((names[name], choices))
    return found


def _elsewhere(typed: str, code: str) -> list[Elsewhere]:
    return [
        Elsewhere(BY_CODE[other], f"{BY_CODE[other].prefix}search/{_query(typed, {})}", count)
        for other, count in queries.elsewhere(typed, code).items()
    ]


def _link(typed: str, within: Facets, page: int) -> str:
    chosen = {"kind": within.kind, "section": within.section, "year": str(within.year or "")}
    return _query(typed, {**chosen, "p": str(page) if page > 1 else ""})


def _query(typed: str, chosen: Mapping[str, str]) -> str:
    return "?" + urlencode({"q": typed, **{name: one for name, one in chosen.items() if one}})
