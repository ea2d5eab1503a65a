"""Who sees to those who need help, who approves, who reads kept mails; and what the board says."""

import pytest
from django.test import Client
from django.utils import timezone

from policity.back_office.tests.test_access import staff
from policity.foundations.accounts.models import Role
from policity.foundations.delivery import services
from policity.foundations.delivery.models import Alarm, Dispatch, LedgerRow, Target
from policity.foundations.delivery.services import send, tell
from policity.foundations.residents.rules.audience import Audience
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

TEXTS = {language.code: {"title": "大雨警報", "body": ""} for language in LANGUAGES}

pytestmark = pytest.mark.usefixtures("city")


def dispatch(approved=True) -> int:
    now = timezone.now()
    message = tell(
        kind="weather", thread="s:1", severity="severe", level=4, texts=TEXTS, told_at=now, now=now
    )
    audience = Audience("weather", Severity.SEVERE)
    sent = send(messages=[message], audience=audience, by=None, now=now, approved=approved)
    return int(sent.pk)


@pytest.fixture
def alarm() -> Alarm:
    return Alarm.objects.create(
        message_id=dispatch(), person=1, town="泉町三丁目", language="en", phone="090-1",
        situation=["hurt"], raised_at=timezone.now(),
    )  # fmt: skip


CRISIS_ROOM = {Role.COMMANDER, Role.DUTY_OFFICER}
ALLOWED = {
    "alarms": CRISIS_ROOM,
    "take": CRISIS_ROOM,
    "close": CRISIS_ROOM,
    "approve": CRISIS_ROOM,
    "outbox": {Role.ADMINISTRATOR},
    "mail": {Role.ADMINISTRATOR},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", ALLOWED)
def test_who_may_and_who_may_not(client: Client, alarm, role, what):
    client.force_login(staff(role))
    waiting = dispatch(approved=False)
    answer = {
        "alarms": lambda: client.get("/staff/alarms/"),
        "take": lambda: client.post(f"/staff/alarms/{alarm.pk}/take/"),
        "close": lambda: client.post(
            f"/staff/alarms/{alarm.pk}/close/", {"outcome": "迎えに行った"}
        ),
        "approve": lambda: client.post(f"/staff/approve/{waiting}/"),
        "outbox": lambda: client.get("/staff/outbox/"),
        "mail": lambda: client.get("/staff/outbox/1-1.eml/"),
    }[what]()
    if role in ALLOWED[what]:
        assert answer.status_code in (200, 302, 404)
    else:
        assert answer.status_code == 403
    alarm.refresh_from_db()
    acted = role in ALLOWED[what]
    assert (alarm.owner is not None) == (acted and what in ("take", "close"))
    assert (alarm.closed_at is not None) == (acted and what == "close")
    stage = Dispatch.objects.get(pk=waiting).stage
    assert (stage == Dispatch.Stage.ACCEPTED) == (acted and what == "approve")


@pytest.mark.parametrize(
    "path", ["/staff/alarms/1/take/", "/staff/alarms/1/close/", "/staff/approve/1/"]
)
def test_nothing_is_done_by_looking(client: Client, alarm, path):
    client.force_login(staff(Role.DUTY_OFFICER))
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/staff/alarms/", "/staff/outbox/", "/staff/outbox/1-1.eml/"])
def test_a_stranger_is_asked_to_sign_in(client: Client, path):
    assert client.get(path).status_code == 302


def test_the_queue_says_who_and_how_to_call_back(client: Client, alarm):
    client.force_login(staff(Role.DUTY_OFFICER))
    text = client.get("/staff/alarms/").content.decode()
    for word in ("泉町三丁目", "English", "090-1", "けがをした", "担当が決まっていません"):
        assert word in text
    client.post(f"/staff/alarms/{alarm.pk}/take/")
    assert "担当 見本" in client.get("/staff/alarms/").content.decode()


def test_a_call_that_is_over_cannot_be_taken_again(client: Client, alarm):
    client.force_login(staff(Role.DUTY_OFFICER))
    client.post(f"/staff/alarms/{alarm.pk}/close/", {"outcome": "無事"})
    answer = client.post(f"/staff/alarms/{alarm.pk}/take/", follow=True)
    assert "もう終わっています" in answer.content.decode()


def test_how_it_ended_must_be_said(client: Client, alarm):
    client.force_login(staff(Role.DUTY_OFFICER))
    answer = client.post(f"/staff/alarms/{alarm.pk}/close/", {"outcome": " "}, follow=True)
    assert "短く入れて" in answer.content.decode()
    alarm.refresh_from_db()
    assert alarm.closed_at is None


def test_the_board_says_whether_the_sum_is_the_sum(client: Client):
    client.force_login(staff(Role.ADMINISTRATOR))
    message = dispatch()
    now = timezone.now()
    Target.objects.create(message_id=message, person=1)
    Dispatch.objects.update(targets=1)
    LedgerRow.objects.create(message_id=message, person=1, channel="mail", state=4, changed_at=now)
    text = client.get("/staff/").content.decode()
    assert "対象 1人" in text
    assert "台帳と一致" in text
    LedgerRow.objects.all().delete()
    assert "台帳と合いません" in client.get("/staff/").content.decode()


def test_the_board_has_what_must_be_decided_first(client: Client, alarm):
    client.force_login(staff(Role.DUTY_OFFICER))
    dispatch(approved=False)
    text = client.get("/staff/").content.decode()
    assert text.index("いま決めること") < text.index("いま効いているもの")
    assert "承認して送る" in text


@pytest.mark.parametrize("count", [1, 8])
def test_as_many_queries_for_one_dispatch_as_for_eight(
    client: Client, count, django_assert_max_num_queries
):
    client.force_login(staff(Role.ADMINISTRATOR))
    for _ in range(count):
        dispatch()
    services.count(now=timezone.now())
    with django_assert_max_num_queries(33):
        client.get("/staff/")


def test_a_kept_mail_is_shown_as_its_reader_would_see_it(client: Client, settings, tmp_path):
    settings.HOME = tmp_path
    (tmp_path / "outbox").mkdir()
    mail = "Subject: =?utf-8?b?5aSn6Zuo?=\nTo: <p1@example.jp>\n\n<script>alert(1)</script>"
    (tmp_path / "outbox" / "00000001-1.eml").write_text(mail)
    client.force_login(staff(Role.ADMINISTRATOR))
    assert "大雨" in client.get("/staff/outbox/").content.decode()
    text = client.get("/staff/outbox/00000001-1.eml/").content.decode()
    assert "&lt;script&gt;" in text
    for name in ("..%2Fsecret.key", "secret.key", "1-2.eml"):
        assert client.get(f"/staff/outbox/{name}/").status_code == 404
