"""Coming in by two steps: what is closed between them, who must wait, and what nobody is told."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from policity.back_office.tests.test_access import PASSWORD, staff
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Failure, Role, RoleGrant, User
from policity.foundations.accounts.rules.limits import limits
from policity.foundations.accounts.services import entering, keys
from policity.foundations.accounts.tests.factors import App, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]

BOARD, GATE, SECOND, SET_UP = "/staff/", "/staff/sign-in/", "/staff/sign-in/second/", "/staff/keys/"


def password(client: Client, user: User, said: str = PASSWORD, **more):
    return client.post(GATE, {"username": user.username, "password": said}, **more)


def staff_addresses():
    """Every address below /staff/ that needs no argument."""
    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and str(entry.pattern) == "staff/":
            for one in entry.url_patterns:
                assert isinstance(one, URLPattern)
                if "<" not in str(one.pattern):
                    yield f"/staff/{one.pattern}"


# What answers whoever has not come in: it lets them in, or out.
OPEN = {GATE, SECOND, SET_UP} | {
    f"/staff/{way}"
    for way in (
        "sign-in/passkey/", "sign-in/ask/", "sign-in/provider/", "sign-in/provider/back/",
        "sign-in/sealed/", "keys/ask/", "keys/passkey/", "keys/app/", "sign-out/",
    )
}  # fmt: skip


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("address", sorted(set(staff_addresses()) - OPEN))
def test_between_the_steps_nothing_answers(client: Client, address, with_key):
    user = staff(Role.COMMANDER)
    if with_key:
        App(user)
    assert password(client, user)["Location"] == (SECOND if with_key else SET_UP)
    for answer in (client.get(address), client.post(address)):
        # What keeps what was typed answers a POST with the gate.
        assert answer.status_code in (302, 405) or "職員のサインイン" in answer.content.decode()
        if answer.status_code == 302:
            assert answer["Location"].startswith("/staff/sign-in/")


@pytest.mark.parametrize("role", Role)
def test_every_role_comes_in_by_two_steps(client: Client, role):
    assert sign_in(client, staff(role), PASSWORD)["Location"] == BOARD
    assert client.get(BOARD, follow=True).status_code == 200
    assert AuditEntry.objects.filter(act="staff.entered").count() == 1


def test_a_session_without_a_second_factor_opens_nothing(client: Client):
    """Whatever signs somebody in past our road: a library, a door that was forgotten."""
    client.force_login(staff(Role.COMMANDER))
    session = client.session
    del session[entering.ENTERED]
    session.save()
    assert client.get(BOARD)["Location"].startswith(GATE)
    assert not Session.objects.filter(session_key=session.session_key).exists()


def test_a_code_is_good_once(client: Client):
    user = staff(Role.EDITOR)
    app = App(user)
    code = app.code()
    password(client, user)
    assert client.post(SECOND, {"code": code})["Location"] == BOARD
    client.post("/staff/sign-out/")
    password(client, user)
    assert "番号がちがいます" in client.post(SECOND, {"code": code}).content.decode()
    assert client.post(SECOND, {"code": app.code()})["Location"] == BOARD


def test_a_recovery_code_is_good_once(client: Client):
    user = staff(Role.EDITOR)
    App(user)
    code, *_ = keys.new_recovery_codes(by=user, now=timezone.now())
    assert len(_) == 9
    for location in (BOARD, None):
        password(client, user)
        answer = client.post(SECOND, {"code": f" {code[:4]} {code[4:]} "})
        assert answer.get("Location") == location
        client.post("/staff/sign-out/")
    assert keys.keys_of(user).left == 9


def test_the_second_step_waits_a_quarter_of_an_hour_and_no_longer(client: Client):
    user = staff(Role.EDITOR)
    app = App(user)
    password(client, user)
    with time_machine.travel(timezone.now() + limits().second_step, tick=False):
        assert client.post(SECOND, {"code": app.code()})["Location"] == GATE


def test_a_password_that_was_changed_meanwhile_leads_nowhere(client: Client):
    user = staff(Role.EDITOR)
    app = App(user)
    password(client, user)
    user.set_password("another-horse-battery")
    user.save()
    assert client.post(SECOND, {"code": app.code()})["Location"] == GATE


def test_who_has_left_does_not_come_in_and_is_told_so(client: Client):
    today = timezone.localdate()
    user = staff(Role.EDITOR, starts=today - timedelta(days=9), ends=today - timedelta(days=1))
    assert "使える役割がありません" in sign_in(client, user, PASSWORD).content.decode()
    assert client.get(BOARD)["Location"].startswith(GATE)


def test_a_leavers_session_ends_on_the_day_after(client: Client):
    today = timezone.localdate()
    user = staff(Role.EDITOR, ends=today)
    sign_in(client, user, PASSWORD)
    assert client.get(BOARD).status_code == 200
    RoleGrant.objects.filter(user=user).update(ends=today - timedelta(days=1))
    gone = client.get(BOARD)
    assert gone.status_code == 403
    assert "使える役割がありません" in gone.content.decode()
    assert client.get(BOARD)["Location"].startswith(GATE)
    assert entering.sessions_of(user, now=timezone.now()) == []


@pytest.mark.parametrize(
    ("unused", "stands"), [(timedelta(minutes=119), True), (timedelta(minutes=121), False)]
)
def test_a_session_that_is_not_used_ends(client: Client, unused, stands):
    sign_in(client, staff(Role.EDITOR), PASSWORD)
    with time_machine.travel(timezone.now() + unused, tick=False):
        assert (client.get(BOARD).status_code == 200) is stands


def test_a_session_that_is_used_ends_after_the_longest_day(client: Client):
    sign_in(client, staff(Role.EDITOR), PASSWORD)
    began = timezone.now()
    for hours in range(1, 14):
        with time_machine.travel(began + timedelta(hours=hours), tick=False):
            assert client.get(BOARD).status_code == 200, hours
    with time_machine.travel(began + limits().longest, tick=False):
        assert client.get(BOARD)["Location"].startswith(GATE)


# Who must wait.


def test_five_bad_tries_from_one_address_close_it_for_that_name_and_say_for_how_long(
    client: Client,
):
    user = staff(Role.EDITOR)
    for _ in range(limits().tries):
        assert "ちがいます" in password(client, user, "wrong").content.decode()
    for said in ("wrong", PASSWORD):
        page = password(client, user, said).content.decode()
        assert "あと15分" in page
        assert "パスキーなら、いますぐ入れます" in page
    # Another name is not held up, and neither is the same one a quarter of an hour later.
    assert password(client, create(Role.EDITOR, "other")).status_code == 302
    with time_machine.travel(timezone.now() + limits().window, tick=False):
        assert password(client, user).status_code == 302


def test_nobody_can_lock_somebody_else_out(client: Client):
    user = staff(Role.EDITOR)
    for number in range(300):
        password(client, user, "wrong", REMOTE_ADDR=f"198.51.{number // 250}.{number % 250}")
    assert Failure.objects.count() == 300
    assert password(client, user, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_a_shelter_shares_an_address_and_an_attacker_gets_no_more_than_that(client: Client):
    user = staff(Role.EDITOR)
    for number in range(limits().tries_from_address):
        client.post(GATE, {"username": f"guess-{number}", "password": "wrong"})
    assert "あと15分" in password(client, user).content.decode()
    assert password(client, user, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_the_address_is_the_one_that_the_front_saw(client: Client):
    user = staff(Role.EDITOR)
    for number in range(limits().tries):
        forged = f"10.0.0.{number}, 203.0.113.9"
        password(client, user, "wrong", headers={"X-Forwarded-For": forged})
    again = password(client, user, headers={"X-Forwarded-For": "203.0.113.9"})
    assert "あと15分" in again.content.decode()


def test_codes_behind_the_right_password_are_counted_wherever_they_come_from(client: Client):
    user = staff(Role.EDITOR)
    app = App(user)
    password(client, user)
    for number in range(limits().codes):
        said = client.post(SECOND, {"code": "000000"}, REMOTE_ADDR=f"198.51.100.{number}")
        assert "番号がちがいます" in said.content.decode()
    page = client.post(SECOND, {"code": app.code()}, REMOTE_ADDR="203.0.113.9").content.decode()
    assert "あと15分" in page
    # Who has not the password cannot bring that about, and who has it still comes to this step.
    assert password(client, user, REMOTE_ADDR="203.0.113.9")["Location"] == SECOND


def test_what_was_typed_as_a_name_is_not_kept(client: Client):
    client.post(GATE, {"username": "my-secret-password", "password": "x"})
    kept = Failure.objects.get()
    assert "secret" not in kept.name
    entering.tidy(now=timezone.now() + limits().window + timedelta(seconds=1))
    assert not Failure.objects.exists()


def test_wide_letters_and_another_case_are_the_same_name_for_counting(client: Client):
    staff(Role.EDITOR)
    for name in (
        "sample-editor",
        "SAMPLE-EDITOR",
        "ｓａｍｐｌｅ-editor",
        "Sample-Editor",
        " sample-editor",
    ):
        client.post(GATE, {"username": name, "password": "x"})
    assert Failure.objects.values("name").distinct().count() == 1


# Doors that are none.


@pytest.mark.parametrize(
    "address",
    ["/cms/", "/cms/login/", "/cms/password_reset/", "/admin/", "/accounts/login/", "/staff/login/",
     "/accounts/signup/", "/accounts/password/reset/", "/accounts/2fa/"],
)  # fmt: skip
def test_there_is_no_other_door(client: Client, address):
    assert client.get(address).status_code == 404


def test_made_up_staff_do_without_in_the_demo_alone(client: Client, settings):
    user = staff(Role.EDITOR, is_sample=True)
    assert password(client, user)["Location"] == SET_UP
    client.cookies.clear()
    settings.DEMO = True
    assert "見本の職員は、二つめの確かめなしで" in client.get(GATE).content.decode()
    assert password(client, user)["Location"] == BOARD
    assert client.get(BOARD).status_code == 200
    # The home is no demo any more: what stands from then opens nothing.
    settings.DEMO = False
    assert client.get(BOARD)["Location"].startswith(GATE)


def test_real_staff_do_not_do_without_in_the_demo_either(client: Client, settings):
    settings.DEMO = True
    assert password(client, staff(Role.EDITOR))["Location"] == SET_UP


def test_made_up_staff_with_a_key_are_asked_for_it(client: Client, settings):
    settings.DEMO = True
    user = staff(Role.EDITOR, is_sample=True)
    App(user)
    assert password(client, user)["Location"] == SECOND
