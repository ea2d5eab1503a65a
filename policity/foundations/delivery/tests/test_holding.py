"""In an emergency routine messages wait; nothing is lost by it, and nothing urgent waits."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from policity.foundations.accounts.models import User
from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Alarm, AlarmStep, Hold, Reply
from policity.foundations.delivery.services import (
    close_alarm,
    escalate,
    hold_routine,
    own_alarm,
    release_routine,
    reply,
)
from policity.foundations.delivery.tests.conftest import NOW, Office, send_of
from policity.foundations.work.models import Item
from policity.kit.declare import Lane
from policity.kit.severity import Severity

HOUR = timedelta(hours=1)


@pytest.fixture
def officer(db) -> User:
    return User.objects.create(username="officer", display_name="見本 当直")


@pytest.fixture
def routine(people, tmp_path) -> Office:
    """A notice for two waits, and the sender of its lane."""
    Item.objects.all().delete()
    people(2, wants="notice:minor;weather:minor")
    send_of("news:1", Severity.MINOR, "notice")
    return Office(tmp_path / "routine", Lane.ROUTINE)


def test_nothing_routine_is_begun_while_it_is_held(routine, officer):
    hold_routine(by=officer, now=NOW)
    for _ in range(3):
        routine.turn()
    assert routine.take() == []
    assert queries.held_back() == 1
    release_routine(now=NOW)
    for _ in range(3):
        routine.turn()
    assert len(routine.take()) == 2


def test_what_lies_on_trays_stays_there_for_hours(routine, officer):
    for _ in range(3):
        routine.turn()
    hold_routine(by=officer, now=NOW)
    routine.turn()
    assert routine.take() == []
    release_routine(now=NOW + 5 * HOUR)
    routine.turn(now=NOW + 5 * HOUR)
    assert len(routine.take()) == 2


def test_what_is_urgent_does_not_wait(routine, officer, tmp_path):
    hold_routine(by=officer, now=NOW)
    warning = send_of("story:1", Severity.SEVERE)
    Office(tmp_path / "urgent").settle()
    status = queries.status(warning.pk)
    assert status.states["handed"] == 2


def test_held_twice_is_held_once_and_released_is_over(officer):
    hold_routine(by=officer, now=NOW)
    hold_routine(by=officer, now=NOW + HOUR)
    assert [hold.since for hold in Hold.objects.all()] == [NOW]
    release_routine(now=NOW + HOUR)
    release_routine(now=NOW + 2 * HOUR)
    assert Hold.objects.get().until == NOW + HOUR
    assert not queries.held(Lane.ROUTINE)
    hold_routine(by=officer, now=NOW + 3 * HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.create(lane=Lane.ROUTINE, since=NOW, by=officer)


def test_who_did_what_about_a_call_is_kept_without_the_person(people, office, officer):
    (person,) = people(1)
    message = send_of().pk
    office.settle()
    other = User.objects.create(username="other", display_name="見本 本部長")
    answer = partial(reply, message=message, person=person, channel="mail")
    alarm = answer(answer=Reply.Answer.HELP, now=NOW)
    escalate(now=NOW + HOUR)
    own_alarm(alarm=alarm.pk, by=officer, now=NOW + HOUR)
    own_alarm(alarm=alarm.pk, by=other, now=NOW + 2 * HOUR)
    close_alarm(alarm=alarm.pk, outcome="090-1234-5678", by=officer, now=NOW + 3 * HOUR)
    answer(answer=Reply.Answer.HELP, now=NOW + 4 * HOUR)
    answer(answer=Reply.Answer.SAFE, now=NOW + 5 * HOUR)
    assert Alarm.objects.filter(closed_at=None).count() == 0
    told = [(step.act, step.by) for step in queries.call_log(NOW, NOW + 9 * HOUR)]
    act = AlarmStep.Act
    assert told == [
        (act.RAISED, ""),
        (act.ESCALATED, ""),
        (act.TAKEN, "見本 当直"),
        (act.TAKEN, "見本 本部長"),
        (act.CLOSED, "見本 当直"),
        (act.RAISED, ""),
        (act.SAFE, ""),
    ]
    assert "090" not in repr(queries.call_log(NOW, NOW + 9 * HOUR))
    assert (
        queries.call_log(NOW + HOUR, NOW + 2 * HOUR) == queries.call_log(NOW, NOW + 9 * HOUR)[1:3]
    )
