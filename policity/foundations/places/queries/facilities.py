"""The city's facilities, as values."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from policity.foundations.places.models import Facility
from policity.foundations.places.rules.hours import Hours, from_json

FACILITIES = "places:facilities"
"""All of them: every list is made from it."""


def facility_key(facility: int) -> str:
    """What the pages of one facility are made from."""
    return f"places:facility:{facility}"


@dataclass(frozen=True, slots=True)
class FacilityView:
    """A facility, see `models.Facility`. `town` is its town's name, empty where it is not known."""

    id: int
    source: str
    kind: str
    name: str
    kana: str
    address: str
    town: str
    lat: float | None
    lon: float | None
    phone: str
    url: str
    where: str
    hours: Hours | None
    hours_note: str
    features: tuple[str, ...]
    notes: str
    is_sample: bool
    changed_at: datetime


def facilities(numbers: Collection[int] | None = None) -> tuple[FacilityView, ...]:
    """The city's facilities by their reading, or those of these numbers. One query."""
    rows = Facility.objects.here().select_related("town")
    if numbers is not None:
        rows = rows.filter(pk__in=numbers)
    return tuple(
        FacilityView(
            id=row.pk,
            source=row.source,
            kind=row.kind,
            name=row.name,
            kana=row.kana,
            address=row.address,
            town=row.town.name if row.town else "",
            lat=row.lat,
            lon=row.lon,
            phone=row.phone,
            url=row.url,
            where=row.where,
            hours=from_json(row.hours) if row.hours else None,
            hours_note=row.hours_note,
            features=tuple(row.features),
            notes=row.notes,
            is_sample=row.is_sample,
            changed_at=row.changed_at,
        )
        for row in rows
    )


def facility_numbers() -> tuple[int, ...]:
    """The number of each of the city's facilities. One query."""
    return tuple(Facility.objects.here().order_by("pk").values_list("pk", flat=True))
