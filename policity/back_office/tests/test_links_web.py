"""Short links at the desk: for editors and publishers, made, counted, ended."""

import csv
import io

import pytest
from django.test import Client
from django.utils import timezone

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.foundations.publishing.models import Page
from policity.foundations.sharing.models import DayCount, ShortLink

pytestmark = pytest.mark.usefixtures("city")
KEEPERS = {Role.EDITOR, Role.PUBLISHER}


@pytest.fixture(autouse=True)
def _published(db) -> None:
    now = timezone.now()
    Page.objects.create(address="/events/", family="x", digest="0" * 64, rendered_at=now)


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(create(Role.EDITOR, "henshu"))
    return client


def make(client: Client, **other: str):
    typed = {"address": "/events/", "label": "市報12月号"} | other
    return client.post("/staff/links/", typed, follow=True)


def test_a_link_is_made_shown_ended_and_used_again(desk: Client):
    made = make(desk).content.decode()
    assert "短いアドレスを作りました" in made
    link = ShortLink.objects.get()
    assert f"/s/{link.code}" in made
    assert "<svg" in made
    DayCount.objects.create(link=link, day=timezone.localdate(), count=3)
    path = f"/staff/links/{link.pk}/"
    assert "市報12月号" in desk.get("/staff/links/").content.decode()
    assert "<b>3</b>回" in desk.get(path).content.decode()
    table = desk.get("/staff/links/links.csv").content.decode()
    assert f"/s/{link.code}/,/events/,市報12月号,3,3,3," in table
    drawn = desk.get(f"{path}code.svg")
    assert drawn["Content-Type"] == "image/svg+xml"
    assert drawn.content.startswith(b"<?xml")
    assert "また使えるようにする" in desk.post(f"{path}end/", follow=True).content.decode()
    assert "もう、終わり" in desk.post(f"{path}end/", follow=True).content.decode()
    assert "終わりにする" in desk.post(f"{path}resume/", follow=True).content.decode()


def test_figures_stand_by_link_by_page_and_by_day(desk: Client):
    today = timezone.localdate()
    for label, count in (("=市報", 3), ("駅", 4)):
        make(desk, label=label)
        DayCount.objects.create(link=ShortLink.objects.get(label=label), day=today, count=count)
    assert "28日で <b>7</b>回" in desk.get("/staff/links/").content.decode()
    of = desk.get("/staff/links/?address=/events/").content.decode()
    assert "このページの短いアドレス" in of
    assert 'value="/events/"' in of
    other = desk.get("/staff/links/?address=/none/").content.decode()
    assert "0件" in other
    tables = {
        name: list(csv.reader(io.StringIO(desk.get(f"/staff/links/{name}.csv").content.decode())))
        for name in ("links", "pages", "days")
    }
    assert [row[2] for row in tables["links"][1:]] == ["駅", "'=市報"]
    assert tables["pages"][1:] == [["/events/", "2", "7", "7", "7"]]
    assert [row[2:] for row in tables["days"][1:]] == [
        ["/events/", "'=市報", "3"], ["/events/", "駅", "4"],
    ]  # fmt: skip
    assert tables["days"][1][0] == today.isoformat()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"address": ""}, "ページのアドレスを入れてください"),
        ({"address": "https://evil.example/"}, "ほかのサイトには、つなげません"),
        ({"address": "/none/"}, "公開されていません"),
        ({"label": ""}, "どこに出すかを入れてください"),
        ({"label": "あ" * 101}, "100文字まで"),
    ],
)
def test_a_fault_is_told_and_what_was_typed_stays(desk: Client, other, said):
    answer = make(desk, **other)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    kept = ({"address": "/events/", "label": "市報12月号"} | other)["label"]
    assert f'value="{kept}"' in answer.content.decode()
    assert not ShortLink.objects.exists()


@pytest.mark.parametrize("role", Role)
def test_editors_and_publishers_keep_them_and_nobody_else(client: Client, role: Role):
    user = create(role, "dareka")
    link = ShortLink.objects.create(
        code="bcdfg", address="/events/", label="x", made_by=user, made_at=timezone.now()
    )
    client.force_login(user)
    path = f"/staff/links/{link.pk}/"
    files = [f"/staff/links/{name}.csv" for name in ("links", "pages", "days")]
    pages = ("/staff/links/", *files, path, f"{path}code.svg")
    for page in pages:
        assert client.get(page).status_code == (200 if role in KEEPERS else 403), page
    for verb in ("end/", "resume/"):
        assert client.post(path + verb).status_code == (302 if role in KEEPERS else 403)


def test_what_is_not_there_is_not_found(desk: Client):
    for path in ("", "code.svg", "poster.pdf", "end/", "resume/"):
        assert desk.get(f"/staff/links/99/{path}").status_code == 404


def test_the_number_of_questions_does_not_grow(desk: Client, django_assert_max_num_queries):
    for number in range(12):
        make(desk, label=f"見本{number}")
    with django_assert_max_num_queries(12):
        desk.get("/staff/links/")


def test_a_poster_is_made_of_the_page_as_it_stands(desk: Client, monkeypatch):
    page = "<html><main><h1>桜の見ごろ</h1><p>三月から。</p></main></html>".encode()
    monkeypatch.setattr("policity.foundations.publishing.services.tree.read", lambda _: page)
    make(desk)
    path = f"/staff/links/{ShortLink.objects.get().pk}/poster.pdf"
    answer = desk.get(path)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    monkeypatch.setattr("policity.foundations.publishing.services.tree.read", lambda _: None)
    assert "もう公開されていません" in desk.get(path, follow=True).content.decode()


@pytest.mark.parametrize("role", set(Role) - KEEPERS)
def test_nobody_else_takes_a_poster(client: Client, role: Role):
    client.force_login(create(role, "dareka"))
    assert client.get("/staff/links/1/poster.pdf").status_code == 403
