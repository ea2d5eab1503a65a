"""Years in 和暦 and in Western numbers: each era's own years, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit.eras import ERAS, BadYear, western


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1950", 1950),
        ("昭和25", 1950),
        ("昭和25年", 1950),
        ("昭和 ２５ 年", 1950),
        ("S25", 1950),
        ("s.25", 1950),
        ("平成元年", 1989),
        ("平成1", 1989),
        ("昭和64", 1989),
        ("令和元", 2019),
        ("平成31", 2019),
        ("大正15", 1926),
        ("明治45", 1912),
        ("昭和25年生まれ", 1950),
    ],
)
def test_a_year_as_people_write_it(text, year):
    assert western(text) == year


@pytest.mark.parametrize(
    "text",
    ["", "25", "昭和", "昭和65", "昭和0", "大正16", "平成32", "明治46", "X25", "19500", "元", "１"],
)
def test_what_is_no_year(text):
    with pytest.raises(BadYear):
        western(text)


@given(st.sampled_from(list(ERAS)), st.integers(1, 200))
def test_each_era_has_its_years_and_no_more(era, number):
    first, years = ERAS[era]
    if years is not None and number > years:
        with pytest.raises(BadYear):
            western(f"{era}{number}")
    else:
        assert western(f"{era}{number}年") == first + number - 1


def test_eras_follow_one_another():
    begins = [first for first, _ in ERAS.values()]
    lasts = [first + years - 1 for first, years in ERAS.values() if years]
    assert lasts == begins[1:]
