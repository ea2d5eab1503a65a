"""Which town somebody means who writes it as they are used to. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Protocol, TypeVar

from policity.kit import addresses

_POSTAL = re.compile(r"〒?([0-9]{3})[-ー]?([0-9]{4})")
_LEADING_NUMBER = re.compile(r"[0-9]+")
_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
# As many as can be looked over on a phone.
MOST_SUGGESTED = 12
_ALIKE = 0.5


class Named(Protocol):
    """A town, as far as its name goes. Readings are hiragana, empty where unknown."""

    @property
    def name(self) -> str:
        """The whole name: 泉町三丁目."""

    @property
    def base(self) -> str:
        """Without its number: 泉町."""

    @property
    def chome(self) -> int | None:
        """The number: 3."""

    @property
    def kana(self) -> str:
        """The reading of the base."""

    @property
    def full_kana(self) -> str:
        """The reading of the whole name."""

    @property
    def postal_code(self) -> str:
        """Seven digits, empty where unknown."""


Town = TypeVar("Town", bound=Named)


def find(text: str, towns: Sequence[Town], prefixes: Sequence[str]) -> tuple[Town, ...]:
    """The towns that a name, an address, a reading or a postal code may mean.

    One: that is it. Several: the text leaves open which (泉町, 202-0011). None: it is unknown.
    `prefixes` (prefecture, city) may stand before the name.
    """
    postal = _POSTAL.fullmatch(addresses.normalise(text))
    if postal:
        code = postal[1] + postal[2]
        return tuple(town for town in towns if town.postal_code == code)
    name, rest = addresses.parse(text, [town.name for town in towns], prefixes)
    if name is not None:
        return tuple(town for town in towns if town.name == name)
    tidy = _without(rest, prefixes)
    return _beginning(tidy, towns) or _read_aloud(_hiragana(tidy), towns)


def similar(text: str, towns: Sequence[Town], prefixes: Sequence[str]) -> tuple[Town, ...]:
    """Towns that are spelled much like it, for whoever mistyped."""
    tidy = _without(addresses.normalise(text), prefixes)
    spellings = {addresses.normalise(town.base): town.base for town in towns}
    spellings |= {town.kana: town.base for town in towns if town.kana}
    close = get_close_matches(tidy, spellings, n=3, cutoff=_ALIKE)
    close += get_close_matches(_hiragana(tidy), spellings, n=3, cutoff=_ALIKE)
    close += [one for one in spellings if len(tidy) > 1 and tidy in one]
    bases = list(dict.fromkeys(spellings[one] for one in close))
    found = (town for base in bases for town in towns if town.base == base)
    return tuple(found)[:MOST_SUGGESTED]


def _beginning(tidy: str, towns: Iterable[Town]) -> tuple[Town, ...]:
    """Towns whose base it begins with, the longest base only: 泉町, 泉町の郵便局."""
    bases = {town: addresses.normalise(town.base) for town in towns}
    fit = [town for town, base in bases.items() if tidy.startswith(base)]
    longest = max((len(bases[town]) for town in fit), default=0)
    return tuple(town for town in fit if len(bases[town]) == longest)


def _read_aloud(kana: str, towns: Sequence[Town]) -> tuple[Town, ...]:
    whole = tuple(town for town in towns if town.kana and kana == town.full_kana)
    if whole:
        return whole
    fit = [town for town in towns if town.kana and kana.startswith(town.kana)]
    longest = max((len(town.kana) for town in fit), default=0)
    fit = [town for town in fit if len(town.kana) == longest]
    number = _LEADING_NUMBER.match(kana[longest:])
    named = [town for town in fit if number and town.chome == int(number[0])]
    return tuple(named or fit)


def _without(tidy: str, prefixes: Iterable[str]) -> str:
    for prefix in prefixes:
        tidy = tidy.removeprefix(addresses.normalise(prefix))
    return tidy


def _hiragana(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_TO_HIRAGANA)
