"""Drills to real people on the web: who may, what waits for whom, and why one was stopped."""

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.tests.test_access import staff
from policity.back_office.tests.test_drills import CREW
from policity.back_office.tests.test_orders_web import create
from policity.fields.alerts.services import drilling
from policity.fields.alerts.services.records import declare_emergency
from policity.foundations.accounts.models import Role
from policity.foundations.delivery.models import Dispatch, DrillStep
from policity.foundations.delivery.tests.conftest import send_of
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Place, Resident
from policity.foundations.residents.services.versions import next_version
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")

MINUTES = "/staff/chronology/?kind=drill&since=2026-11-20"
NEW = "/staff/drills/messages/new/"


@pytest.fixture
def composer():
    return create(Role.DUTY_OFFICER, "composer")


@pytest.fixture
def message(composer) -> int:
    return drilling.compose(text="receive", by=composer, now=timezone.now())


def text(answer) -> str:
    return str(html.document_fromstring(answer.content).xpath("string(//body)"))


def page_of(message: int, do: str = "") -> str:
    return f"/staff/drills/messages/{message}/{do}"


def by(client: Client, role=Role.COMMANDER, name="other"):
    client.force_login(user := create(role, name))
    return user


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("method", "do", "status"),
    [
        ("get", "new", 200),
        ("post", "new", 302),
        ("get", "", 200),
        ("post", "approve/", 302),
        ("post", "withdraw/", 302),
    ],
)
def test_who_may(client, message, role, method, do, status):
    client.force_login(staff(role))
    address = NEW if do == "new" else page_of(message, do)
    answer = getattr(client, method)(address, {"text": "cover"})
    assert answer.status_code == (status if role in CREW else 403)
    # The one step that was there, and one more where somebody did something who may.
    acted = method == "post" and role in CREW
    assert DrillStep.objects.count() == (2 if acted else 1)


@pytest.mark.parametrize("do", ["", "approve/", "withdraw/"])
def test_strangers_sign_in_first(client, message, do):
    method = client.post if do else client.get
    answer = method(page_of(message, do))
    assert answer["Location"].startswith("/staff/sign-in/")
    assert Dispatch.objects.get().stage == "awaiting"


@pytest.mark.parametrize(
    ("method", "do", "status"),
    [("post", "", 405), ("get", "approve/", 405), ("get", "withdraw/", 405)],
)
def test_wrong_methods(client, message, method, do, status):
    by(client)
    assert getattr(client, method)(page_of(message, do)).status_code == status


def test_what_is_no_drill_is_not_shown(client, city):
    real = send_of(severity=Severity.MINOR)
    by(client)
    for number in (real.pk, 99):
        assert client.get(page_of(number)).status_code == 404
        client.post(page_of(number, "approve/"))
        client.post(page_of(number, "withdraw/"))
    assert Dispatch.objects.get().stage == "accepted"


def test_nobody_takes_part_and_nothing_was_sent_yet(client, city):
    by(client)
    said = text(client.get("/staff/drills/"))
    assert "参加すると登録した人は、いません" in said
    assert "市民への訓練は、まだ行っていません" in said


def test_how_many_it_would_reach_is_said_before(client, city):
    now = timezone.now()
    for wants in ("drill:minor", "drill:minor;weather:minor", "notice:minor", ""):
        version = next_version()
        person = Resident.objects.create(
            language="ja", wants=wants, registered_at=now, version=version
        )
        Place.objects.create(resident=person, town=Town.objects.here()[0])
    by(client)
    for address in (NEW, "/staff/drills/"):
        said = text(client.get(address))
        assert "参加する人2人" in said.replace("\n", "")
        assert "届ける手段がない2人" in said.replace("\n", "")


def test_nothing_chosen_is_asked_for_again(client, city):
    by(client)
    answer = client.post(NEW, {})
    assert answer.status_code == 400
    assert "訓練の文を、えらんでください。" in text(answer)


def test_from_one_person_over_two_others_to_the_ledger(client, composer):
    client.force_login(composer)
    made = client.post(NEW, {"text": "receive"}, follow=True)
    message = Dispatch.objects.get().pk
    said = text(made)
    assert "ほかの2人に、承認してもらって" in said
    assert "作った人は、承認できません" in said
    assert "この訓練を承認する" not in said
    for prefix in ("【訓練】", "[Drill] ", "【演练】", "[훈련] "):
        assert prefix in said
    refused = client.post(page_of(message, "approve/"), follow=True)
    assert "作った人は、承認できません" in text(refused)

    by(client, name="first")
    assert "あと 2人の承認" in text(client.get(page_of(message)))
    said = text(client.post(page_of(message, "approve/"), follow=True))
    assert "あと1人の承認で、送ります" in said
    assert "あなたは、もう承認しました" in said
    assert "もう承認しました" in text(client.post(page_of(message, "approve/"), follow=True))
    assert Dispatch.objects.get().stage == "awaiting"

    by(client, Role.DUTY_OFFICER, "second")
    said = text(client.post(page_of(message, "approve/"), follow=True))
    assert "送り始めました" in said
    assert Dispatch.objects.get().stage == "accepted"
    assert "見本 first" in said
    assert "見本 second" in said

    said = text(client.get("/staff/chronology/?kind=drill"))
    assert "見本 composerが、市民への訓練「【訓練】知らせが届くか、たしかめます」を作成" in said
    assert said.count("を承認") == 2
    assert "2人の承認がそろい送信" in said


def test_staff_see_what_stopped_it(client, message):
    send_of(severity=Severity.EXTREME)
    by(client)
    for address in ("/staff/drills/", page_of(message), MINUTES):
        assert "「大雨 ja」が出たため" in text(client.get(address)), address
    assert "この訓練を承認する" not in text(client.get(page_of(message)))
    again = text(client.post(page_of(message, "approve/"), follow=True))
    assert "承認する" not in again


def test_in_a_state_of_emergency_the_page_says_so(client, message, composer):
    declare_emergency(why="大雨", by=composer, now=timezone.now())
    by(client)
    said = text(client.get("/staff/drills/"))
    assert "緊急時（災害対策本部）の間は" in said
    assert "市民への訓練を作る" not in said
    assert "緊急時に切り替えたため" in text(client.get(page_of(message)))
    answer = client.post(NEW, {"text": "cover"})
    assert answer.status_code == 400
    assert Dispatch.objects.count() == 1


def test_taken_back_it_says_by_whom(client, message):
    by(client, name="other")
    said = text(client.post(page_of(message, "withdraw/"), follow=True))
    assert "取りやめました" in said
    assert "見本 other" in said
    assert "もう取りやめ" in text(client.post(page_of(message, "withdraw/"), follow=True))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ASSESSOR])
def test_the_board_leads_to_what_waits_and_approves_nothing_itself(client: Client, message, role):
    by(client, role)
    page = html.document_fromstring(client.get("/staff/").content)
    line = page.xpath("//ul[@class='todo']/li")[0]
    assert "住民への訓練。2人の承認を待っています" in line.text_content()
    assert line.xpath(".//a/@href") == ([page_of(message)] if role in CREW else [])
    assert not line.xpath(".//button")
