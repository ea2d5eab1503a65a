"""What editors are told: needs of pages that came in, faults as they save, redirects in circles."""

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from wagtail.contrib.redirects.models import Redirect

from policity.foundations.accounts.models import Role
from policity.public_site.models import ArticlePage, TakenOver
from policity.public_site.rules import redirect_fault
from policity.public_site.rules.older import Need
from policity.public_site.services.checking import faults
from policity.public_site.tests import older
from policity.public_site.tests.content import article, begun, department, text
from policity.public_site.tests.test_content_access import DOOR, fields, signed_in, staff
from policity.public_site.tests.test_taking_over import run

pytestmark = pytest.mark.django_db
AT = f"{DOOR}reports/taken-over/"


def test_the_report_is_narrowed_and_taken_along_without_formulas(city, tmp_path):
    begun()
    run(older.site(tmp_path))
    TakenOver.objects.filter(address="/kurashi/gomi/").update(title="=1+1")
    client = signed_in(staff(Role.ADMINISTRATOR))
    whole = client.get(AT).content.decode()
    assert "収集日の表" in whole
    assert "ファイルだけのページ" in whole
    some = client.get(AT, {"need": "no_alt"}).content.decode()
    assert "/kurashi/gomi/" in some
    assert "hyo.html" not in some
    table = client.get(AT, {"export": "csv"})
    said = table.getvalue().decode("utf-8-sig")
    assert "'=1+1" in said
    assert "画像に代替テキストがない" in said
    assert client.get(AT, {"export": "xlsx"}).status_code == 200


def test_an_editor_of_a_department_sees_its_own_pages_alone(city, tmp_path):
    begun()
    section = department("kodomo")
    department("zei", "税務課")
    run(older.site(tmp_path), into="departments/kodomo")
    assert section.get_descendants().count() == 7
    mine = signed_in(staff(Role.EDITOR, departments=("kodomo",))).get(AT).content.decode()
    assert "ごみの出し方" in mine
    other = signed_in(staff(Role.EDITOR, departments=("zei",))).get(AT).content.decode()
    assert "ごみの出し方" not in other


@pytest.mark.parametrize(
    ("block", "need"),
    [
        ({"type": "picture", "value": {"image": 1, "alt": " "}}, Need.NO_ALT),
        ({"type": "table", "value": {"columns": [{"type": "text", "heading": ""}], "rows": []}},
         Need.NO_HEADS),
        (text('<p>くわしくは<a href="https://x.example">こちら</a></p>'), Need.VAGUE_LINK),
        (text('<p><a linktype="page" id="99999">市の計画</a></p>'), Need.DEAD_LINK),
        (text("<p>㈱みほん</p>"), Need.SIGNS),
        (text("<p>" + "長" * 7000 + "</p>"), Need.LONG),
        (text('<p><a linktype="document" id="1">申込書</a></p>'), Need.FILES_ONLY),
    ],
)  # fmt: skip
def test_what_some_readers_cannot_use_is_seen(block, need):
    assert [fault.need for fault in faults([block])] == [need]
    assert faults([text("<p>もえるごみは、月曜日に出してください。</p>")]) == []


def test_whoever_saves_a_page_hears_of_it(city):
    begun()
    page = article(department())
    client = signed_in(staff(Role.EDITOR))
    body = {"body-count": "1", "body-0-type": "heading", "body-0-value": "㈱みほん",
            "body-0-order": "0", "body-0-deleted": "", "body-0-id": ""}  # fmt: skip
    said = fields(page, title="x") | body
    answer = client.post(f"{DOOR}pages/{page.pk}/edit/", said, follow=True)
    assert ArticlePage.objects.get(pk=page.pk).draft_title == "x"
    assert "機種依存文字がある（㈱）" in answer.content.decode()


OURS = settings.PUBLIC_URL.rstrip("/")


def redirect(client, old, *, link="", page=""):
    return client.post(f"{DOOR}redirects/add/", {
        "old_path": old, "site": "", "is_permanent": "on", "redirect_link": link and OURS + link,
        "redirect_page": page,
    })  # fmt: skip


def test_redirects_in_a_circle_or_a_chain_are_refused_with_words(city):
    begun()
    page = article(department())
    client = signed_in(staff(Role.ADMINISTRATOR))
    assert redirect(client, "/a", link="/b").status_code == 302
    for old, link, says in (
        ("/b", "/a", "輪になって、どこにも着きません: /b → /a → /b"),
        ("/c", "/c", "同じ住所へは転送できません"),
        ("/c", "/a/", "はじめから /b へ転送してください"),
        ("/b", "/d", "/a がここへ転送されています"),
        ("/" + "長" * 10_000, "/x", "255"),
    ):
        answer = redirect(client, old, link=link)
        assert answer.status_code == 200
        assert says in answer.content.decode(), (old, link)
    assert redirect(client, "/c", page=page.pk).status_code == 302
    own = redirect(client, "/departments/kodomo/hoiku", page=page.pk)
    assert "同じ住所へは" in own.content.decode()
    assert Redirect.objects.count() == 2
    first = Redirect.objects.get(old_path="/a")
    kept = client.post(f"{DOOR}redirects/{first.pk}/", {
        "old_path": "/a", "site": "", "is_permanent": "on", "redirect_link": "https://www.example.com/",
        "redirect_page": "",
    })  # fmt: skip
    assert kept.status_code == 302


NAMES = st.sampled_from(["/a", "/b", "/c", "/d", "/e"])


@given(st.lists(st.tuples(NAMES, NAMES), max_size=12))
def test_what_is_let_through_never_goes_in_a_circle_and_ends_at_once(wanted):
    steps: dict[str, str] = {}
    for old, to in wanted:
        if old not in steps and not redirect_fault(old, to, steps):
            steps[old] = to
    assert all(end not in steps for end in steps.values())
