"""Calls and answers as files, in every language; nobody's name, address or own words among them."""

import csv
import io
import re
from typing import Any

import pytest
from lxml import html

from policity.foundations.city_plan import services
from policity.foundations.city_plan.declarations.comments import PAGES
from policity.foundations.city_plan.models import Call, Comment
from policity.foundations.city_plan.queries.comments import COMMENTS, call_key
from policity.foundations.city_plan.rules.commenting import Outcome
from policity.foundations.city_plan.tests.calls import (
    ADDRESS,
    ANSWER,
    DAY,
    NAME,
    answered,
    call,
    grouped,
    keeper,
    published,
    web,
)
from policity.foundations.city_plan.tests.conftest import NOW
from policity.foundations.places.declarations import CITY
from policity.kit.languages import LANGUAGES
from policity.kit.ruby import plain

pytestmark = pytest.mark.usefixtures("city")
FAMILIES = {family.name: family for family in PAGES}
WORDS = "だれにも見せない原文"


def rendered() -> dict[str, bytes]:
    return {
        address: one.body
        for family in PAGES
        for address, one in family.render(list(family.addresses()))
        if one
    }


def text(body: bytes) -> str:
    page: Any = html.document_fromstring(body)
    for reading in page.xpath("//rt | //rp"):
        reading.drop_tree()
    return " ".join(page.xpath("//main")[0].text_content().split())


def test_a_draft_is_on_no_page_and_an_empty_list_says_so(plan):
    (address, *_) = list(FAMILIES["plan-call-list"].addresses())
    assert "募集がありません" in text(rendered()[address])
    number = call(plan)
    Call.objects.update(stage="draft")
    assert all(f"/{number}/" not in one for one in rendered())


def test_a_call_says_how_it_stands_in_every_language(plan):
    number = call(plan)
    pages = rendered()
    for language in LANGUAGES:
        page: Any = html.document_fromstring(pages[f"{language.prefix}plan/comments/{number}/"])
        form = f"{language.prefix}plan/comments/send/{number}/"
        assert page.xpath(f"//main//a[@href='{form}']")
        listed: Any = html.document_fromstring(pages[f"{language.prefix}plan/comments/"])
        assert listed.xpath(f"//main//a[@href='{language.prefix}plan/comments/{number}/']")
        lang = page.xpath("//h1/@lang")
        assert lang == ([] if language.code in ("ja", "ja-easy", "en") else ["ja"])
    said = text(pages[f"/plan/comments/{number}/"])
    assert "令和7年度の評価" in said
    assert "2026年11月1日(日)〜2026年11月30日(月)" in said
    assert "Evaluation of fiscal 2025" in text(pages[f"/en/plan/comments/{number}/"])
    for stage, words in (("coming", "ここで送れます"), ("closed", "受け付けは終わりました")):
        Call.objects.update(stage=stage)
        pages = rendered()
        assert words in text(pages[f"/plan/comments/{number}/"])
        assert f'href="/plan/comments/send/{number}/"' not in (
            pages[f"/plan/comments/{number}/"].decode()
        )
        assert not [one for one in pages if "result" in one]


def test_the_answers_are_published_with_their_numbers_and_as_a_table(plan):
    number = published(plan)
    pages = rendered()
    said = text(pages[f"/plan/comments/{number}/result/"])
    numbers = "全部で3件 このサイト2件 メール0件 紙1件 公開しない意見1件"
    for words in (numbers, "英語でも知らせてほしい。", "そうします。", "施策1に", "反映しました"):
        assert words in said, words
    for language in LANGUAGES:
        assert f"{language.prefix}plan/comments/{number}/result/" in pages
    english = pages[f"/en/plan/comments/{number}/result/"].decode()
    assert '<h2 id="g1" lang="ja">' in english
    data = pages[f"/plan/comments/{number}/result.csv"].decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data)))
    assert rows[1] == [
        "1", "英語でも", "英語でも知らせてほしい。", "2", "", "そうします。", "反映しました",
        "施策1に、英語を足しました。",
    ]  # fmt: skip
    assert rows[-1] == ["公開しない意見", "", "", "1"]
    assert rows[3] == ["受け取った意見", "", "", "3"]


def test_nobodys_name_address_or_own_words_are_on_any_page(plan):
    number = published(plan)
    Comment.objects.update(text=WORDS, note=WORDS)
    pages = rendered()
    assert len(pages) == 3 * len(LANGUAGES) + 1
    for address, body in pages.items():
        for secret in (NAME, "名字花子", ADDRESS, "9-8-7", WORDS):
            assert not is_in(secret, body), address
    for family in PAGES:
        for address, one in family.render(list(family.addresses())):
            for document in one.documents:
                assert WORDS not in plain(document.text), address
                assert NAME not in plain(document.text)
    assert number


def plain_of(body: bytes) -> str:
    """All that stands in a file, with what is in its markup, without readings and spaces."""
    said = re.sub(r"<rt>.*?</rt>|<rp>.*?</rp>", "", body.decode())
    return "".join((said + re.sub(r"<[^>]*>", "", said)).split())


def is_in(secret: str, body: bytes) -> bool:
    return "".join(secret.split()) in plain_of(body)


@pytest.mark.parametrize("secret", [NAME, ADDRESS])
def test_a_leak_that_is_planted_is_found(plan, secret):
    """The test above would see one: a page that said it has it in every language."""
    number, by = call(plan), keeper()
    group = grouped(number, [web(number, name=NAME, address=ADDRESS)])
    leak = {"ja": ANSWER["ja"] | {"answer": f"{secret}の意見です。"}}
    answered(group, texts=leak, outcome=Outcome.NOTED, is_checked=True)
    services.close(call=number, reason="試す", by=by, now=NOW)
    services.publish_answers(call=number, by=by, now=NOW)
    pages = rendered()
    with_answers = [one for one in pages if "/result" in one]
    assert len(with_answers) == len(LANGUAGES) + 1
    for address in with_answers:
        assert is_in(secret, pages[address]), address


def test_what_is_taken_back_is_on_no_page(plan):
    number = published(plan)
    services.take_answers_back(call=number, reason="直す", by=keeper(), now=NOW)
    assert not [one for one in rendered() if "result" in one]


def test_what_a_spreadsheet_would_take_for_a_formula_is_none(plan):
    number, by = call(plan), keeper()
    group = grouped(number, [web(number)])
    answered(group, texts={"ja": dict.fromkeys(ANSWER["ja"], '=HYPERLINK("x")')})
    services.close(call=number, reason="試す", by=by, now=NOW)
    services.publish_answers(call=number, by=by, now=NOW)
    data = rendered()[f"/plan/comments/{number}/result.csv"].decode("utf-8-sig")
    assert all(not cell.startswith("=") for row in csv.reader(io.StringIO(data)) for cell in row)
    page = rendered()[f"/plan/comments/{number}/result/"].decode()
    assert "=HYPERLINK(&quot;x&quot;)" in page


def test_pages_are_born_and_made_anew_by_their_keys(plan):
    number = published(plan)
    born = {one for family in PAGES for one in family.born_of(call_key(number))}
    assert {f"/plan/comments/{number}/", f"/plan/comments/{number}/result.csv"} <= born
    assert {one for family in PAGES for one in family.born_of(CITY)} == {
        f"{language.prefix}plan/comments/" for language in LANGUAGES
    }
    for family in PAGES:
        for address, one in family.render(list(family.addresses())):
            is_list = family.name == "plan-call-list"
            assert (COMMENTS if is_list else call_key(number)) in one.keys, address
        some = [one for one in born if one.endswith(".csv") == family.name.endswith("tables")]
        gone = family.render([one.replace(str(number), "987654") for one in some])
        if family.name != "plan-call-list":
            assert all(one is None for _, one in gone)


def test_pages_take_few_queries(plan, django_assert_max_num_queries):
    for _ in range(2):
        published(plan)
    call(plan, last=NOW.date() + DAY)
    for family, most in (("plan-calls", 4), ("plan-call-list", 4), ("plan-comment-results", 10),
                         ("plan-comment-tables", 9)):  # fmt: skip
        addresses = list(FAMILIES[family].addresses())
        with django_assert_max_num_queries(most):
            list(FAMILIES[family].render(addresses))
