"""The city and its sites as a page says them, in one language."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.utils.translation import gettext, gettext_noop

from policity.foundations.places.queries import CityView, SiteView, TownView
from policity.foundations.places.rules.readings import easy_name
from policity.kit import ruby

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
    """A site as one row, by its number. `hazards` are keys with their names in the page's language.

    In やさしい日本語 name and address carry the readings that we know.
    """

    number: int
    name: str
    address: str
    hazards: tuple[tuple[str, str], ...]
    receives: str


def city_name(city: CityView, code: str) -> str:
    """The city's name; with its reading in やさしい日本語."""
    return city.names.get(code, city.name)


# How a language says the numbers of a town, and what stands between towns.
_NUMBERED = {
    "ja": "{base}{numbers}丁目",
    "ja-easy": "{base} {numbers}{{丁目|ちょうめ}}",
    "en": "{base} {numbers}-chome",
    "zh-hans": "{base}{numbers}丁目",
    "ko": "{base} {numbers}초메",
}
_WIDE = frozenset({"ja", "ja-easy", "zh-hans"})


def listed(towns: Iterable[TownView], code: str) -> str:
    """Towns as a language lists them: 東伏見1〜3・5丁目、本町. Numbers of one stand together."""
    numbers: dict[TownView, list[int]] = {}
    first: dict[str, TownView] = {}
    for town in towns:
        key = first.setdefault(town.base, town)
        numbers.setdefault(key, [])
        if town.chome is not None:
            numbers[key].append(town.chome)
    said = [_listed(town, sorted(some), code) for town, some in numbers.items()]
    return ("、" if code in _WIDE else ", ").join(said)


def _listed(town: TownView, numbers: Sequence[int], code: str) -> str:
    base = easy_name(town.base, town.kana, "", "") if code == "ja-easy" else ruby.foreign(town.base)
    if not numbers:
        return base
    dash, joint = ("〜", "・") if code in _WIDE else ("–", ", ")
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    written = [
        f"{run[0]}{dash}{run[-1]}" if len(run) > 2 else joint.join(map(str, run)) for run in runs
    ]
    return _NUMBERED[code].format(base=base, numbers=joint.join(written))


def rows(
    sites: Sequence[SiteView], hazards: Mapping[str, str], city: CityView, code: str
) -> list[SiteRow]:
    """Sites in the order of the city's table, their hazards in the order of `hazards`.

    The address begins with the town: the page says the city. Call it with the page's language
    active: it translates whom a site receives.
    """
    known = _readings(sites) if code == "ja-easy" else {}
    return [
        SiteRow(
            number=site.id,
            name=_read(site.name, site.kana, known),
            address=_read(site.address.rpartition(city.name)[2] or site.address, "", known),
            hazards=tuple((key, name) for key, name in hazards.items() if key in site.hazards),
            receives=_receives(site.receives, code),
        )
        for site in sites
    ]


def _receives(said: str, code: str) -> str:
    if code == "ja":
        return ruby.foreign(said)
    return " / ".join(gettext(whom) for word, whom in _RECEIVES.items() if word in said)


def _readings(sites: Iterable[SiteView]) -> dict[str, str]:
    """Words and town names with their readings. A town's 町 may be missing in a site's name."""
    known = dict(_words())
    for site in sites:
        if site.town and site.town.kana:
            base, kana = site.town.base, site.town.kana
            known[base] = kana
            for end in ("ちょう", "まち"):
                stem = base.removesuffix("町")
                if stem != base and len(stem) > 1 and kana.endswith(end):
                    known[stem] = kana.removesuffix(end)
    return known


def _read(text: str, kana: str, known: Mapping[str, str]) -> str:
    """The text with the readings we know, the longest word first; its own where it has one.

    A row that was stored with signs of the markup must not fail the page.
    """
    text, kana = ruby.foreign(text), ruby.foreign(kana)
    if not known:
        return text
    if kana:
        return f"{{{text}|{kana}}}"
    words = sorted(known, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, words)), lambda m: f"{{{m[0]}|{known[m[0]]}}}", text)


@cache
def _words() -> dict[str, str]:
    path = files("policity.foundations.places") / "facts" / "words.toml"
    return tomllib.loads(path.read_text("utf-8"))
