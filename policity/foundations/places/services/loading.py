"""Loading a city's folder of facts: all of it or nothing, and again without harm."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

import shapely
import structlog

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.places.formats import facts as folders
from policity.foundations.places.formats import jma_areas
from policity.foundations.places.formats.facts import BadFacts, CityFacts
from policity.foundations.places.models import City, JmaArea, Site, Town
from policity.foundations.places.rules.areas import Layer
from policity.foundations.publishing.services import mark_stale
from policity.foundations.work import services as work
from policity.kit.addresses import parse

log = structlog.get_logger("policity.places")

_AREAS = files("policity.foundations.places") / "facts" / "jma_areas.csv"

Row = TypeVar("Row", Town, Site)
Values = Mapping[str, Any]


class AnotherCity(Exception):  # noqa: N818  # what is the case, in the reader's words
    """This home is another city's, and nobody said that it shall change hands."""


@dataclass(frozen=True, slots=True)
class Changes(Generic[Row]):
    """The rows of a table that are new, that differ, and that are gone (closed, not deleted)."""

    added: list[Row]
    changed: list[Row]
    closed: list[Row]

    @property
    def rows(self) -> list[Row]:
        """All of them."""
        return self.added + self.changed + self.closed

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {kind: len(getattr(self, kind)) for kind in ("added", "changed", "closed")}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load changed: nothing, where the same facts were there already."""

    city: City
    towns: Changes[Town]
    sites: Changes[Site]


def load_city(folder: Path, *, by: User | None, now: datetime, switch: bool = False) -> Loaded:
    """Make a folder of facts the city of this home, in one transaction; `by` None: the machine.

    Rows are known by the town's name and the site's 共通ID. What staff edited on a site stays as
    they wrote it. Raises BadFacts, and AnotherCity unless `switch` says that the home changes
    hands; the former city's rows stay, and come back with its folder.
    """
    facts = folders.read(_files(folder))
    with work.alone("places"):
        areas_version = _replace_areas()
        if not JmaArea.objects.filter(layer=Layer.CLASS20.value, code=facts.jma_code).exists():
            raise BadFacts([f"{folders.CITY}: jma_code {facts.jma_code} は気象庁の表にありません"])
        city, city_changed = _city(facts, areas_version, switch=switch)
        towns = _merge(Town, city, _towns(facts), now=now)
        sites = _merge(Site, city, _sites(facts, city), now=now)
        keys = {f"places:site:{site.pk}" for site in sites.rows}
        if city_changed:
            keys |= {"places:city", "places:towns", "places:sites"}
        if towns.rows:
            keys.add("places:towns")
        if sites.rows:
            keys.add("places:sites")
        mark_stale(keys, now=now)
        if keys:
            audit.record(
                "city.loaded", on=f"places.city:{city.code}", by=by, now=now,
                towns=len(towns.rows), sites=len(sites.rows),
            )  # fmt: skip
    log.info(
        "city loaded",
        by=by and by.pk,
        city=city.code,
        towns=towns.counts,
        sites=sites.counts,
    )
    return Loaded(city, towns, sites)


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise BadFacts([f"{folder}: フォルダがありません"])
    here = ((name, folder / name) for name in folders.FILES)
    return {name: path.read_bytes() for name, path in here if path.is_file()}


def _replace_areas() -> str:
    """Brings JMA's trees up to the table that ships with us, and says its version."""
    data = _AREAS.read_bytes()
    version = sha256(data).hexdigest()
    if not City.objects.filter(areas_version=version).exists():
        JmaArea.objects.all().delete()
        JmaArea.objects.bulk_create(JmaArea(**asdict(row)) for row in jma_areas.read(data))
        City.objects.update(areas_version=version)
    return version


def _city(facts: CityFacts, areas_version: str, *, switch: bool) -> tuple[City, bool]:
    """The city's row, and whether anything of it changed."""
    here = City.objects.here().first()
    if here and here.code != facts.code:
        if not switch:
            raise AnotherCity(f"ここは{here.name}です。{facts.name}は読み込みませんでした")
        City.objects.here().update(is_here=False)
    middle = facts.boundary.centroid
    city = City.objects.filter(code=facts.code).first() or City(code=facts.code)
    changed = _set(
        city,
        {
            "name": facts.name,
            "kana": facts.kana,
            "names": dict(facts.names),
            "prefecture": facts.prefecture,
            "jma_code": facts.jma_code,
            "other_jma_codes": list(facts.other_jma_codes),
            "boundary": shapely.to_geojson(facts.boundary),
            "lat": round(middle.y, 6),
            "lon": round(middle.x, 6),
            "is_here": True,
            "map_version": _map_version(facts),
            "areas_version": areas_version,
        },
    )
    if changed:
        city.save()
    return city, changed


def _map_version(facts: CityFacts) -> str:
    towns = [(town.name, town.lat, town.lon, town.polygon) for town in facts.towns]
    return sha256(repr((facts.boundary.wkt, towns)).encode()).hexdigest()


def _towns(facts: CityFacts) -> dict[str, Values]:
    return {
        town.name: {**asdict(town), "position": position}
        for position, town in enumerate(facts.towns)
    }


def _sites(facts: CityFacts, city: City) -> dict[str, Values]:
    towns = dict(Town.objects.filter(city=city, closed_at=None).values_list("name", "pk"))
    names = tuple(towns)
    edited = {
        site.source_id: site.address
        for site in Site.objects.filter(city=city)
        if "address" in site.edited
    }
    found: dict[str, Values] = {}
    for position, site in enumerate(facts.sites):
        address = edited.get(site.source_id, site.address)
        town, _ = parse(address, names, (facts.prefecture, facts.name))
        found[site.source_id] = {
            **asdict(site),
            "kind": site.kind.value,
            "hazards": list(site.hazards),
            "town_id": towns[town] if town else None,
            "position": position,
        }
    return found


def _merge(
    model: type[Row], city: City, wanted: Mapping[str, Values], *, now: datetime
) -> Changes[Row]:
    """Brings a city's rows to what is wanted, by their natural key."""
    key = "name" if model is Town else "source_id"
    held = {getattr(row, key): row for row in model._default_manager.filter(city=city)}
    added = [model(city=city, **values) for name, values in wanted.items() if name not in held]
    changed = [
        row
        for name, row in held.items()
        if name in wanted and _set(row, {**wanted[name], "closed_at": None})
    ]
    closed = [
        row
        for name, row in held.items()
        if name not in wanted and _set(row, {"closed_at": row.closed_at or now})
    ]
    model._default_manager.bulk_create(added)
    fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    model._default_manager.bulk_update(changed + closed, fields)
    return Changes(added, changed, closed)


def _set(row: City | Town | Site, values: Values) -> bool:
    """Sets what differs, but never what staff edited, and says whether anything did."""
    differs = {name: value for name, value in values.items() if getattr(row, name) != value}
    if isinstance(row, Site):
        if "kind" in differs:  # what was right for the other kind is not kept
            row.edited = [name for name in row.edited if name not in ("hazards", "receives")]
        differs = {name: value for name, value in differs.items() if name not in row.edited}
    for name, value in differs.items():
        setattr(row, name, value)
    return bool(differs)
