"""A trail that was changed says so, whatever was changed; one that was not is quiet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.accounts.rules.chain import BEGINNING, Entry, Link, check, digest, head

words = st.text(max_size=8)


@st.composite
def trails(draw, least=1):
    """Some entries, chained."""
    said = draw(st.lists(st.tuples(words, words, words, words, words), min_size=least, max_size=12))
    return chained([Entry(number, *cells) for number, cells in enumerate(said, 1)])


def chained(entries):
    links, before = [], BEGINNING
    for entry in entries:
        before = digest(entry, before)
        links.append(Link(entry, before))
    return links


def heads(links):
    return {link.entry.number: link.digest for link in links}


@given(trails(least=0), st.data())
def test_an_honest_trail_is_quiet(links, data):
    kept = data.draw(st.sets(st.sampled_from(links))) if links else []
    assert list(check(links, heads(kept))) == []


@given(trails(), st.data())
def test_a_changed_entry_shows_by_itself(links, data):
    at = data.draw(st.integers(0, len(links) - 1))
    field = data.draw(st.sampled_from(["at", "by", "act", "on", "detail"]))
    old = links[at].entry
    new = data.draw(words.filter(lambda text: text != getattr(old, field)))
    links[at] = links[at]._replace(entry=old._replace(**{field: new}))
    assert [fault.number for fault in check(links, {})] == [old.number]


@given(trails(), st.data())
def test_a_word_that_moves_to_the_next_field_shows(links, data):
    at = data.draw(st.integers(0, len(links) - 1))
    old = links[at].entry
    new = old._replace(by=old.by + old.act, act="")
    links[at] = links[at]._replace(entry=new)
    assert bool(list(check(links, {}))) == (new != old)


@given(trails(least=2), st.data())
def test_a_hole_shows_by_itself(links, data):
    at = data.draw(st.integers(0, len(links) - 2))
    gone = links.pop(at).entry.number
    assert gone in [fault.number for fault in check(links, {})]


@given(trails(), st.data())
def test_a_tail_that_was_cut_off_shows_against_a_head(links, data):
    kept = data.draw(st.integers(0, len(links) - 1))
    assert list(check(links[:kept], {})) == []
    known = heads(links[-1:])
    assert [fault.number for fault in check(links[:kept], known)] == [kept + 1]


@given(trails(), st.data())
def test_a_trail_made_anew_shows_against_any_later_head(links, data):
    at = data.draw(st.integers(0, len(links) - 1))
    entries = [link.entry for link in links]
    entries[at] = entries[at]._replace(detail=entries[at].detail + "!")
    again = chained(entries)
    assert list(check(again, {})) == []
    seen = data.draw(st.sampled_from(links[at:]))
    assert [fault.number for fault in check(again, heads([seen]))] == [seen.entry.number]
    # A head from before the change cannot know.
    assert list(check(again, heads(links[:at]))) == []


def test_two_entries_that_trade_places_show():
    one, two = chained([Entry(1, "", "", "a", "", ""), Entry(2, "", "", "b", "", "")])
    swapped = [
        Link(two.entry._replace(number=1), one.digest),
        Link(one.entry._replace(number=2), two.digest),
    ]
    assert [fault.number for fault in check(swapped, {})] == [1, 2]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"7 {'a' * 64} 2026-11-26T00:00:00+00:00\n", (7, "a" * 64)),
        (f"7 {'a' * 64}", (7, "a" * 64)),
        ("", None),
        ("7 short", None),
        (f"x {'a' * 64}", None),
    ],
)
def test_a_head_is_a_line(line, found):
    assert head(line) == found
