"""How far residents have taken a measure up, what is asked there, and when it moves on. Pure.

Stages, their questions, weights and criteria are data (`formats.facts`). The rule only proposes:
people move a measure, and say why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Kind(StrEnum):
    """What an indicator counts: what is put in, what is done, what comes of it."""

    INPUT = "input"
    OUTPUT = "output"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A kind's attainment at least, or below, a share in each of the last `years`."""

    kind: Kind
    years: int
    at_least: Fraction | None = None
    below: Fraction | None = None

    def met(self, share: Fraction) -> bool:
        """Whether one year's attainment meets it."""
        if self.at_least is not None:
            return share >= self.at_least
        return self.below is not None and share < self.below


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of use. `questions` are asked on its sheet, `weights` say which kind counts.

    Any of `forward` proposes the stage `next`, any of `backward` the stage `back`; either may be
    empty.
    """

    code: str
    name: str
    says: str
    questions: tuple[str, ...]
    weights: Mapping[Kind, int]
    next: str
    forward: tuple[Criterion, ...]
    back: str
    backward: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A stage that is proposed, and by which criterion."""

    to: str
    because: Criterion


History = Sequence[Mapping[Kind, Fraction | None]]
"""The attainment of each kind, year by year, this year last."""


def proposed(stage: Stage, history: History) -> Move | None:
    """Where a measure might go from its stage; None: it stays.

    A year in which a kind was not measured meets no criterion: nothing moves on what nobody knows.
    What fell back is proposed before what moved on.
    """
    for to, criteria in ((stage.back, stage.backward), (stage.next, stage.forward)):
        for criterion in criteria:
            if to and _met(criterion, history):
                return Move(to, criterion)
    return None


def _met(criterion: Criterion, history: History) -> bool:
    last = [year.get(criterion.kind) for year in history[-criterion.years :]]
    if len(last) < criterion.years:
        return False
    return all(share is not None and criterion.met(share) for share in last)
