"""When a facility is open: weeks, holidays, year's end, special days."""

from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.places.rules import hours as rules
from policity.foundations.places.rules.hours import (
    BadHours,
    Day,
    Hours,
    OnHoliday,
    Span,
    Standing,
    Why,
)
from policity.kit.holidays import holiday

NINE = rules.spans("9:00-17:00")
# Closed on Mondays; 23 November 2026 is a Monday and a holiday, 22 September one between two.
LIBRARY = Hours(((), *(NINE,) * 6), OnHoliday.DAY_AFTER, year_end=True)
OFFICE = Hours((*(NINE,) * 5, (), ()), OnHoliday.CLOSED, year_end=True)


def span_lists():
    minutes = st.lists(st.integers(0, 1440), max_size=6, unique=True).map(sorted)
    return minutes.map(
        lambda some: tuple(Span(a, b) for a, b in zip(some[::2], some[1::2], strict=False))
    )


def hours():
    return st.builds(
        Hours,
        st.tuples(*[span_lists()] * 7),
        st.sampled_from(OnHoliday),
        st.booleans(),
        st.dictionaries(st.dates(date(2026, 1, 1), date(2027, 12, 31)), span_lists(), max_size=5),
    )


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        (LIBRARY, "2026-11-16", Day((), Why.WEEK)),
        (LIBRARY, "2026-11-23", Day(NINE, Why.HOLIDAY)),
        (LIBRARY, "2026-11-24", Day((), Why.AFTER_HOLIDAY)),
        (LIBRARY, "2026-11-25", Day(NINE, Why.WEEK)),
        # A holiday on a day that is open anyway moves nothing.
        (LIBRARY, "2026-11-04", Day(NINE, Why.WEEK)),
        # Monday to Wednesday are holidays: Thursday makes up for the Monday.
        (LIBRARY, "2026-09-22", Day(NINE, Why.HOLIDAY)),
        (LIBRARY, "2026-09-24", Day((), Why.AFTER_HOLIDAY)),
        (LIBRARY, "2026-12-29", Day((), Why.YEAR_END)),
        (LIBRARY, "2027-01-03", Day((), Why.YEAR_END)),
        (OFFICE, "2026-11-23", Day((), Why.HOLIDAY)),
        (OFFICE, "2026-11-24", Day(NINE, Why.WEEK)),
    ],
)
def test_a_day(hours, day, expected):
    assert rules.on(hours, date.fromisoformat(day), holiday) == expected


def test_what_is_said_of_a_very_day_goes_before_everything():
    day = date(2026, 12, 29)
    assert rules.on(Hours(OFFICE.week, OnHoliday.CLOSED, True, {day: NINE}), day, holiday) == Day(
        NINE, Why.SPECIAL
    )


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T16:59", Standing(True, False, until=datetime(2026, 11, 20, 17))),  # noqa: DTZ001
        ("2026-11-20T17:00", Standing(False, False, again=datetime(2026, 11, 24, 9))),  # noqa: DTZ001
        ("2026-11-20T08:00", Standing(False, False, again=datetime(2026, 11, 20, 9))),  # noqa: DTZ001
        ("2026-11-23T12:00", Standing(False, True, again=datetime(2026, 11, 24, 9))),  # noqa: DTZ001
        ("2026-12-28T18:00", Standing(False, False, again=datetime(2027, 1, 4, 9))),  # noqa: DTZ001
    ],
)
def test_how_it_stands(at, expected):
    assert rules.standing(OFFICE, datetime.fromisoformat(at), holiday) == expected


def test_what_is_open_day_and_night_closes_with_the_day_that_is_not():
    always = Hours((rules.spans("0:00-24:00"),) * 7, year_end=True)
    at = datetime(2026, 12, 27, 12)  # noqa: DTZ001
    assert rules.standing(always, at, holiday).until == datetime(2026, 12, 29)  # noqa: DTZ001


@given(hours(), MOMENTS)
def test_open_is_what_the_day_says(hours, at):
    minute = at.hour * 60 + at.minute
    day = rules.on(hours, at.date(), holiday)
    found = rules.standing(hours, at, holiday)
    assert found.is_open == any(one.opens <= minute < one.closes for one in day.spans)
    assert found.all_day == (not day.spans)
    if found.is_open:
        assert found.until
        assert found.until > at
    elif found.again:
        assert at < found.again <= at + timedelta(days=rules.LOOK_AHEAD + 1)
        assert rules.standing(hours, found.again, holiday).is_open


@given(hours())
def test_hours_are_stored_and_typed_without_loss(hours):
    assert rules.from_json(rules.to_json(hours)) == hours
    for day in hours.week:
        assert rules.spans(rules.written(day)) == day


@pytest.mark.parametrize(
    "text", ["9-17", "17:00-9:00", "9:00", "9:00-25:00", "9:60-10:00", "あ", "9:00-12:00-"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadHours):
        rules.spans(text)


def test_times_do_not_overlap():
    with pytest.raises(BadHours):
        Hours((rules.spans("9:00-12:00 11:00-13:00"),) * 7)


@given(st.text("0123456789:-休 ", max_size=30))
def test_any_text_is_read_or_refused(text):
    with suppress(BadHours):
        assert rules.spans(text) == tuple(sorted(rules.spans(text)))
