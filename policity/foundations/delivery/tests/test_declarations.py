"""What the plan counts of delivery, held against samples that a test writes."""

from datetime import timedelta
from decimal import Decimal

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.delivery.declarations import METRICS
from policity.foundations.delivery.models import Alarm, Dispatch, Message, Reach, ToldByHand
from policity.foundations.delivery.rules.drilling import DRILL
from policity.foundations.delivery.services import count
from policity.foundations.delivery.tests.conftest import NOW, TEXTS, later, send_of
from policity.kit.declare import Lane

SINCE, UNTIL = NOW - timedelta(days=1), NOW + timedelta(days=1)
WITHIN, IN_DRILLS, UNTIL_HANDED, SPOKEN_TO = (metric.read for metric in METRICS)


def sent(samples, *, targets=100, kind="weather", lane=Lane.URGENT, at=NOW, **more):
    """A dispatch with what was counted of it: (minutes, handed, delivered)."""
    message = Message.objects.create(
        kind=kind, thread="a", severity="severe", told_at=at - timedelta(seconds=30),
        created_at=at, texts=TEXTS,
    )  # fmt: skip
    fields = {
        "stage": Dispatch.Stage.ACCEPTED, "targets": targets, "expanded_at": at, "approved_at": at,
    } | more  # fmt: skip
    Dispatch.objects.create(message=message, lane=lane, audience={}, created_at=at, **fields)
    for minutes, handed, delivered in samples:
        Reach.objects.create(
            message=message, at=at + timedelta(minutes=minutes), targets=targets, unreachable=0,
            withdrawn=0, failed=0, queued=targets - handed - delivered, handed=handed,
            delivered=delivered, seen=0, confirmed=0,
        )  # fmt: skip
    return message


@pytest.mark.django_db
def test_who_was_reached_by_the_tenth_minute_counts_and_nobody_after_it():
    sent([(0, 0, 0), (9, 40, 20), (10, 50, 27), (10.1, 60, 40)])
    sent([(1, 100, 0), (3, 200, 100)], targets=300, kind="evacuation")
    # Came back: what is known at ten minutes counts.
    sent([(1, 90, 0), (8, 10, 0)])
    # Nothing at all in time.
    sent([(11, 100, 0)])
    found = WITHIN(SINCE, UNTIL)
    assert found.number == Decimal(100 * (77 + 300 + 10 + 0)) / 600
    assert (found.rows, found.left_out) == (4, {})
    parts = found.splits["kind"]
    assert (parts["evacuation"].number, parts["evacuation"].rows) == (Decimal(100), 1)
    assert (parts["weather"].number, parts["weather"].rows) == (Decimal(29), 3)


@pytest.mark.django_db
def test_drills_are_counted_apart_and_what_is_left_out_is_said():
    sent([(1, 100, 0)])
    sent([(1, 20, 5)], targets=50, kind=DRILL)
    sent([(1, 0, 0)], stage=Dispatch.Stage.WITHDRAWN)
    sent([], expanded_at=None)
    sent([])
    sent([(1, 0, 0)], targets=0)
    sent([(1, 1, 0)], lane=Lane.ROUTINE)
    sent([(1, 1, 0)], kind="account")
    sent([(1, 1, 0)], approved_at=None, stage=Dispatch.Stage.AWAITING)
    sent([(1, 1, 0)], at=UNTIL)
    sent([(1, 1, 0)], at=SINCE - timedelta(seconds=1))
    found = WITHIN(SINCE, UNTIL)
    assert (found.number, found.rows) == (Decimal(100), 1)
    assert found.left_out == {
        "急ぎでない知らせの送信": 1, "途中で取り下げた送信": 1, "対象を広げている途中の送信": 1,
        "数えた記録のない送信": 1, "対象が0人の送信": 1,
    }  # fmt: skip
    drills = IN_DRILLS(SINCE, UNTIL)
    assert (drills.number, drills.rows) == (Decimal(50), 1)


@pytest.mark.django_db
def test_the_time_until_somebody_was_handed_it():
    # Told half a minute before it was let out.
    for minutes in (1, 2, 60):
        sent([(0, 0, 0), (minutes, 1, 0), (minutes + 1, 50, 0)])
    sent([(0, 0, 0)])
    sent([(0, 1, 0)], kind=DRILL)
    found = UNTIL_HANDED(SINCE, UNTIL)
    assert (found.number, found.rows) == (Decimal("150.0"), 3)
    assert found.left_out == {"まだだれにも渡していない送信": 1}
    assert UNTIL_HANDED(UNTIL, UNTIL + timedelta(days=1)).reason


def test_a_dispatch_on_the_main_road_is_counted_by_nobody_typing(people, office):
    people(4)
    people(1, ())
    send_of()
    office.settle()
    count(now=later(1))
    found = WITHIN(SINCE, UNTIL)
    assert (found.number, found.rows) == (Decimal(80), 1)


@pytest.mark.django_db
def test_who_was_spoken_to_besides_is_told_of_everybody_who_was_reached():
    staff = User.objects.create(username="honbu")
    first, second = sent([(1, 9, 9), (90, 50, 40)]), sent([(5, 10, 0)], lane=Lane.ROUTINE)
    drill = sent([(1, 100, 0)], kind=DRILL)

    def called(message, person, *, owner=staff, closed_at=NOW):
        Alarm.objects.create(
            message=message, person=person, language="ja", raised_at=NOW, owner=owner,
            closed_at=closed_at,
        )  # fmt: skip

    called(first, 1)
    called(first, 1)  # called twice, and is one person
    called(second, 1)
    called(second, 2)
    called(second, 3, closed_at=None)  # nobody has been able to speak to them yet
    called(second, 4, owner=None)  # said themselves that they are safe
    called(drill, 5)
    ToldByHand.objects.create(message=first, outlet="radio", text="x", at=NOW, by=staff)
    found = SPOKEN_TO(SINCE, UNTIL)
    assert (found.number, found.rows) == (Decimal(3), 100)
    assert {name: part.rows for name, part in found.splits["how"].items()} == {
        "機械だけ": 97, "機械と人": 3,
    }  # fmt: skip
    assert sum(part.number for part in found.splits["how"].values()) == 100
    assert list(found.left_out.values()) == [1]
    assert SPOKEN_TO(UNTIL, UNTIL + timedelta(days=1)).number is None
