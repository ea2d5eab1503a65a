"""The line, what repeats, and when one may sign up."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.events.policies import Deed, may
from policity.foundations.events.rules import repeating
from policity.foundations.events.rules.line import Entry, ahead, room, seated
from policity.foundations.events.rules.registering import Door, Terms, closes_at, door
from policity.foundations.events.rules.repeating import BadRepeat, Every, expand, match

LINES = st.lists(st.integers(1, 6), max_size=30).map(
    lambda seats: [Entry(number, some) for number, some in enumerate(seats, 1)]
)
CAPACITY = st.none() | st.integers(0, 60)


def seats(line: list[Entry], numbers: frozenset[int]) -> int:
    return sum(entry.seats for entry in line if entry.number in numbers)


@given(LINES, CAPACITY)
def test_a_line_never_gives_more_seats_than_there_are(line, capacity):
    has = seated(line, capacity)
    assert capacity is None or seats(line, has) <= capacity


@given(LINES, CAPACITY)
def test_nobody_is_overtaken_nobody_is_lost_and_nobody_stands_twice(line, capacity):
    has = seated(line, capacity)
    waits = {entry.number for entry in line} - has
    assert has | waits == {entry.number for entry in line}
    assert not has or not waits or max(has) < min(waits)
    assert sorted(ahead(line, capacity, number) for number in waits) == list(range(len(waits)))


@given(LINES.filter(bool), CAPACITY, st.data())
def test_when_somebody_cancels_others_only_move_up(line, capacity, data):
    gone = data.draw(st.sampled_from(line))
    left = [entry for entry in line if entry != gone]
    assert seated(line, capacity) - {gone.number} <= seated(left, capacity)
    for entry in left:
        assert ahead(left, capacity, entry.number) <= ahead(line, capacity, entry.number)


@given(LINES, st.integers(0, 60), st.integers(0, 60))
def test_more_room_takes_a_place_from_nobody(line, one, other):
    less, more = sorted((one, other))
    assert seated(line, less) <= seated(line, more) <= seated(line, None)


@given(LINES, CAPACITY)
def test_the_first_who_waits_would_not_have_fitted(line, capacity):
    has = seated(line, capacity)
    waits = [entry for entry in line if entry.number not in has]
    assert not waits or seats(line, has) + waits[0].seats > capacity


@given(LINES, CAPACITY, st.integers(1, 6))
def test_somebody_new_gets_a_place_exactly_where_there_is_room(line, capacity, some):
    new = Entry(len(line) + 1, some)
    free = room(line, capacity)
    assert (new.number in seated([*line, new], capacity)) == (free is None or some <= free)


STARTS = datetime.fromisoformat("2026-10-03 10:00")
LASTS = timedelta(hours=2)


def days(every: Every, until: date, starts: datetime = STARTS) -> list[str]:
    text = repeating.rule(every, starts, until)
    return [f"{at:%m-%d}" for at, _ in expand(starts, starts + LASTS, text)]


@pytest.mark.parametrize(
    ("every", "found"),
    [
        (Every.ONCE, ["10-03"]),
        (Every.WEEK, ["10-03", "10-10", "10-17", "10-24", "10-31"]),
        (Every.FORTNIGHT, ["10-03", "10-17", "10-31"]),
        (Every.MONTH_DATE, ["10-03"]),
        (Every.MONTH_WEEKDAY, ["10-03"]),
    ],
)
def test_what_repeats_takes_place_on_these_days(every, found):
    assert days(every, date(2026, 10, 31)) == found


def test_the_31st_is_left_out_of_months_without_one_and_a_fifth_saturday_is_the_last():
    last = datetime.fromisoformat("2026-10-31 10:00")
    assert days(Every.MONTH_DATE, date(2027, 1, 31), last) == ["10-31", "12-31", "01-31"]
    assert days(Every.MONTH_WEEKDAY, date(2027, 1, 31), last) == [
        "10-31", "11-28", "12-26", "01-30",
    ]  # fmt: skip


@given(
    st.sampled_from(Every),
    st.datetimes(
        datetime.fromisoformat("2020-01-01 00:00"), datetime.fromisoformat("2040-01-01 00:00")
    ).map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(0, 700),
)
def test_what_repeats_begins_on_its_first_day_ends_by_its_last_and_is_read_back(every, at, more):
    until = at.date() + timedelta(days=more)
    text = repeating.rule(every, at, until)
    try:
        found = expand(at, at + LASTS, text)
    except BadRepeat:
        pytest.fail("nothing of this length is too often")
    assert found[0] == (at, at + LASTS)
    assert all(begins.date() <= until and ends - begins == LASTS for begins, ends in found)
    assert repeating.every(text) == (every, None if every is Every.ONCE else until)


def test_days_off_are_left_out():
    text = repeating.rule(Every.WEEK, STARTS, date(2026, 10, 17))
    found = expand(STARTS, STARTS + LASTS, text, [date(2026, 10, 10)])
    assert [at.day for at, _ in found] == [3, 17]
    with pytest.raises(BadRepeat, match="1日もありません"):
        expand(STARTS, STARTS + LASTS, text, [date(2026, 10, day) for day in (3, 10, 17)])


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (None, "最後の日を入れて"),
        (date(2026, 10, 2), "最初の日より後"),
        (date(2029, 10, 3), "2年まで"),
    ],
)
def test_what_cannot_repeat_so_is_said(until, said):
    with pytest.raises(BadRepeat, match=said):
        repeating.rule(Every.WEEK, STARTS, until)


MOMENTS = st.lists(
    st.datetimes(
        datetime.fromisoformat("2026-01-01 00:00"), datetime.fromisoformat("2026-01-09 00:00")
    ),
    max_size=8,
    unique=True,
)


@given(MOMENTS, MOMENTS)
def test_a_change_loses_no_time_and_uses_none_twice(before, now):
    found = match(before, now)
    assert sorted([*(old for old, _ in found.kept), *found.gone]) == sorted(before)
    assert sorted([*(new for _, new in found.kept), *found.added]) == sorted(now)
    for at in set(before) & set(now):
        assert (at, at) in found.kept


def test_another_hour_of_the_same_day_is_the_same_time_and_one_is_one():
    assert match([STARTS], [STARTS + LASTS]).kept == ((STARTS, STARTS + LASTS),)
    moved = STARTS + timedelta(days=9)
    assert match([STARTS], [moved]).kept == ((STARTS, moved),)
    week = STARTS + timedelta(days=7)
    assert match([STARTS, week], [moved]).gone == (STARTS, week)


@pytest.mark.parametrize(
    ("own", "department", "look", "keep", "see_people"),
    [
        (None, "", True, True, True),
        (None, "kodomo", True, True, True),
        (frozenset({"kodomo"}), "kodomo", True, True, True),
        (frozenset({"kodomo"}), "bunka", True, False, False),
        (frozenset({"kodomo"}), "", True, False, False),
        (frozenset(), "kodomo", True, False, False),
        (frozenset(), "", True, False, False),
    ],
)
def test_a_department_keeps_its_own_and_looks_at_others(own, department, look, keep, see_people):
    said = {deed.value: may(own, deed, department) for deed in Deed}
    assert said == {"look": look, "keep": keep, "see_people": see_people}


NOW = datetime(2026, 10, 1, tzinfo=UTC)
BEGINS = NOW + timedelta(days=2)
TERMS = Terms(takes=True, capacity=10, waits=True, opens=NOW, closes=24, most=3)


@pytest.mark.parametrize(
    ("terms", "now", "left", "cancelled", "found"),
    [
        (TERMS, NOW, 1, False, Door.OPEN),
        (TERMS, NOW, None, False, Door.OPEN),
        (TERMS, NOW, 0, False, Door.WAITING),
        (TERMS, NOW - timedelta(seconds=1), 1, False, Door.EARLY),
        (TERMS, closes_at(TERMS, BEGINS), 1, False, Door.LATE),
        (TERMS, BEGINS + LASTS, 1, False, Door.OVER),
        (TERMS, NOW, 1, True, Door.CANCELLED),
    ],
)
def test_one_may_sign_up_at_these_times(terms, now, left, cancelled, found):
    said = door(terms, starts=BEGINS, ends=BEGINS + LASTS, cancelled=cancelled, room=left, now=now)
    assert said is found
    assert said.lets_in == (found in (Door.OPEN, Door.WAITING))
