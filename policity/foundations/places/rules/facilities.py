"""What a facility is, what it offers, and what one list of them changes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from policity.foundations.places.rules.hours import Hours

FEATURES = (
    "wheelchair",
    "wide_toilet",
    "ostomate",
    "diapers",
    "nursing",
    "lift",
    "braille",
    "writing",
    "parking",
    "children",
)
"""What may be said of a facility, in the order in which it is said. What is missing is unknown."""

OTHER = "other"
"""The kind of what no word in its row tells."""

LONGEST = {
    "name": 200, "kana": 200, "address": 200, "phone": 40, "url": 500, "where": 200,
    "hours_note": 300, "notes": 300,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility as a list or a person writes it. `hours` None: not known.

    `where` is the spot within a building (AED), `hours_note` the source's own words on hours.
    """

    source_id: str
    kind: str
    name: str
    kana: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None
    phone: str = ""
    url: str = ""
    where: str = ""
    hours: Hours | None = None
    hours_note: str = ""
    features: tuple[str, ...] = field(default=())
    notes: str = ""


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Plan:
    """What taking a list in would do to what is there of that list. Ids of the source."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    same: int

    @property
    def anything(self) -> bool:
        """Whether it would change anything."""
        return bool(self.new or self.changed or self.gone)


def plan(have: Mapping[str, Mapping[str, Any]], want: Sequence[Mapping[str, Any]]) -> Plan:
    """Compare stored rows, by the source's id, with those of a list."""
    wanted = {str(row["source_id"]): row for row in want}
    new = tuple(key for key in wanted if key not in have)
    changed = tuple(key for key, row in wanted.items() if key in have and dict(have[key]) != row)
    gone = tuple(key for key in have if key not in wanted)
    return Plan(new, changed, gone, len(wanted) - len(new) - len(changed))
