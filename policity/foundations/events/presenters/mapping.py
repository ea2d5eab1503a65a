"""What is on, on the map of the city: numbered places, each with what comes next there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from policity.foundations.events.presenters import Group, Row, by_place, place, row
from policity.foundations.events.queries import EventView, TimeView
from policity.foundations.places.presenters import facilities as maps
from policity.foundations.places.queries import CityView
from policity.kit.geometry import Point

# What is on at a place; the view by place has all of it.
MOST = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the map, by the number of its mark. `page` is that of a facility, else empty."""

    number: int
    name: str
    page: str
    rows: tuple[Row, ...]
    more: bool


def on_map(times: Sequence[TimeView], city: CityView, code: str) -> dict[str, Any]:
    """The map, what its numbers are, and what is on where no map leads.

    The place where something is on next is number one. Of each event its next time is said.
    """
    drawn: dict[tuple[str, Point], dict[int, TimeView]] = {}
    left: dict[int, TimeView] = {}
    for time in times:
        at = _position(time.event)
        known = at is not None and maps.is_on_map(city, at)
        some = drawn.setdefault((time.event.venue, at), {}) if at is not None and known else left
        some.setdefault(time.event.id, time)
    spots = [
        _spot(number, list(some.values()), code) for number, some in enumerate(drawn.values(), 1)
    ]
    elsewhere: list[Group] = by_place(tuple(left.values()), code)
    points = [
        (lat, lon, f"{spot.number} {spot.name}", f"#p{spot.number}")
        for spot, (_, (lon, lat)) in zip(spots, drawn, strict=True)
    ]
    return {
        "spots": spots,
        "elsewhere": elsewhere,
        "map": maps.numbered(city, [at for _, at in drawn]),
        "moving": maps.pressed(points),
    }


def _position(event: EventView) -> Point | None:
    if event.lat is None or event.lon is None:
        return None
    return event.lon, event.lat


def _spot(number: int, times: Sequence[TimeView], code: str) -> Spot:
    event = times[0].event
    return Spot(
        number=number,
        name=place(event, code),
        page=maps.page_of(event.facility) if event.facility else "",
        rows=tuple(row(time, code) for time in times[:MOST]),
        more=len(times) > MOST,
    )
