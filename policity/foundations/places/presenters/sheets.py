"""A map of a neighbourhood for a notice board: one sheet of A4, in Japanese with English below."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import segno
from django.utils.safestring import SafeString, mark_safe

from policity.foundations.places.queries import SiteView, TownView
from policity.foundations.places.queries.facilities import FacilityView
from policity.foundations.places.rules.sites import HAZARDS, Kind
from policity.kit.drawing import Sheet
from policity.kit.geometry import KM_PER_DEGREE, Ring

HAZARD_NAMES = {
    "flood": ("洪水", "Flood"),
    "landslide": ("土砂災害", "Landslide"),
    "storm_surge": ("高潮", "Storm surge"),
    "earthquake": ("地震", "Earthquake"),
    "tsunami": ("津波", "Tsunami"),
    "fire": ("大きな火事", "Large fire"),
    "inland_flood": ("内水氾濫", "Flooded drains"),
    "volcano": ("火山", "Volcano"),
}
_KINDS = {
    Kind.EMERGENCY_SITE: ("逃げる場所", "Emergency site"),
    Kind.SHELTER: ("避難所", "Shelter"),
}
# On paper: how wide the drawing is, how tall for that, and how much is seen around a town.
_WIDTH, _TALL, _AROUND = 720.0, 0.85, 1.1
_LEAST_KM = 0.5
# Of the sites around, as many as the list below the drawing has room for.
MOST_SITES = 9


@dataclass(frozen=True, slots=True)
class SheetSite:
    """A site with its number on the map. Names of hazards in Japanese and in English."""

    number: int
    x: float
    y: float
    name: str
    kinds: tuple[tuple[str, str], ...]
    hazards: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SheetSign:
    """An AED or a public toilet: a letter on the map."""

    x: float
    y: float
    letter: str


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What stands on the sheet. `bar` is the width of `bar_metres` on the drawing."""

    width: float
    height: float
    around: str
    own: str
    labels: tuple[tuple[float, float, str], ...]
    sites: tuple[SheetSite, ...]
    signs: tuple[SheetSign, ...]
    bar: float
    bar_metres: int


def neighbourhood(
    town: TownView,
    towns: Sequence[TownView],
    outlines: Mapping[int, Sequence[Ring]],
    sites: Sequence[SiteView],
    facilities: Sequence[FacilityView],
) -> Neighbourhood:
    """The drawing of a town and what surrounds it, with all of its sites and signs."""
    sheet = _sheet(outlines[town.id])
    near = [one for one in towns if one.id != town.id and _touches(outlines[one.id], sheet)]
    metres = (sheet.east - sheet.west) * _km(sheet) * 1000
    bar_metres = 100 if metres < 1200 else 200 if metres < 2500 else 500
    labels = [(*sheet.at((one.lon, one.lat)), one.name) for one in (*near, town)]
    return Neighbourhood(
        width=_WIDTH,
        height=sheet.height,
        around="".join(sheet.path(outlines[one.id]) for one in near),
        own=sheet.path(outlines[town.id]),
        labels=tuple(label for label in labels if _inside(sheet, label[0], label[1], 30)),
        sites=_sites(sheet, sites),
        signs=tuple(_signs(sheet, facilities)),
        bar=round(_WIDTH * bar_metres / metres, 1),
        bar_metres=bar_metres,
    )


def _sheet(rings: Sequence[Ring]) -> Sheet:
    """Around a town, in the proportions of the paper, and never of a few houses alone."""
    tight = Sheet.around(rings)
    middle_lon, middle_lat = (tight.west + tight.east) / 2, (tight.south + tight.north) / 2
    narrow = _km(tight)
    wide = max((tight.east - tight.west) * narrow, _LEAST_KM)
    tall = max((tight.north - tight.south) * KM_PER_DEGREE, _LEAST_KM)
    wide = max(wide, tall / _TALL) * (1 + _AROUND)
    lon, lat = wide / narrow / 2, wide * _TALL / KM_PER_DEGREE / 2
    return Sheet(middle_lon - lon, middle_lat - lat, middle_lon + lon, middle_lat + lat, _WIDTH)


def _km(sheet: Sheet) -> float:
    """Kilometres of a degree of longitude there."""
    return KM_PER_DEGREE * math.cos(math.radians((sheet.south + sheet.north) / 2))


def _touches(rings: Sequence[Ring], sheet: Sheet) -> bool:
    lons = [lon for ring in rings for lon, _ in ring]
    lats = [lat for ring in rings for _, lat in ring]
    beside = min(lons) > sheet.east or max(lons) < sheet.west
    return not (beside or min(lats) > sheet.north or max(lats) < sheet.south)


def _inside(sheet: Sheet, x: float, y: float, edge: float = 8) -> bool:
    return edge < x < _WIDTH - edge and edge < y < sheet.height - edge


def _sites(sheet: Sheet, sites: Sequence[SiteView]) -> tuple[SheetSite, ...]:
    """Sites where everybody may go, one for each place, the nearest to the middle first."""
    places: dict[tuple[str, float, float], list[SiteView]] = {}
    for site in sites:
        if site.kind in _KINDS and _inside(sheet, *sheet.at((site.lon, site.lat))):
            # A school is often on both lists, a few metres apart.
            key = (site.name, round(site.lat, 3), round(site.lon, 3))
            places.setdefault(key, []).append(site)

    def away(some: list[SiteView]) -> float:
        x, y = sheet.at((some[0].lon, some[0].lat))
        return math.hypot(x - _WIDTH / 2, y - sheet.height / 2)

    return tuple(
        SheetSite(
            number,
            *sheet.at((some[0].lon, some[0].lat)),
            some[0].name,
            tuple(name for kind, name in _KINDS.items() if any(one.kind is kind for one in some)),
            tuple(HAZARD_NAMES[key] for key in HAZARDS if any(key in one.hazards for one in some)),
        )
        for number, some in enumerate(sorted(places.values(), key=away)[:MOST_SITES], 1)
    )


def _signs(sheet: Sheet, facilities: Sequence[FacilityView]) -> list[SheetSign]:
    letters = {"aed": "A", "toilet": "T"}
    found = []
    for one in facilities:
        if one.kind in letters and one.lat is not None and one.lon is not None:
            x, y = sheet.at((one.lon, one.lat))
            if _inside(sheet, x, y):
                found.append(SheetSign(x, y, letters[one.kind]))
    return found


def code(address: str) -> SafeString:
    """An address to be scanned, as SVG."""
    # One mask for all: every one can be read, and looking for the best takes longer than the map.
    drawn = segno.make(address, error="m", boost_error=False, mask=0).svg_inline(
        scale=1, omitsize=True, border=2, svgclass="sheet__code", lineclass=None
    )
    return mark_safe(drawn)  # noqa: S308  # squares, drawn by segno
