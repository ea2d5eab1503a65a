"""So many at once, then one for each span; nobody pays for another."""

import re
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit import limits
from policity.kit.limits import Counted, Counter, Limit, parse

LIMIT = Limit("x", re.compile("x"), frozenset({"POST"}), Counted.ADDRESS, 3, 10.0)
SHIPPED = (files("policity.project") / "facts/limits.toml").read_text("utf-8")


def test_three_at_once_then_one_each_ten_seconds():
    counter = Counter()
    waits = [counter.wait([(LIMIT, "a")], now=100.0) for _ in range(5)]
    assert waits == [0, 0, 0, 10, 10]
    assert counter.wait([(LIMIT, "a")], now=109.0) == 1
    assert counter.wait([(LIMIT, "a")], now=110.0) == 0
    assert counter.wait([(LIMIT, "a")], now=110.0) == 10
    # Who is refused pays nothing for asking.
    assert counter.wait([(LIMIT, "b")], now=110.0) == 0
    assert [counter.wait([(LIMIT, "a")], now=1000.0) for _ in range(4)] == [0, 0, 0, 10]


def test_who_is_refused_at_one_limit_pays_at_no_other():
    """A neighbour who asks on and on does not use up the day of everybody at their address."""
    day = replace(LIMIT, name="day", at_once=10, every=3600.0)
    counter = Counter()
    both = [(LIMIT, "a"), (day, "a")]
    waits = [counter.wait(both, now=0.0) for _ in range(100)]
    assert waits == [0, 0, 0] + [10] * 97
    # Three were let through, so seven of the day are left.
    assert [counter.wait([(day, "a")], now=0.0) for _ in range(8)] == [0] * 7 + [3600]
    # The longer of two waits is the one to keep, and then the other is over as well.
    assert counter.wait(both, now=0.0) == 3600


@given(
    st.integers(1, 20),
    st.floats(0.05, 100),
    st.lists(st.floats(0, 50), min_size=1, max_size=60),
)
def test_never_more_than_the_allowance_and_what_is_promised_holds(at_once, every, pauses):
    limit = Limit("x", re.compile(""), frozenset(), Counted.LINK, at_once, every)
    counter, now, passed = Counter(), 0.0, []
    for pause in pauses:
        now += pause
        if wait := counter.wait([(limit, "a")], now=now):
            # The moment that was named is the moment at which one may pass.
            now += wait
            assert counter.wait([(limit, "a")], now=now + 1e-6) == 0
        passed.append(now)
        since = now - passed[0]
        assert len(passed) <= at_once + since / every + 1 + 1e-6


def test_strangers_do_not_fill_the_memory_and_who_did_most_is_remembered(monkeypatch):
    monkeypatch.setattr(limits, "MOST_COUNTED", 100)
    counter = Counter()
    for _ in range(3):
        counter.wait([(LIMIT, "loud")], now=0.0)
    for number in range(1000):
        counter.wait([(LIMIT, number)], now=0.0)
    assert len(counter._full_at) <= 100
    assert counter.wait([(LIMIT, "loud")], now=0.0) == 10


def test_those_that_ship_cover_what_they_are_named_for():
    found = {limit.name: limit for limit in parse(SHIPPED)}
    assert found["register"].covers("POST", "en/register/")
    assert not found["register"].covers("GET", "register/")
    assert found["reply"].covers("POST", "ko/reply/<link>/more/")
    assert found["change"].covers("POST", "me/<str:link>/mail/")
    # A school of 300 registers in one hour, a shelter of 5,000 answers in some minutes.
    counter = Counter()
    for limit, many in (("register", 300), ("reply_from_one_address", 5000)):
        assert not any(counter.wait([(found[limit], "a")], now=0.0) for _ in range(many))


GOOD = """[x]
route = "x"
methods = ["POST"]
counts = "link"
at_once = 3
every_seconds = 1.5
"""


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("at_once = 3", "at_once = 0"),
        ("at_once = 3", "at_once = 1.5"),
        ("at_once = 3", ""),
        ("every_seconds = 1.5", "every_seconds = 0"),
        ("every_seconds = 1.5", "every_seconds = true"),
        ('counts = "link"', 'counts = "cookie"'),
        ('route = "x"', 'route = "("'),
        ('methods = ["POST"]', "methods = []"),
    ],
)
def test_what_cannot_be_used_is_named(line, instead):
    assert parse(GOOD)
    with pytest.raises(ValueError, match=r"\[x\]"):
        parse(GOOD.replace(line, instead))
