"""Facilities as staff see them: by list, and what a new list changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from policity.foundations.places.formats.facilities import FacilityList, kinds
from policity.foundations.places.models import City, Facility
from policity.foundations.places.queries.facilities import FacilityView, facilities
from policity.foundations.places.rules.facilities import OTHER, Plan
from policity.kit import geometry

# As many names as one reads before a press.
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Listed:
    """A facility in the staff's list."""

    id: int
    name: str
    kind: str
    address: str
    has_hours: bool
    has_place: bool
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to some facilities of a list: a word, how many, the first names."""

    word: str
    count: int
    names: tuple[str, ...]
    more: int


def lists() -> list[tuple[str, tuple[Listed, ...]]]:
    """Facilities by the list that they are from, those that staff wrote first. One query."""
    rows = sorted(facilities(), key=lambda one: one.source)
    return [
        (source, tuple(map(_listed, group)))
        for source, group in groupby(rows, key=lambda one: one.source)
    ]


def _listed(one: FacilityView) -> Listed:
    names = kinds().get(one.kind, kinds()[OTHER])
    return Listed(
        one.id, one.name, names["ja"], one.address, one.hours is not None, one.lat is not None,
        one.is_sample,
    )  # fmt: skip


def changes(source: str, plan: Plan, found: FacilityList) -> tuple[Change, ...]:
    """What a list would do, in words and names. One query."""
    names = dict(Facility.objects.here().filter(source=source).values_list("source_id", "name")) | {
        row.source_id: row.name for row in found.rows
    }

    def change(word: str, keys: Iterable[str]) -> Change:
        said = [names[key] for key in keys]
        return Change(word, len(said), tuple(said[:SHOWN]), max(len(said) - SHOWN, 0))

    return (
        change("新しい", plan.new),
        change("変わる", plan.changed),
        change("なくなる", plan.gone),
    )


def boundary() -> geometry.Surface | None:
    """The city's area, against which places are checked; None before a city is loaded."""
    city = City.objects.here().first()
    return geometry.from_geojson(city.boundary) if city else None
