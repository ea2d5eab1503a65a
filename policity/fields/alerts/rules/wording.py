"""Words as data: a file a language that ships, a city's own file laid over it, all of it checked.

ja-easy carries readings as `{漢字|かんじ}` (`kit.ruby`); no other language does.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from policity.kit import ruby
from policity.kit.languages import LANGUAGES

CHECKED_BY = "checked_by"


def read(shipped: Traversable, name: str, folder: Path | None = None) -> dict[str, Any]:
    """Our file of this name, the city's laid over it. Raises ValueError for what is no TOML."""
    places: list[Traversable] = [shipped / name]
    if folder is not None and (folder / name).is_file():
        places.append(folder / name)
    data: dict[str, Any] = {}
    for place in places:
        try:
            data = _over(data, tomllib.loads(place.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{name}: {error}") from error
    return data


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _over(old, value)
        else:
            merged[key] = value
    return merged


def flat(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Every text with its key: ("steps.bag.title", "持ち出す物をまとめる")."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def read_all(
    shipped: Traversable, wanted: Collection[str], folder: Path | None = None
) -> dict[str, Mapping[str, str]]:
    """Every language's texts by key, each checked. Raises KeyError, ValueError as `check` does."""
    found: dict[str, Mapping[str, str]] = {}
    for language in LANGUAGES:
        name = f"{language.code}.toml"
        words = dict(flat(read(shipped, name, folder)))
        check(words, wanted, f"{name}, language {language.code}")
        found[language.code] = words
    return found


def check(words: Mapping[str, str], wanted: Collection[str], where: str) -> None:
    """Raises KeyError or ValueError, with one line that names the place and the key."""
    entries = (key.rpartition(".")[0] for key in wanted if key.endswith((".headline", ".title")))
    allowed = {*wanted, *(f"{entry}.{CHECKED_BY}" for entry in entries)}
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
