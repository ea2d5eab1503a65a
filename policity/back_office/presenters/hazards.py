"""Hazard maps as staff see them: all of them, and one before residents do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from policity.foundations.places import queries
from policity.foundations.places.presenters import facilities as drawing
from policity.foundations.places.presenters.facilities import PlaceMap
from policity.foundations.places.presenters.hazards import HAZARD_NAMES, depth_name, layer
from policity.foundations.places.presenters.hazards import LayerView as LayerView
from policity.foundations.places.queries.hazards import HazardView, hazard_layers
from policity.foundations.places.rules import hazards as rules
from policity.foundations.places.rules.hazards import STATE_NAMES, State


@dataclass(frozen=True, slots=True)
class Row:
    """A map in the staff's list. `depths` in words, the deepest first."""

    id: int
    title: str
    hazard: str
    source: str
    as_of: date
    state: str
    is_shown: bool
    is_off: bool
    by: str
    changed_at: datetime
    depths: tuple[str, ...]


def rows() -> list[Row]:
    """Every map: those that are shown first, those that were taken off last. One query."""
    order: Sequence[State] = (State.PUBLISHED, State.DRAFT, State.WITHDRAWN)
    found = sorted(hazard_layers(*order), key=lambda one: order.index(one.state))
    return [row(one) for one in found]


def row(one: HazardView) -> Row:
    """One map of the list."""
    depths = sorted({area.depth for area in one.areas}, reverse=True)
    return Row(
        id=one.id,
        title=one.title,
        hazard=HAZARD_NAMES[one.hazard],
        source=one.source,
        as_of=one.as_of,
        state=STATE_NAMES[one.state],
        is_shown=one.state is State.PUBLISHED,
        is_off=one.state is State.WITHDRAWN,
        by=one.by,
        changed_at=one.changed_at,
        depths=tuple(depth_name(one.hazard, depth) for depth in depths),
    )


def preview(one: HazardView) -> tuple[LayerView, PlaceMap, int]:
    """A map as residents would see it, the city's drawing, and how many towns it touches."""
    city, towns = queries.city(), {town.id: town for town in queries.towns()}
    hits = rules.hits(one.areas, queries.surfaces().items())
    return layer(one, hits, towns, city, "ja"), drawing.place_map(city, ()), len(hits)
