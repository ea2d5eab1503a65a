"""The answer page: a person answers, a machine that opens the link does not."""

import email
import email.policy
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client

from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Alarm, LedgerRow, Reply
from policity.foundations.delivery.rules import duty as duty_rules
from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services import (
    NotOpenError,
    close_alarm,
    escalate,
    own_alarm,
    reply,
)
from policity.foundations.delivery.services.composing import reply_about
from policity.foundations.delivery.tests.conftest import NOW, later, send_of, states
from policity.foundations.residents import queries as residents
from policity.foundations.residents import services as resident_services
from policity.foundations.residents.rules.links import Purpose
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def heard(people, office):
    """Somebody who was handed a message by mail: message, person, link."""
    (person,) = people(1)
    message = send_of().pk
    office.settle()
    link = residents.link(Purpose.REPLY, person, reply_about(message, "mail"))
    return message, person, link


def everything():
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label in ("delivery", "residents", "work")
    }


@pytest.mark.parametrize("prefix", [language.prefix for language in LANGUAGES])
def test_a_get_records_nothing(client, heard, prefix):
    before = everything()
    for method in (client.get, client.head):
        response = method(f"{prefix}reply/{heard[2]}/")
        assert response.status_code == 200
        assert not response.cookies
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
    assert everything() == before


@pytest.mark.parametrize(
    ("answer", "state"), [("seen", "seen"), ("safe", "confirmed"), ("help", "confirmed")]
)
def test_an_answer_is_counted(client, heard, answer, state):
    message, _, link = heard
    response = client.post(f"/reply/{link}/", {"answer": answer})
    assert response.status_code == 200
    assert not response.cookies
    assert queries.status(message).states[state] == 1
    assert queries.status(message).whole
    assert Reply.objects.get().answer == answer
    assert Alarm.objects.count() == (answer == "help")


def test_help_says_119_first(client, heard):
    text = client.post(f"/reply/{heard[2]}/", {"answer": "help"}).content.decode()
    assert 0 < text.index("tel:119") < text.index("折り返しの電話")


def test_an_answer_only_goes_forward(client, heard):
    message, person, link = heard
    for answer in ("safe", "seen"):
        client.post(f"/reply/{link}/", {"answer": answer})
    assert states(message) == {(person, "mail"): State.CONFIRMED}
    assert Reply.objects.count() == 2


def test_an_answer_before_the_ledger_knows_of_the_hand_over_stands(people, office, client):
    (person,) = people(1)
    message = send_of().pk
    office.turn()
    office.turn()
    items = office.take()
    link = residents.link(Purpose.REPLY, person, reply_about(message, "mail"))
    client.post(f"/reply/{link}/", {"answer": "safe"})
    office.answer(items)
    office.turn()
    assert states(message) == {(person, "mail"): State.CONFIRMED}


def test_what_somebody_who_needs_help_adds_is_kept_until_it_is_closed(
    client, heard, django_user_model
):
    link = heard[2]
    client.post(f"/reply/{link}/", {"answer": "help"})
    more = {"phone": "090-0000-0000", "situation": ["hurt", "water"]}
    assert client.post(f"/reply/{link}/more/", more).status_code == 200
    alarm = Alarm.objects.get()
    assert (alarm.phone, alarm.situation) == ("090-0000-0000", ["hurt", "water"])
    staff = django_user_model.objects.create(username="bosai")
    own_alarm(alarm=alarm.pk, by=staff, now=NOW)
    close_alarm(alarm=alarm.pk, outcome="救急車が行きました", by=staff, now=later(3))
    alarm.refresh_from_db()
    assert (alarm.phone, alarm.situation, alarm.owner) == ("", [], staff)
    with pytest.raises(NotOpenError):
        own_alarm(alarm=alarm.pk, by=staff, now=NOW)


def test_a_bad_number_is_told_and_the_form_keeps_what_was_chosen(client, heard):
    link = heard[2]
    client.post(f"/reply/{link}/", {"answer": "help"})
    more = {"phone": "<b>はやく", "situation": ["hurt"]}
    response = client.post(f"/reply/{link}/more/", more)
    assert response.status_code == 400
    text = response.content.decode()
    assert "&lt;b&gt;はやく" in text
    assert 'value="hurt" checked' in text
    assert Alarm.objects.get().phone == ""


def test_pressing_twice_is_one_alarm(client, heard):
    for _ in range(2):
        client.post(f"/reply/{heard[2]}/", {"answer": "help"})
    assert Alarm.objects.count() == 1


def test_safe_after_all_closes_the_alarm(client, heard):
    for answer in ("help", "safe"):
        client.post(f"/reply/{heard[2]}/", {"answer": answer})
    assert Alarm.objects.get().closed_at is not None
    assert queries.open_alarms() == ()


def test_an_alarm_that_nobody_takes_is_escalated_after_five_minutes(heard, django_user_model):
    message, person, _ = heard
    alarm = reply(message=message, person=person, channel="mail", answer=Reply.Answer.HELP, now=NOW)
    assert escalate(now=later(4.9)) == 0
    assert escalate(now=later(5)) == 1
    assert escalate(now=later(6)) == 0
    assert queries.open_alarms()[0].escalated
    assert alarm is not None


def test_an_alarm_that_was_taken_is_not_escalated(heard, django_user_model):
    message, person, _ = heard
    alarm = reply(message=message, person=person, channel="mail", answer=Reply.Answer.HELP, now=NOW)
    staff = django_user_model.objects.create(username="bosai")
    own_alarm(alarm=alarm.pk, by=staff, now=later(1))
    assert escalate(now=later(60)) == 0


def test_with_nobody_on_duty_119_stands_in_place_of_the_button(client, heard, monkeypatch):
    nobody = duty_rules.Duty((), timedelta(minutes=5))
    monkeypatch.setattr("policity.foundations.delivery.views.duty", lambda: nobody)
    text = client.get(f"/reply/{heard[2]}/").content.decode()
    assert 'value="help"' not in text
    assert 'class="answer answer--help" href="tel:119"' in text
    assert client.post(f"/reply/{heard[2]}/", {"answer": "help"}).status_code == 409
    assert not Alarm.objects.exists()


@pytest.mark.parametrize(
    ("day", "hour", "watched"), [(23, 9, True), (23, 17, False), (23, 8, False), (28, 9, False)]
)
def test_duty_has_its_hours(day, hour, watched):
    duty = duty_rules.parse(
        '[[hours]]\ndays = ["mon", "tue"]\nfrom = "08:30"\nuntil = "17:00"\n'
        "[alarm]\nescalates_after_minutes = 5\n"
    )
    assert duty.watched(NOW.replace(day=day, hour=hour)) is watched


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("bad", ["", "x" * 32, "é" * 32, "A" * 31])
def test_a_bad_link_says_what_to_do(client, heard, method, bad):
    response = getattr(client, method)(f"/en/reply/{bad or 'short'}/", {"answer": "safe"})
    assert response.status_code == 404
    assert b"tel:119" in response.content
    assert not Reply.objects.exists()


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.REPLY])
def test_a_link_for_something_else_is_no_link_for_this(client, heard, purpose):
    message, person, _ = heard
    link = residents.link(purpose, person, reply_about(message, "mail"))
    assert client.post(f"/reply/{link}/", {"answer": "safe"}).status_code == 404
    assert not Reply.objects.exists()


def test_nobody_answers_to_what_was_not_for_them(client, heard, people):
    message, _, _ = heard
    (other,) = people(1)
    link = residents.link(Purpose.REPLY, other, reply_about(message, "mail"))
    assert client.post(f"/reply/{link}/", {"answer": "safe"}).status_code == 404
    assert not Reply.objects.exists()


def test_whoever_left_has_no_alarm_of_theirs_lost(client, heard):
    _, person, link = heard
    resident_services.leave(resident=person, now=NOW)
    response = client.post(f"/reply/{link}/", {"answer": "help"})
    assert response.status_code == 200
    assert queries.open_alarms()[0].town == ""


def test_an_answer_is_not_undone_by_a_late_failure(heard):
    message, person, _ = heard
    reply(message=message, person=person, channel="mail", answer=Reply.Answer.SAFE, now=NOW)
    LedgerRow.objects.filter(state=Result.FAILED).update(reason="")
    assert states(message) == {(person, "mail"): State.CONFIRMED}


def test_no_token_is_asked_for(heard):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/reply/{heard[2]}/", {"answer": "safe"}).status_code == 200


def test_every_link_of_a_hundred_mails_may_be_opened_by_a_scanner(client, people, office):
    people(100)
    message = send_of().pk
    office.settle()
    before = everything()
    opened = 0
    for item in office.begun:
        mail = email.message_from_bytes(b"".join(item.pieces), policy=email.policy.default)
        text = mail.get_content() + str(mail["List-Unsubscribe"])
        for path in re.findall(r"https?://[^/\s]+(/[^\s>]*)", text):
            client.get(path)
            client.head(path)
            opened += 1
    # To answer, to change, to leave.
    assert opened == 300
    assert everything() == before
    assert queries.status(message).states["handed"] == 100
