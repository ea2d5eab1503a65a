"""Hazard maps: taken as a draft, shown, taken off."""

from datetime import date, datetime

import shapely
import structlog
from django.db import transaction
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.places.models import City, HazardLayer
from policity.foundations.places.queries.hazards import HAZARDS, hazard_layers
from policity.foundations.places.rules import hazards as rules
from policity.foundations.places.rules.hazards import State
from policity.foundations.places.rules.sites import sign_problem
from policity.foundations.publishing.services import mark_stale
from policity.kit.geometry import from_geojson

log = structlog.get_logger("policity.places")


class HazardRefused(ValueError):  # noqa: N818  # what is the case, in the reader's words
    """It was not done. The message is one Japanese sentence that says what to do."""


def take_hazard_layer(
    *,
    hazard: str,
    title: str,
    source: str,
    as_of: date,
    areas: tuple[rules.Area, ...],
    by: User,
    now: datetime,
) -> HazardLayer:
    """Keep a map as a draft, cut to the city: residents do not see it. Raises HazardRefused."""
    if hazard not in rules.MAPPED:
        raise HazardRefused("災害の種類を選んでください。")
    for name, text in (("地図の名前", title), ("もとの資料", source)):
        if not text.strip():
            raise HazardRefused(f"{name}を入れてください。")
        if fault := sign_problem(name, text):
            raise HazardRefused(f"{fault}。")
    if as_of > timezone.localtime(now).date():
        raise HazardRefused("「いつの地図か」は、きょうまでの日にしてください。")
    city = City.objects.here().get()
    try:
        # Outside the transaction: it takes seconds.
        found = rules.cut(areas, from_geojson(city.boundary))
    except rules.BadAreas as error:
        raise HazardRefused(str(error)) from None
    with transaction.atomic():
        row = HazardLayer.objects.create(
            city=city,
            hazard=hazard,
            title=title.strip(),
            source=source.strip(),
            as_of=as_of,
            within=found.within,
            areas=[
                {"depth": one.depth, "shape": shapely.geometry.mapping(one.surface)}
                for one in found.areas
            ],
            state=State.DRAFT,
            by=by,
            changed_at=now,
        )
        audit.record("hazard.added", on=f"places.hazardlayer:{row.pk}", by=by, now=now, title=title)
    log.info("hazard layer taken", by=by.pk, hazard=hazard, points=rules.points(found.areas))
    return row


def publish_hazard_layer(*, number: int, by: User, now: datetime) -> HazardLayer:
    """Show a draft, or again what was taken off. Raises HazardRefused."""
    with transaction.atomic():
        row = _locked(number)
        shown = hazard_layers(State.PUBLISHED)
        if row.state == State.PUBLISHED:
            raise HazardRefused("この地図は、もう公開しています。")
        together = sum(rules.points(one.areas) for one in shown)
        if together + rules.points(_areas(row)) > rules.MOST_POINTS_TOGETHER:
            raise HazardRefused(
                "公開中の地図が多く、電話で読むには大きすぎます。古い地図を取り下げてから、公開してください。"
            )
        _move(row, State.PUBLISHED, by, now)
        audit.record("hazard.published", on=f"places.hazardlayer:{number}", by=by, now=now)
    return row


def withdraw_hazard_layer(*, number: int, by: User, now: datetime) -> HazardLayer:
    """Take a map off the pages, or a draft off the desk; it can be shown again. HazardRefused."""
    with transaction.atomic():
        row = _locked(number)
        if row.state == State.WITHDRAWN:
            raise HazardRefused("この地図は、もう取り下げています。")
        _move(row, State.WITHDRAWN, by, now)
        audit.record("hazard.withdrawn", on=f"places.hazardlayer:{number}", by=by, now=now)
    return row


def _move(row: HazardLayer, state: State, by: User, now: datetime) -> None:
    row.state, row.by, row.changed_at = state, by, now
    row.save(update_fields=["state", "by", "changed_at"])
    mark_stale({HAZARDS}, now=now)


def _areas(row: HazardLayer) -> tuple[rules.Area, ...]:
    return tuple(
        rules.Area(one["depth"], shapely.geometry.shape(one["shape"])) for one in row.areas
    )


def _locked(number: int) -> HazardLayer:
    # The city's row, so that two at once cannot both be the last that fits.
    City.objects.here().select_for_update().get()
    row = HazardLayer.objects.here().select_for_update(of=("self",)).filter(pk=number).first()
    if row is None:
        raise HazardRefused("この地図は、もうありません。一覧を読み直してください。")
    return row
