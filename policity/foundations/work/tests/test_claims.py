"""One claim verb: nothing is lost, nothing is done by two at once, nothing late applies."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from policity.foundations.work import queries, services
from policity.foundations.work.models import Item
from policity.foundations.work.rules import LONGEST_WAIT, backoff
from policity.kit.declare import Lane

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def claim(
    *, lane: Lane = Lane.ROUTINE, now: datetime = NOW, limit: int = 10
) -> tuple[services.Claim, ...]:
    return services.claim("k", lane=lane, now=now, lease=MINUTE, limit=limit)


def put(*keys: str, lane: Lane = Lane.ROUTINE, due: datetime = NOW) -> None:
    services.put("k", keys, lane=lane, due=due)


@dataclass
class Wanted:
    """What the model knows of one item."""

    due: datetime
    reasons: int = 1
    attempt: int = 0
    leased_until: datetime = NOW
    life: int = 0
    seen: int = 0


class Claims(RuleBasedStateMachine):
    """Workers that come and go, against a dictionary that does it right."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        Item.objects.all().delete()
        self.now = NOW
        self.wanted: dict[str, Wanted] = {}
        self.lives = 0

    @rule(keys=st.sets(st.sampled_from("abcd"), min_size=1), wait=st.integers(0, 90))
    def ask(self, keys, wait):
        due = self.now + timedelta(seconds=wait)
        put(*keys, due=due)
        for key in keys:
            if item := self.wanted.get(key):
                item.reasons += 1
                item.due = min(item.due, due)
            else:
                self.lives += 1
                self.wanted[key] = Wanted(due, life=self.lives)

    @rule(seconds=st.integers(1, 100))
    def pass_time(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(target=held, limit=st.integers(1, 4))
    def take(self, limit):
        free = {
            key
            for key, item in self.wanted.items()
            if item.due <= self.now and item.leased_until <= self.now
        }
        taken = claim(now=self.now, limit=limit)
        keys = {one.key for one in taken}
        assert keys <= free, "taken while somebody else holds it, or before it is due"
        assert len(keys) == min(limit, len(free)), "due and free, but not given"
        for key in keys:
            item = self.wanted[key]
            item.attempt += 1
            item.leased_until = self.now + MINUTE
            item.seen = item.reasons
        return multiple(*((one, self.wanted[one.key].life) for one in taken))

    def latest(self, one: services.Claim, life: int) -> Wanted | None:
        item = self.wanted.get(one.key)
        return item if item and item.life == life and item.attempt == one.attempt else None

    @rule(pair=held)
    def finish(self, pair):
        services.done([pair[0]])
        if item := self.latest(*pair):
            item.leased_until = self.now
            if item.seen == item.reasons:
                del self.wanted[pair[0].key]

    @rule(pair=held)
    def fail(self, pair):
        services.retry(pair[0], error="broken", now=self.now, jitter=0)
        if item := self.latest(*pair):
            item.leased_until = self.now
            if item.seen == item.reasons:
                item.due = self.now + backoff(item.attempt, jitter=0)

    @rule(pair=held, far=st.integers(0, 9))
    def go_on(self, pair, far):
        ours = services.progress(pair[0], {"far": far}, now=self.now, lease=MINUTE)
        item = self.latest(*pair)
        assert ours == bool(item)
        if item:
            item.leased_until = self.now + MINUTE
            assert Item.objects.get(key=pair[0].key).progress == {"far": far}

    @precondition(lambda self: self.wanted)
    @rule()
    def everybody_died(self):
        services.release(["k"])
        for item in self.wanted.values():
            item.leased_until = min(item.leased_until, self.now)

    @invariant()
    def nothing_is_lost(self):
        stored = {item.key: item for item in Item.objects.all()}
        assert stored.keys() == self.wanted.keys()
        for key, item in self.wanted.items():
            assert stored[key].due == item.due
            assert stored[key].attempt == item.attempt
            assert stored[key].version == item.reasons


@pytest.mark.django_db
def test_claims_against_a_model():
    run_state_machine_as_test(
        Claims, settings=settings(max_examples=60, stateful_step_count=25, deadline=None)
    )


@pytest.mark.django_db
def test_a_late_result_does_not_apply_to_the_item_s_next_life():
    put("a")
    (late,) = claim()
    (second,) = claim(now=NOW + 2 * MINUTE)
    services.done([second])
    put("a")
    (third,) = claim()
    assert third.attempt == late.attempt
    services.done([late])
    assert Item.objects.filter(key="a").exists()


@pytest.mark.django_db
def test_a_reason_during_a_run_calls_for_another_run():
    put("a")
    (held,) = claim()
    put("a")
    services.done([held])
    assert [one.key for one in claim()] == ["a"]


@pytest.mark.django_db
def test_a_failure_waits_longer_each_time_and_keeps_its_reason():
    put("a")
    (held,) = claim()
    services.retry(held, error="ValueError: no", now=NOW, jitter=0)
    assert Item.objects.get().last_error == "ValueError: no"
    assert claim() == ()
    (held,) = claim(now=NOW + timedelta(seconds=1))
    assert held.attempt == 2


@pytest.mark.django_db
def test_the_more_urgent_lane_wins():
    put("a", "b", lane=Lane.ROUTINE)
    put("a", lane=Lane.URGENT)
    put("a", lane=Lane.ROUTINE)
    assert queries.due(["k"], now=NOW) == {("k", Lane.URGENT): 1, ("k", Lane.ROUTINE): 1}
    assert [one.key for one in claim(lane=Lane.URGENT)] == ["a"]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 5000])
def test_putting_is_one_query_for_any_number(count):
    with CaptureQueriesContext(connection) as captured:
        put(*(str(number) for number in range(count)))
    # PostgreSQL's says to who waits that there is something.
    assert len(captured) == 1 + (connection.vendor == "postgresql")
    assert queries.due(["k"], now=NOW) == {("k", Lane.ROUTINE): count}


@pytest.mark.django_db
def test_nothing_to_put_is_nothing_to_do():
    put()
    assert not Item.objects.exists()


@given(attempt=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_backoff_grows_and_is_bounded(attempt, jitter):
    wait = backoff(attempt, jitter=jitter)
    assert timedelta(seconds=0.5) <= wait <= LONGEST_WAIT
    assert backoff(attempt + 1, jitter=jitter) >= wait
    assert backoff(attempt, jitter=1) <= wait <= backoff(attempt, jitter=0)
