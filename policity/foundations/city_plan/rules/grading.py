"""From attainment to a grade, by a scheme that is data. Pure.

A grade holds from an exact boundary on, or by how the figure stands to its baseline, or is given by
people alone: not every scheme can be reckoned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from policity.foundations.city_plan.rules.attaining import Attained
from policity.foundations.city_plan.rules.stages import Kind

ENOUGH = Fraction(1, 2)
"""The share of a measure's weight that has to be measured, or it has no attainment."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade. With no condition that can be reckoned, only people give it.

    `at_least`: attainment from which it holds. `better_than`, `not_below`: by how much the figure
    is better than the baseline, as a part of it; the one excludes the boundary, the other has it.
    `otherwise`: it holds where the figure can be compared and no grade before it does.
    """

    code: str
    name: str
    at_least: Fraction | None = None
    better_than: Fraction | None = None
    not_below: Fraction | None = None
    otherwise: bool = False


@dataclass(frozen=True, slots=True)
class Scheme:
    """The grades of a city, best first, and in which words it says where to go.

    `marks` are given by people for what is no matter of attainment: done, stopped. `unclear` is
    the code of what cannot be evaluated. `directions` are what is decided for the years to come.
    """

    code: str
    name: str
    source: str
    grades: tuple[Grade, ...]
    marks: tuple[Grade, ...]
    unclear: str
    directions: Mapping[str, str]

    @property
    def codes(self) -> frozenset[str]:
        """Everything that people may give."""
        marks = {grade.code for grade in (*self.grades, *self.marks)}
        return frozenset(marks | {self.unclear})

    def name_of(self, code: str) -> str:
        """What a grade says; empty where it is none of these."""
        named = (grade.name for grade in (*self.grades, *self.marks) if grade.code == code)
        return next(named, "評価できない" if code == self.unclear else "")

    @property
    def compares(self) -> bool:
        """Whether it asks how a figure stands to its baseline."""
        return any(g.better_than is not None or g.not_below is not None for g in self.grades)

    def grade(self, attained: Attained, better: Fraction | None = None) -> str | None:
        """An indicator's grade; `better` than its baseline by so much. None: people give it."""
        if attained.share is None:
            return self.unclear
        for grade in self.grades:
            if _holds(grade, attained.share, better):
                return grade.code
        return None

    def grade_measure(self, share: Fraction | None) -> str | None:
        """The grade of a measure by the attainment of all its indicators. None: people give it.

        A measure as a whole has no baseline: a scheme that compares with one leaves it to people.
        """
        if share is None:
            return self.unclear
        bounds = [grade for grade in self.grades if grade.at_least is not None]
        if not bounds or self.compares:
            return None
        found = (g.code for g in bounds if g.at_least is not None and share >= g.at_least)
        return next(found, next((g.code for g in self.grades if g.otherwise), None))


def _holds(grade: Grade, share: Fraction, better: Fraction | None) -> bool:
    if grade.at_least is not None:
        return share >= grade.at_least
    if grade.better_than is not None:
        return better is not None and better > grade.better_than
    if grade.not_below is not None:
        return better is not None and better >= grade.not_below
    return grade.otherwise


@dataclass(frozen=True, slots=True)
class Whole:
    """A measure's attainment over all its indicators.

    `share`: None where too little of what counts was measured. `lowest` is the worst of those that
    count. `reached`, `measured` and `all` count indicators.
    """

    share: Fraction | None
    lowest: Fraction | None
    reached: int
    measured: int
    all: int


def together(indicators: Iterable[tuple[Kind, Attained]], weights: Mapping[Kind, int]) -> Whole:
    """A measure's attainment: the mean of its indicators, each by the weight of its kind.

    Each counts from 0 to 1, so that what went far beyond its target hides nothing that was missed:
    the whole is 1 only where everything that counts has reached its target.
    """
    rows = [(weights[kind], attained.share) for kind, attained in indicators]
    known = [(weight, share) for weight, share in rows if share is not None]
    reached = sum(share >= 1 for _, share in known)
    counts = [(weight, share) for weight, share in known if weight]
    total, measured = sum(weight for weight, _ in rows), sum(weight for weight, _ in counts)
    if not measured or measured < ENOUGH * total:
        return Whole(None, None, reached, len(known), len(rows))
    mean = sum(weight * min(max(share, Fraction(0)), Fraction(1)) for weight, share in counts)
    lowest = min(share for _, share in counts)
    return Whole(Fraction(mean) / measured, lowest, reached, len(known), len(rows))
