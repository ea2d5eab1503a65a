"""From samples to a curve, its times and its gaps: for all inputs."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.delivery.rules.ledger import GIVEN_UP, IN_DOUBT, NO_ADDRESS, State
from policity.foundations.delivery.rules.reach import (
    APART,
    MILESTONES,
    Cell,
    Sample,
    Split,
    Why,
    curve,
    pause,
    reached,
    short_of,
    split,
    time_to,
    why,
    worth_keeping,
)
from policity.foundations.residents.rules.ages import Band

BEGAN = datetime(2026, 11, 23, 3, tzinfo=UTC)
counts = st.tuples(*[st.integers(0, 300_000)] * len(State))


def sample(seconds: float, reached_: int, targets: int) -> Sample:
    states = [0] * len(State)
    states[State.QUEUED], states[State.HANDED] = targets - reached_, reached_
    return Sample(BEGAN + timedelta(seconds=seconds), targets, tuple(states))


@st.composite
def histories(draw):
    """A dispatch from its first targets to its last: any number reached at any moment."""
    targets = draw(st.integers(1, 200_000))
    moments = draw(st.lists(st.integers(0, 10_000), min_size=1, max_size=20, unique=True))
    return [sample(second, draw(st.integers(0, targets)), targets) for second in moments]


@given(counts)
def test_reached_is_every_state_from_handed_on(states):
    assert reached(states) == sum(states[4:])
    assert {State(n).word for n in range(4, len(State))} == {
        "handed", "delivered", "seen", "confirmed"
    }  # fmt: skip


@given(histories(), st.randoms())
def test_the_order_of_samples_does_not_matter(history, random):
    mixed = random.sample(history, len(history))
    assert curve(mixed, began=BEGAN) == curve(history, began=BEGAN)
    for share in MILESTONES:
        assert time_to(share, mixed, began=BEGAN) == time_to(share, history, began=BEGAN)


@given(histories())
def test_a_larger_share_never_takes_less_time(history):
    times = [time_to(share, history, began=BEGAN) for share in MILESTONES]
    said = [time for time in times if time is not None]
    assert said == sorted(said)
    # Once a share is not yet reached, no larger one is.
    assert times == said + [None] * (len(times) - len(said))


@given(histories(), st.sampled_from(MILESTONES))
def test_a_time_is_a_moment_from_which_on_the_share_was_held(history, share):
    found = time_to(share, history, began=BEGAN)
    newest = max(history, key=lambda one: one.at)
    targets = newest.targets
    if found is None:
        assert newest.reached < share * targets
    else:
        since = [one for one in history if one.at >= BEGAN + found]
        assert all(one.reached >= share * targets - 1e-6 for one in since)


@given(histories())
def test_the_curve_begins_with_nobody_and_stays_a_share(history):
    points = curve(history, began=BEGAN)
    assert (points[0].seconds, points[0].share) == (0, 0)
    assert [point.seconds for point in points] == sorted(point.seconds for point in points)
    assert all(0 <= point.share <= 1 for point in points)
    assert len(points) == len(history) + 1


def test_what_came_back_was_not_reached():
    rising = [sample(1, 50, 100), sample(5, 92, 100)]
    assert time_to(0.9, rising, began=BEGAN) == timedelta(seconds=5)
    bounced = [*rising, sample(60, 89, 100)]
    assert time_to(0.9, bounced, began=BEGAN) is None
    assert time_to(0.5, bounced, began=BEGAN) == timedelta(seconds=1)
    again = [*bounced, sample(90, 90, 100)]
    assert time_to(0.9, again, began=BEGAN) == timedelta(seconds=90)


def test_few_targets_at_first_make_no_early_time():
    grows = [sample(1, 4_000, 4_000), sample(9, 60_000, 100_000)]
    assert time_to(0.5, grows, began=BEGAN) == timedelta(seconds=9)
    assert curve(grows, began=BEGAN)[1].share == 0.04


def test_nobody_to_reach_is_no_curve():
    assert curve([], began=BEGAN) == curve([sample(1, 0, 0)], began=BEGAN) == ()
    assert time_to(0.5, [], began=BEGAN) is time_to(0.5, [sample(1, 0, 0)], began=BEGAN) is None


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.sampled_from(MILESTONES))
def test_how_many_are_missing_to_a_share(some, more, share):
    targets = some + more
    missing = short_of(share, reached=some, targets=targets)
    assert some + missing >= share * targets - 1e-6
    assert missing == 0 or some + missing - 1 < share * targets


@pytest.mark.parametrize(
    ("share", "targets", "missing"), [(0.95, 100, 95), (0.9, 10, 9), (0.5, 3, 2), (0.9, 0, 0)]
)
def test_missing_to_a_share_by_hand(share, targets, missing):
    assert short_of(share, reached=0, targets=targets) == missing


def test_samples_lie_apart_by_age_but_for_milestones():
    first = sample(0, 0, 100)
    assert worth_keeping(None, first, began=BEGAN)
    assert not worth_keeping(first, sample(50, 0, 100), began=BEGAN)
    old = sample(1000, 60, 100)
    assert not worth_keeping(old, sample(1000 / (1 - APART) - 1, 61, 100), began=BEGAN)
    assert worth_keeping(old, sample(1000 / (1 - APART) + 1, 61, 100), began=BEGAN)
    assert worth_keeping(old, sample(1001, 90, 100), began=BEGAN)


def test_a_day_of_answers_is_some_hundreds_of_samples():
    kept: list[Sample] = []
    for second in range(86_400):
        this = sample(second, second, 100_000)
        if worth_keeping(kept[-1] if kept else None, this, began=BEGAN):
            kept.append(this)
    assert 300 < len(kept) < 600


def test_a_counter_leaves_the_machine_to_the_senders():
    assert pause(timedelta(milliseconds=2)) == timedelta(seconds=1)
    assert pause(timedelta(seconds=0.5)) == timedelta(seconds=4.5)


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("550 5.1.1 <p1@example.jp>: no such user", Why.UNKNOWN),
        ("550 no such user", Why.UNKNOWN),
        ("5.1.1 smtp; 550 unknown", Why.UNKNOWN),
        ("552 5.2.2 mailbox full", Why.FULL),
        ("550 5.7.1 relay not permitted", Why.REFUSED),
        ("554 no thanks", Why.REFUSED),
        ("410 Gone", Why.GONE),
        ("404", Why.GONE),
        (IN_DOUBT, Why.IN_DOUBT),
        (GIVEN_UP, Why.GIVEN_UP),
        (NO_ADDRESS, Why.NO_ADDRESS),
        ("", Why.REFUSED),
    ],
)
def test_what_a_reason_means(reason, meaning):
    assert why(reason) is meaning


cells = st.lists(
    st.builds(
        Cell,
        town=st.none() | st.integers(1, 3),
        language=st.none() | st.sampled_from(["ja", "en"]),
        age=st.none() | st.sampled_from(Band),
        channels=st.dictionaries(
            st.sampled_from(["mail", "push", "none"]), st.sampled_from(State), min_size=1
        ),
        reason=st.sampled_from(["", "550 no", "552 full"]),
        persons=st.integers(1, 1000),
    )
)


@given(cells)
def test_everybody_stands_once_in_each_way_of_splitting(found):
    parts = split(found)
    persons = sum(cell.persons for cell in found)
    for state in State:
        there = sum(cell.persons for cell in found if max(cell.channels.values()) is state)
        assert parts.states[state] == there
        assert sum(counts[state] for counts in parts.towns.values()) == there
        assert sum(counts[state] for counts in parts.languages.values()) == there
        assert sum(counts[state] for counts in parts.ages.values()) == there
    assert sum(parts.states) == persons
    assert sum(parts.why.values()) == parts.states[State.FAILED]
    rows = sum(cell.persons * len(cell.channels) for cell in found)
    assert sum(map(sum, parts.channels.values())) == rows


@given(cells)
def test_a_split_comes_back_from_json_as_it_was(found):
    parts = split(found)
    assert Split.unpack(json.loads(json.dumps(parts.pack()))) == parts
