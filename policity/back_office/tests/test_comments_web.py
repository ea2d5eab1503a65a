"""Comments on a plan at the desk: who may read and answer them, and that nothing typed is lost."""

import csv
import io
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from lxml import html

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.city_plan import services
from policity.foundations.city_plan.models import Call, Comment, CommentGroup, Measure
from policity.foundations.city_plan.rules.commenting import Channel
from policity.foundations.city_plan.tests.calls import (
    ADDRESS,
    LAST,
    NAME,
    call,
    grouped,
    paper,
    published,
    web,
)
from policity.foundations.city_plan.tests.conftest import NOW, filled, plan
from policity.foundations.city_plan.tests.test_mails import mail

__all__ = ["filled", "plan"]

pytestmark = pytest.mark.usefixtures("city")
AT = "/staff/plan/comments/"


@pytest.fixture(autouse=True)
def _at_noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(create(Role.PLANNER, "someone-who-keeps"))
    return client


def said(answer: Any) -> str:
    return str(answer.content.decode())


def faults(answer: Any) -> str:
    page: Any = html.document_fromstring(answer.content)
    return " ".join(one.text_content() for one in page.xpath("//*[@id='fault']"))


@pytest.mark.parametrize("role", Role)
def test_who_may_read_and_answer(plan, client, role):
    number = call(plan)
    comment = web(number)
    group = grouped(number, [comment])
    someone, allowed = Client(), role is Role.PLANNER
    someone.force_login(create(role, f"someone-{role}"))
    for path in ("", "new/", f"{number}/", f"{number}/edit/", f"{number}/type/",
                 f"{number}/comments.csv", f"groups/{group}/", f"one/{comment}/"):  # fmt: skip
        assert client.get(AT + path).status_code == 302, path
        assert someone.get(AT + path).status_code == (200 if allowed else 403), path
    for path in (f"{number}/{verb}/" for verb in ("open", "close", "extend", "publish", "withdraw",
                                                   "group", "type", "edit")):  # fmt: skip
        assert someone.post(AT + path).status_code == (400 if allowed else 403), path
    for path in (f"one/{comment}/withhold/", f"groups/{group}/"):
        assert someone.post(AT + path).status_code == (400 if allowed else 403), path
    for path in (f"one/{comment}/release/", f"one/{comment}/"):
        assert someone.post(AT + path).status_code == (302 if allowed else 403), path
    assert ("計画への意見" in said(someone.get("/staff/"))) == allowed
    for path in ("999/", "999/type/", "999/comments.csv", "groups/999/", "one/999/"):
        assert someone.get(AT + path).status_code == (404 if allowed else 403), path


def test_the_installation_inside_asks_nobody(plan, desk, settings):
    number = call(plan)
    settings.ROLE = "internal"
    assert desk.get(f"{AT}{number}/").status_code == 403


def test_a_call_from_its_draft_to_its_answers(plan, desk):
    assert "まだ、募集がありません" in said(desk.get(AT))
    form = {
        "about": f"{plan.pk}-2025", "first_day": "2026-11-01", "last_day": "2026-11-30",
        "title_ja": "評価への意見", "body_ja": "読んでください。", "title_en": "Comments",
        "seen": "0",
    }  # fmt: skip
    for wrong, fault in (
        ({"about": ""}, "何への意見か"), ({"first_day": "昨日"}, "始まりの日を"),
        ({"last_day": "2026-10-01"}, "あとに"), ({"title_ja": ""}, "題名を書いて"),
        ({"title_en": "x" * 101}, "題名（English）は、100文字"),
        ({"about": "9-2025"}, "何への意見か"), ({"last_day": "9999-12-31"}, "終わりの日を"),
    ):  # fmt: skip
        answer = desk.post(f"{AT}new/", form | wrong)
        assert answer.status_code == 400
        assert fault in faults(answer)
        assert "読んでください。" in said(answer)
    assert desk.post(f"{AT}new/", form).status_code == 302
    number = Call.objects.get().pk
    at = f"{AT}{number}/"
    assert "下書き" in said(desk.get(at))
    assert desk.post(f"{at}open/")["Location"] == at
    assert "受付中" in said(desk.get(at))
    # Days of what has a page are the buttons' to change, whatever a form says.
    desk.post(f"{at}edit/", form | {"seen": "1", "last_day": "2027-01-01", "body_ja": "直した"})
    row = Call.objects.get()
    assert (row.last_day, row.texts["ja"]["body"]) == (LAST, "直した")
    stale = desk.post(f"{at}edit/", form | {"seen": "0", "body_ja": "もう一人の文"})
    assert "ほかの人が、先に変えました" in faults(stale)
    assert "もう一人の文" in said(stale)
    short = desk.post(f"{at}extend/", {"last_day": "2026-11-30", "reason": "雪"})
    assert "いまの終わりの日よりあと" in faults(short)
    assert 'value="雪"' in said(short)
    assert desk.post(f"{at}extend/", {"last_day": "2026-12-01", "reason": "雪"}).status_code == 302
    assert "理由を書いて" in faults(desk.post(f"{at}close/", {"reason": ""}))
    assert desk.post(f"{at}close/", {"reason": "試す"}).status_code == 302
    assert desk.post(f"{at}publish/").status_code == 302
    assert "結果を公開" in said(desk.get(at))
    assert desk.post(f"{at}withdraw/", {"reason": "直す"}).status_code == 302


def test_comments_are_found_put_together_and_answered(filled, desk):
    number = call(filled)
    measure = Measure.objects.order_by("pk").first()
    one = web(number, "英語でも知らせてください", name=NAME, measure=measure.pk)
    two = paper(number, "中国語でも", channel=Channel.MAIL)
    at = f"{AT}{number}/"
    for query, there in (("channel=web", [one]), ("q=中国語", [two]), ("q=花子", [one]),
                         (f"q={two}", [two]), ("state=grouped", []),
                         ("state=waiting", [one, two]),
                         ("channel=x&state=y&page=z", [one, two]),
                         ("q=英語 中国", [])):  # fmt: skip
        page: Any = html.document_fromstring(desk.get(f"{at}?{query}").content)
        found = page.xpath("//input[@name='comment']/@value")
        assert found == [str(comment) for comment in there], query
    assert "一つ以上" in faults(desk.post(f"{at}group/", {"do": "group", "title": "英語"}))
    untitled = desk.post(f"{at}group/", {"do": "group", "title": "", "comment": [one, "x", "²"]})
    assert "名前を書くか" in faults(untitled)
    assert f'value="{one}" checked' in said(untitled)
    made = desk.post(f"{at}group/", {"do": "group", "title": "ほかの言葉", "comment": [one, two]})
    group = CommentGroup.objects.get()
    assert made["Location"] == f"{AT}groups/{group.pk}/"
    page = said(desk.get(made["Location"]))
    assert "中国語でも" in page
    answer = {
        "title_ja": "ほかの言葉", "summary_ja": "ほかの言葉でも。", "answer_ja": f"{NAME}のとおり",
        "change_ja": "", "outcome": "noted", "seen": "0",
    }  # fmt: skip
    leak = desk.post(made["Location"], answer)
    assert "名前か住所と同じことば" in faults(leak)
    assert f"{NAME}のとおり" in said(leak)
    assert 'name="is_checked"' in said(leak)
    assert desk.post(made["Location"], answer | {"answer_ja": "そうします"}).status_code == 302
    stale = desk.post(made["Location"], answer | {"answer_ja": "もう一人の答え"})
    assert "ほかの人が保存した文" in said(stale)
    assert "もう一人の答え" in said(stale)
    # Who has seen it may write over it.
    assert 'name="seen" value="1"' in said(stale)
    assert "参考にする" in said(desk.get(at))
    assert desk.post(f"{at}group/", {"do": "out", "comment": [two]}).status_code == 302
    assert Comment.objects.get(pk=two).group is None
    desk.post(f"{AT}one/{two}/", {"measure": str(measure.pk)})
    assert Comment.objects.get(pk=two).measure == measure


def test_what_must_not_be_published_is_withheld_with_a_reason(plan, desk):
    number = call(plan)
    comment = web(number)
    at = f"{AT}one/{comment}/"
    assert "理由を選んで" in faults(desk.post(f"{at}withhold/", {"note": "x"}))
    other = desk.post(f"{at}withhold/", {"reason": "other", "note": ""})
    assert "ひとことを書いて" in faults(other)
    assert desk.post(f"{at}withhold/", {"reason": "abuse", "note": "ひとこと"}).status_code == 302
    assert "ひとことを" not in said(desk.get(at))
    assert "公開しない：ひとを傷つけることば" in said(desk.get(f"{AT}{number}/"))
    assert not html.document_fromstring(desk.get(f"{AT}{number}/").content).xpath(
        "//input[@name='comment']"
    )
    desk.post(f"{at}release/")
    assert Comment.objects.get().withheld == ""
    acts = AuditEntry.objects.filter(act__startswith="comment.").values_list("act", flat=True)
    assert list(acts) == ["comment.withheld", "comment.resumed"]


def test_a_letter_is_typed_in_and_nothing_typed_is_lost(plan, desk):
    at = f"{AT}{call(plan)}/type/"
    letter = {
        "channel": "paper", "received": "2026-11-20", "text": "手紙の意見です", "measure": "",
        "name": NAME, "address": ADDRESS,
    }  # fmt: skip
    for wrong, fault in (
        ({"received": "2026-12-24"}, "届いた日"), ({"received": ""}, "届いた日"),
        ({"channel": "web"}, "メールか紙か"), ({"text": ""}, "意見を入れて"),
        ({"text": "あ" * 20_001}, "20000文字"), ({"text": "a\x1bb"}, "読めない文字"),
        ({"measure": "999"}, "施策を、選びなおして"), ({"name": "あ" * 61}, "60文字"),
    ):  # fmt: skip
        answer = desk.post(at, letter | wrong)
        assert fault in faults(answer), wrong
        assert ADDRESS in said(answer)
    assert desk.post(at, letter).status_code == 302
    row = Comment.objects.get()
    assert (row.text, row.name, row.address) == ("手紙の意見です", NAME, ADDRESS)
    assert (row.by.username, str(row.received)) == ("someone-who-keeps", "2026-11-20")
    assert f"受付番号は {row.pk}" in said(desk.get(at))


def eml(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("意見.eml", data, "message/rfc822")


def test_a_mail_is_read_and_shown_before_it_is_kept(plan, desk):
    number = call(plan)
    at = f"{AT}{number}/type/"
    shown = desk.post(at, {"read": "1", "mail": eml(mail("<b>英語</b>でも"))})
    assert "まだ入れていません" in said(shown)
    assert not Comment.objects.exists()
    page: Any = html.document_fromstring(shown.content)
    (form,) = [one for one in page.forms if "text" in one.fields]
    values = dict(form.form_values())
    assert values["text"].strip() == "<b>英語</b>でも"
    assert (values["channel"], values["received"]) == ("mail", "2026-11-23")
    assert (values["name"], values["address"]) == ("見本 花子", "hanako@example.jp")
    values.pop("mail", None)
    assert desk.post(at, values).status_code == 302
    assert Comment.objects.get().channel == "mail"


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ({}, "選んでください"),
        ({"mail": eml(b"")}, "選んでください"),
        ({"mail": eml(b"%PDF-1.7")}, "メールとして読めません"),
        ({"mail": eml(b"From: a@example.jp\n\n" + b"x" * 900_000)}, "大きすぎます"),
    ],
    ids=range(4),
)
def test_what_is_no_mail_is_said_and_nothing_typed_is_lost(plan, desk, sent, fault):
    at = f"{AT}{call(plan)}/type/"
    answer = desk.post(at, {"read": "1", "text": "もう書いた文", "name": NAME, **sent})
    assert answer.status_code == 400
    assert fault in faults(answer)
    assert "もう書いた文" in said(answer)
    assert NAME in said(answer)


def test_the_table_has_every_word_and_no_name(plan, desk):
    number = published(plan)
    Call.objects.update(stage="closed")
    web_formula = Comment.objects.first()
    web_formula.text = "=1+1"
    web_formula.save()
    data = desk.get(f"{AT}{number}/comments.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data)))
    assert len(rows) == 4
    assert rows[1][5] == "'=1+1"
    assert NAME not in data
    assert ADDRESS not in data
    assert AuditEntry.objects.filter(act="comments.exported").count() == 1
    only = desk.get(f"{AT}{number}/comments.csv?state=withheld").content.decode()
    assert len(list(csv.reader(io.StringIO(only)))) == 2


def test_the_desk_takes_few_queries_however_much_came(plan, desk, django_assert_max_num_queries):
    number = call(plan)
    some = [web(number) for _ in range(60)]
    for count in range(5):
        grouped(number, some[count * 5 : count * 5 + 5], f"まとまり {count}")
    desk.get(f"{AT}{number}/")
    with django_assert_max_num_queries(14):
        page = said(desk.get(f"{AT}{number}/"))
    assert "1 / 2" in page
    with django_assert_max_num_queries(14):
        desk.get(AT)
    group = CommentGroup.objects.first().pk
    with django_assert_max_num_queries(14):
        desk.get(f"{AT}groups/{group}/")
    assert services.turn(now=NOW) == 0
