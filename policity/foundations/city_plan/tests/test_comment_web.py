"""The form for a comment: nothing typed is lost, a link is the permission, nobody else sees."""

from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from lxml import html

from policity.foundations.city_plan import services
from policity.foundations.city_plan.models import Comment, Measure
from policity.foundations.city_plan.queries import comments as queries
from policity.foundations.city_plan.rules.commenting import Reason
from policity.foundations.city_plan.tests.calls import (
    ADDRESS,
    DAY,
    LAST,
    NAME,
    answered,
    call,
    grouped,
    keeper,
    web,
)
from policity.foundations.city_plan.tests.conftest import NOW
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")
SAID = {"text": "英語でも\n知らせてください", "measure": "", "name": NAME, "address": ADDRESS}


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


def at(number: int, prefix: str = "/") -> str:
    return f"{prefix}plan/comments/send/{number}/"


def typed(body: bytes) -> dict[str, str]:
    """What stands in the form that came back."""
    page: Any = html.document_fromstring(body)
    found = {one.get("name"): one.get("value", "") for one in page.xpath("//form//input[@name]")}
    found["text"] = (page.xpath("//textarea")[0].text or "").lstrip("\n")
    chosen = page.xpath("//form//option[@selected]/@value")
    return found | ({"measure": chosen[0]} if chosen else {})


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_somebody_sends_a_comment_in_every_language_and_sees_its_number(filled, client, language):
    number, measure = call(filled), Measure.objects.first().pk
    path = at(number, language.prefix)
    assert typed(client.get(f"{path}?measure={measure}").content)["measure"] == str(measure)
    answer = client.post(path, SAID | {"measure": str(measure), "text": "a\r\nb"})
    row = Comment.objects.get()
    assert (row.text, row.language, row.channel, row.by) == ("a\nb", language.code, "web", None)
    assert (row.name, row.address, row.measure_id) == (NAME, ADDRESS, measure)
    own = f"{language.prefix}{queries.own_page(row.pk)}"
    assert answer["Location"] == f"{own}?done=sent"
    page = client.get(answer["Location"])
    assert str(row.pk) in page.content.decode()
    for header, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
        assert page[header] == value
    # Whoever looks over a shoulder sees no name.
    assert NAME not in page.content.decode()
    assert not client.cookies


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"text": " \n"}, "意見を書いて"),
        ({"text": "あ" * 4001}, "いまは4001文字"),
        ({"text": "a\x00b"}, "読めない文字"),
        ({"text": "a\x1b[0m"}, "読めない文字"),
        ({"text": "a\u202eb"}, "読めない文字"),
        ({"name": "あ" * 61}, "60文字まで"),
        ({"name": "あ\x00"}, "読めない文字"),
        ({"address": "あ" * 201}, "200文字まで"),
        ({"measure": "99999"}, "一覧から選んで"),
        ({"measure": "²"}, "一覧から選んで"),
    ],
    ids=range(10),
)
def test_what_is_wrong_is_said_once_and_nothing_typed_is_lost(plan, client, said, fault):
    answer = client.post(at(call(plan)), SAID | said)
    page: Any = html.document_fromstring(answer.content.replace(b"\0", b"").replace(b"\x1b", b""))
    (one,) = page.xpath("//div[@id='fault']//li")
    assert fault in one.text_content()
    assert page.xpath(f"//*[@id='{one.find('a').get('href')[1:]}']") or "measure" in said
    kept = typed(answer.content.replace(b"\0", b"").replace(b"\x1b", b""))
    for name in ("text", "name", "address"):
        wanted = (SAID | said)[name].replace("\0", "").replace("\x1b", "")
        assert kept[name].strip() == wanted.strip()
    assert not Comment.objects.exists()


def test_as_long_as_it_may_be_is_taken(plan, client):
    assert client.post(at(call(plan)), SAID | {"text": "🎉" * 4000}).status_code == 302


def test_before_and_after_the_form_says_so_and_nothing_typed_is_lost(plan, client):
    later = call(plan, first=NOW.date() + DAY, last=LAST)
    closed = call(plan)
    services.close(call=closed, reason="試す", by=keeper(), now=NOW)
    for number in (later, closed):
        got, sent = client.get(at(number)), client.post(at(number), SAID)
        assert (got.status_code, sent.status_code) == (200, 409)
        assert "受け付けていません" in got.content.decode()
        assert "<form" not in got.content.decode().partition("<main")[2].partition("</main")[0]
        assert typed(sent.content)["text"] == SAID["text"]
    assert not Comment.objects.exists()


def test_too_many_are_not_taken_and_nothing_typed_is_lost(plan, client, monkeypatch):
    monkeypatch.setattr("policity.foundations.city_plan.services.commenting.MOST", 0)
    answer = client.post(at(call(plan)), SAID)
    assert answer.status_code == 409
    assert "たくさん届いて" in answer.content.decode()
    assert typed(answer.content)["text"] == SAID["text"]


def test_while_the_database_is_away_nothing_typed_is_lost(client, monkeypatch):
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(queries, "call", away)
    answer = client.post(at(7), SAID | {"measure": "3"})
    assert answer.status_code == 503
    assert "いまは受け取れません" in answer.content.decode()
    assert typed(answer.content) == SAID | {"measure": "3"}


@pytest.mark.parametrize("number", [0, 5, 2**63, 10**40])
def test_a_call_that_is_not_there_is_said(plan, client, number):
    for method in (client.get, client.post):
        answer = method(at(number))
        assert answer.status_code == 404
        assert "この募集は、ありません" in answer.content.decode()


def test_a_draft_has_no_form(plan, client):
    number = services.draft_call(
        draft=services.CallDraft(plan.pk, None, {"ja": {"title": "x", "body": ""}}, LAST, LAST),
        by=keeper(), now=NOW,
    ).pk  # fmt: skip
    assert client.get(at(number)).status_code == 404


@pytest.mark.parametrize("link", ["x", "A" * 32, "あ" * 32])
def test_a_link_of_nobody_leads_nowhere(client, link):
    for method in (client.get, client.post):
        answer = method(f"/plan/comments/me/{link}/")
        assert answer.status_code == 404
        assert "使えません" in answer.content.decode()


def test_a_link_for_something_else_is_none_here(plan, client):
    from policity.foundations.residents import queries as residents
    from policity.foundations.residents.rules.links import Purpose

    number = web(call(plan))
    for purpose in set(Purpose) - {Purpose.COMMENT}:
        link = residents.link(purpose, 0, number)
        assert client.get(f"/plan/comments/me/{link}/").status_code == 404


def test_its_sender_reads_the_answer_once_everybody_may(plan, client):
    number, by = call(plan), keeper()
    one, other = web(number), web(number, "ひどいことば")
    services.withhold(comment=other, reason=Reason.ABUSE, note="秘密のメモ", by=by, now=NOW)
    answered(grouped(number, [one]))
    pages = [f"/{queries.own_page(comment)}" for comment in (one, other)]
    for page in pages:
        said = client.get(page).content.decode()
        assert "そうします" not in said
        assert "傷つける" not in said
    services.close(call=number, reason="試す", by=by, now=NOW)
    services.publish_answers(call=number, by=by, now=NOW)
    first, second = (client.get(page).content.decode() for page in pages)
    assert "反映しました" in first
    assert "そうします" in first
    assert "傷つける" in second
    assert "秘密のメモ" not in second


def test_markup_stays_words(plan, client):
    payload = '<b data-planted="1">x</b>{漢字|かんじ}'
    location = client.post(at(call(plan)), SAID | {"text": payload})["Location"]
    for language in ("/", "/easy/"):
        page = client.get(language + location.lstrip("/")).content.decode()
        assert '<b data-planted="1">' not in page
        assert "｛漢字｜かんじ｝" in page


def test_the_form_takes_few_queries(filled, client, django_assert_max_num_queries):
    number = call(filled)
    Client().get(at(number))
    with django_assert_max_num_queries(4):
        client.get(at(number))
