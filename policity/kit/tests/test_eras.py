"""Years in 和暦 and in Western numbers: each era's own years, and no others."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit.eras import ERAS, BadYear, fiscal_name, fiscal_year, read_fiscal, western


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


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2019", 2019),
        ("2019年度", 2019),
        ("平成31年度", 2019),
        ("令和元年度", 2019),
        ("令和１年", 2019),
        ("R1", 2019),
        ("h.26", 2014),
        ("平成３０年度", 2018),
        # Written before anybody knew that the era would end.
        ("平成32年度", 2020),
        ("平成35", 2023),
        ("昭和63年度", 1988),
        ("平成元年度", 1989),
    ],
)
def test_a_fiscal_year_as_plans_write_it(text, year):
    assert read_fiscal(text) == year


@pytest.mark.parametrize(
    "text", ["", "31年度", "平成", "平成0年度", "令和100", "20", "19999", "目標"]
)
def test_what_is_no_fiscal_year(text):
    with pytest.raises(BadYear):
        read_fiscal(text)


@pytest.mark.parametrize(
    ("year", "name"),
    [
        (1988, "昭和63年度"),
        (1989, "平成元年度"),
        (2018, "平成30年度"),
        (2019, "令和元年度"),
        (2020, "令和2年度"),
        (2026, "令和8年度"),
    ],
)
def test_a_fiscal_year_has_the_name_it_has_today(year, name):
    assert fiscal_name(year) == name


@given(st.integers(1868, 2117))
def test_a_fiscal_years_name_is_read_as_that_year(year):
    assert read_fiscal(fiscal_name(year)) == year


def test_there_is_no_name_before_the_first_era():
    with pytest.raises(BadYear):
        fiscal_name(1867)


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2019, 3, 31), 2018),
        (date(2019, 4, 1), 2019),
        (date(2019, 5, 1), 2019),
        (date(2020, 3, 31), 2019),
        (date(1989, 1, 7), 1988),
    ],
)
def test_a_fiscal_year_begins_in_april_whatever_the_era(day, year):
    assert fiscal_year(day) == year
