"""A place on the sheet is where it lies on the map."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit.drawing import Sheet

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
