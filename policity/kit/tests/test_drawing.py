"""A place on the sheet is where it lies on the map."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit.drawing import Sheet, apart

SHEET = Sheet(139.5, 35.7, 139.6, 35.8)
LON, LAT = st.floats(139.5, 139.6), st.floats(35.7, 35.8)


@given(LON, LAT)
def test_what_is_drawn_can_be_found_again(lon, lat):
    x, y = SHEET.at((lon, lat))
    assert 0 <= x <= SHEET.width
    assert 0 <= y <= SHEET.height
    back = SHEET.place(x, y)
    assert math.dist(back, (lon, lat)) < 1e-4


def test_a_metre_is_as_long_in_both_directions():
    """At 35.75 degrees a degree of longitude is 0.81 of one of latitude."""
    assert SHEET.height / SHEET.width == pytest.approx(1 / math.cos(math.radians(35.75)), rel=1e-3)


def test_rings_become_one_path_with_holes():
    outer = ((139.5, 35.8), (139.6, 35.8), (139.6, 35.7), (139.5, 35.8))
    inner = ((139.55, 35.79), (139.56, 35.79), (139.56, 35.78), (139.55, 35.79))
    path = SHEET.path([outer, inner])
    assert path.startswith("M0 0L1000 0L1000 ")
    assert path.count("M") == path.count("Z") == 2


def test_a_sheet_holds_what_it_is_made_for():
    ring = ((139.51, 35.71), (139.52, 35.73), (139.51, 35.71))
    assert Sheet.around([ring]) == Sheet(139.51, 35.71, 139.52, 35.73)
    with pytest.raises(ValueError, match="empty"):
        Sheet.around([])


UNITS = st.floats(0, 400).map(lambda at: round(at, 1))


@given(st.lists(st.tuples(UNITS, UNITS), max_size=8))
def test_marks_make_room_for_each_other(points):
    moved = apart(points, 24)
    assert len(moved) == len(points)
    assert all(math.dist(a, b) > 23 for n, a in enumerate(moved) for b in moved[:n])
    assert apart(moved, 22) == moved


def test_marks_that_are_alone_stay_and_those_on_one_place_gather_round_it():
    assert apart([(10.0, 10.0), (90.0, 90.0)], 24) == [(10.0, 10.0), (90.0, 90.0)]
    for points in ([(50.0, 50.0)] * 9, [(50.0, 50.0 + number) for number in range(9)]):
        assert all(math.dist(one, (50, 54)) < 60 for one in apart(points, 24))
