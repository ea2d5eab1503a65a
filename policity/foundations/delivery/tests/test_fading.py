"""Persons fade, and every number that was told of them stays what it was."""

from datetime import timedelta

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.delivery import queries
from policity.foundations.delivery.models import (
    Alarm,
    AlarmStep,
    Dispatch,
    LedgerRow,
    Reply,
    Target,
)
from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.services import answering, fading, send
from policity.foundations.delivery.services.counting import count as recount
from policity.foundations.delivery.services.counting import moved
from policity.foundations.delivery.signals import open_stories
from policity.foundations.delivery.tests.conftest import NOW, later, send_of, tell_of
from policity.foundations.residents.models import Place, Resident
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")

LATER = NOW + timedelta(days=401)
BEFORE = NOW + timedelta(days=1)


@pytest.fixture
def going_on():
    """The threads that are not over."""
    threads: set[str] = set()

    def answer(**_):
        return threads

    open_stories.connect(answer, weak=False)
    yield threads
    open_stories.disconnect(answer)


@pytest.fixture
def told(people, office):
    """A message to people of whom some were reached, some answered, some failed, one needs help."""
    persons = people(9, ("mail", "push")) + people(4) + people(2, ())
    message = send_of().pk
    office.turn()
    items = office.take()
    office.answer(items[::2])
    office.answer(items[1::2], Result.FAILED, code=550, text="no")
    office.settle()
    handed = LedgerRow.objects.filter(message=message, state__gte=4).order_by("person")
    for row, answer in zip(handed, Reply.Answer, strict=False):
        answering.reply(
            message=message, person=row.person, channel=row.channel, answer=answer, now=later(2)
        )
    assert len(persons) == Target.objects.filter(message=message).count()
    return message


def said(message):
    """Every number that anybody is told of a message."""
    count = queries.standings([message], now=LATER)[message]
    (board,) = (one for one in queries.sent(9, now=LATER) if one.count.message == message)
    return (
        queries.status(message),
        (count.targets, count.counted, count.split),
        (board.count.targets, board.count.split, board.stage),
        queries.persons_reached([message]),
        queries.samples(message),
        [(step.targets, step.reached) for step in queries.sending_log(NOW, later(1))],
    )


def fade(now=LATER):
    total = 0
    while count := fading.fade_ledger(before=BEFORE, now=now):
        total += count
    return total


def rows(message):
    return [kind.objects.filter(message=message).count() for kind in (Target, LedgerRow, Reply)]


@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_every_number_stays_and_nobody_is_left(told, going_on, monkeypatch, piece):
    monkeypatch.setattr(fading, "PIECE", piece)
    recount(now=later(3))
    before = said(told)
    assert min(rows(told)) > 0
    assert fading.persons_due(before=BEFORE) == 15
    assert fade() == 15
    assert rows(told) == [0, 0, 0]
    assert said(told) == before
    assert fading.persons_due(before=BEFORE) == 0
    assert fade() == 0


def test_half_way_every_number_is_what_it_was(told, going_on, monkeypatch):
    monkeypatch.setattr(fading, "PIECE", 4)
    recount(now=later(3))
    before = said(told)
    assert fading.fade_ledger(before=BEFORE, now=LATER) == 4
    assert said(told) == before
    assert fading.persons_due(before=BEFORE) == 11


def test_what_nobody_had_counted_is_counted_first(told, going_on):
    moved([told])
    status, reached = queries.status(told), queries.persons_reached([told])
    fade()
    assert (queries.status(told), queries.persons_reached([told])) == (status, reached)


def test_who_moved_and_left_since_changes_no_number(told, going_on):
    recount(now=later(3))
    before = said(told)
    Place.objects.all().delete()
    Resident.objects.update(born=1930)
    fade()
    assert said(told) == before


def test_an_answer_after_that_is_to_nothing_and_a_late_count_changes_nothing(told, going_on):
    recount(now=later(3))
    before = said(told)
    person = Target.objects.filter(message=told).values_list("person", flat=True)[0]
    fade()
    with pytest.raises(LookupError):
        answering.reply(
            message=told, person=person, channel="mail", answer=Reply.Answer.SAFE, now=LATER
        )
    moved([told])
    assert told not in recount(now=LATER)
    assert recount(now=LATER) == ()
    assert said(told) == before


def test_what_is_newer_waits_or_is_still_being_sent_stays(people, office, going_on):
    people(2)
    sent, unsent = send_of("story:1").pk, send_of("story:2").pk
    office.settle()
    young = send_of("story:3", now=BEFORE + timedelta(seconds=1)).pk
    Dispatch.objects.filter(message=unsent).update(stage=Dispatch.Stage.AWAITING)
    waiting = send_of("story:4").pk
    assert fading.due(before=BEFORE) == [sent]
    fade()
    assert Dispatch.objects.exclude(faded_at=None).get().message_id == sent
    assert {young, waiting, unsent} == set(
        Dispatch.objects.filter(faded_at=None).values_list("message_id", flat=True)
    )


def test_a_story_that_goes_on_keeps_whom_it_was_told(people, office, going_on):
    """Its end is for those who were told of it, be it years later (a volcano)."""
    people(3)
    message = send_of("volcano").pk
    office.settle()
    going_on.add("volcano")
    assert fade() == 0
    assert len(queries.followers(["volcano"], before=message + 1)) == 3
    going_on.clear()
    assert fade() == 3


def test_what_travels_with_a_story_that_goes_on_stays(people, office, going_on):
    people(3)
    lead, along = tell_of("over"), tell_of("volcano")
    audience = Audience("weather", Severity.SEVERE)
    send(messages=[lead, along], audience=audience, by=None, now=NOW)
    office.settle()
    going_on.add("volcano")
    assert fade() == 0


def test_mails_about_accounts_go_together(people, office, going_on):
    (person,) = people(1)
    for number in range(30):
        message = tell_of(f"account:{number}", kind=ACCOUNT)
        audience = Audience(ACCOUNT, Severity.MINOR, persons=(person,))
        send(messages=[message], audience=audience, by=None, now=NOW)
    office.settle(rounds=100)
    assert Target.objects.count() == 30
    assert fading.fade_ledger(before=BEFORE, now=LATER) == 30
    assert not Target.objects.exists()


def test_calls_keep_when_and_where_and_lose_who(told):
    officer = User.objects.create_user("officer")
    alarm = Alarm.objects.get()
    answering.close_alarm(alarm=alarm.pk, outcome="山田さんの家へ", by=officer, now=NOW)
    assert fading.calls_due(before=NOW) == 0
    assert fading.calls_due(before=later(1)) == 1
    assert fading.fade_calls(before=later(1), now=LATER) == 1
    alarm.refresh_from_db()
    assert (alarm.person, alarm.outcome, alarm.phone, alarm.situation) == (0, "", "", [])
    assert (alarm.town != "", alarm.closed_at) == (True, NOW)
    assert AlarmStep.objects.filter(alarm=alarm).count() == 2
    assert fading.fade_calls(before=later(1), now=LATER) == 0


def test_an_open_call_is_nobodys_to_forget(told):
    assert fading.fade_calls(before=LATER, now=LATER) == 0
    assert Alarm.objects.get().person > 0
