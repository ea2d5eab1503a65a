"""When a disk, a clock, a certificate is well; and what is read when nothing can be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.continuity import queries
from policity.foundations.continuity.rules import health
from policity.foundations.continuity.rules.health import State
from policity.foundations.continuity.services import heard_time

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
GIB = health.GIB
SECONDS = st.integers(-(10**6), 10**6).map(lambda n: timedelta(seconds=n))


@pytest.mark.parametrize(
    ("free", "database", "state"),
    [
        (100 * GIB, 1 * GIB, State.GOOD),
        (5 * GIB, 1 * GIB, State.GOOD),
        (5 * GIB - 1, 1 * GIB, State.WEAK),
        (GIB // 2, 0, State.WEAK),
        (GIB // 2 - 1, 0, State.BROKEN),
        (0, 0, State.BROKEN),
    ],
)
def test_a_disk_needs_room_for_the_database_again(free, database, state):
    assert health.disk(free=free, database=database) == state


@given(st.integers(0, 2**45), st.integers(0, 2**40), st.integers(0, 2**40))
def test_more_room_is_never_worse_and_more_data_never_better(free, database, more):
    state = health.disk(free=free, database=database)
    assert health.disk(free=free + more, database=database) <= state
    assert health.disk(free=free, database=database + more) >= state


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.GOOD), (9, State.GOOD), (10, State.WEAK), (119, State.WEAK), (120, State.BROKEN)],
)
@pytest.mark.parametrize("way", [1, -1])
def test_a_clock_may_be_off_either_way(seconds, state, way):
    assert health.clock(timedelta(seconds=seconds * way)) == state


@given(st.lists(st.tuples(SECONDS, SECONDS), max_size=6))
def test_the_server_that_agrees_most_counts_and_only_what_is_fresh(heard):
    said = [(NOW + at, off) for at, off in heard]
    found = health.ahead(said, now=NOW)
    fresh = [abs(off) for at, off in heard if abs(at) <= health.CLOCK_HOLDS]
    assert (found is None) == (not fresh)
    assert found is None or abs(found) == min(fresh)


def test_nobody_to_compare_with_is_no_alarm():
    assert health.clock(None) == State.UNKNOWN


@pytest.mark.parametrize(
    ("days", "state"),
    [
        (90, State.GOOD),
        (21, State.GOOD),
        (20, State.WEAK),
        (3, State.WEAK),
        (2, State.BROKEN),
        (-1, State.BROKEN),
    ],
)
def test_a_certificate_that_was_not_renewed(days, state):
    assert health.certificate(NOW + timedelta(days=days), now=NOW) == state


def test_a_trial_that_was_long_ago():
    assert health.drilled(None, now=NOW) == State.WEAK
    assert health.drilled(NOW - timedelta(days=99), now=NOW) == State.GOOD
    assert health.drilled(NOW - timedelta(days=101), now=NOW) == State.WEAK


def test_what_servers_said_of_the_time_is_kept_side_by_side(tmp_path):
    (tmp_path / "run").mkdir()
    heard_time(tmp_path, "https://a", ahead=timedelta(seconds=300), now=NOW)
    assert queries.clock_ahead(tmp_path, now=NOW) == timedelta(seconds=300)
    heard_time(tmp_path, "https://b", ahead=timedelta(seconds=-1), now=NOW)
    assert queries.clock_ahead(tmp_path, now=NOW) == timedelta(seconds=-1)
    assert queries.clock_ahead(tmp_path, now=NOW + timedelta(hours=2)) is None


def test_a_note_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "run").mkdir()
    for text in ("", "{", "[1]"):
        (tmp_path / "run" / queries.CLOCKS).write_text(text)
        assert queries.noted(tmp_path, queries.CLOCKS) == {}
    assert queries.clock_ahead(tmp_path, now=NOW) is None


@pytest.mark.parametrize(
    ("status", "limit", "slot"),
    [
        ("reserved", "10GB", health.Slot.KEPT),
        ("extended", "10GB", health.Slot.KEPT),
        ("unreserved", "10GB", health.Slot.LOST),
        ("lost", "10GB", health.Slot.LOST),
        (None, "10GB", health.Slot.LOST),
        ("reserved", "-1", health.Slot.ENDLESS),
    ],
)
def test_a_servers_slot_has_a_word_for_each_state(status, limit, slot):
    assert health.slot(status, limit) == slot
