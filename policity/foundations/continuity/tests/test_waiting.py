"""In which order what was kept comes in: whatever came, for every sender as they sent it."""

from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.continuity.rules.waiting import Kept, order, parse

hexes = st.text("0123456789abcdef", min_size=16, max_size=16)
kept = st.builds(
    Kept, st.booleans(), st.integers(0, 50), st.sampled_from(["a" * 16, "b" * 16, "c" * 16]), hexes
)
several = st.lists(kept, unique_by=lambda one: one.once)


@given(kept)
def test_a_file_s_name_says_what_it_is(one):
    assert parse(str(one)) == one


@given(st.text())
def test_what_is_no_form_s_name_is_none(name):
    found = parse(name)
    assert found is None or str(found) == name


@given(several)
def test_nothing_is_lost_and_everybody_s_own_order_stays(found):
    ordered = order(found)
    assert sorted(ordered, key=str) == sorted(found, key=str)
    for whose in {one.whose for one in found}:
        moments = [one.at for one in ordered if one.whose == whose]
        assert moments == sorted(moments)


@given(several)
def test_before_a_call_comes_only_who_calls_too(found):
    ordered = order(found)
    calls = [place for place, one in enumerate(ordered) if one.call]
    callers = {one.whose for one in found if one.call}
    if calls:
        assert {one.whose for one in ordered[: calls[-1]]} <= callers


@given(several)
def test_calls_come_in_as_they_were_sent(found):
    moments = [one.at for one in order(found) if one.call]
    assert moments == sorted(moments)
