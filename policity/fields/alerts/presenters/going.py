"""Where people may go while something is in force: open sites, and how to be safe indoors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policity.fields.alerts.presenters.views import Standing
from policity.fields.alerts.queries.words import texts
from policity.fields.alerts.rules.response import FrontState
from policity.fields.alerts.rules.texts import AlertText, Named
from policity.foundations.places import presenters as places
from policity.foundations.places.presenters import OpenSites
from policity.foundations.places.queries import CityView, OpeningView, SiteView
from policity.foundations.places.rules.openings import Use
from policity.foundations.places.rules.sites import HAZARDS, Kind
from policity.kit.geometry import Point


@dataclass(frozen=True, slots=True)
class Going:
    """Which sites are open and for whom, with the words for their kinds.

    `indoors` is how to be safe inside, once it is urgent or where nobody may go out. `points` are
    the sites that everybody may go to now.
    """

    sites: OpenSites
    stay: Named
    ask_first: Named
    indoors: AlertText | None
    points: tuple[Point, ...]


def hazard_names(code: str) -> dict[str, str]:
    """Every hazard that a site can be designated for, by its key."""
    return {key: texts().hazard_name(code, key) for key in HAZARDS}


def uses(
    standing: Standing, sites: Sequence[SiteView], openings: Mapping[int, OpeningView]
) -> dict[int, Use]:
    """What may be said of each site that is open, by its number."""
    return places.uses(sites, openings, hazards=standing.hazards, may_go=standing.may_go)


def going(
    standing: Standing,
    sites: Sequence[SiteView],
    openings: Mapping[int, OpeningView],
    *,
    city: CityView,
    code: str,
) -> Going:
    """For a page. Call it with the page's language active."""
    used = uses(standing, sites, openings)
    urgent = standing.state.rank >= FrontState.WARNING.rank
    return Going(
        sites=places.open_sites(
            sites,
            openings,
            hazard_names(code),
            hazards=standing.hazards,
            may_go=standing.may_go,
            city=city,
            code=code,
        ),
        stay=texts().site_kind(code, Kind.SHELTER),
        ask_first=texts().site_kind(code, Kind.WELFARE_SHELTER),
        indoors=texts().indoors(code) if urgent or not standing.may_go else None,
        points=tuple((site.lon, site.lat) for site in sites if used.get(site.id) is Use.GO),
    )
