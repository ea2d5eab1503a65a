"""Rules and texts in the back office: who may, what is tried, refused, kept and put back."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from policity.back_office.tests.test_access import PASSWORD, staff
from policity.fields.alerts.models import Edit, Transition
from policity.fields.alerts.queries import words
from policity.fields.alerts.rules import edits, texts
from policity.fields.alerts.rules.bulletin import Severity
from policity.fields.alerts.rules.edits import Book
from policity.fields.alerts.services import ingest
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.tests.factors import sign_in
from policity.foundations.delivery.models import Dispatch
from policity.foundations.residents.models import Address, Place, Resident

pytestmark = pytest.mark.usefixtures("city")

READERS = {Role.COMMANDER, Role.DUTY_OFFICER, Role.ADMINISTRATOR}
EDITORS = {Role.COMMANDER, Role.ADMINISTRATOR}
RAIN = "jma/official-samples/15_12_02_161130_VPWW53.xml"
FOG = edits.entries(Book.ALERTS)["alerts.fog.minor"]
FOG_PAGE = "/staff/texts/alerts/alerts.fog.minor/"
RULE_PAGE = "/staff/rules/heavy_rain/"


@pytest.fixture
def commander(client):
    user = staff(Role.COMMANDER)
    client.force_login(user)
    return user


def answers(**chosen):
    return {f"answer_{severity}": chosen.get(severity, "send") for severity in Severity}


def rule(do="save", seen=0, why="試し", **chosen):
    return answers(**chosen) | {"do": do, "seen": seen, "reason_why": why}


def text(do="save", seen=0, why="試し", **changed):
    said = edits.as_shipped(FOG)
    fields = {f"{code}.{part}": one for code, parts in said.items() for part, one in parts.items()}
    return fields | {"do": do, "seen": seen, "reason_why": why} | changed


def warn(shared_data):
    return ingest((shared_data / RAIN).read_bytes(), source="test", now=timezone.now())


def document(answer):
    return html.document_fromstring(answer.content)


def said(answer):
    return " ".join(document(answer).text_content().split())


ACTS = {
    "look at rules": lambda client: client.get("/staff/rules/"),
    "look at a rule": lambda client: client.get(RULE_PAGE),
    "look at texts": lambda client: client.get("/staff/texts/"),
    "look at a text": lambda client: client.get(FOG_PAGE),
    "look by trying": lambda client: client.post(RULE_PAGE, rule("try", moderate="publish")),
    "change a rule": lambda client: client.post(RULE_PAGE, rule(moderate="publish")),
    "change a text": lambda client: client.post(FOG_PAGE, text(**{"en.headline": "Mind the fog."})),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", ACTS)
def test_who_may_and_who_may_not(client: Client, role, what):
    client.force_login(staff(role))
    may = role in (READERS if what.startswith("look") else EDITORS)
    assert ACTS[what](client).status_code in ((200, 302) if may else (403,))
    assert Edit.objects.count() == (may and not what.startswith("look"))


@pytest.mark.parametrize("path", ["/staff/rules/", RULE_PAGE, "/staff/texts/", FOG_PAGE])
def test_a_stranger_is_asked_to_sign_in(client: Client, path):
    assert client.get(path)["Location"].startswith("/staff/sign-in/?next=")


@pytest.mark.parametrize(
    "path",
    [
        "/staff/rules/meteor/",
        "/staff/texts/rules/fog/",
        "/staff/texts/alerts/alerts.meteor.any/",
        "/staff/texts/alerts/changes/",
        "/staff/texts/films/steps.bag/",
        f"{RULE_PAGE}?edit=999",
    ],
)
def test_what_does_not_exist_is_not_found(client, commander, path):
    assert client.get(path).status_code == 404


def test_a_choice_is_tried_on_what_came_before_it_is_made(client, commander, shared_data):
    person = Resident.objects.create(language="ja", registered_at=timezone.now(), version=1)
    Place.objects.create(resident=person, town_id=1)
    Address.objects.create(
        resident=person, channel="mail", value="p@example.jp",
        added_at=timezone.now(), confirmed_at=timezone.now(),
    )  # fmt: skip
    warn(shared_data)
    before = Dispatch.objects.count()
    page = said(client.post(RULE_PAGE, rule("try", moderate="approve", why="夜だから")))
    assert "大雨警報 発表" in page
    assert "このきまりなら：承認のあとで" in page
    assert "変わります" in page
    assert "夜だから" in client.post(RULE_PAGE, rule("try", why="夜だから")).content.decode()
    assert (Dispatch.objects.count(), Edit.objects.count()) == (before, 0)
    assert "変わります" not in said(client.get(RULE_PAGE))


def test_a_telegrams_file_is_tried_and_not_taken_in(client, commander, shared_data):
    def tried(data, page=RULE_PAGE):
        file = SimpleUploadedFile("telegram.xml", data)
        return client.post(page, rule("try", moderate="publish") | {"telegram_file": file})

    data = (shared_data / RAIN).read_bytes()
    assert "公開だけ。だれにも送りません" in said(tried(data))
    fog = said(tried(data, "/staff/rules/fog/"))
    assert "この市の濃い霧はありません。あるのは、大雨、洪水、雷です。" in fog
    exercise = data.replace("<Status>通常".encode(), "<Status>訓練".encode())
    assert "訓練か試験の電文です" in said(tried(exercise))
    broken = tried(b"<no telegram")
    assert broken.status_code == 400
    assert "電文として読めません" in said(broken)
    assert not Transition.objects.exists()


def test_a_rule_is_changed_marked_and_put_back(client, commander):
    assert client.post(RULE_PAGE, rule(moderate="approve", why="夜は人が見る")).status_code == 302
    words.forget()
    page = document(client.get("/staff/rules/"))
    (cell,) = page.xpath("//dd[span[@class='mark']]")
    assert cell.text_content() == "承認のあとで送る変更"
    assert "夜は人が見る" in page.text_content()
    number = Edit.objects.get().pk
    form = document(client.get(f"{RULE_PAGE}?edit=0"))
    assert form.xpath("//input[@name='answer_moderate'][@checked]/@value") == ["send"]
    client.post(RULE_PAGE, rule(seen=number, why="もどす"))
    words.forget()
    assert words.current().subjects(Book.RULES) == set()
    again = document(client.get(f"{RULE_PAGE}?edit={number}"))
    assert again.xpath("//input[@name='answer_moderate'][@checked]/@value") == ["approve"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (rule(moderate="approve", why=""), "変える理由を書いてください"),
        (rule(), "いまと同じ内容です"),
        (rule(moderate="approve", seen=7), "変えました"),
        (rule(severe="publish"), "命にかかわる段階"),
        (rule(moderate="shout"), "することを一つえらんでください"),
        ({"do": "save"}, "することを一つえらんでください"),
        (rule(moderate="approve") | {"seen": "x" * 40}, ""),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_reason(client, commander, data, says):
    answer = client.post(RULE_PAGE, data)
    if says:
        assert answer.status_code == 400
        assert says in said(answer)
        assert not Edit.objects.exists()
    else:
        assert answer.status_code == 302


def test_a_text_is_tried_in_five_languages_before_it_is_used(client, commander):
    page = said(client.post(FOG_PAGE, text("try", **{"ko.headline": "안개를 조심하세요."})))
    assert page.count("こう見えます") == 5
    # In the notification and in the mail, as well as in the field.
    assert page.count("안개를 조심하세요.") == 3
    assert not Edit.objects.exists()
    step = client.post(
        "/staff/texts/alerts/steps.bag/", {"do": "try"}
        | {
            f"{code}.{part}": one
            for code, parts in edits.as_shipped(
                edits.entries(Book.ALERTS)["steps.bag"]
            ).items()
            for part, one in parts.items()
        },
    )  # fmt: skip
    assert "この文を使う知らせ：" in said(step)


@pytest.mark.parametrize("key", ["levels.4", "reasons.flood", "lifted", "error"])
def test_an_orders_text_is_tried_too(client, commander, key):
    said_now = edits.as_shipped(edits.entries(Book.ORDERS)[key])
    fields = {f"{c}.{p}": one for c, parts in said_now.items() for p, one in parts.items()}
    page = client.post(f"/staff/texts/orders/{key}/", fields | {"do": "try"})
    assert page.status_code == 200
    assert ("避難指示（警戒レベル4）" in said(page)) is (key in ("levels.4", "reasons.flood"))


def test_a_text_is_changed_marked_and_put_back(client, commander):
    changed = {"en.headline": "Mind the fog by the river.", "en.checked_by": "見本"}
    assert client.post(FOG_PAGE, text(why="川ぞい", **changed)).status_code == 302
    words.forget()
    found = said(client.get("/staff/texts/?q=BY+THE+RIVER"))
    assert "濃霧注意報 変更" in found
    assert "確かめた人がいない言葉：4" in found
    assert "見つかりません" in said(client.get("/staff/texts/?q=火星"))
    number = Edit.objects.get().pk
    client.post(FOG_PAGE, text(seen=number, why="もどす"))
    words.forget()
    assert words.texts().words == texts.shipped().words
    assert "Mind the fog by the river." in client.get(f"{FOG_PAGE}?edit={number}").content.decode()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ko.headline": ""}, "文面が空です"),
        ({"en.name": "x" * 101}, "100字までです（101字あります）"),
        ({"zh-hans.headline": "<town>"}, "もとの文面と同じに"),
        ({"ja-easy.headline": "{霧|きり"}, "読みがなは"),
    ],
)
def test_a_text_that_cannot_be_used_is_shown_where_it_is(client, commander, changed, says):
    ((field, typed),) = changed.items()
    answer = client.post(FOG_PAGE, text(**changed))
    assert answer.status_code == 400
    page = document(answer)
    (area,) = page.xpath(f"//textarea[@name='{field}']")
    assert area.get("aria-invalid") == "true"
    assert says in page.get_element_by_id(area.get("aria-describedby")).text_content()
    # What was typed is still there, and so is everything else.
    assert area.text_content().strip() == typed
    assert area.xpath("ancestor::details/@open")
    assert not Edit.objects.exists()


def test_a_session_that_ended_costs_no_words(client, commander):
    client.logout()
    typed = text(why="川ぞい", **{"en.headline": "Mind the fog by the river."})
    page = document(client.post(FOG_PAGE, typed))
    form = {i.get("name"): i.get("value", "") for i in page.xpath("//form//input[@name]")}
    answer = sign_in(client, commander, PASSWORD, **form)
    assert urlsplit(answer["Location"]).path == FOG_PAGE
    assert "Mind the fog by the river." in client.get(FOG_PAGE).content.decode()
    assert parse_qs(urlsplit(answer["Location"]).query) == {}


@pytest.mark.parametrize("path", ["/staff/rules/", RULE_PAGE, "/staff/texts/", FOG_PAGE])
def test_a_page_costs_the_same_for_one_change_and_for_many(client, commander, path):
    def cost():
        words.forget()
        words.current()
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        return len(asked)

    client.post(FOG_PAGE, text(**{"en.headline": "One."}))
    client.post(RULE_PAGE, rule(moderate="publish"))
    before = cost()
    for n in range(5):
        last = Edit.objects.filter(book=Book.ALERTS).order_by("-pk").first().pk
        client.post(FOG_PAGE, text(seen=last, **{"en.headline": f"Fog {n}."}))
    assert cost() == before <= 20


def test_a_change_stands_in_the_chronology(client, commander):
    client.post(RULE_PAGE, rule(moderate="publish", why="夜だから"))
    client.post(FOG_PAGE, text(why="川ぞい", **{"en.headline": "Mind the fog."}))
    client.post(FOG_PAGE, text(seen=Edit.objects.last().pk, why="もどす"))
    page = said(client.get("/staff/chronology/"))
    assert f"{commander}が、知らせのきまり「大雨」を変更" in page
    assert "理由は夜だから" in page
    assert f"{commander}が、文面「濃霧注意報」を変更" in page
    assert f"{commander}が、文面「濃霧注意報」を、はじめからの内容にもどした" in page
    only = said(client.get("/staff/chronology/?kind=rules"))
    assert only.count("濃霧注意報") == 2
