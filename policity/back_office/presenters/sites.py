"""Every site with how it stands, found by name or town, ready to be set on a phone."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policity.fields.alerts import queries as alerts
from policity.fields.alerts.queries import orders
from policity.fields.alerts.queries.words import texts
from policity.fields.alerts.rules.hazards import hazards_of
from policity.foundations.places import queries as places
from policity.foundations.places.queries import OpeningView, SiteView
from policity.foundations.places.rules.openings import OPENNESS_WORDS, Openness, asked_of
from policity.foundations.places.rules.sites import HAZARDS, KIND_NAMES, Kind

LANGUAGE = "ja"
_FIRST = re.compile("[・（]")
_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
# What staff press, in the order in which a site fills.
BUTTONS = (
    *((state, OPENNESS_WORDS[state]) for state in (Openness.OPEN, Openness.CROWDED, Openness.FULL)),
    (Openness.CLOSED, "閉じる"),
)


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A site as staff see it. `seen` is the number of its newest opening, 0 for none.

    `unfit` names the hazards in force that it is not designated for: nobody is sent there now.
    `done` is the opening that was just recorded, and can be taken back.
    """

    id: int
    name: str
    town: str
    address: str
    hazards: str
    receives: str
    unfit: str
    opening: OpeningView | None
    done: OpeningView | None

    @property
    def state(self) -> Openness:
        """How it stands."""
        return self.opening.state if self.opening else Openness.UNOPENED

    @property
    def seen(self) -> int:
        """What whoever sets it has seen."""
        return self.opening.id if self.opening else 0

    @property
    def state_name(self) -> str:
        """How it stands, in the words of the buttons."""
        return OPENNESS_WORDS[self.state]

    @property
    def boxes(self) -> tuple[bool, ...]:
        """Three boxes, as many filled as the site is."""
        return tuple(n < self.state.boxes for n in range(3))

    @property
    def done_name(self) -> str:
        """What it was just set to."""
        return OPENNESS_WORDS[self.done.state] if self.done else ""


@dataclass(frozen=True, slots=True)
class SitesPage:
    """The sites that were asked for, kind by kind, and the sum over all that are open."""

    groups: tuple[tuple[Kind, str, tuple[SiteLine, ...]], ...]
    ids: frozenset[int]
    open: int
    full: int
    evacuees: int
    uncounted: int
    last: datetime | None
    in_force: str
    towns: str


def sites(
    *,
    words: str = "",
    only_open: bool = False,
    done: int = 0,
    by: int = 0,
    keep: int = 0,
    towns: frozenset[str] | None = None,
) -> SitesPage:
    """The city's sites, a few queries for all of them.

    `words` must all be in a site's name, town or address. Whatever was asked for, the site of
    the opening `done`, which `by` has just recorded, is shown, and the site `keep`. `towns` are
    those that somebody is there for, None: all.
    """
    every, openings = places.sites(), places.openings()
    asked = _asked(every)
    if towns is not None:
        every = tuple(site for site in every if site.town and site.town.name in towns)
        ours = {site.id for site in every}
        openings = {site: one for site, one in openings.items() if site in ours}
    wanted = [_plain(word) for word in words.split()]
    own = next((o for o in openings.values() if o.id == done and o.by_id == by), None)
    shown = [
        site
        for site in every
        if site.id == keep
        or (own and own.site == site.id)
        or (
            (not only_open or _is_open(site.id, openings))
            and all(word in _searched(site) for word in wanted)
        )
    ]
    lines = [(site.kind, _line(site, openings, asked, own)) for site in shown]
    standing = [opening for opening in openings.values() if opening.state.is_open]
    return SitesPage(
        groups=tuple(
            (kind, name, of_kind)
            for kind, name in KIND_NAMES.items()
            if (of_kind := tuple(line for one, line in lines if one is kind))
        ),
        ids=frozenset(site.id for site in shown),
        open=len(standing),
        full=sum(opening.state is Openness.FULL for opening in standing),
        evacuees=sum(opening.evacuees or 0 for opening in standing),
        uncounted=sum(opening.evacuees is None for opening in standing),
        last=max((opening.at for opening in openings.values()), default=None),
        in_force=_names(asked),
        towns="、".join(sorted(towns or ())),
    )


def open_lines(towns: frozenset[str] | None) -> tuple[SiteLine, ...]:
    """Every site that is open, of the towns, for who is about to close them all."""
    page = sites(only_open=True, towns=towns)
    return tuple(line for _, _, lines in page.groups for line in lines)


def _asked(every: tuple[SiteView, ...]) -> tuple[str, ...]:
    """The hazards in force, and those of the city's own orders, that a site must be for."""
    reasons = {order.reason for order in orders.stands().values()}
    brought = hazards_of((event.phenomenon for event in alerts.in_force()), reasons)
    return asked_of(brought, [s.hazards for s in every if s.kind is Kind.EMERGENCY_SITE])


def _is_open(site: int, openings: Mapping[int, OpeningView]) -> bool:
    return site in openings and openings[site].state.is_open


def _line(
    site: SiteView,
    openings: Mapping[int, OpeningView],
    asked: tuple[str, ...],
    own: OpeningView | None,
) -> SiteLine:
    emergency = site.kind is Kind.EMERGENCY_SITE
    return SiteLine(
        id=site.id,
        name=site.name,
        town=site.town.name if site.town else "",
        address=site.address,
        hazards=_names(tuple(key for key in HAZARDS if key in site.hazards)),
        receives=site.receives,
        unfit=_names(tuple(k for k in asked if k not in site.hazards)) if emergency else "",
        opening=openings.get(site.id),
        done=own if own and own.site == site.id else None,
    )


def _names(keys: tuple[str, ...]) -> str:
    """Hazards by the first word of their names: there is one line for all of them."""
    return "・".join(_FIRST.split(texts().hazard_name(LANGUAGE, key))[0] for key in keys)


def _searched(site: SiteView) -> str:
    town = (site.town.name, site.town.full_kana) if site.town else ()
    return _plain(" ".join((site.name, site.kana, site.address, site.receives, *town)))


def _plain(text: str) -> str:
    """Full and half width alike, and katakana as hiragana."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_TO_HIRAGANA)
