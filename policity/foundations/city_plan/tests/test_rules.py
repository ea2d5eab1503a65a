"""Stages of use, trends, a sheet's way, and spans."""

import math
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.city_plan.formats import facts
from policity.foundations.city_plan.rules import cycle, spans
from policity.foundations.city_plan.rules.attaining import Aim
from policity.foundations.city_plan.rules.cycle import NEXT, Act, Asked, Done, FollowUp, Said, Turn
from policity.foundations.city_plan.rules.spans import Length
from policity.foundations.city_plan.rules.stages import Kind, proposed
from policity.foundations.city_plan.rules.trending import (
    FURTHEST,
    Chance,
    Course,
    Forecast,
    T,
    TooFew,
    chance,
    trend,
)

STAGES = facts.stages()


def years(kind, *shares):
    return [{kind: None if share is None else Fraction(share)} for share in shares]


def test_stages_stand_in_their_order_and_each_asks_its_own():
    names = [stage.name for stage in STAGES.values()]
    assert names == ["準備", "導入", "普及", "利用", "定着", "見直し"]
    asked = [question for stage in STAGES.values() for question in stage.questions]
    assert len(asked) == len(set(asked)) >= 2 * len(STAGES)
    assert all(sum(stage.weights.values()) for stage in STAGES.values())
    forward = [stage.next for stage in STAGES.values()]
    assert forward == [*list(STAGES)[1:], ""]


@pytest.mark.parametrize(
    ("stage", "kind", "shares", "to"),
    [
        ("spreading", Kind.OUTPUT, ["1"], "in_use"),
        ("spreading", Kind.OUTPUT, ["0.9999"], None),
        ("spreading", Kind.OUTPUT, ["0.49", "0.49"], "introduced"),
        ("spreading", Kind.OUTPUT, ["0.49", "0.5"], None),
        ("spreading", Kind.OUTPUT, ["0.49"], None),
        ("spreading", Kind.OUTPUT, [None], None),
        ("spreading", Kind.OUTCOME, ["1"], None),
        ("in_use", Kind.OUTCOME, ["0.9", None], None),
        ("in_use", Kind.OUTCOME, ["0.9", None, "0.9"], None),
        ("in_use", Kind.OUTCOME, ["0.1", "0.9", "0.9"], "established"),
        # On target for years, and still to be looked at.
        ("established", Kind.OUTCOME, ["1", "1", "1"], "renewing"),
        ("established", Kind.OUTCOME, ["0.4"], "in_use"),
        ("renewing", Kind.OUTCOME, ["1", "1", "1"], None),
    ],
)
def test_what_moves_a_measure_on_or_back(stage, kind, shares, to):
    move = proposed(STAGES[stage], years(kind, *shares))
    assert (move.to if move else None) == to


def test_of_few_years_nothing_is_said():
    with pytest.raises(TooFew, match="いまは3年分"):
        trend({2023: 1.0, 2024: 2.0, 2025: 3.0}, until=2030)


def test_a_straight_line_goes_on_without_a_doubt():
    found = trend({2022: 10.0, 2023: 12.0, 2024: 14.0, 2025: 16.0}, until=2040)
    assert found.course is Course.RISING
    assert [one.year for one in found.forecasts] == [2026, 2027, 2028]
    assert [round(one.middle, 6) for one in found.forecasts] == [18, 20, 22]
    assert found.forecasts[0].low == pytest.approx(found.forecasts[0].high)
    assert trend(dict.fromkeys(range(2020, 2026), 5.0), until=2026).course is Course.UNCLEAR


def test_a_forecast_does_not_leave_what_is_possible():
    found = trend({2022: 60.0, 2023: 95.0, 2024: 80.0, 2025: 99.0}, until=2028, least=0, most=100)
    assert all(0 <= one.low <= one.middle <= one.high <= 100 for one in found.forecasts)


FIGURES = st.lists(st.integers(-1000, 1000), min_size=4, max_size=20)


def of(found):
    return [(one.low, one.middle, one.high) for one in found.forecasts]


@given(FIGURES, st.integers(1, 1000))
def test_a_trend_does_not_depend_on_the_unit_and_mirrors(numbers, by):
    figures = {2000 + place: float(number) for place, number in enumerate(numbers)}
    until = 2000 + len(numbers)
    here = trend(figures, until=until)
    larger = trend({year: value * by for year, value in figures.items()}, until=until)
    mirror = trend({year: -value for year, value in figures.items()}, until=until)
    for one, other, flipped in zip(of(here), of(larger), of(mirror), strict=True):
        assert [n * by for n in one] == pytest.approx(other, rel=1e-6, abs=1e-4)
        assert [-n for n in reversed(one)] == pytest.approx(flipped, rel=1e-6, abs=1e-6)


def test_eight_of_ten_new_years_fall_within_the_interval():
    chosen = random.Random(7)
    for count in (4, 6, 10):
        hits = 0
        for _ in range(2000):
            figures = {year: 3 * year + chosen.gauss(0, 5) for year in range(count)}
            ahead = trend(figures, until=count).forecasts[0]
            hits += ahead.low <= 3 * count + chosen.gauss(0, 5) <= ahead.high
        assert 0.77 < hits / 2000 < 0.83


@pytest.mark.parametrize("freedom", T)
def test_the_table_of_students_t_is_right(freedom):
    """80 % of the distribution lies within: its density, added up."""
    n = freedom
    factor = math.gamma((n + 1) / 2) / (math.sqrt(n * math.pi) * math.gamma(n / 2))
    steps, width = 20_000, T[n] / 20_000
    half = sum(
        factor * (1 + ((place + 0.5) * width) ** 2 / n) ** (-(n + 1) / 2) for place in range(steps)
    )
    assert 2 * half * width == pytest.approx(0.8, abs=2e-4)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(None, "30", Chance.LIKELY), ("22", None, Chance.OPEN), ("26", None, Chance.UNLIKELY),
     ("10", "30", Chance.LIKELY), (None, "19", Chance.UNLIKELY)],
)  # fmt: skip
def test_whether_a_target_would_be_met(low, high, says):
    aim = Aim(*(None if x is None else Decimal(x) for x in (low, high)))
    assert chance(Forecast(2026, 22, 20, 25), aim) is says


ASKED = Asked(
    questions=["だれに届いていませんか。"],
    missed={"1-1": "届いた割合"},
    decided=["夜の訪問"],
    grades={"A", "B"},
    directions={"expand"},
    stages={"in_use"},
)
WHOLE = Said(
    grade="A",
    answers={"だれに届いていませんか。": "機器のない人"},
    reasons={"1-1": "夜だった"},
    follow_ups=[FollowUp("夜の訪問", Done.DONE)],
)


def test_a_rating_says_everything_that_is_asked():
    assert cycle.faults(Act.RATE, WHOLE, ASKED) == ()
    assert len(cycle.faults(Act.RATE, Said(), ASKED)) == 4
    late = Said(**{**_fields(WHOLE), "follow_ups": [FollowUp("夜の訪問", Done.NOT_DONE)]})
    assert cycle.faults(Act.RATE, late, ASKED) == (
        "昨年度に決めた「夜の訪問」をしていないわけを書いてください。",
    )


def _fields(said):
    return {name: getattr(said, name) for name in said.__dataclass_fields__}


@pytest.mark.parametrize(
    ("act", "said", "count"),
    [
        (Act.CHECK, Said(), 0),
        (Act.RETURN, Said(), 1),
        (Act.RETURN, Said(text="数字を確かめてください"), 0),
        (Act.REVIEW, Said(), 2),
        (Act.HEAR, Said(text="意見なし"), 0),
        (Act.DECIDE, Said(grade="A"), 1),
        (Act.DECIDE, Said(grade="A", direction="expand", stage="nowhere"), 1),
        (Act.DECIDE, Said(grade="A", direction="expand", stage="in_use"), 0),
        (Act.PUBLISH, Said(), 0),
        (Act.DECIDE, Said(grade="A", direction="expand", ends=True), 1),
        (Act.DECIDE, Said(grade="A", direction="expand", ends=True, text=" \n"), 1),
        (Act.DECIDE, Said(grade="A", direction="expand", ends=True, text="役目を終えた"), 0),
        # Nobody else ends it, whatever they write.
        (Act.REVIEW, Said(grade="A", text="終えてよい", ends=True), 1),
        (Act.PUBLISH, Said(text="終える", ends=True), 1),
    ],
)
def test_what_each_has_to_say(act, said, count):
    assert len(cycle.faults(act, said, ASKED)) == count


def test_nothing_ends_before_a_year_whose_sheet_is_open():
    said = Said(grade="A", direction="expand", ends=True, text="役目を終えた")
    asked = replace(ASKED, later="令和8年度")
    (fault,) = cycle.faults(Act.DECIDE, said, asked)
    assert fault.startswith("令和8年度のシートがもう開いている")
    assert cycle.faults(Act.DECIDE, replace(said, ends=False), asked) == ()


@given(last=st.integers(2000, 2100), year=st.integers(2000, 2100), ends=st.booleans())
def test_a_measure_never_lasts_longer_for_a_decision(last, year, ends):
    until = cycle.lasts_until(last, year, Said(text="わけ", ends=ends))
    assert until <= last
    assert (until == last) or (ends and until == year)
    assert not ends or until <= year
    assert cycle.lasts_until(last, year, None) == last


def test_a_sheet_comes_to_its_end_and_what_is_decided_stays():
    turn = Turn.DEPARTMENT
    for act in (Act.RATE, Act.CHECK, Act.REVIEW, Act.HEAR, Act.DECIDE, Act.PUBLISH):
        turn = NEXT[turn, act]
    assert turn is Turn.PUBLISHED
    assert not [key for key in NEXT if key[0] is Turn.PUBLISHED]
    assert [key for key in NEXT if key[0] is Turn.DECIDED] == [(Turn.DECIDED, Act.PUBLISH)]
    assert {NEXT[key] for key in NEXT if key[1] is Act.RETURN} == {Turn.DEPARTMENT}


def test_months_and_the_year_that_ended_with_them():
    found = list(spans.over(date(2026, 4, 2), since=date(2026, 2, 1)))
    assert [(one.length, one.begins, one.ends) for one in found] == [
        (Length.MONTH, date(2026, 2, 1), date(2026, 3, 1)),
        (Length.MONTH, date(2026, 3, 1), date(2026, 4, 1)),
        (Length.YEAR, date(2025, 4, 1), date(2026, 4, 1)),
    ]
    assert [one.begins for one in spans.over(date(2026, 1, 31), since=None)] == [date(2025, 12, 1)]
    assert list(spans.over(date(2026, 1, 31), since=date(2026, 1, 1))) == []


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_a_fiscal_year_has_twelve_months_and_no_more(day):
    for fiscal in (day.year - 2, day.year - 1, day.year, day.year + 1):
        span = spans.year(fiscal)
        months = spans.whole_months(fiscal, day)
        assert (months == 12) == (day >= span.ends)
        assert (months == 0) == (day < date(fiscal, 5, 1))


def test_what_ships_is_a_frame():
    for file in (facts.FACTS / "plans").iterdir():
        frame = facts.read_frame(file.read_text("utf-8"))
        assert frame.source
        assert len(frame.facets["field"]) == 7
        assert len(frame.facets["viewpoint"]) == 6
        assert len(frame.facets["challenge"]) == 5
        assert (frame.first_year, frame.last_year) == (2014, 2018)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code = ", "TOMLとして読めません"),
        ("", "「code」がありません"),
        ('code="a"\nname="b"\nfirst_year="平成"\nlast_year="2018"', "first_year は"),
        ('code="a"\nname="b"\nfirst_year=2019\nlast_year="平成30年度"', "始まりより前"),
        (
            'code="a"\nname="b"\nfirst_year=2018\nlast_year=2019\nscheme="x"',
            "区分「x」はありません",
        ),
        ('code="a"\nname="b"\nfirst_year=2018\nlast_year=2019\n[[fields]]\ntext="c"', "1番目"),
        ('code="comments"\nname="b"\nfirst_year=2018\nlast_year=2019', "ほかのページ"),
    ],
)
def test_what_is_no_frame_is_told(text, said):
    with pytest.raises(facts.BadFrame, match=said):
        facts.read_frame(text)


def test_the_furthest_year_is_near():
    assert len(trend({y: float(y) for y in range(2000, 2020)}, until=2099).forecasts) == FURTHEST
