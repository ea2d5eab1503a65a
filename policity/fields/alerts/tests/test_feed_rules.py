"""What is worth fetching, when to wait, when something may be missing, what is still owed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules.bulletin import Change, Severity
from policity.fields.alerts.rules.codes import KINDS
from policity.fields.alerts.rules.feeds import feed_rules, parse
from policity.fields.alerts.rules.owed import owed
from policity.kit.web import is_web_address, same_host, server_time

TOKYO = ("1322900", "130013", "130010", "130000")
SOYA = ("0121400", "011011", "011010", "011000")
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DATA = "https://www.data.jma.go.jp/developer/xml/data"


@pytest.mark.parametrize(
    ("name", "lineage", "fetched"),
    [
        ("20260901120000_0_VPWW54_130000.xml", TOKYO, True),
        ("20260901120000_0_VPWW54_140000.xml", TOKYO, False),
        ("20260901120000_0_VPWW55_130000.xml", TOKYO, True),
        ("20260901120000_0_VPFJ50_130000.xml", TOKYO, False),
        ("20260901120000_0_VPBS50_010300.xml", TOKYO, True),
        ("20260901120000_0_VXKO56_270000.xml", TOKYO, True),
        ("20260901120000_0_VXSE53_270000.xml", TOKYO, True),
        ("20260901120000_0_VTSE41_010000.xml", TOKYO, True),
        ("20260901120000_0_VXSE43_010000.xml", TOKYO, False),
        ("20260901120000_0_VPWW54_011000.xml", SOYA, True),
        ("20260901120000_0_VPWW54_016000.xml", SOYA, True),
        ("20260901120000_0_VPWW54_130000.xml", SOYA, False),
        ("15_12_02_161130_VPWW54.xml", TOKYO, True),
        ("alert.cap", TOKYO, True),
    ],
)
def test_only_what_can_concern_the_city_is_fetched(name, lineage, fetched):
    assert feed_rules().concerns(f"{DATA}/{name}", lineage) is fetched


def test_no_kind_that_gives_events_is_left_out():
    for kind in KINDS.values():
        code = kind.code if kind.code[-1].isdigit() else f"{kind.code}50"
        assert feed_rules().concerns(f"{DATA}/20260901120000_0_{code}_130000.xml", TOKYO)
    assert feed_rules().anywhere <= {kind.family for kind in KINDS.values()}


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://www.data.jma.go.jp/developer/xml/feed/extra.xml", True),
        ("http://127.0.0.1:8000/feed.xml", True),
        ("http://[::1]:8000/feed.xml", True),
        ("ftp://a/b", False),
        ("http://user@a/b", False),
        ("http://evil\\@a/b", False),
        ("http://a", False),
        ("http://a/b c", False),
        ("//a/b", False),
    ],
)
def test_only_plain_addresses_are_addresses(address, good):
    assert is_web_address(address) is good


@pytest.mark.parametrize(
    ("link", "same"),
    [
        ("http://h/data/1.xml", True),
        ("http://h:80/data/1.xml", True),
        ("http://H/data/1.xml", True),
        ("https://h/data/1.xml", True),
        ("http://h:81/data/1.xml", False),
        ("http://h.evil/data/1.xml", False),
        ("http://evil/h/1.xml", False),
        ("http://h@evil/1.xml", False),
        ("http://evil\\@h/1.xml", False),
        ("http://169.254.169.254/1.xml", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_link_stays_with_its_feed(link, same):
    assert same_host("http://h/feed.xml", link) is same


def test_https_is_never_given_up():
    assert not same_host("https://h/feed.xml", "http://h/1.xml")


@given(st.integers(1, 10_000))
def test_waiting_doubles_up_to_the_longest(failures):
    wait = feed_rules().wait_after(failures)
    assert timedelta(seconds=60) <= wait <= timedelta(minutes=15)
    assert wait <= feed_rules().wait_after(failures + 1) <= 2 * wait


@pytest.mark.parametrize(
    ("away", "newest", "oldest", "gap"),
    [
        (None, None, 5, True),
        (1, None, 1, False),
        (30, None, 5, True),
        (1, 180, 1, False),
        (9, 180, 1, False),
        (30, 40, 5, True),
        (30, 40, 40, False),
        (30, 40, 50, False),
        (30, 40, None, True),
    ],
    ids=[
        "never read",
        "empty, then the first entry",
        "empty, then away",
        "quiet, then an entry",
        "away for less than it holds",
        "away, and the oldest listed is newer",
        "away, but it reaches back",
        "away, but it reaches back further",
        "away, and it lists nothing",
    ],
)
def test_a_gap_is_where_something_may_have_come_and_gone(away, newest, oldest, gap):
    def ago(minutes: int | None) -> datetime | None:
        return None if minutes is None else NOW - timedelta(minutes=minutes)

    found = feed_rules().is_gap(
        answered_at=ago(away), newest=ago(newest), oldest_listed=ago(oldest), now=NOW
    )
    assert found is gap


def test_a_faulty_file_is_named():
    with pytest.raises(ValueError, match=r"feeds\.toml: 'reading'"):
        parse("")


STANDINGS = st.one_of(
    st.none(), st.tuples(st.sampled_from(Severity), st.sampled_from([None, 2, 3, 4, 5]))
)


@given(STANDINGS, STANDINGS)
def test_people_hear_exactly_what_they_do_not_know(told, stands):
    change = owed(told, stands)
    if told == stands:
        assert change is None
    elif told is None:
        assert change is Change.CONTINUED
    elif stands is None:
        assert change is Change.CANCELLED
    elif (told[0].rank, told[1] or 0) != (stands[0].rank, stands[1] or 0):
        assert change is (
            Change.RAISED
            if (stands[0].rank, stands[1] or 0) > (told[0].rank, told[1] or 0)
            else Change.LOWERED
        )


@pytest.mark.parametrize(
    ("date", "age", "said"),
    [
        ("Thu, 26 Nov 2026 03:00:00 GMT", "", datetime(2026, 11, 26, 3, tzinfo=UTC)),
        ("Thu, 26 Nov 2026 03:00:00 GMT", "60", datetime(2026, 11, 26, 3, 1, tzinfo=UTC)),
        ("", "", None),
        ("yesterday", "", None),
        ("Thu, 26 Nov 2026 03:00:00 GMT", "old", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "60", None),
    ],
)
def test_a_servers_clock_is_read_from_its_answer(date, age, said):
    assert server_time(date, age=age) == said
