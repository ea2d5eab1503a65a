"""Correcting a site's record. It announces nothing: its pages are rendered again, that is all."""

from datetime import datetime
from typing import TypedDict, Unpack

import structlog
from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.places.models import Site, Town
from policity.foundations.places.rules.sites import BEYOND_KM, Kind, problems, sign_problem
from policity.foundations.publishing.services import mark_stale
from policity.kit.addresses import parse
from policity.kit.geometry import beyond_km, from_geojson

log = structlog.get_logger("policity.places")


_TEXTS = {
    "name": "名前",
    "kana": "よみ",
    "address": "住所",
    "receives": "受け入れる人",
    "notes": "備考",
}


class BadSite(ValueError):  # noqa: N818  # the thing refused, in the reader's words
    """The site cannot be so. `problems` are Japanese sentences for the person who edits."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SiteChanges(TypedDict, total=False):
    """The fields that staff may change. What a site is, its kind and 共通ID, is the source's."""

    name: str
    kana: str
    address: str
    lat: float
    lon: float
    hazards: list[str]
    receives: str
    notes: str


def edit_site(
    site_id: int, *, by: User | None, now: datetime, **changes: Unpack[SiteChanges]
) -> None:
    """Change the named fields of one of the city's sites; later loads leave them alone.

    The town follows the address. Raises Site.DoesNotExist, BadSite, and TypeError for a field
    that is not staff's to change.
    """
    if unknown := changes.keys() - SiteChanges.__annotations__.keys():
        raise TypeError(f"not a field that may be edited: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        sites = Site.objects.here().select_related("city").select_for_update(of=("self",))
        site = sites.get(pk=site_id)
        differs = {name: value for name, value in changes.items() if getattr(site, name) != value}
        if not differs:
            return
        for name, value in differs.items():
            setattr(site, name, value)
        if wrong := _problems(site):
            raise BadSite(wrong)
        if "address" in differs:
            site.town = _town(site)
        site.edited = sorted({*site.edited, *differs})
        site.save()
        mark_stale({"places:sites", f"places:site:{site.pk}"}, now=now)
        fields = " ".join(sorted(differs))
        audit.record("site.edited", on=f"places.site:{site.pk}", by=by, now=now, fields=fields)
    log.info("site edited", by=by and by.pk, site=site.pk, fields=sorted(differs))


def _problems(site: Site) -> list[str]:
    found = list(problems(Kind(site.kind), site.hazards, site.receives))
    if not site.name.strip():
        found.append("名前を書いてください")
    if not site.address.strip():
        found.append("住所を書いてください")
    said = [sign_problem(label, getattr(site, name)) for name, label in _TEXTS.items()]
    found.extend(filter(None, said))
    away = beyond_km(from_geojson(site.city.boundary), (site.lon, site.lat))
    if not away <= BEYOND_KM:  # not a number is not near either
        found.append(f"緯度{site.lat}、経度{site.lon}は市の外です")
    return found


def _town(site: Site) -> Town | None:
    towns = {town.name: town for town in Town.objects.here()}
    name, _ = parse(site.address, tuple(towns), (site.city.prefecture, site.city.name))
    return towns[name] if name else None
