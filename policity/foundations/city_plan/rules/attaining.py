"""How far a figure has come towards its target. Pure, and exact: fractions, never floats.

One rule for all: attainment is 1 where the target is met exactly, and moves by the distance to
it, measured by a length. The length is the target itself (対目標比), or the way from the baseline
to the target (基準からの伸び). So it does not depend on units, and up and down are each other's
mirror: a tenth missed is 90 % in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

MONTHS = 12

Number = Decimal | Fraction


class Direction(StrEnum):
    """Where the figure is to go."""

    UP = "up"
    DOWN = "down"
    KEEP = "keep"


class Reckoning(StrEnum):
    """By which length the distance to a target is measured."""

    TARGET = "target"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Aim:
    """A year's target: at least `low` (up), at most `high` (down), or both (keep)."""

    low: Decimal | None
    high: Decimal | None

    @property
    def direction(self) -> Direction:
        """Where the figure is to go."""
        if self.low is not None and self.high is not None:
            return Direction.KEEP
        return Direction.UP if self.high is None else Direction.DOWN

    def outside(self, value: Number) -> Fraction:
        """How far a value is from the target; 0 where it meets it."""
        below = Fraction(self.low) - Fraction(value) if self.low is not None else Fraction(0)
        above = Fraction(value) - Fraction(self.high) if self.high is not None else Fraction(0)
        return max(below, above, Fraction(0))


def attain(
    value: Number, aim: Aim, *, reckoning: Reckoning, baseline: Number | None = None
) -> Fraction:
    """The attainment of a value: 1 is 100 %. It may be above 1, and below 0.

    Keeping within two limits is two targets, of which the worse counts, and is never above 1. From
    a baseline that is missing, or that met the target already, there is no way to measure by: then
    the target is the length. A target of 0 has none: 1 where it is met, else 0.
    """
    at = Fraction(value)
    if aim.high is None:
        return _side(at, Fraction(aim.low or 0), 1, reckoning, baseline)
    above = _side(at, Fraction(aim.high), -1, reckoning, baseline)
    if aim.low is None:
        return above
    return min(_side(at, Fraction(aim.low), 1, reckoning, baseline), above, Fraction(1))


def _side(
    value: Fraction, target: Fraction, sign: int, reckoning: Reckoning, baseline: Number | None
) -> Fraction:
    """The length and what is beyond the target, by the length; reckoned in one division.

    A large plan has ten thousands of them.
    """
    if reckoning is Reckoning.BASELINE and baseline is not None:
        start = Fraction(baseline)
        if (target - start) * sign > 0:
            return (value - start) / (target - start)
    if not target:
        return Fraction(int(value >= 0 if sign > 0 else value <= 0))
    if (target > 0) is (sign > 0):
        return value / target
    return 2 - value / target


def improved(value: Number, aim: Aim, baseline: Number) -> Fraction | None:
    """By which part of the baseline the value is better than it; None where the baseline is 0.

    Within two limits it is better to be less far outside.
    """
    if not baseline:
        return None
    now, before = Fraction(value), Fraction(baseline)
    if aim.direction is Direction.KEEP:
        now, before = -aim.outside(value), -aim.outside(baseline)
    better = before - now if aim.direction is Direction.DOWN else now - before
    return better / abs(Fraction(baseline))


def whole_year(value: Decimal, months: int, *, adds_up: bool) -> Fraction:
    """What a year comes to by what its first months did: of a sum in proportion, else the same."""
    return Fraction(value) * MONTHS / months if adds_up else Fraction(value)


def percent(share: Fraction) -> int:
    """Per cent, rounded down: what is said to be 80 % is never less."""
    return share.numerator * 100 // share.denominator


class Gap(StrEnum):
    """Why there is no attainment."""

    NO_VALUE = "no_value"
    NOT_MEASURED = "not_measured"
    NO_TARGET = "no_target"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured in a year. `number` is None where it was not, and `reason` says why.

    `months`: how many of the year's months are in it.
    """

    number: Decimal | None
    reason: str = ""
    months: int = MONTHS


@dataclass(frozen=True, slots=True)
class Attained:
    """How a year stands. `share` is None for the `gap`; `by_first` is by the target set first.

    `provisional`: the year is not over.
    """

    share: Fraction | None
    gap: Gap | None = None
    by_first: Fraction | None = None
    provisional: bool = False


def stand(
    figure: Figure | None,
    aims: Sequence[Aim],
    *,
    reckoning: Reckoning,
    baseline: Decimal | None,
    adds_up: bool,
) -> Attained:
    """How a year's figure stands to its targets, the first one set and those that took its place.

    The last one counts. What it would be by the first is told beside it: a target that was lowered
    hides nothing.
    """
    if figure is None:
        return Attained(None, Gap.NO_VALUE)
    if figure.number is None:
        return Attained(None, Gap.NOT_MEASURED)
    if not aims:
        return Attained(None, Gap.NO_TARGET, provisional=figure.months < MONTHS)
    value = whole_year(figure.number, figure.months, adds_up=adds_up)
    last = attain(value, aims[-1], reckoning=reckoning, baseline=baseline)
    first = None
    if len(aims) > 1:
        first = attain(value, aims[0], reckoning=reckoning, baseline=baseline)
    return Attained(
        last,
        by_first=first,
        provisional=figure.months < MONTHS,
    )
