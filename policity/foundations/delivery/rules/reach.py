"""How far a message came with everybody, over time: from samples to a curve and its times. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar

from policity.foundations.delivery.rules.ledger import GIVEN_UP, IN_DOUBT, NO_ADDRESS, State
from policity.foundations.residents.rules.ages import Band

Counts = tuple[int, ...]
"""How many stand in each state: one number for every `State`, by its value."""

NONE: Counts = (0,) * len(State)

MILESTONES = (0.5, 0.9, 0.95)
"""The shares of all targets whose times are told."""

# Of its time a counter may count so much: the bigger the dispatch, the rarer its ticks.
BUSY_SHARE = 0.1
SHORTEST_PAUSE = timedelta(seconds=1)
# Samples lie apart by this part of the dispatch's age: close at first, some hundreds in a day.
APART = 1 / 50


@dataclass(frozen=True, slots=True)
class Sample:
    """How a dispatch stood at a moment: its targets, and persons by their furthest state."""

    at: datetime
    targets: int
    states: Counts

    @property
    def reached(self) -> int:
        """Persons who were reached."""
        return reached(self.states)

    @property
    def whole(self) -> bool:
        """Whether every target stands in exactly one state."""
        return sum(self.states) == self.targets


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve: seconds since the dispatch began, and the share that was reached."""

    seconds: float
    share: float


def reached(states: Counts) -> int:
    """Of these, how many were reached: a gateway has taken it, or more is known."""
    return sum(states[State.HANDED :])


def short_of(share: float, *, reached: int, targets: int) -> int:
    """How many persons are missing to a share of the targets, 0 where it is reached."""
    # Half a millionth of a person: 0.95 of 100 is 95, whatever binary fractions say.
    return max(math.ceil(share * targets - 5e-7) - reached, 0)


def curve(samples: Iterable[Sample], *, began: datetime) -> tuple[Point, ...]:
    """The share that was reached over time, in any order of the samples.

    Always of the targets of the newest sample: while a dispatch is still being expanded, few
    targets would make early shares too large. Before it began nothing was reached.
    """
    ordered = sorted(samples, key=lambda sample: sample.at)
    if not ordered or not ordered[-1].targets:
        return ()
    targets = ordered[-1].targets
    points = [
        Point(max((one.at - began).total_seconds(), 0.0), min(one.reached / targets, 1.0))
        for one in ordered
    ]
    return (Point(0.0, 0.0), *points)


def time_to(share: float, samples: Iterable[Sample], *, began: datetime) -> timedelta | None:
    """How long until a share of the targets was reached for good; None: not yet.

    Seen, not guessed: the time of the first sample that had it, of those after which it was never
    lost again. What was handed over can come back, and then was not reached.
    """
    ordered = sorted(samples, key=lambda sample: sample.at)
    if not ordered or not ordered[-1].targets:
        return None
    targets = ordered[-1].targets
    lasting = list(
        takewhile(
            lambda one: not short_of(share, reached=one.reached, targets=targets),
            reversed(ordered),
        )
    )
    return max(lasting[-1].at - began, timedelta(0)) if lasting else None


def worth_keeping(last: Sample | None, this: Sample, *, began: datetime) -> bool:
    """Whether a sample tells the curve something that the last kept one does not.

    It does when it is the first, passes a milestone, or is far enough from the last for the age of
    the dispatch.
    """
    if last is None:
        return True
    if last.targets == this.targets and last.states == this.states:
        return False
    if passed(last) != passed(this):
        return True
    return this.at - last.at >= (this.at - began) * APART


def passed(sample: Sample) -> Sequence[float]:
    """The milestones that a sample has reached."""
    if not sample.targets:
        return ()
    return tuple(
        share
        for share in MILESTONES
        if not short_of(share, reached=sample.reached, targets=sample.targets)
    )


def pause(took: timedelta) -> timedelta:
    """How long to wait after a count that took so long, so that sending keeps the machine."""
    return max(SHORTEST_PAUSE, took / BUSY_SHARE - took)


class Why(StrEnum):
    """Why somebody was not reached, as far as a gateway's word tells. Names nobody."""

    UNKNOWN = "unknown"
    FULL = "full"
    GONE = "gone"
    GIVEN_UP = "given_up"
    IN_DOUBT = "in_doubt"
    NO_ADDRESS = "no_address"
    REFUSED = "refused"


# Texts of gateways may hold addresses: no more of one is read than tells its kind.
TELLING = 12
_OURS = {IN_DOUBT: Why.IN_DOUBT, GIVEN_UP: Why.GIVEN_UP, NO_ADDRESS: Why.NO_ADDRESS}
# By SMTP's codes (RFC 5321, RFC 3463) and HTTP's; what is more exact comes first.
_CODES = {
    "550 5.2.2": Why.FULL,
    "5.2.2": Why.FULL,
    "552": Why.FULL,
    "550 5.7": Why.REFUSED,
    "550": Why.UNKNOWN,
    "551": Why.UNKNOWN,
    "553": Why.UNKNOWN,
    "5.1.": Why.UNKNOWN,
    "404": Why.GONE,
    "410": Why.GONE,
}


def why(reason: str) -> Why:
    """What a ledger's reason means, by its first `TELLING` signs."""
    start = reason[:TELLING]
    for text, meaning in _OURS.items():
        if start == text[:TELLING]:
            return meaning
    for code, meaning in _CODES.items():
        if start.startswith(code):
            return meaning
    return Why.REFUSED


class Cell(NamedTuple):
    """So many persons who are alike in everything that is told of them.

    `town` is that of their first place; None, no language and no age, for who has left since.
    `channels` has their state on each channel that was tried; `reason` is empty where none has
    failed.
    """

    town: int | None
    language: str | None
    age: Band | None
    channels: Mapping[str, State]
    reason: str
    persons: int

    @property
    def state(self) -> State:
        """The furthest."""
        return max(self.channels.values())


@dataclass(frozen=True, slots=True)
class Split:
    """Everybody a dispatch is for, split up. Persons stand once in each of `states`, `towns`,
    `languages` and `ages`, at their furthest state; `channels` has rows: who has two stands in
    both.
    """

    states: Counts
    towns: Mapping[int | None, Counts]
    languages: Mapping[str | None, Counts]
    ages: Mapping[Band | None, Counts]
    channels: Mapping[str, Counts]
    why: Mapping[Why, int]

    def pack(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "states": self.states,
            "towns": list(self.towns.items()),
            "languages": list(self.languages.items()),
            "ages": list(self.ages.items()),
            "channels": list(self.channels.items()),
            "why": self.why,
        }

    @classmethod
    def unpack(cls, kept: Mapping[str, Any]) -> "Split":
        """What `pack` gave, after JSON."""
        return cls(
            states=tuple(kept["states"]),
            towns={town: tuple(counts) for town, counts in kept["towns"]},
            languages={code: tuple(counts) for code, counts in kept["languages"]},
            ages={
                None if age is None else Band(age): tuple(counts) for age, counts in kept["ages"]
            },
            channels={channel: tuple(counts) for channel, counts in kept["channels"]},
            why={Why(reason): count for reason, count in kept["why"].items()},
        )


def split(cells: Iterable[Cell]) -> Split:
    """Add cells up in every way."""
    states = [0] * len(State)
    towns: dict[int | None, list[int]] = {}
    languages: dict[str | None, list[int]] = {}
    ages: dict[Band | None, list[int]] = {}
    channels: dict[str, list[int]] = {}
    reasons: dict[Why, int] = {}
    for cell in cells:
        furthest = cell.state
        for counts, state in (
            (states, furthest),
            (towns.setdefault(cell.town, [0] * len(State)), furthest),
            (languages.setdefault(cell.language, [0] * len(State)), furthest),
            (ages.setdefault(cell.age, [0] * len(State)), furthest),
            *(
                (channels.setdefault(name, [0] * len(State)), s)
                for name, s in cell.channels.items()
            ),
        ):
            counts[state] += cell.persons
        if furthest is State.FAILED:
            meaning = why(cell.reason)
            reasons[meaning] = reasons.get(meaning, 0) + cell.persons
    return Split(
        tuple(states), _frozen(towns), _frozen(languages), _frozen(ages), _frozen(channels), reasons
    )


K = TypeVar("K")


def _frozen(found: Mapping[K, Sequence[int]]) -> dict[K, Counts]:
    return {key: tuple(counts) for key, counts in found.items()}
