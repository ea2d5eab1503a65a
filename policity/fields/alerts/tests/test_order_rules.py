"""The law of evacuation information: what stands, what a decision changes, who may decide."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules import orders as law
from policity.fields.alerts.rules.bulletin import Severity
from policity.fields.alerts.rules.orders import Decision, Level, Move

AT = datetime(2026, 9, 18, tzinfo=UTC)
TOWNS = st.frozensets(st.integers(1, 6), min_size=1)
LEVELS = st.sampled_from([None, *Level])


@st.composite
def histories(draw):
    decided = draw(st.lists(st.tuples(LEVELS, TOWNS), max_size=8))
    return [Decision(n, level, towns, "flood", AT) for n, (level, towns) in enumerate(decided, 1)]


@given(histories(), st.integers(1, 6))
def test_what_was_decided_last_for_a_town_stands_there(history, town):
    about = [decision for decision in history if town in decision.towns]
    found = law.standing(history).get(town)
    assert found == (about[-1] if about and about[-1].level else None)


@given(histories())
def test_an_error_taken_back_leaves_what_stood_before_it(history):
    for error in history:
        without = [decision for decision in history if decision is not error]
        after = law.standing(without)
        assert error not in after.values()
        untouched = {t: d for t, d in law.standing(history).items() if d is not error}
        assert {town: after[town] for town in untouched} == untouched


@given(histories(), LEVELS, TOWNS)
def test_moves_tell_the_difference(history, level, towns):
    before = law.standing(history)
    decision = Decision(99, level, towns, "flood", AT)
    after = law.standing([*history, decision])
    moves = law.moves(before, decision)
    for town in range(1, 7):
        was, now = before.get(town), after.get(town)
        if town not in towns:
            assert town not in moves
            assert was == now
            continue
        expected = None
        if now is None:
            expected = Move.LIFTED if was else None
        elif was is None:
            expected = Move.ISSUED
        elif was.level == now.level:
            expected = Move.REPEATED
        else:
            expected = Move.RAISED if now.level > was.level else Move.LOWERED
        assert moves.get(town) == expected


@given(histories(), TOWNS)
def test_replaced_is_what_stands_nowhere_any_more(history, towns):
    before = law.standing(history)
    after = law.standing([*history, Decision(99, Level.EVACUATE, towns, "flood", AT)])
    gone = {d.id for d in before.values()} - {d.id for d in after.values()}
    assert law.replaced(before, towns) == tuple(sorted(gone))


@given(histories())
def test_a_course_ends_with_what_stands_and_accounts_for_every_decision(history):
    course = law.course(history)
    assert course.stands == law.standing(history)
    standing = {decision.id for decision in course.stands.values()}
    for decision in history:
        stood = decision.level is not None
        assert (decision.id in standing | course.ended.keys()) == stood
        assert not (decision.id in standing and decision.id in course.ended)
    assert all(one < later.id for one, later in course.ended.items())


@given(histories())
def test_the_turns_of_a_course_are_the_moves_of_its_decisions(history):
    before: dict[int, Decision] = {}
    turns = law.course(history).turns
    for n, decision in enumerate(history, 1):
        mine = [turn for turn in turns if turn.decision == decision.id]
        told = {town: turn.move for turn in mine for town in turn.towns}
        assert told == law.moves(before, decision)
        assert sum(len(turn.towns) for turn in mine) == len(told)
        for turn in mine:
            was = {before[town] for town in turn.towns if town in before}
            assert turn.stood == {one.id for one in was}
            if turn.move is Move.LIFTED:
                assert {one.level for one in was} == {turn.level}
            else:
                assert turn.level == decision.level
        before = law.standing(history[:n])


@given(histories(), TOWNS)
def test_a_lifting_is_heard_by_whoever_heard_what_it_lifts(history, towns):
    before = law.standing(history)
    heard = law.heard_as(before, Decision(99, None, towns, "", AT))
    for town in towns & before.keys():
        assert heard.rank >= before[town].level.severity.rank


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (Level.ELDERLY, Severity.MODERATE),
        (Level.EVACUATE, Severity.SEVERE),
        (Level.SECURE, Severity.EXTREME),
    ],
)
def test_a_level_is_as_grave_as_people_choose_by(level, severity):
    assert level.severity is severity


STANDS = {1: Decision(1, Level.ELDERLY, frozenset({1}), "flood", AT)}
GOOD = {
    "level": Level.EVACUATE, "towns": [1], "known": [1, 2], "reason": "flood",
    "reasons": ["flood", "other"], "notes": {}, "before": STANDS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"towns": []}, ["町がえらばれていません"]),
        ({"towns": [1, 9]}, ["この市にない町が1"]),
        ({"level": None, "towns": [2]}, ["避難情報は出ていません"]),
        ({"level": None, "towns": [1, 2], "reason": ""}, []),
        ({"reason": ""}, ["理由がえらばれていません"]),
        ({"reason": "storm"}, ["理由がえらばれていません"]),
        ({"reason": "other"}, ["何が危険かを書いて"]),
        ({"reason": "other", "notes": {"ja": "不発弾"}}, []),
        ({"notes": {"en": "x" * 201}}, ["200字まで"]),
        ({"notes": {"ja-easy": "{橋|はし}は だめ"}}, []),
        ({"notes": {"ja-easy": "{橋|はしは だめ"}}, ["ふりがなは"]),
        ({"notes": {"ja": "a|b"}}, ["ふりがなは"]),
        ({"towns": [], "reason": ""}, ["町がえらばれていません", "理由が"]),
    ],
)
def test_what_cannot_be_issued_says_why(changes, said):
    found = law.faults(**{**GOOD, **changes})
    assert len(found) == len(said)
    assert all(part in fault for part, fault in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("composers", "alone", "reason", "may"),
    [
        ({2}, False, "", True),
        ({2, 3}, True, "", True),
        ({1}, False, "", False),
        ({1}, False, "夜間で一人", False),
        ({1, 2}, True, "", False),
        ({1, 2}, True, "　", False),
        ({1}, True, "夜間で一人", True),
    ],
)
def test_two_persons_or_one_who_may_and_says_why(composers, alone, reason, may):
    said = law.refusal(composers=composers, approver=1, alone=alone, reason=reason)
    assert (said == "") == may
