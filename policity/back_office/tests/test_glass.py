"""The sealed account: opened once, for some hours, and everybody in charge knows at once."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from policity.back_office.presenters.outbox import kept_mails
from policity.back_office.tasks.staff import mails
from policity.back_office.tests.test_access import staff
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Role, Seal, User
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.rules.limits import limits
from policity.foundations.accounts.services import glass
from policity.foundations.accounts.services.staff import StaffRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]

DOOR = "/staff/sign-in/sealed/"
WRONG = "番号がちがうか、もう使えません"


@pytest.fixture
def code(capsys) -> str:
    call_command("accounts", "seal")
    return str(capsys.readouterr().out).strip()


@pytest.fixture(autouse=True)
def _outbox(settings, tmp_path):
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()


def test_the_code_is_printed_once_and_only_its_digest_is_kept(code):
    assert len(code.replace("-", "")) == 30
    kept = str(list(Seal.objects.values_list()))
    assert code not in kept
    assert code.replace("-", "") not in kept


def test_it_opens_the_commanders_work_for_some_hours(client: Client, code):
    answer = client.post(DOOR, {"code": code.lower().replace("-", " ")})
    assert answer["Location"] == "/staff/"
    assert "非常用アカウントで入りました" in client.get("/staff/").content.decode()
    assert client.get("/staff/orders/new/").status_code == 200
    assert client.get("/staff/accounts/").status_code == 403
    opened = timezone.now()
    for minutes in range(100, 480, 100):
        with time_machine.travel(opened + timedelta(minutes=minutes), tick=False):
            assert client.get("/staff/").status_code == 200
    with time_machine.travel(opened + limits().glass, tick=False):
        assert client.get("/staff/")["Location"].startswith("/staff/sign-in/")
        assert WRONG in client.post(DOOR, {"code": code}).content.decode()


def test_a_browser_that_was_closed_comes_back_within_the_hours(client: Client, code):
    client.post(DOOR, {"code": code})
    again = Client()
    assert again.post(DOOR, {"code": code})["Location"] == "/staff/"
    assert Seal.objects.count() == 1
    until = Seal.objects.get().until
    assert AuditEntry.objects.filter(act="glass.broken").count() == 2
    with time_machine.travel(until, tick=False):
        assert again.get("/staff/")["Location"].startswith("/staff/sign-in/")


@pytest.mark.parametrize("said", ["", "wrong", "0" * 30])
def test_a_wrong_code_opens_nothing_and_is_recorded(client: Client, code, said):
    assert WRONG in client.post(DOOR, {"code": said}).content.decode()
    assert client.get("/staff/").status_code == 302
    assert AuditEntry.objects.filter(act="glass.refused").count() == 1
    assert Seal.objects.get().opened_at is None


def test_nothing_was_ever_sealed(client: Client):
    assert WRONG in client.post(DOOR, {"code": "0" * 30}).content.decode()


def test_everybody_in_charge_is_told_at_once(client: Client, code):
    for name, role in (("c", Role.COMMANDER), ("a", Role.ADMINISTRATOR), ("e", Role.EDITOR)):
        User.objects.filter(pk=create(role, name).pk).update(email=f"{name}@example.jp")
    client.post(DOOR, {"code": code})
    while mails(timezone.now()):
        pass
    kept = kept_mails()
    assert {mail.to for mail in kept} == {"c@example.jp", "a@example.jp"}
    assert all("封が開けられました" in mail.subject for mail in kept)
    assert all("心当たりがなければ" in mail.text for mail in kept)
    # Who looks at the board sees it, and the chronology has it.
    officer = Client()
    officer.force_login(staff(Role.DUTY_OFFICER))
    assert "非常用アカウントの封が" in officer.get("/staff/").content.decode()
    chronology = officer.get("/staff/chronology/?kind=glass").content.decode()
    assert "封筒の番号で、非常用アカウントに入室" in chronology


def test_it_stays_on_the_board_until_it_is_sealed_anew(client: Client, code, capsys):
    viewer = Client()
    viewer.force_login(staff(Role.DUTY_OFFICER))
    assert "非常用アカウントの封が" not in viewer.get("/staff/").content.decode()
    client.post(DOOR, {"code": code})
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert "非常用アカウントの封が" in viewer.get("/staff/").content.decode()
    call_command("accounts", "seal")
    again = str(capsys.readouterr().out).strip()
    assert "非常用アカウントの封が" not in viewer.get("/staff/").content.decode()
    # The old code, and whoever is in by it, are out; the new one opens.
    assert client.get("/staff/")["Location"].startswith("/staff/sign-in/")
    assert WRONG in client.post(DOOR, {"code": code}).content.decode()
    assert client.post(DOOR, {"code": again}).status_code == 302


def test_the_account_has_no_other_way_in(client: Client, code):
    user = User.objects.get(username="break-glass")
    assert not user.has_usable_password()
    assert roles(user, on=timezone.localdate()) == frozenset()
    administrator = staff(Role.ADMINISTRATOR)
    client.force_login(administrator)
    assert "break-glass" not in client.get("/staff/accounts/").content.decode()
    assert client.get(f"/staff/accounts/{user.pk}/").status_code == 404
    client.force_login(create(Role.EDITOR, "editor"))
    with pytest.raises(StaffRefused):
        glass.seal(by=User.objects.get(username="editor"), now=timezone.now())


def test_whoever_came_in_by_it_makes_no_key_for_it(client: Client, code):
    client.post(DOOR, {"code": code})
    assert client.get("/staff/keys/")["Location"].startswith("/staff/sign-in/")
    assert client.get("/staff/").status_code == 302
