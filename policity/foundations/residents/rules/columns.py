"""Everybody who registered, as columns in memory, and the question whom a message is for. Pure.

One row is one watched place of one resident. Rows stand by town, so that a message for a few towns
looks at those only; then choices, the box around a polygon, and the polygon itself narrow them.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import Wants
from policity.kit.geometry import HAIR, Surface
from policity.kit.severity import Severity

Bits = NDArray[np.bool_]
Degrees = NDArray[np.float64]
Ids = NDArray[np.int64]
Minutes = NDArray[np.int16]
Positions = NDArray[np.intp]

NEVER = len(Severity) + 1
NO_QUIET = -1
NO_HOME = 0
# A grid is worth its while from so many points on, with so many for each of its cells.
POINTS_A_GRID, POINTS_A_CELL = 5_000, 100
FINEST = 128


class Row(NamedTuple):
    """A watched place, as it is stored. `lat` and `lon` are both None where no point is known."""

    resident: int
    town: int
    lat: float | None
    lon: float | None
    wants: str
    quiet_from: int | None
    quiet_to: int | None
    household: int | None = None


class Found(NamedTuple):
    """The residents a message is for, ascending, each once, with their quiet hours (-1: none).

    `household` has a number for each person's home, 0 where it is not known. `with_point` of them
    have a place there whose point is known (inside, where lines narrow it); of the others no point
    is known.
    """

    persons: Ids
    quiet_from: Minutes
    quiet_to: Minutes
    household: Ids
    with_point: int


class Guest(NamedTuple):
    """Somebody who watches no place: they signed up for something else, and hear of that alone."""

    resident: int
    quiet_from: int | None = None
    quiet_to: int | None = None


def with_guests(found: Found, guests: Sequence[Guest]) -> Found:
    """The same, and these guests in their order, of whom neither home nor point is known."""
    if not guests:
        return found
    number, starts, ends = zip(*guests, strict=True)
    persons = np.concatenate([found.persons, np.array(number, dtype=np.int64)])
    order = np.argsort(persons)
    return Found(
        persons[order],
        np.concatenate([found.quiet_from, _minutes(starts)])[order],
        np.concatenate([found.quiet_to, _minutes(ends)])[order],
        np.concatenate([found.household, np.full(len(guests), NO_HOME, dtype=np.int64)])[order],
        found.with_point,
    )


class _People(NamedTuple):
    """One element for each resident, ascending by number."""

    number: Ids
    quiet_from: Minutes
    quiet_to: Minutes
    household: Ids


class _Places(NamedTuple):
    """One element for each row, ascending by town.

    `owner` is a position among the people, `wants` the number of a distinct choice.
    """

    town: Ids
    owner: Positions
    lat: Degrees
    lon: Degrees
    wants: Positions


class _Table(NamedTuple):
    people: _People
    places: _Places


class Columns:
    """All rows. `version` says up to which change they are complete.

    One thread may update while others find: what they look at is replaced in one piece.
    """

    def __init__(self, unpack: Callable[[str], Wants]) -> None:
        self.version = 0
        self._unpack = unpack
        self._choices: dict[str, int] = {}
        self._least: dict[str, NDArray[np.int8]] = {}
        self._table = self._columns([])

    def __len__(self) -> int:
        return len(self._table.places.town)

    def update(self, rows: Sequence[Row], gone: Iterable[int], *, version: int) -> None:
        """Replace everything known of the residents in `rows`, forget those of `gone`."""
        old, new = self._table, self._columns(rows)
        leave = np.concatenate([new.people.number, np.array([*gone], dtype=np.int64)])
        stay = np.ones(len(old.people.number), dtype=bool)
        stay[_where(leave, old.people.number)] = False
        people = _People(*_merged(old.people, stay, new.people))
        moved = np.searchsorted(people.number, old.people.number)
        came = np.searchsorted(people.number, new.people.number)
        places = _merged(
            old.places._replace(owner=moved[old.places.owner]),
            stay[old.places.owner],
            new.places._replace(owner=came[new.places.owner]),
        )
        self._table = _Table(people, _Places(*places))
        self.version = version

    def _columns(self, rows: Sequence[Row]) -> _Table:
        turned: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
        resident, town, lat, lon, wants, quiet_from, quiet_to, household = turned
        number, first, owner = np.unique(
            np.array(resident, dtype=np.int64), return_index=True, return_inverse=True
        )
        choices = [self._choices.setdefault(text, len(self._choices)) for text in wants]
        places = _Places(
            np.array(town, dtype=np.int64),
            owner,
            np.array(lat, dtype=np.float64),
            np.array(lon, dtype=np.float64),
            np.array(choices, dtype=np.intp),
        )
        order = np.argsort(places.town, kind="stable")
        ordered: list[Any] = [column[order] for column in places]
        return _Table(
            _People(
                number,
                _minutes(quiet_from)[first],
                _minutes(quiet_to)[first],
                np.array([home or NO_HOME for home in household], dtype=np.int64)[first],
            ),
            _Places(*ordered),
        )

    def find(self, audience: Audience, area: Surface | None = None) -> Found:
        """Whom a message is for. `area` is what the audience's rings enclose, where it has any."""
        people, places = table = self._table
        if audience.persons is not None:
            named = np.zeros(len(people.number), dtype=bool)
            named[_where(np.array(audience.persons, dtype=np.int64), people.number)] = True
            return _found(table, np.flatnonzero(named[places.owner]))
        wanted = self._ranks(audience.kind) <= audience.severity.rank
        rows = np.concatenate(
            [
                start + np.flatnonzero(wanted[places.wants[start:end]])
                for start, end in _stretches(places, audience.towns)
            ]
        )
        return _found(table, rows if area is None else rows[_inside(places, rows, area)])

    def _ranks(self, kind: str) -> NDArray[np.int8]:
        """From which rank up each distinct choice wants a kind."""
        ranks = self._least.get(kind)
        if ranks is None or len(ranks) < len(self._choices):
            wanted = [self._unpack(text).get(kind) for text in list(self._choices)]
            ranks = np.array([least.rank if least else NEVER for least in wanted], dtype=np.int8)
            self._least[kind] = ranks
        return ranks


def _stretches(places: _Places, towns: Collection[int] | None) -> Iterable[tuple[int, int]]:
    """Where the rows of these towns lie; an empty one at least."""
    if towns is None:
        return [(0, len(places.town))]
    listed = np.array(sorted(towns), dtype=np.int64)
    starts = np.searchsorted(places.town, listed, side="left").tolist()
    ends = np.searchsorted(places.town, listed, side="right").tolist()
    return [(0, 0), *zip(starts, ends, strict=True)]


def _inside(places: _Places, rows: Positions, area: Surface) -> Bits:
    """Of these rows, those inside, and those whose point is unknown."""
    lon, lat = places.lon[rows], places.lat[rows]
    inside = np.isnan(lon)
    west, south, east, north = area.bounds
    near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    inside[near] = _enclosed(area, lon[near], lat[near])
    return inside


def _found(table: _Table, rows: Positions) -> Found:
    people, places = table
    owner = places.owner[rows]
    meant = np.zeros(len(people.number), dtype=bool)
    pointed = meant.copy()
    meant[owner] = True
    pointed[owner[~np.isnan(places.lon[rows])]] = True
    at = np.flatnonzero(meant)
    return Found(
        people.number[at],
        people.quiet_from[at],
        people.quiet_to[at],
        people.household[at],
        with_point=int(np.count_nonzero(pointed)),
    )


def _minutes(quiet: Iterable[int | None]) -> Minutes:
    return np.array([NO_QUIET if minute is None else minute for minute in quiet], dtype=np.int16)


def _where(values: Ids, ascending: Ids) -> Positions:
    """Where those of the values stand that are there."""
    at = np.searchsorted(ascending, values)
    there = at < len(ascending)
    there[there] = ascending[at[there]] == values[there]
    return at[there]


def _merged(old: Sequence[Any], stay: Bits, new: Sequence[Any]) -> list[Any]:
    """Columns in the order of the first: what stays of the old ones, and the new ones."""
    kept = [column[stay] for column in old]
    spots = np.searchsorted(kept[0], new[0], side="right")
    return [np.insert(column, spots, added) for column, added in zip(kept, new, strict=True)]


def _enclosed(area: Surface, lon: Degrees, lat: Degrees) -> Bits:
    """Which points, all of them in the box around the area, lie inside. On the line counts.

    A grid over the box spares most of them the long way: only cells on the line need it.
    """
    shapely.prepare(area)
    inside: Bits
    if len(lon) < POINTS_A_GRID or not area.area:
        inside = shapely.intersects_xy(area, lon, lat)
        return inside
    cells = min(math.isqrt(len(lon) // POINTS_A_CELL), FINEST)
    west, south, east, north = area.bounds
    wide, high = (east - west) / cells, (north - south) / cells
    lefts, bottoms = west + wide * np.arange(cells), south + high * np.arange(cells)
    x, y = np.meshgrid(lefts, bottoms)
    # By a hair: what rounding may do to a point on the edge of a cell.
    boxes = shapely.box(x - HAIR, y - HAIR, x + wide + HAIR, y + high + HAIR).ravel()
    touched = shapely.intersects(area, boxes)
    within = touched.copy()
    within[touched] = shapely.covers(area, boxes[touched])
    column = np.minimum(((lon - west) / wide).astype(np.intp), cells - 1)
    line = np.minimum(((lat - south) / high).astype(np.intp), cells - 1)
    cell = line * cells + column
    inside = within[cell]
    unsure = np.flatnonzero((touched & ~within)[cell])
    inside[unsure] = shapely.intersects_xy(area, lon[unsure], lat[unsure])
    return inside
