"""Attainment and grades: exact, monotone, free of units, and the same up and down."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policity.foundations.city_plan.formats.facts import schemes, stages
from policity.foundations.city_plan.rules.attaining import (
    Aim,
    Attained,
    Figure,
    Gap,
    Reckoning,
    attain,
    improved,
    percent,
    stand,
    whole_year,
)
from policity.foundations.city_plan.rules.grading import together
from policity.foundations.city_plan.rules.stages import Kind

FIGURES = st.decimals(-(10**9), 10**9, places=4, allow_nan=False)
SCALES = st.decimals("0.0001", 10**6, places=4, allow_nan=False).filter(bool)
RECKONINGS = st.sampled_from(Reckoning)


@st.composite
def aims(draw):
    low, high = sorted((draw(FIGURES), draw(FIGURES)))
    return draw(st.sampled_from([Aim(low, None), Aim(None, high), Aim(low, high)]))


def flip(number):
    # Decimal's -0 is 0.
    return None if number is None else -number + 0


def mirrored(aim):
    return Aim(flip(aim.high), flip(aim.low))


def scaled(number, by):
    return None if number is None else Fraction(number) * Fraction(by)


@pytest.mark.parametrize(
    ("value", "low", "high", "reckoning", "baseline", "share"),
    [
        ("77", "90", None, Reckoning.TARGET, None, Fraction(77, 90)),
        ("77", "90", None, Reckoning.BASELINE, "60", Fraction(17, 30)),
        ("54", "60", None, Reckoning.TARGET, None, Fraction(9, 10)),
        ("66", None, "60", Reckoning.TARGET, None, Fraction(9, 10)),
        ("12", None, "60", Reckoning.TARGET, None, Fraction(9, 5)),
        ("40", None, "60", Reckoning.BASELINE, "340", Fraction(300, 280)),
        # Worse than where it began.
        ("55", "90", None, Reckoning.BASELINE, "60", Fraction(-5, 30)),
        # The baseline is the target, or beyond it: to be kept, measured by the target.
        ("90", "90", None, Reckoning.BASELINE, "90", Fraction(1)),
        ("81", "90", None, Reckoning.BASELINE, "90", Fraction(9, 10)),
        ("81", "90", None, Reckoning.BASELINE, "95", Fraction(9, 10)),
        ("81", "90", None, Reckoning.BASELINE, None, Fraction(9, 10)),
        # Nothing is to happen any more.
        ("0", None, "0", Reckoning.TARGET, None, Fraction(1)),
        ("3", None, "0", Reckoning.TARGET, None, Fraction(0)),
        ("3", None, "0", Reckoning.BASELINE, "12", Fraction(3, 4)),
        ("22", "18", "28", Reckoning.TARGET, None, Fraction(1)),
        ("9", "18", "28", Reckoning.TARGET, None, Fraction(1, 2)),
        ("35", "18", "28", Reckoning.TARGET, None, Fraction(3, 4)),
    ],
)
def test_attainment_as_somebody_would_reckon_it(value, low, high, reckoning, baseline, share):
    decimals = [None if x is None else Decimal(x) for x in (low, high, baseline)]
    aim = Aim(*decimals[:2])
    assert attain(Decimal(value), aim, reckoning=reckoning, baseline=decimals[2]) == share


@given(FIGURES, aims(), RECKONINGS, st.none() | FIGURES)
def test_up_and_down_are_each_others_mirror(value, aim, reckoning, baseline):
    here = attain(value, aim, reckoning=reckoning, baseline=baseline)
    there = attain(flip(value), mirrored(aim), reckoning=reckoning, baseline=flip(baseline))
    assert here == there


@given(FIGURES, aims(), RECKONINGS, st.none() | FIGURES, SCALES)
def test_attainment_does_not_depend_on_the_unit(value, aim, reckoning, baseline, by):
    here = attain(value, aim, reckoning=reckoning, baseline=baseline)
    other = Aim(scaled(aim.low, by), scaled(aim.high, by))
    there = attain(scaled(value, by), other, reckoning=reckoning, baseline=scaled(baseline, by))
    assert here == there


@given(FIGURES, FIGURES, aims(), RECKONINGS, st.none() | FIGURES)
def test_nearer_to_the_target_is_never_worse(one, other, aim, reckoning, baseline):
    near, far = sorted((one, other), key=aim.outside)
    if aim.low is not None and aim.high is not None:
        # Limits differ in length: nearer is compared on the same side alone.
        assume((near <= aim.high) == (far <= aim.high) and (near >= aim.low) == (far >= aim.low))
    shares = [attain(v, aim, reckoning=reckoning, baseline=baseline) for v in (near, far)]
    if aim.outside(near) < aim.outside(far):
        assert shares[0] >= shares[1]


@given(FIGURES, aims(), RECKONINGS, st.none() | FIGURES)
def test_a_target_is_reached_where_it_is_met_and_nowhere_else(value, aim, reckoning, baseline):
    share = attain(value, aim, reckoning=reckoning, baseline=baseline)
    assert (share >= 1) == (aim.outside(value) == 0)


@given(aims(), RECKONINGS, st.none() | FIGURES)
def test_a_target_met_exactly_is_one(aim, reckoning, baseline):
    target = aim.high if aim.low is None else aim.low
    assert attain(target, aim, reckoning=reckoning, baseline=baseline) == 1


@given(st.fractions(-3, 3))
def test_what_is_said_is_never_more_than_it_is(share):
    assert percent(share) <= share * 100 < percent(share) + 1


def test_part_of_a_year_stands_for_the_whole_only_where_it_adds_up():
    assert whole_year(Decimal(30), 6, adds_up=True) == 60
    assert whole_year(Decimal(30), 6, adds_up=False) == 30
    rules: dict[str, Any] = {"reckoning": Reckoning.TARGET, "baseline": None}
    found = stand(Figure(Decimal(30), months=6), [Aim(Decimal(60), None)], adds_up=True, **rules)
    assert (found.share, found.provisional) == (Fraction(1), True)


def test_what_is_not_there_is_said_and_never_nought():
    rules: dict[str, Any] = {
        "reckoning": Reckoning.TARGET, "baseline": None, "adds_up": False,
    }  # fmt: skip
    aim = Aim(Decimal(1), None)
    assert stand(None, [aim], **rules) == Attained(None, Gap.NO_VALUE)
    assert stand(Figure(None, "調査は3年に1度"), [aim], **rules).gap is Gap.NOT_MEASURED
    assert stand(Figure(Decimal(1)), [], **rules).gap is Gap.NO_TARGET


def test_a_target_that_was_lowered_hides_nothing():
    found = stand(
        Figure(Decimal(60)),
        [Aim(Decimal(100), None), Aim(Decimal(60), None)],
        reckoning=Reckoning.TARGET,
        baseline=None,
        adds_up=False,
    )
    assert (found.share, found.by_first) == (Fraction(1), Fraction(3, 5))


@pytest.mark.parametrize(
    ("share", "grade"),
    [
        (Fraction(1), "A"),
        (Fraction(10**40 - 1, 10**40), "B"),
        (Fraction(4, 5), "B"),
        (Fraction(4, 5) - Fraction(1, 10**40), "C"),
        (Fraction(1, 2), "C"),
        (Fraction(1, 2) - Fraction(1, 10**40), "D"),
        (Fraction(-1), "D"),
        (None, "－"),
    ],
)
def test_boundaries_of_grades_are_exact(share, grade):
    scheme = schemes()["aichi"]
    assert scheme.grade(Attained(share)) == grade
    assert scheme.grade_measure(share) == grade


@given(st.fractions(-2, 2), st.fractions(-2, 2))
def test_more_attained_is_never_a_worse_grade(one, other):
    scheme = schemes()["aichi"]
    order = [grade.code for grade in scheme.grades]
    less, more = sorted((one, other))
    found = [order.index(str(scheme.grade(Attained(share)))) for share in (more, less)]
    assert found[0] <= found[1]


@pytest.mark.parametrize(
    ("value", "low", "high", "grade"),
    [
        ("90", "90", None, "S"),
        ("60.0001", "90", None, "A"),
        ("60", "90", None, "B"),
        ("54", "90", None, "B"),
        ("53.9999", "90", None, "C"),
        ("59.9999", None, "30", "A"),
        ("66", None, "30", "B"),
        ("66.0001", None, "30", "C"),
    ],
)
def test_a_scheme_that_compares_with_the_baseline(value, low, high, grade):
    aim = Aim(*(None if x is None else Decimal(x) for x in (low, high)))
    found = stand(
        Figure(Decimal(value)),
        [aim],
        reckoning=Reckoning.BASELINE,
        baseline=Decimal(60),
        adds_up=False,
    )
    better = improved(Decimal(value), aim, Decimal(60))
    assert schemes()["nagayo"].grade(found, better) == grade
    assert schemes()["nagayo"].grade_measure(found.share) is None


def test_nothing_is_a_part_of_a_baseline_of_nought():
    assert improved(Decimal(1), Aim(Decimal(2), None), Decimal(0)) is None


@pytest.mark.parametrize("code", ["kawasaki", "akiruno"])
def test_where_people_judge_nothing_is_reckoned(code):
    scheme = schemes()[code]
    assert scheme.grade(Attained(Fraction(1))) is None
    assert scheme.grade_measure(Fraction(1)) is None
    assert scheme.grade(Attained(None)) == scheme.unclear


def test_every_scheme_names_its_source_and_its_grades():
    for scheme in schemes().values():
        assert scheme.source
        assert all(scheme.name_of(code) for code in scheme.codes)


SHARES = st.none() | st.fractions(-2, 3)
WEIGHTS = st.sampled_from([stage.weights for stage in stages().values()])


@given(st.lists(st.tuples(st.sampled_from(Kind), SHARES.map(Attained)), max_size=6), WEIGHTS)
def test_a_measure_reaches_its_targets_only_where_all_that_counts_does(rows, weights):
    whole = together(rows, weights)
    assert whole.reached <= whole.measured <= whole.all == len(rows)
    if whole.share is None:
        return
    assert 0 <= whole.share <= 1
    counts = [one.share for kind, one in rows if weights[kind] and one.share is not None]
    assert (whole.share == 1) == all(share >= 1 for share in counts)
    assert whole.lowest == min(counts)


def test_a_measure_of_which_most_was_not_measured_is_not_graded():
    weights = {Kind.INPUT: 0, Kind.OUTPUT: 1, Kind.OUTCOME: 3}
    good = Attained(Fraction(1))
    nothing = Attained(None, Gap.NOT_MEASURED)
    assert together([(Kind.OUTPUT, good), (Kind.OUTCOME, nothing)], weights).share is None
    assert together([(Kind.OUTPUT, nothing), (Kind.OUTCOME, good)], weights).share == 1
    assert together([(Kind.INPUT, good)], weights).share is None
    assert together([], weights).share is None
