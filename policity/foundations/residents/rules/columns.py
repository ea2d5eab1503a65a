"""Everybody who registered, as columns in memory, and the question whom a message is for. Pure.

One row is one watched place of one resident. Columns are filtered first by what is cheap (choices,
towns, the box around a polygon) and then by the polygon itself.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import Wants
from policity.kit.geometry import Surface
from policity.kit.severity import Severity

Bits = NDArray[np.bool_]
Ids = NDArray[np.int64]

NEVER = len(Severity) + 1
NO_QUIET = -1


class Row(NamedTuple):
    """A watched place, as it is stored. `lat` and `lon` are both None where no point is known."""

    resident: int
    town: int
    lat: float | None
    lon: float | None
    wants: str
    quiet_from: int | None
    quiet_to: int | None


class Found(NamedTuple):
    """The residents a message is for, ascending, each once, with their quiet hours (-1: none).

    `with_point` of them are in it because their point lies inside, or has no need to; the others
    because no point of theirs is known.
    """

    persons: Ids
    quiet_from: NDArray[np.int16]
    quiet_to: NDArray[np.int16]
    with_point: int


class Table(NamedTuple):
    """The rows as columns. `wants` are numbers of the distinct choices seen so far."""

    person: Ids
    town: NDArray[np.int32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    wants: NDArray[np.int32]
    quiet_from: NDArray[np.int16]
    quiet_to: NDArray[np.int16]


class Columns:
    """All rows, ascending by resident. `version` says up to which change they are complete."""

    def __init__(self, unpack: Callable[[str], Wants]) -> None:
        self.version = 0
        self._unpack = unpack
        self._choices: dict[str, int] = {}
        self._table = self._columns([])

    def __len__(self) -> int:
        return len(self._table.person)

    def update(self, rows: Sequence[Row], gone: Iterable[int], *, version: int) -> None:
        """Replace everything known of the residents in `rows`, forget those of `gone`."""
        changed = np.array([*gone, *{row.resident for row in rows}], dtype=np.int64)
        keep = ~np.isin(self._table.person, changed)
        pairs: Iterable[tuple[Any, Any]] = zip(self._table, self._columns(rows), strict=True)
        merged = [np.concatenate([old[keep], new]) for old, new in pairs]
        order = np.argsort(merged[0], kind="stable")
        self._table = Table(*(column[order] for column in merged))
        self.version = version

    def _columns(self, rows: Sequence[Row]) -> Table:
        turned: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
        person, town, lat, lon, wants, quiet_from, quiet_to = turned
        numbers = [self._choices.setdefault(text, len(self._choices)) for text in wants]
        return Table(
            np.array(person, dtype=np.int64),
            np.array(town, dtype=np.int32),
            np.array(lat, dtype=np.float64),
            np.array(lon, dtype=np.float64),
            np.array(numbers, dtype=np.int32),
            np.array([NO_QUIET if q is None else q for q in quiet_from], dtype=np.int16),
            np.array([NO_QUIET if q is None else q for q in quiet_to], dtype=np.int16),
        )

    def find(self, audience: Audience, area: Surface | None = None) -> Found:
        """Whom a message is for. `area` is what the audience's rings enclose, where it has any."""
        if audience.persons is not None:
            rows = np.flatnonzero(
                np.isin(self._table.person, np.array(audience.persons, dtype=np.int64))
            )
            return self._found(rows)
        hit = self._wanted(audience.kind, audience.severity)
        if audience.towns is not None:
            hit &= self._among(audience.towns)
        rows = np.flatnonzero(hit)
        return self._found(rows if area is None else rows[self._inside(rows, area)])

    def _wanted(self, kind: str, severity: Severity) -> Bits:
        least = np.full(max(len(self._choices), 1), NEVER, dtype=np.int8)
        for text, number in self._choices.items():
            wanted = self._unpack(text).get(kind)
            least[number] = wanted.rank if wanted else NEVER
        return (least <= severity.rank)[self._table.wants]

    def _among(self, towns: Collection[int]) -> Bits:
        listed = np.zeros(max([*towns, int(self._table.town.max(initial=0))]) + 1, dtype=bool)
        listed[list(towns)] = True
        return listed[self._table.town]

    def _inside(self, rows: NDArray[np.intp], area: Surface) -> Bits:
        """Of these rows, those inside, and those whose point is unknown."""
        lon, lat = self._table.lon[rows], self._table.lat[rows]
        inside = np.isnan(lon)
        west, south, east, north = area.bounds
        near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        shapely.prepare(area)
        # On the line counts as inside.
        inside[near] = shapely.intersects_xy(area, lon[near], lat[near])
        return inside

    def _found(self, rows: NDArray[np.intp]) -> Found:
        at = rows[_first_of_each(self._table.person[rows])]
        pointed = self._table.person[rows[~np.isnan(self._table.lon[rows])]]
        return Found(
            self._table.person[at],
            self._table.quiet_from[at],
            self._table.quiet_to[at],
            int(np.count_nonzero(_first_of_each(pointed))),
        )


def _first_of_each(ascending: Ids) -> Bits:
    """Where a value stands for the first time."""
    first = np.ones(len(ascending), dtype=bool)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return first
