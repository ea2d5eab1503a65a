"""The administrator's pages, one's own page, and the links that open accounts."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import html

from policity.back_office.presenters.outbox import kept_mails
from policity.back_office.tasks.staff import MAIL, mails
from policity.back_office.tests.test_access import PASSWORD, staff
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Role, RoleGrant, User
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.rules.entering import Entered, How
from policity.foundations.accounts.services import entering, keys
from policity.foundations.accounts.tests.factors import App, code_of, given, sign_in
from policity.foundations.places.models import Town

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]

NEW_PASSWORD = "battery-of-horses"


@pytest.fixture(autouse=True)
def _outbox(settings, tmp_path):
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()


@pytest.fixture
def admin(client) -> User:
    user = staff(Role.ADMINISTRATOR)
    client.force_login(user)
    return user


@pytest.fixture
def other() -> User:
    user: User = create(Role.EDITOR, "other")
    return user


def today(days=0) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def document(answer):
    return html.document_fromstring(answer.content)


def said(answer) -> str:
    return str(document(answer).xpath("string(//main)"))


def way(name, *numbers) -> str:
    return reverse(f"back_office:{name}", args=numbers)


ACTS = {
    "list": ("get", lambda user: way("accounts"), {}),
    "open": ("post", lambda user: way("new_account"), {"username": "n", "display_name": "見本"}),
    "look": ("get", lambda user: way("account", user.pk), {}),
    "give": ("post", lambda user: way("give_role", user.pk), {"role": "viewer", "starts": today()}),
    "end a role": (
        "post", lambda user: way("end_role", user.pk, user.grants.get().pk), {"last_day": today()},
    ),
    "end": ("post", lambda user: way("end_account", user.pk), {"last_day": today()}),
    "reset": ("post", lambda user: way("reset_account", user.pk), {}),
    "link": ("post", lambda user: way("account_link", user.pk), {}),
    "session": ("post", lambda user: way("end_their_session", user.pk, 1), {}),
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", ACTS)
def test_who_may_and_who_may_not(client: Client, other, role, what):
    client.force_login(staff(role))
    before = AuditEntry.objects.count()
    method, address, form = ACTS[what]
    answer = getattr(client, method)(address(other), form)
    if role is Role.ADMINISTRATOR:
        # A link for somebody with a password is refused, in words.
        assert answer.status_code in (200, 302, 400)
    else:
        assert answer.status_code == 403
        assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("what", ACTS)
def test_what_is_not_there_is_not_found_and_what_writes_is_not_done_by_looking(
    client: Client, admin, other, what
):
    method, address, form = ACTS[what]
    place = address(other)
    if method == "post" and what != "open":
        assert client.get(place).status_code == 405
    if "accounts/" in place and str(other.pk) in place:
        gone = place.replace(f"/{other.pk}/", "/999999/", 1)
        assert getattr(client, method)(gone, form).status_code == 404


def test_somebody_is_opened_given_a_role_and_comes_in_by_the_link(client: Client, admin):
    town = Town.objects.here().first()
    assert town
    made = client.post(
        way("new_account"), {"username": "shinjin", "display_name": "見本 新人", "email": ""}
    )
    user = User.objects.get(username="shinjin")
    assert made["Location"] == way("account", user.pk)
    form = {"role": "site_staff", "towns": [town.name], "starts": today(), "ends": today(30)}
    client.post(way("give_role", user.pk), form)
    grant = RoleGrant.objects.get(user=user)
    assert (grant.role, grant.towns) == ("site_staff", [town.name])
    page = document(client.post(way("account_link", user.pk)))
    link = page.xpath("string(//p[@class='secret'])")
    assert page.xpath("//div[@class='scan']/svg")
    assert "/staff/welcome/" in link

    new = Client()
    assert "shinjin" in said(new.get(link))
    again = {"password": NEW_PASSWORD, "again": "different"}
    assert "二つのパスワードがちがいます" in said(new.post(link, again))
    assert said(new.post(link, {"password": "short", "again": "short"})).count("12")
    set_up = new.post(link, {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert set_up["Location"] == "/staff/keys/"
    assert "用意が終わるまで、ほかの画面は開けません" in said(new.get("/staff/keys/"))
    secret = document(new.get("/staff/keys/app/")).xpath("string(//p[@class='secret'])")
    code = code_of(secret.replace("-", ""))
    assert "番号がちがいます" in said(new.post("/staff/keys/app/", {"code": "000000"}))
    came = new.post("/staff/keys/app/", {"code": code})
    assert came["Location"] == "/staff/keys/codes/"
    codes = document(new.get("/staff/keys/codes/")).xpath("//ol[@class='codes']/li/text()")
    assert len(codes) == 10
    # Shown until they are put away, and never again.
    assert codes[0] in new.get("/staff/keys/codes/").content.decode()
    assert new.post("/staff/keys/codes/")["Location"] == "/staff/"
    assert new.get("/staff/keys/codes/")["Location"] == "/staff/me/"
    assert new.get("/staff/sites/").status_code == 200
    # The link is used up.
    assert "このリンクは使えません" in said(Client().get(link))
    late = Client().post(link, {"password": PASSWORD, "again": PASSWORD})
    assert late.status_code == 404
    assert User.objects.get(pk=user.pk).check_password(NEW_PASSWORD)


def test_the_link_goes_by_mail_and_lies_in_no_queue(client: Client, admin):
    client.post(
        way("new_account"),
        {"username": "n", "display_name": "見本 新人", "email": "new@example.jp"},
    )
    user = User.objects.get(username="n")
    answer = client.post(way("account_link", user.pk), {"mail": "1"}, follow=True)
    assert "new@example.jp に、リンクを送ります" in answer.content.decode()
    from policity.foundations.work.models import Item

    (item,) = Item.objects.filter(kind=MAIL)
    assert "/" not in item.key + str(item.progress)
    assert mails(timezone.now()) == 1
    (mail,) = kept_mails()
    assert mail.to == "new@example.jp"
    link = next(word for word in mail.text.split() if "/staff/welcome/" in word)
    assert "はじめてのサインイン" in said(Client().get(urlsplit(link).path))
    assert mails(timezone.now()) == 0


def test_a_mail_server_that_is_away_costs_no_mail(client: Client, admin, settings, other):
    User.objects.filter(pk=other.pk).update(email="other@example.jp", password="!")
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    client.post(way("account_link", other.pk), {"mail": "1"})
    now = timezone.now()
    assert mails(now) == 1
    assert mails(now) == 0
    settings.EMAIL_URL = ""
    assert mails(now + timedelta(minutes=1)) == 1
    assert len(kept_mails()) == 1


def test_the_administrator_ends_a_session_and_it_opens_nothing(client: Client, admin, other):
    theirs = Client(headers={"user-agent": "Mozilla/5.0 (iPhone) Safari/1"})
    sign_in(theirs, other, PASSWORD)
    assert theirs.get("/staff/").status_code == 200
    page = document(client.get(way("account", other.pk)))
    assert "iPhone・Safari" in page.xpath("string(//main)")
    (ends,) = page.xpath("//form[contains(@action, '/session/')]/@action")
    client.post(ends)
    assert theirs.get("/staff/")["Location"].startswith("/staff/sign-in/")
    assert "サインインしている端末はありません" in said(client.get(way("account", other.pk)))


def test_a_session_is_ended_by_its_owner_and_by_no_stranger(client: Client, admin, other):
    first, second = Client(), Client()
    sign_in(first, other, PASSWORD)
    app = App(other)
    second.post("/staff/sign-in/", {"username": "other", "password": PASSWORD})
    second.post("/staff/sign-in/second/", {"code": app.code()})
    one, two = entering.sessions_of(other, now=timezone.now())
    assert said(second.get("/staff/me/")).count("この端末") == 1
    # Whoever asks for somebody else's number ends nothing.
    stranger = Client()
    stranger.force_login(create(Role.EDITOR, "stranger"))
    for number in (one.pk, two.pk):
        stranger.post(way("end_session", number))
    assert first.get("/staff/").status_code == second.get("/staff/").status_code == 200
    own = next(s for s in (one, two) if s.session_key == first.session.session_key)
    second.post(way("end_session", own.pk))
    assert first.get("/staff/").status_code == 302
    assert second.get("/staff/").status_code == 200


def test_signing_out_takes_the_session_off_the_list(client: Client, other):
    sign_in(client, other, PASSWORD)
    client.post("/staff/sign-out/")
    assert entering.sessions_of(other, now=timezone.now()) == []


def test_a_reset_ends_sessions_and_a_link_begins_anew(client: Client, admin, other):
    theirs = Client()
    sign_in(theirs, other, PASSWORD)
    client.post(way("reset_account", other.pk))
    assert theirs.get("/staff/").status_code == 302
    assert "ちがいます" in said(
        theirs.post("/staff/sign-in/", {"username": "other", "password": PASSWORD})
    )
    assert client.post(way("account_link", other.pk)).status_code == 200


def test_somebody_leaves(client: Client, admin, other):
    client.post(way("end_account", other.pk), {"last_day": today(-1)})
    assert roles(other, on=timezone.localdate()) == frozenset()
    assert "役割のない人" in said(client.get(way("accounts")))


def test_one_does_not_change_ones_own_roles(client: Client, admin):
    create(Role.ADMINISTRATOR, "second")
    page = document(client.get(way("account", admin.pk)))
    assert "ほかの管理者に頼んでください" in page.xpath("string(//main)")
    assert not page.xpath(f"//form[@action='{way('give_role', admin.pk)}']")
    form = {"role": "commander", "starts": today()}
    assert client.post(way("give_role", admin.pk), form).status_code == 400
    assert client.post(way("end_account", admin.pk), {"last_day": today()}).status_code == 400
    assert roles(admin, on=timezone.localdate()) == {Role.ADMINISTRATOR}


def test_a_form_that_is_wrong_says_so_and_keeps_what_was_typed(client: Client, admin, other):
    wrong = client.post(way("new_account"), {"username": "職員", "display_name": "見本 <b>"})
    assert wrong.status_code == 400
    assert "職員IDは" in said(wrong)
    assert document(wrong).xpath("//input[@name='display_name']/@value") == ["見本 <b>"]
    for form, says in (
        ({"role": "king", "starts": today()}, "正しく選択|king|役割"),
        ({"role": "viewer", "starts": ""}, "始まりの日"),
        ({"role": "viewer", "starts": today(), "towns": ["見知らぬ町"]}, "この市にない町"),
        ({"role": "viewer", "starts": today(), "ends": today(-2)}, "終わりの日"),
    ):
        answer = client.post(way("give_role", other.pk), form)
        assert answer.status_code == 400
        assert any(word in said(answer) for word in says.split("|"))
    assert other.grants.count() == 1


# One's own page.


def test_a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions(client: Client, other):
    sign_in(client, other, PASSWORD)
    elsewhere = Client()
    elsewhere.force_login(other)
    UserSession.objects.create(
        user=other, ip="203.0.113.9", session_key=elsewhere.session.session_key
    )
    form = {"old": "wrong", "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert "いまのパスワードがちがいます" in said(client.post(way("change_password"), form))
    short = {"old": PASSWORD, "password": "x", "again": "x"}
    assert client.post(way("change_password"), short).status_code == 400
    done = client.post(way("change_password"), form | {"old": PASSWORD})
    assert done["Location"] == "/staff/me/"
    assert client.get("/staff/me/").status_code == 200
    assert len(entering.sessions_of(other, now=timezone.now())) == 1
    assert elsewhere.get("/staff/").status_code == 302
    other.refresh_from_db()
    assert other.check_password(NEW_PASSWORD)


@pytest.mark.parametrize("what", ["set_up", "add_app", "new_codes", "ask_new_passkey"])
def test_keys_are_changed_by_who_came_in_just_now(client: Client, other, what):
    App(other)
    client.force_login(other)
    session = client.session
    note = entering.note_of(session)
    earlier = timezone.now() - timedelta(minutes=16)
    session[entering.ENTERED] = entering._note(Entered(How.CODE, earlier, timezone.now()))
    session.save()
    assert note
    method = client.get if what in ("set_up", "add_app") else client.post
    answer = method(way(what))
    assert answer.status_code == 403 or answer["Location"].startswith(
        "/staff/sign-in/?next=/staff/me"
    )
    assert keys.keys_of(other).left == 10


def test_a_key_is_removed_but_for_the_last(client: Client, other):
    App(other)
    client.force_login(other)
    (key,) = keys.keys_of(other).keys
    page = client.post(way("remove_key", key.id), follow=True).content.decode()
    assert "最後の一つは消せません" in page
    other_key = Authenticator.objects.create(
        user=other, type=keys.Type.WEBAUTHN, data={"name": "見本のキー"}
    )
    assert (
        "キーを消しました" in client.post(way("remove_key", key.id), follow=True).content.decode()
    )
    assert [one.id for one in keys.keys_of(other).keys] == [other_key.pk]


def test_nobody_removes_somebody_elses_key(client: Client, other):
    App(other)
    (key,) = keys.keys_of(other).keys
    client.force_login(create(Role.EDITOR, "stranger"))
    client.post(way("remove_key", key.id))
    assert keys.keys_of(other).keys == (key,)


def test_who_is_about_to_come_in_with_a_key_adds_no_other(client: Client, other):
    """Else a password alone would be enough to add one's own."""
    App(other)
    client.post("/staff/sign-in/", {"username": "other", "password": PASSWORD})
    for place in ("/staff/keys/", "/staff/keys/app/"):
        assert client.get(place)["Location"] == "/staff/sign-in/second/"
    assert client.post("/staff/keys/ask/").status_code == 403
    assert client.post("/staff/keys/passkey/", {"credential": "{}"}).status_code == 302
    assert len(keys.keys_of(other).keys) == 1


@pytest.mark.parametrize("credential", ["", "x", "[]", "{}", '{"id": 1}', '{"response": []}',
    '{"response": {"userHandle": "AA"}}', '{"id": "AA", "rawId": "AA", "type": "public-key",'
    ' "response": {"userHandle": "MQ", "clientDataJSON": "e30", "authenticatorData": "AA",'
    ' "signature": "AA"}}'])  # fmt: skip
def test_a_forged_passkey_opens_nothing(client: Client, other, credential):
    for ask, place in (
        ("/staff/sign-in/ask/", "/staff/sign-in/passkey/"),
        ("/staff/sign-in/ask/", "/staff/sign-in/second/"),
    ):
        if place.endswith("second/"):
            App(other)
            client.post("/staff/sign-in/", {"username": "other", "password": PASSWORD})
        assert client.post(ask).json()["publicKey"]["challenge"]
        answer = client.post(place, {"credential": credential})
        assert "確かめられませんでした" in answer.content.decode()
        assert client.get("/staff/").status_code == 302


def test_a_forged_key_is_not_taken(client: Client, other):
    client.force_login(other)
    given(client.session)
    assert client.post("/staff/keys/ask/").json()["publicKey"]["user"]["name"] == "other"
    for credential in ("", "{}", '{"id":"AA","rawId":"AA","type":"public-key","response":{}}'):
        answer = client.post("/staff/keys/passkey/", {"credential": credential})
        assert "確かめられませんでした" in answer.content.decode()
    assert not keys.has_keys(other)
