"""What may become of a row, and which channel may claim what."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.delivery.channels.desk import Log, Tray
from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.formats.handlog import Key
from policity.foundations.delivery.rules.batches import Batch
from policity.foundations.delivery.rules.handing import Answer, Item, Result
from policity.foundations.delivery.rules.ledger import NO_CHANNEL, PROVES, State, befores, resends
from policity.foundations.delivery.rules.pace import Pace, parse, rates
from policity.foundations.residents.models import Channel


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_a_person_who_answered_is_never_unreached(before, after):
    may = before in befores(after)
    if before is after or before in (State.UNREACHABLE, State.CONFIRMED):
        assert not may
    if before is State.SEEN:
        assert may == (after is State.CONFIRMED)
    if after is State.QUEUED:
        assert not may


def test_what_was_taken_while_it_was_withdrawn_was_taken():
    assert State.WITHDRAWN in befores(State.HANDED)
    assert State.HANDED not in befores(State.WITHDRAWN)


def test_each_channel_proves_what_it_can_and_nobody_else_does():
    assert PROVES.keys() == {*Channel.values, NO_CHANNEL}
    assert State.DELIVERED not in PROVES["push"]
    assert not PROVES[NO_CHANNEL]
    for proofs in PROVES.values():
        assert not proofs.keys() & {State.QUEUED, State.WITHDRAWN, State.UNREACHABLE}


@pytest.mark.parametrize(("rank", "again"), [(1, False), (2, False), (3, True), (4, True)])
def test_from_severe_up_two_are_better_than_none(rank, again):
    assert resends(rank) is again


NUMBERS = st.integers(0, 2**40)


@given(NUMBERS, st.sampled_from(Channel.values), st.integers(0, 1440), NUMBERS, NUMBERS)
def test_a_batch_is_read_from_its_key(message, channel, hold, first, last):
    batch = Batch(message, channel, hold, first, last)
    assert Batch.read(batch.key) == batch


ITEMS = st.builds(Item, NUMBERS, NUMBERS, NUMBERS, st.just("a@b.jp"), st.just(()))
ANSWERS = st.builds(Answer, ITEMS, st.sampled_from(Result), st.integers(0, 599), st.text())


def named(item):
    return Key(item.claim, item.attempt, item.person)


@given(st.lists(ANSWERS, max_size=5), st.lists(ITEMS, max_size=5), st.integers(0, 40))
def test_a_log_says_what_was_noted_up_to_where_it_was_cut(answers, begun, cut):
    data = handlog.lines(answers, begun)
    found = handlog.read(data)
    assert [line.key for line in found.answers] == [named(a.item) for a in answers]
    assert [line.result for line in found.answers] == [a.result for a in answers]
    assert list(found.open) == list(dict.fromkeys(map(named, begun)))
    short = handlog.read(data[: max(len(data) - cut, 0)])
    assert found.answers[: len(short.answers)] == short.answers
    assert list(found.open)[: len(short.open)] == list(short.open)


def test_what_is_answered_is_no_longer_open():
    item = Item(1, 2, 3, "a@b.jp", ())
    data = handlog.lines([], [item, Item(4, 5, 6, "", ())])
    found = handlog.read(data + handlog.lines([Answer(item, Result.HANDED)], []))
    assert found.open == (Key(4, 5, 6),)


def test_a_domain_gets_as_many_as_it_takes_and_the_others_go_on():
    pace = Pace({"Slow.jp": 2})
    slow, other = (Item(1, 1, 1, to, ()) for to in ("a@slow.JP", "a@other.jp"))
    assert [pace(slow, at) for at in (0.0, 0.25, 0.5, 0.75)] == [0.0, 0.25, 0.0, 0.25]
    assert [pace(other, 0.0) for _ in range(3)] == [0.0] * 3


@pytest.mark.parametrize("rate", ["0", "-1", '"20"', "true"])
def test_a_rate_that_is_none_is_named(rate):
    with pytest.raises(ValueError, match=r"slow\.jp"):
        parse(f'[per_second]\n"slow.jp" = {rate}\n')
    assert rates() == {}


def test_a_paced_item_waits_on_the_tray_and_is_not_lost(tmp_path):
    tray = Tray(Log(tmp_path), pace=Pace({"slow.jp": 1}), clock=lambda: clock[0])
    clock = [0.0]
    tray.put([Item(1, 1, n, "a@slow.jp", ()) for n in range(3)], deadline=100, first=False)
    tray.put([Item(1, 1, 9, "a@other.jp", ())], deadline=100, first=False)
    taken = []
    for second in range(4):
        clock[0] = float(second)
        taken += [item.person for item in tray.take(10)]
    assert sorted(taken[:2]) == [0, 9]
    assert sorted(taken) == [0, 1, 2, 9]


def test_what_no_engine_wrote_is_refused():
    with pytest.raises(ValueError, match="hand log"):
        handlog.read(b"X\t1\t2\t3\n")
