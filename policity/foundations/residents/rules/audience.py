"""Who needs a message, as a definition that can be frozen and read again. Pure.

The town that a resident chose decides; a point refines. A polygon means every town that it
touches: residents of those towns whose point is known hear if it lies inside, those without a
point hear in any case, because too many warned is better than one too few.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policity.kit.severity import Severity

Ring = tuple[tuple[float, float], ...]
"""A closed line of (longitude, latitude), degrees."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Areas × kind × severity × persons.

    `towns` are towns' numbers; None is the whole city. `rings` are the outer lines of polygons
    that narrow `towns`, which then holds every town they touch. `persons` are exactly these
    residents, whatever they chose. `followers_of` are threads: whoever was told of one hears how
    it went on, whatever they chose; with `only_followers` nobody else does.
    """

    kind: str
    severity: Severity
    towns: frozenset[int] | None = None
    rings: tuple[Ring, ...] = ()
    persons: tuple[int, ...] | None = None
    followers_of: tuple[str, ...] = ()
    only_followers: bool = False

    def freeze(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "kind": self.kind,
            "severity": self.severity.value,
            "towns": None if self.towns is None else sorted(self.towns),
            "rings": [[list(point) for point in ring] for ring in self.rings],
            "persons": None if self.persons is None else list(self.persons),
            "followers_of": list(self.followers_of),
            "only_followers": self.only_followers,
        }

    @classmethod
    def thaw(cls, data: Mapping[str, Any]) -> "Audience":
        """What `freeze` gave."""
        return cls(
            kind=data["kind"],
            severity=Severity(data["severity"]),
            towns=None if data["towns"] is None else frozenset(data["towns"]),
            rings=tuple(tuple((x, y) for x, y in ring) for ring in data["rings"]),
            persons=None if data["persons"] is None else tuple(data["persons"]),
            followers_of=tuple(data["followers_of"]),
            only_followers=data["only_followers"],
        )
