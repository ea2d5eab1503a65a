"""How the city stands, as it crosses to the installation inside: no person is in it. Pure.

What is not a field here cannot cross: no reasons, no words by hand, no number of people in a site.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TownOrder:
    """The 警戒レベル (3 to 5) that stands in a town, since when. By its name: keys differ."""

    town: str
    level: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenSite:
    """A site that is open, by its number in the city's plan; `town` is None outside the city."""

    source_id: str
    name: str
    town: str | None
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """The whole of it, for the city with this code."""

    city: str
    orders: tuple[TownOrder, ...]
    sites: tuple[OpenSite, ...]
