"""Addresses that exist as long as there is a city: what every room's fixed pages share."""

from collections.abc import Iterator

from policity.foundations.places import queries
from policity.kit.languages import LANGUAGES

CITY = "places:city"
SITES = "places:sites"


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
