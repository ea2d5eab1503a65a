"""The city and its sites as a page says them, in one language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop

from policity.foundations.places.queries import CityView, SiteView

# Whom a site receives, found by these words in what the source says.
_RECEIVES = {
    "妊": gettext_noop("おなかに赤ちゃんがいる人"),
    "乳幼児": gettext_noop("小さな子と家族"),
    "高齢": gettext_noop("お年寄り"),
    "障害": gettext_noop("障害のある人"),
    "車いす": gettext_noop("車いすの人"),
    "要配慮": gettext_noop("手助けのいる人"),
}


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site as one row. `hazards` are keys with their names in the page's language."""

    name: str
    kana: str
    address: str
    hazards: tuple[tuple[str, str], ...]
    receives: str


def city_name(city: CityView, code: str) -> str:
    """The city's name; with its reading in やさしい日本語."""
    return city.names.get(code, city.name)


def rows(sites: Iterable[SiteView], hazards: Mapping[str, str], code: str) -> list[SiteRow]:
    """Sites in the order of their names, their hazards in the order of `hazards`.

    Call it with the page's language active: it translates whom a site receives.
    """
    return [
        SiteRow(
            name=site.name,
            kana=site.kana,
            address=site.address,
            hazards=tuple((key, name) for key, name in hazards.items() if key in site.hazards),
            receives=_receives(site.receives, code),
        )
        for site in sorted(sites, key=lambda s: (s.kana or s.name, s.name, s.address))
    ]


def _receives(said: str, code: str) -> str:
    if code == "ja":
        return said
    return " / ".join(gettext(whom) for word, whom in _RECEIVES.items() if word in said)
