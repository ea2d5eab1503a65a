"""Which of a bulletin's events concern the city: by its areas' codes, or by lines on the map."""

from dataclasses import replace

from shapely.geometry.base import BaseGeometry

from policity.fields.alerts.rules.areas import select
from policity.fields.alerts.rules.bulletin import Bulletin, Event, Format, Ring
from policity.foundations.places import queries as places
from policity.kit.geometry import BadPolygon, around, polygon


def here(bulletin: Bulletin, lineage: tuple[str, ...], *, root: str) -> tuple[Event, ...]:
    """The bulletin's events for the place: by code, or because a polygon touches the city."""
    found = select(bulletin, lineage)
    if bulletin.format is Format.JMX:
        return found
    touching = [event for event in bulletin.events if event not in found and _touches(event)]
    return tuple(replace(event, subject=root) for event in (*found, *touching))


def _touches(event: Event) -> bool:
    return any(places.towns_touched(surface(ring)) for ring in event.rings)


def surface(ring: Ring) -> BaseGeometry:
    """What a line encloses; what it runs around where it crosses itself."""
    try:
        return polygon(ring)
    except BadPolygon:
        # Too much is warned rather than nothing.
        return around(ring)
