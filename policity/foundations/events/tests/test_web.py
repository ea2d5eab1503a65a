"""The forms of the public site: a link is the permission, and a stranger learns nothing."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from policity.foundations.events import services
from policity.foundations.events.models import Answer, Registration
from policity.foundations.events.tests.conftest import (
    LASTS,
    NOW,
    STARTS,
    joined,
    mail_of,
    sign_up,
    standing,
)
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address
from policity.foundations.residents.rules.links import Purpose
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


def link(purpose: Purpose, number: int) -> str:
    address = Address.objects.get(value=mail_of(number))
    about = address.pk if purpose is Purpose.JOIN else 0
    return residents.link(purpose, address.resident_id, about)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_a_stranger_signs_up_confirms_sees_and_cancels_in_every_language(client, event, language):
    time, prefix = event(most=2), f"{language.prefix}events/"
    assert client.get(f"{prefix}register/{time.pk}/").status_code == 200
    sent = {"email": mail_of(1), "name": "見本 花子", "seats": "2"}
    answer = client.post(f"{prefix}register/{time.pk}/", sent)
    assert answer["Location"] == f"{prefix}register/done/"
    assert client.get(answer["Location"]).status_code == 200
    joins = f"{prefix}me/join/{link(Purpose.JOIN, 1)}/"
    # A mail scanner opens it; nothing happens.
    assert "リース" in client.get(joins).content.decode()
    assert standing(time) == []
    answer = client.post(joins)
    assert standing(time) == [(1, True)]
    mine = client.get(answer["Location"]).content.decode()
    assert "リース" in mine
    number = Registration.objects.get().pk
    answer = client.post(f"{prefix}me/{link(Purpose.EVENTS, 1)}/cancel/", {"number": number})
    assert answer["Location"].endswith("?done=cancelled")
    assert standing(time) == []


def test_the_page_tells_the_same_of_an_address_that_is_known(client, event):
    time = event()
    joined(time, 1)
    said = []
    for number in (1, 2):
        answer = client.post(f"/events/register/{time.pk}/", {"email": mail_of(number)})
        said.append((answer.status_code, answer["Location"], answer.content))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"email": ""}, "メールアドレスを入れてください"),
        ({"email": "x"}, "メールアドレスの形"),
        ({"email": "a@example.jp", "seats": "9"}, "人数を、選んで"),
        ({"email": "a@example.jp", "seats": "²"}, "人数を、選んで"),
        ({"email": "a@example.jp", "name": "あ" * 61}, "60文字まで"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, event, sent, said):
    answer = client.post(f"/events/register/{event(most=2).pk}/", sent)
    assert said in answer.content.decode()
    assert sent["email"] in answer.content.decode()
    assert not Registration.objects.exists()


def test_who_comes_to_a_full_event_is_told_of_the_waiting_list(client, event):
    time = event(capacity=1)
    joined(time, 1)
    assert "キャンセル待ちに入ります" in client.get(f"/events/register/{time.pk}/").content.decode()
    sign_up(time, 2)
    answer = client.post(f"/events/me/join/{link(Purpose.JOIN, 2)}/")
    assert "あなたの番が次です" in client.get(answer["Location"]).content.decode()


def test_signing_up_before_it_opens_says_when_it_does(client, event):
    time = event(opens=NOW + timedelta(days=1))
    said = client.get(f"/events/register/{time.pk}/").content.decode()
    assert "申込みは、まだ始まっていません" in said
    assert "11月24日(火) 12時00分から申し込めます" in said
    assert "<form" not in said
    answer = client.post(f"/events/register/{time.pk}/", {"email": mail_of(1)})
    assert answer.status_code == 409


def test_whoever_has_a_link_signs_up_for_another_at_one_press(client, event):
    joined(event(), 1)
    other = event(starts=STARTS + LASTS, ends=STARTS + 2 * LASTS)
    page = f"/events/me/{link(Purpose.EVENTS, 1)}/"
    assert "申し込めるもの" in client.get(page).content.decode()
    answer = client.post(f"{page}sign-up/", {"number": other.pk, "name": "見本"})
    assert answer["Location"] == f"{page}?done=joined"
    assert standing(other) == [(1, True)]


def test_a_link_for_one_thing_is_none_for_another_and_nobody_acts_for_somebody_else(client, event):
    time = event()
    first = joined(time, 1)
    joined(event(), 2)
    for purpose in Purpose:
        if purpose is not Purpose.EVENTS:
            wrong = residents.link(purpose, first.person)
            assert client.get(f"/events/me/{wrong}/").status_code == 404
    other = f"/events/me/{link(Purpose.EVENTS, 2)}/"
    answer = client.post(f"{other}cancel/", {"number": first.pk})
    assert answer["Location"].endswith("?done=too-late")
    assert client.post(f"{other}{first.pk}/", {"score": "1"})["Location"] == other
    assert standing(time) == [(1, True)]


def test_a_link_that_came_too_late_says_so(client, event):
    sign_up(event(), 1)
    joins = f"/events/me/join/{link(Purpose.JOIN, 1)}/"
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        answer = client.post(joins)
    assert answer.status_code == 410
    assert "もう一度、申し込んで" in answer.content.decode()


def test_an_answer_is_kept_without_whose_it_is(client, event):
    time = event(asks=True)
    one = joined(time, 1)
    with time_machine.travel(STARTS + LASTS, tick=False):
        services.ask_who_came(now=STARTS + LASTS)
        page = f"/events/me/{link(Purpose.EVENTS, 1)}/"
        assert "感想を送る" in client.get(page).content.decode()
        assert "1つ選んで" in client.post(f"{page}{one.pk}/", {"text": "よい"}).content.decode()
        answer = client.post(f"{page}{one.pk}/", {"score": "4", "text": "よい"})
        assert answer["Location"] == f"{page}?done=answered"
        client.post(f"{page}{one.pk}/", {"score": "1"})
    (kept,) = Answer.objects.all()
    assert (kept.score, kept.text) == (4, "よい")
    assert not {"person", "registration", "at"} & {field.name for field in Answer._meta.fields}


@pytest.mark.parametrize("number", [0, 10**9, 2**63])
def test_an_event_that_is_not_there_is_said_so(client: Client, number):
    answer = client.get(f"/events/register/{number}/")
    assert answer.status_code == 404
    assert "もうありません" in answer.content.decode()
    assert datetime.now(UTC) == NOW
