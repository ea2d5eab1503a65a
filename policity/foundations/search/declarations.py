"""The published side of searching: its page, the site map, and the files that browsers search."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from policity.foundations.places.declarations import (
    CITY,
    born_with_city,
    fixed,
    in_each_language,
)
from policity.foundations.publishing.formats import page
from policity.foundations.search import presenters, queries
from policity.foundations.search.formats.static import shard_files, titles_file
from policity.foundations.search.rules.static import CHUNK, shards
from policity.foundations.search.services.noting import map_key, shards_key
from policity.kit.declare import Lane, PageFamily, Rendered, Stage
from policity.kit.languages import BY_CODE, LANGUAGES, Language, split
from policity.kit.sides import Side

_FOLDER = "search/index/"
_SIGNS = re.compile(r"(\d+)\.json")
_TITLES = re.compile(r"t(\d+)\.json")
_TITLES_KEY = re.compile(r"search:titles:([\w-]+):(\d+)")


def _search(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    for address in addresses:
        language, rest = split(address)
        context = presenters.unasked(language.code)
        body = page("search/search.html", language, rest, context)
        yield address, Rendered(body, frozenset({CITY, shards_key(language.code)}))


def _map(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    for address in addresses:
        language, rest = split(address)
        body = page("search/map.html", language, rest, presenters.site_map(language.code))
        yield address, Rendered(body, frozenset({CITY, map_key(language.code)}))


def _signs(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    for language, numbered in _by_language(addresses, _SIGNS).items():
        code = language.code
        of = shards(queries.size(code))
        wanted = [number for number in numbered if number < of]
        files = shard_files(queries.signs(code), wanted, of)
        keys = frozenset({CITY, shards_key(code)})
        for number, address in numbered.items():
            yield address, Rendered(files[number], keys) if number < of else None


def _titles(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    for language, numbered in _by_language(addresses, _TITLES).items():
        code = language.code
        lines: dict[int, list[tuple[int, str, str, str, str]]] = defaultdict(list)
        last = (max(numbered) + 1) * CHUNK
        for line in queries.lines(code, min(numbered) * CHUNK, last):
            lines[line.number // CHUNK].append(line.told)
        for number, address in numbered.items():
            some = lines[number]
            keys = frozenset({f"search:titles:{code}:{number}"})
            yield address, Rendered(titles_file(some), keys) if some else None


def _by_language(
    addresses: Sequence[str], pattern: re.Pattern[str]
) -> dict[Language, dict[int, str]]:
    found: dict[Language, dict[int, str]] = defaultdict(dict)
    for address in addresses:
        language, rest = split(address)
        number = pattern.fullmatch(rest.removeprefix(_FOLDER))
        found[language][int(number[1])] = address  # type: ignore[index]  # ours
    return found


def _signs_of(code: str) -> Iterator[str]:
    prefix = BY_CODE[code].prefix
    yield from (f"{prefix}{_FOLDER}{n}.json" for n in range(shards(queries.size(code))))


def _every_signs() -> Iterator[str]:
    for language in LANGUAGES:
        yield from fixed(*_signs_of(language.code))


def _signs_born(key: str) -> Iterator[str]:
    for language in LANGUAGES:
        if key in (CITY, shards_key(language.code)):
            yield from _signs_of(language.code)


def _every_titles() -> Iterator[str]:
    for language in LANGUAGES:
        for number in queries.chunks(language.code, CHUNK):
            yield f"{language.prefix}{_FOLDER}t{number}.json"


def _titles_born(key: str) -> Iterator[str]:
    if found := _TITLES_KEY.fullmatch(key):
        yield f"{BY_CODE[found[1]].prefix}{_FOLDER}t{found[2]}.json"


def _page(
    name: str,
    stage: Stage,
    rest: str,
    render: Callable[[Sequence[str]], Iterator[tuple[str, Rendered | None]]],
) -> PageFamily:
    everywhere = in_each_language(rest)
    return PageFamily(
        name=name,
        lane=Lane.ROUTINE,
        stage=stage,
        addresses=partial(fixed, *everywhere),
        born_of=partial(born_with_city, everywhere),
        render=render,
        side=Side.INTERNET,
    )


PAGES = (
    _page("search", Stage.LIST, "search/", _search),
    _page("site-map", Stage.LIST, "site-map/", _map),
    PageFamily(
        name="search-signs",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_every_signs,
        born_of=_signs_born,
        render=_signs,
    ),
    PageFamily(
        name="search-titles",
        lane=Lane.ROUTINE,
        stage=Stage.LEAF,
        addresses=_every_titles,
        born_of=_titles_born,
        render=_titles,
    ),
)
