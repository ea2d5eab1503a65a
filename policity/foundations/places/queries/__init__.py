"""The city, its towns and its sites, as values. Other rooms read these, never the tables."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, reduce
from operator import add
from types import MappingProxyType

from django.db.models import OuterRef, Subquery
from shapely.geometry.base import BaseGeometry

from policity.foundations.places.models import City, JmaArea, Opening, OpeningQuerySet, Site, Town
from policity.foundations.places.rules import areas, readings
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.rules.sites import Kind
from policity.kit import geometry


class NoCity(LookupError):  # noqa: N818  # what is the case, in the house's words
    """No city has been loaded into this home yet."""


@dataclass(frozen=True, slots=True)
class CityView:
    """The city of this home. `boundary` holds (lon, lat) rings, to be drawn even-odd.

    `names` has every language of the site; `lineage` is its JMA code and those that contain it.
    """

    code: str
    name: str
    kana: str
    names: Mapping[str, str]
    prefecture: str
    jma_code: str
    lineage: tuple[str, ...]
    lat: float
    lon: float
    boundary: tuple[geometry.Ring, ...]


@dataclass(frozen=True, slots=True)
class Inhabitants:
    """How many live somewhere by the resident register, on a day: the oldest where they differ."""

    people: int
    households: int
    on: date

    def __add__(self, other: "Inhabitants") -> "Inhabitants":
        return Inhabitants(
            self.people + other.people,
            self.households + other.households,
            min(self.on, other.on),
        )


@dataclass(frozen=True, slots=True)
class TownView:
    """A town of the city. `kana` is the base's reading in hiragana, empty where unknown."""

    id: int
    name: str
    base: str
    chome: int | None
    kana: str
    lat: float
    lon: float
    postal_code: str
    code: str
    inhabitants: Inhabitants | None = None

    @property
    def full_kana(self) -> str:
        """The whole name's reading, its number's by rule; empty where the base's is unknown."""
        return self.kana and self.kana + (readings.chome_kana(self.chome) if self.chome else "")

    @property
    def easy_name(self) -> str:
        """The name with furigana markup."""
        number = readings.chome_kana(self.chome) if self.chome else ""
        return readings.easy_name(self.base, self.kana, self.name.removeprefix(self.base), number)


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site of the disaster plan. `town` is None where it stands outside the city."""

    id: int
    source_id: str
    kind: Kind
    name: str
    kana: str
    address: str
    town: TownView | None
    lat: float
    lon: float
    hazards: frozenset[str]
    same_address: bool
    receives: str
    notes: str


@dataclass(frozen=True, slots=True)
class OpeningView:
    """How a site stands. `id` names what was seen, for who changes it; `note` is for staff alone.

    `before` is how it stood until then.
    """

    id: int
    site: int
    state: Openness
    before: Openness
    evacuees: int | None
    note: str
    by: str
    by_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OpeningStep:
    """One line of the chronology: who changed how a site stands. `evacuees`: how many were in it.

    The two states are the same where only the number changed.
    """

    at: datetime
    by: str
    site: str
    state_from: Openness
    state_to: Openness
    evacuees: int | None


def city() -> CityView:
    """The city of this home, with one query. Raises NoCity."""
    row = _here()
    return CityView(
        code=row.code,
        name=row.name,
        kana=row.kana,
        names=MappingProxyType(row.names),
        prefecture=row.prefecture,
        jma_code=row.jma_code,
        lineage=_lineage(row.jma_code, row),
        lat=row.lat,
        lon=row.lon,
        boundary=geometry.rings(geometry.from_geojson(row.boundary)),
    )


def lineage(code: str) -> tuple[str, ...]:
    """A JMA code, then the codes that contain it, finest first; an unknown code stands alone.

    One query: the tree itself is kept in memory as long as its table stays the same.
    """
    here = City.objects.here().defer("boundary").first()
    return _lineage(code, here) if here else (code,)


def towns() -> tuple[TownView, ...]:
    """The city's towns in the order of its table, with one query."""
    return tuple(_town(row) for row in Town.objects.here())


def sites() -> tuple[SiteView, ...]:
    """The city's sites in the order of its table, with one query."""
    return tuple(_site(row) for row in Site.objects.here().select_related("town"))


def openings() -> Mapping[int, OpeningView]:
    """How the city's sites stand, by the site's number; one that was never opened is missing.

    One query.
    """
    rows = _with_before().newest().filter(site__city__is_here=True, site__closed_at=None)
    return {row.site_id: _opening(row) for row in rows}


def openings_log(since: datetime, until: datetime | None = None) -> tuple[OpeningStep, ...]:
    """What was said of the city's sites in a period, the newest last. One query."""
    rows = _with_before().filter(site__city__is_here=True, at__gte=since).select_related("site")
    if until is not None:
        rows = rows.filter(at__lt=until)
    return tuple(
        OpeningStep(
            at=row.at,
            by=str(row.by),
            site=row.site.name,
            state_from=_before(row),
            state_to=Openness(row.state),
            evacuees=row.evacuees,
        )
        for row in rows.order_by("at", "pk")
    )


def towns_touched(polygon: BaseGeometry) -> tuple[TownView, ...]:
    """The towns that a (lon, lat) polygon touches, in the order of the city's table.

    Two queries: the cells are kept in memory as long as the map stays the same. Raises NoCity,
    and BadPolygon where lines cross or points are missing: `geometry.polygon` reads a ring.
    """
    geometry.check(polygon)
    here = City.objects.here().values_list("pk", "map_version").first()
    if here is None:
        raise NoCity
    names, cells = _cells(*here)
    touched = {names[index] for index in cells.touched(polygon)}
    return tuple(town for town in towns() if town.name in touched) if touched else ()


def outlines() -> dict[int, tuple[geometry.Ring, ...]]:
    """The area of each town by its number, outer lines and holes. Raises NoCity.

    An estimate where the source has no area of its own: what is nearest to the town's point.
    """
    return {town: geometry.rings(area) for town, area in surfaces().items()}


def surfaces() -> dict[int, geometry.Surface]:
    """The same as areas to reckon with. Raises NoCity."""
    here = City.objects.here().values_list("pk", "map_version").first()
    if here is None:
        raise NoCity
    names, cells = _cells(*here)
    areas = dict(zip(names, cells.areas, strict=True))
    return {town.id: areas[town.name] for town in towns()}


def towns_of_area(jma_code: str) -> tuple[TownView, ...]:
    """All towns for the city's own JMA code and for those that contain it, none for others.

    Raises NoCity.
    """
    row = _here()
    return towns() if jma_code in _lineage(row.jma_code, row) else ()


def _here() -> City:
    row = City.objects.here().first()
    if row is None:
        raise NoCity("市がまだ読み込まれていません: policity places load FOLDER")
    return row


def _lineage(code: str, here: City) -> tuple[str, ...]:
    others = here.other_jma_codes if code == here.jma_code else ()
    return tuple(dict.fromkeys((*areas.lineage(code, _parents(here.areas_version)), *others)))


@lru_cache(maxsize=2)
def _parents(areas_version: str) -> dict[tuple[str, str], str]:
    """The trees of one version of the table: its digest, so that a version never changes."""
    rows = JmaArea.objects.values_list("layer", "code", "parent")
    return {(layer, code): parent for layer, code, parent in rows}


@lru_cache(maxsize=2)
def _cells(city_id: int, map_version: str) -> tuple[tuple[str, ...], geometry.Cells]:
    """The towns' names and cells of one version of the map: its digest. Names outlive rows."""
    rows = list(Town.objects.filter(city_id=city_id, closed_at=None).order_by("position", "pk"))
    own = {i: geometry.from_geojson(row.polygon) for i, row in enumerate(rows) if row.polygon}
    boundary = geometry.from_geojson(City.objects.values_list("boundary").get(pk=city_id)[0])
    cells = geometry.Cells.divide(boundary, [(row.lon, row.lat) for row in rows], own)
    return tuple(row.name for row in rows), cells


def inhabitants(towns: Collection[TownView]) -> Inhabitants | None:
    """How many live in these towns together; None where that is not known of each of them."""
    counted = [town.inhabitants for town in towns if town.inhabitants]
    return reduce(add, counted) if counted and len(counted) == len(towns) else None


def _inhabitants(row: Town) -> Inhabitants | None:
    if row.people is None or row.households is None or row.counted_on is None:
        return None
    return Inhabitants(row.people, row.households, row.counted_on)


def _town(row: Town) -> TownView:
    return TownView(
        id=row.pk,
        name=row.name,
        base=row.base,
        chome=row.chome,
        kana=row.kana,
        lat=row.lat,
        lon=row.lon,
        postal_code=row.postal_code,
        code=row.code,
        inhabitants=_inhabitants(row),
    )


def _with_before() -> OpeningQuerySet:
    """Openings, each with the state before it."""
    earlier = Opening.objects.filter(site=OuterRef("site"), pk__lt=OuterRef("pk"))
    before = Subquery(earlier.order_by("-pk").values("state")[:1])
    return Opening.objects.annotate(before=before).select_related("by")


def _opening(row: Opening) -> OpeningView:
    return OpeningView(
        id=row.pk,
        site=row.site_id,
        state=Openness(row.state),
        before=_before(row),
        evacuees=row.evacuees,
        note=row.note,
        by=str(row.by),
        by_id=row.by_id,
        at=row.at,
    )


def _before(row: Opening) -> Openness:
    return Openness(getattr(row, "before", None) or Openness.UNOPENED)


def _site(row: Site) -> SiteView:
    return SiteView(
        id=row.pk,
        source_id=row.source_id,
        kind=Kind(row.kind),
        name=row.name,
        kana=row.kana,
        address=row.address,
        town=_town(row.town) if row.town else None,
        lat=row.lat,
        lon=row.lon,
        hazards=frozenset(row.hazards),
        same_address=row.same_address,
        receives=row.receives,
        notes=row.notes,
    )
