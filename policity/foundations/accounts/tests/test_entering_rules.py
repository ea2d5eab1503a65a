"""When the next try is, when a session is over, and what codes look like."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.accounts.rules import entering
from policity.foundations.accounts.rules.entering import Entered, How, wait
from policity.foundations.accounts.rules.limits import limits, parse

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=15)

seconds = st.integers(0, 3600)


@given(st.lists(seconds, max_size=40), st.integers(1, 10))
def test_there_are_never_more_failures_within_a_window_than_allowed(moments, most):
    """Somebody tries whenever they may; each try fails."""
    failures: list[datetime] = []
    for second in sorted(moments):
        now = NOW + timedelta(seconds=second)
        if not wait(failures, most=most, window=WINDOW, now=now):
            failures.append(now)
    for begins in failures:
        assert sum(begins <= at < begins + WINDOW for at in failures) <= most


@given(st.lists(seconds, max_size=20), st.integers(1, 10))
def test_who_waits_as_long_as_told_may_try_again_and_no_sooner(moments, most):
    failures = [NOW - timedelta(seconds=second) for second in moments]
    left = wait(failures, most=most, window=WINDOW, now=NOW)
    assert timedelta(0) <= left <= WINDOW
    assert not wait(failures, most=most, window=WINDOW, now=NOW + left)
    if left:
        just_before = NOW + left - timedelta(microseconds=1)
        assert wait(failures, most=most, window=WINDOW, now=just_before)


@pytest.mark.parametrize(
    ("began", "seen", "until", "over", "on_a_wall"),
    [
        (timedelta(0), timedelta(0), None, False, False),
        (timedelta(hours=13), timedelta(minutes=119), None, False, False),
        (timedelta(hours=13), timedelta(minutes=120), None, True, False),
        (timedelta(hours=14), timedelta(0), None, True, True),
        (timedelta(hours=8), timedelta(0), timedelta(0), True, True),
        (timedelta(hours=7), timedelta(0), timedelta(hours=1), False, False),
    ],
)
def test_a_session_ends_unused_or_old_or_when_it_was_said(began, seen, until, over, on_a_wall):
    ends = NOW + until if until is not None else None
    note = Entered(How.CODE, NOW - began, NOW - seen, ends)
    assert note.over(NOW, limits()) is over
    assert note.over(NOW, limits(), idle=False) is on_a_wall


def test_only_a_recent_sign_in_changes_keys():
    fresh, stale = (NOW - timedelta(minutes=n) for n in (14, 15))
    assert Entered(How.CODE, fresh, NOW).fresh(NOW, limits())
    assert not Entered(How.CODE, stale, NOW).fresh(NOW, limits())


@pytest.mark.parametrize("typed", ["123456", " １２３ ４５６ ", "123-456", "123　456"])
def test_a_code_is_read_as_people_type_it(typed):
    assert entering.typed_code(typed) == "123456"


@given(st.text(entering.GLASS_ALPHABET, min_size=30, max_size=30))
def test_the_printed_code_is_read_back(code):
    assert entering.typed_glass(entering.grouped(code)) == code
    assert entering.typed_glass(entering.grouped(code).lower().replace("0", "o")) == code


@pytest.mark.parametrize(
    ("methods", "context", "counts"),
    [
        (["pwd", "mfa"], None, True),
        (["pwd", "otp"], None, False),
        (["pwd"], None, False),
        ("mfa", None, False),
        (None, "phr", True),
        (None, "https://refeds.org/profile/mfa", True),
        (None, "0", False),
        (None, None, False),
    ],
)
def test_a_provider_that_asked_for_two_factors_says_so(methods, context, counts):
    assert entering.asserts_second(methods, context) is counts


def test_a_setting_that_is_no_number_is_named():
    with pytest.raises(ValueError, match=r"\[sessions\] idle_minutes"):
        parse("")
    with pytest.raises(ValueError, match="longest_hours"):
        parse("[sessions]\nidle_minutes = 5\nlongest_hours = true")
