"""Where years stand in a picture: inside it, in their order, and as far apart as their figures."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.city_plan.rules.addresses import part
from policity.foundations.city_plan.rules.charting import (
    BASE,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Ahead,
    Mark,
    chart,
)

FIGURES = st.floats(-1e14, 1e14, allow_nan=False) | st.sampled_from([0.0, 1e-4, -1e-4, 1e14])
MARKS = st.lists(
    st.tuples(*[st.none() | FIGURES] * 3, st.booleans()), min_size=1, max_size=20
).map(
    lambda rows: [
        Mark(2000 + number, value, low, high, unmeasured=value is None and unmeasured)
        for number, (value, low, high, unmeasured) in enumerate(rows)
    ]
)  # fmt: skip
AHEAD = st.lists(st.tuples(FIGURES, FIGURES, FIGURES).map(sorted), max_size=3).map(
    lambda rows: [
        Ahead(2030 + number, middle, low, high) for number, (low, middle, high) in enumerate(rows)
    ]
)


@given(MARKS, AHEAD)
def test_every_point_is_inside(marks, ahead):
    found = chart(marks, ahead)
    for dot in found.dots:
        assert LEFT <= dot.x <= RIGHT
        assert TOP <= dot.y <= BASE
        assert 0 < dot.label < HEIGHT
    for line in (found.figures, *found.targets):
        for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", line):
            assert 0 <= float(x) <= WIDTH
            assert TOP <= float(y) <= BASE
    for bar in found.bars:
        assert TOP <= bar.top <= bar.middle <= bar.bottom <= BASE
    for hatch in found.hatches:
        assert hatch.x >= 0
        assert hatch.x + hatch.width <= WIDTH
    assert all(LEFT <= x <= RIGHT for _, x in found.years)


@given(MARKS, AHEAD)
def test_order_is_kept(marks, ahead):
    found = chart(marks, ahead)
    assert all(one.x < other.x for one, other in pairwise(found.dots))
    for one in found.dots:
        for other in found.dots:
            if one.mark.value > other.mark.value:
                assert one.y <= other.y
    assert [year for year, _ in found.years] == sorted({one.year for one in (*marks, *ahead)})


@given(MARKS)
def test_nothing_is_drawn_that_nobody_measured(marks):
    found = chart(marks)
    known = [one for one in marks if one.value is not None]
    assert [dot.mark for dot in found.dots] == known
    assert bool(found.figures) == bool(known)
    # The last figure is always told, whatever room there is.
    assert not known or found.dots[-1].says


def test_a_small_change_is_not_drawn_as_a_large_one():
    first, last = chart([Mark(2024, 98), Mark(2025, 100)]).dots
    assert first.y - last.y < 0.03 * (BASE - TOP)


def test_a_line_is_broken_where_a_year_is_missing_and_one_alone_is_a_dash():
    found = chart([Mark(2022, 1), Mark(2023, 2), Mark(2024, None, unmeasured=True), Mark(2025, 2)])
    assert found.figures.count("M") == 2
    assert found.figures.endswith("h12")
    assert len(found.hatches) == 1


def test_years_that_nobody_measured_side_by_side_are_one():
    found = chart([Mark(year, None, unmeasured=year < 2024) for year in range(2022, 2026)])
    assert len(found.hatches) == 1


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_code_in_an_address_is_its_own(one, other):
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,160}", part(one))
    assert (part(one) == part(other)) == (one == other)
