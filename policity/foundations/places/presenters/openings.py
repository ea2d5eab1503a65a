"""Which sites are open, as a page says it in one language."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext

from policity.foundations.places.presenters.sites import SiteRow, rows
from policity.foundations.places.queries import CityView, OpeningView, SiteView
from policity.foundations.places.rules.openings import Openness, Use, asked_of, use_of
from policity.foundations.places.rules.sites import Kind
from policity.kit import moments


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An open site as one row. `evacuees` is None where nobody counted them."""

    site: SiteRow
    state: Openness
    evacuees: int | None

    @property
    def boxes(self) -> tuple[bool, ...]:
        """Three boxes, as many filled as the site is."""
        return tuple(n < self.state.boxes for n in range(3))


@dataclass(frozen=True, slots=True)
class OpenSites:
    """What a page says of open sites, each where its use puts it, in the order of the table.

    `at` is when staff last said anything of any site, empty before that. `may_go`: without it
    no site is named. To `go` everybody may be invited; `full` are those that would be, had they
    room. `still` are open while no hazard is in force. `asked` and `without` name the hazards in
    force: those that `go` is designated for, and those that the city has no site for.
    """

    at: str
    may_go: bool
    go: tuple[OpenRow, ...]
    still: tuple[OpenRow, ...]
    full: tuple[OpenRow, ...]
    stay: tuple[OpenRow, ...]
    stay_full: tuple[OpenRow, ...]
    unfit: tuple[OpenRow, ...]
    ask_first: tuple[OpenRow, ...]
    asked: str
    without: str

    @property
    def somewhere(self) -> bool:
        """Whether there is a site with room that everybody may be told of."""
        return bool(self.go or self.still)

    @property
    def anything(self) -> bool:
        """Whether any site is named at all."""
        return bool(self.somewhere or self.full or self.stay or self.stay_full or self.ask_first)


def uses(
    sites: Sequence[SiteView],
    openings: Mapping[int, OpeningView],
    *,
    hazards: Collection[str],
    may_go: bool,
) -> dict[int, Use]:
    """What may be said of each site that is open, by its number, with `hazards` in force."""
    asked = asked_of(hazards, _designated(sites))
    return {
        site.id: use_of(
            site.kind,
            site.hazards,
            openings[site.id].state,
            hazards=hazards,
            asked=asked,
            may_go=may_go,
        )
        for site in sites
        if site.id in openings and openings[site.id].state.is_open
    }


def open_sites(
    sites: Sequence[SiteView],
    openings: Mapping[int, OpeningView],
    names: Mapping[str, str],
    *,
    hazards: Collection[str],
    may_go: bool,
    city: CityView,
    code: str,
) -> OpenSites:
    """What a page says of open sites. `hazards` are in force; `names` has every hazard's name.

    Call it with the page's language active.
    """
    used = uses(sites, openings, hazards=hazards, may_go=may_go)
    asked = asked_of(hazards, _designated(sites))
    without = [key for key in hazards if key not in asked]
    # All of them, open or not: a reading in one's name may be known from another's town.
    said = {
        site.id: row
        for site, row in zip(sites, rows(sites, names, city, code) if used else (), strict=False)
    }

    def of(use: Use, kind: Kind | None = None) -> tuple[OpenRow, ...]:
        return tuple(
            OpenRow(said[site.id], openings[site.id].state, openings[site.id].evacuees)
            for site in sites
            if used.get(site.id) is use and kind in (None, site.kind)
        )

    def listed(keys: Sequence[str]) -> str:
        return gettext("、").join(names[key] for key in keys)

    last = max((opening.at for opening in openings.values()), default=None)
    return OpenSites(
        at=moments.full(timezone.localtime(last), code) if last else "",
        may_go=may_go,
        go=of(Use.GO),
        still=of(Use.OPEN),
        full=of(Use.FULL, Kind.EMERGENCY_SITE),
        stay=of(Use.STAY),
        stay_full=of(Use.FULL, Kind.SHELTER),
        unfit=of(Use.UNFIT),
        ask_first=of(Use.ASK_FIRST),
        asked=listed(asked),
        without=listed(without),
    )


def _designated(sites: Sequence[SiteView]) -> list[Collection[str]]:
    return [site.hazards for site in sites if site.kind is Kind.EMERGENCY_SITE]
