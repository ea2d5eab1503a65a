"""Words as data: a file a language that ships, a city's own words laid over it, all of it checked.

ja-easy carries readings as `{漢字|かんじ}` (`kit.ruby`); no other language does.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import Any

from policity.kit import ruby
from policity.kit.languages import LANGUAGES

CHECKED_BY = "checked_by"

Said = Mapping[str, Mapping[str, str]]
"""Texts by language code and key."""

NOTHING: Said = {}


def flat(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Every text with its key: ("steps.bag.title", "持ち出す物をまとめる")."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def read_all(
    shipped: Traversable, wanted: Collection[str], over: Said = NOTHING
) -> dict[str, Mapping[str, str]]:
    """Every language's texts by key, with the city's own in their place, each checked.

    What `over` says of a text that no page asks for (any more) is left out. Raises KeyError,
    ValueError as `check` does.
    """
    found: dict[str, Mapping[str, str]] = {}
    for language in LANGUAGES:
        name = f"{language.code}.toml"
        words = dict(flat(tomllib.loads((shipped / name).read_text("utf-8"))))
        words |= laid(over.get(language.code, {}), wanted)
        check(words, wanted, f"{name}, language {language.code}")
        found[language.code] = words
    return found


def laid(own: Mapping[str, str], wanted: Collection[str]) -> dict[str, str]:
    """Those of a city's own texts that a page asks for."""
    allowed = _allowed(wanted)
    return {key: text for key, text in own.items() if key in allowed}


def _allowed(wanted: Collection[str]) -> set[str]:
    entries = {key.rpartition(".")[0] for key in wanted if "." in key}
    return {*wanted, *(f"{entry}.{CHECKED_BY}" for entry in entries)}


def check(words: Mapping[str, str], wanted: Collection[str], where: str) -> None:
    """Raises KeyError or ValueError, with one line that names the place and the key."""
    allowed = _allowed(wanted)
    for key in sorted(wanted):
        if key != CHECKED_BY and not words.get(key):
            raise KeyError(f"{where}: the text {key} is missing")
    for key, text in words.items():
        if key not in allowed:
            raise ValueError(f"{where}: no page asks for {key}")
        try:
            ruby.plain(text)
        except ValueError as error:
            raise ValueError(f"{where}: {key}: {error}") from error


def checkers(words: Mapping[str, str], parts: Iterable[str]) -> str:
    """Who checked all these parts, person after person; empty while any is unchecked."""
    checks = [words.get(f"{part}.{CHECKED_BY}", words.get(CHECKED_BY, "")) for part in parts]
    return ", ".join(dict.fromkeys(checks)) if all(checks) else ""
