"""Who may be told to go where: the law of it, for every site and every day."""

from collections.abc import Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.places.rules.openings import (
    LONGEST_NOTE,
    MOST_EVACUEES,
    OPENNESS_NAMES,
    OPENNESS_WORDS,
    Openness,
    Use,
    asked_of,
    problem,
    use_of,
)
from policity.foundations.places.rules.sites import HAZARDS, Kind

SHUT = {Openness.UNOPENED, Openness.CLOSED}
some_hazards = st.frozensets(st.sampled_from(HAZARDS))
kinds = st.sampled_from(Kind)
states = st.sampled_from(Openness)


def said(kind: Kind, own: Set[str], state: Openness, hazards: Set[str], may_go: bool) -> Use:
    """Of a site in a city that has others for every hazard."""
    return use_of(
        kind, own, state, hazards=hazards, asked=asked_of(hazards, [HAZARDS]), may_go=may_go
    )


@given(kinds, some_hazards, states, some_hazards, st.booleans())
def test_go_there_now_needs_all_of_it(
    kind: Kind, own: frozenset[str], state: Openness, hazards: frozenset[str], may_go: bool
) -> None:
    go = said(kind, own, state, hazards, may_go) is Use.GO
    assert go == (
        may_go
        and kind is Kind.EMERGENCY_SITE
        and state in (Openness.OPEN, Openness.CROWDED)
        and bool(hazards)
        and hazards <= own
    )


@given(some_hazards, states, some_hazards, st.booleans())
def test_a_welfare_shelter_is_for_nobody_without_asking(
    own: frozenset[str], state: Openness, hazards: frozenset[str], may_go: bool
) -> None:
    assert said(Kind.WELFARE_SHELTER, own, state, hazards, may_go) in (Use.ASK_FIRST, Use.UNSAID)


@given(kinds, some_hazards, states, some_hazards)
def test_where_nobody_may_go_out_nothing_is_said(
    kind: Kind, own: frozenset[str], state: Openness, hazards: frozenset[str]
) -> None:
    assert said(kind, own, state, hazards, False) is Use.UNSAID


@given(kinds, some_hazards, states, some_hazards, st.booleans())
def test_what_is_shut_is_not_spoken_of_and_what_is_full_has_no_room(
    kind: Kind, own: frozenset[str], state: Openness, hazards: frozenset[str], may_go: bool
) -> None:
    use = said(kind, own, state, hazards, may_go)
    if state in SHUT:
        assert use is Use.UNSAID
    if state is Openness.FULL:
        assert use not in (Use.GO, Use.OPEN, Use.STAY)


@given(some_hazards, some_hazards, st.booleans())
def test_a_shelter_is_a_place_to_stay_whatever_happens(
    own: frozenset[str], hazards: frozenset[str], may_go: bool
) -> None:
    use = said(Kind.SHELTER, own, Openness.OPEN, hazards, may_go)
    assert use is (Use.STAY if may_go else Use.UNSAID)


@given(some_hazards, st.lists(some_hazards))
def test_only_a_hazard_without_any_site_is_not_asked_for(
    hazards: frozenset[str], designated: list[frozenset[str]]
) -> None:
    asked = asked_of(hazards, designated)
    assert set(asked) == {h for h in hazards if any(h in site for site in designated)}
    assert list(asked) == [hazard for hazard in HAZARDS if hazard in asked]


@given(some_hazards.filter(bool), states, some_hazards)
def test_where_no_site_of_the_city_is_for_it_nobody_is_sent(
    hazards: frozenset[str], state: Openness, own: frozenset[str]
) -> None:
    use = use_of(Kind.EMERGENCY_SITE, own, state, hazards=hazards, asked=(), may_go=True)
    assert use in (Use.UNFIT, Use.UNSAID)


def test_what_nobody_mapped_hides_no_site_from_the_flood() -> None:
    hazards = ("flood", "inland_flood")
    asked = asked_of(hazards, [{"flood", "earthquake"}, {"earthquake"}])
    assert asked == ("flood",)
    for own, use in (({"flood", "earthquake"}, Use.GO), ({"earthquake"}, Use.UNFIT)):
        assert (
            use_of(
                Kind.EMERGENCY_SITE, own, Openness.OPEN, hazards=hazards, asked=asked, may_go=True
            )
            is use
        )


def test_a_day_without_a_hazard_gives_no_reason_to_go() -> None:
    assert said(Kind.EMERGENCY_SITE, set(), Openness.OPEN, set(), True) is Use.OPEN


def test_boxes_say_how_much_room_is_left() -> None:
    assert {state: state.boxes for state in Openness} == {
        Openness.UNOPENED: 0,
        Openness.OPEN: 1,
        Openness.CROWDED: 2,
        Openness.FULL: 3,
        Openness.CLOSED: 0,
    }
    assert {state for state in Openness if state.is_open} == set(Openness) - SHUT
    assert set(OPENNESS_NAMES) == set(OPENNESS_WORDS) == set(Openness)


@pytest.mark.parametrize(
    ("evacuees", "note", "wrong"),
    [
        (None, "", False),
        (0, "x" * LONGEST_NOTE, False),
        (MOST_EVACUEES, "", False),
        (-1, "", True),
        (MOST_EVACUEES + 1, "", True),
        (None, "x" * (LONGEST_NOTE + 1), True),
    ],
)
def test_what_cannot_be_is_said_in_japanese(evacuees: int | None, note: str, wrong: bool) -> None:
    assert bool(problem(evacuees, note)) is wrong
