"""The city's hazard maps, as values."""

from dataclasses import dataclass
from datetime import date, datetime

from shapely.geometry import shape

from policity.foundations.places.models import HazardLayer
from policity.foundations.places.rules.hazards import Area, State

HAZARDS = "places:hazards"
"""All that are shown: their page and file are made from it."""


@dataclass(frozen=True, slots=True)
class HazardView:
    """A hazard map, see `models.HazardLayer`. `within`: metres that its lines may stray."""

    id: int
    hazard: str
    title: str
    source: str
    as_of: date
    within: int
    areas: tuple[Area, ...]
    state: State
    by: str
    changed_at: datetime


def hazard_layers(*states: State) -> tuple[HazardView, ...]:
    """The city's maps in these states, by hazard and title. One query."""
    rows = HazardLayer.objects.here().filter(state__in=states).select_related("by")
    return tuple(_view(row) for row in rows)


def _view(row: HazardLayer) -> HazardView:
    return HazardView(
        id=row.pk,
        hazard=row.hazard,
        title=row.title,
        source=row.source,
        as_of=row.as_of,
        within=row.within,
        areas=tuple(Area(one["depth"], shape(one["shape"])) for one in row.areas),
        state=State(row.state),
        by=str(row.by or ""),
        changed_at=row.changed_at,
    )
