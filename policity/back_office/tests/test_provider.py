"""The city's own sign-in, against a provider that answers over HTTP."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from lxml import html

from policity.back_office.tests.provider import CLIENT, SECRET, Provider
from policity.back_office.tests.test_access import staff
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services import entering
from policity.foundations.accounts.tests.factors import App

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]

AWAY = "市の認証サーバーで確かめられませんでした"
NOBODY = "職員の登録がありません"
MAIL = "officer@example.jp"


@pytest.fixture
def provider(settings, tmp_path):
    found = Provider()
    (tmp_path / "secret").write_text(SECRET + "\n")
    settings.OIDC = {
        "issuer": found.issuer,
        "client": CLIENT,
        "secret_file": str(tmp_path / "secret"),
        "claim": "email",
    }
    found.says = {"email": MAIL, "email_verified": True, "amr": ["pwd", "mfa"]}
    yield found
    found.close()


@pytest.fixture
def officer() -> User:
    user = staff(Role.DUTY_OFFICER)
    User.objects.filter(pk=user.pk).update(email=MAIL.upper())
    return user


def off(client: Client, **form) -> str:
    """To the provider; where it sends us back to."""
    page: Any = html.document_fromstring(client.post("/staff/sign-in/provider/", form).content)
    (there,) = page.xpath("//main//a/@href")
    assert page.xpath("//meta[@http-equiv='refresh']/@content") == [f"0;url={there}"]
    back = requests.get(there, allow_redirects=False, timeout=5)
    return back.headers["Location"].removeprefix("http://testserver")


def test_who_has_an_account_comes_in_and_goes_where_they_wanted(client: Client, provider, officer):
    back = off(client, next="/staff/sites/", kept="words=a")
    came = client.get(back)
    assert came["Location"] == "/staff/sites/"
    assert client.session["kept"] == ["/staff/sites/", "words=a"]
    assert client.get("/staff/sites/").status_code == 200
    assert entering.note_of(client.session).how == "provider"


def test_a_provider_that_asked_for_one_factor_leads_to_ours(client: Client, provider, officer):
    provider.says["amr"] = ["pwd"]
    app = App(officer)
    assert client.get(off(client, next="/staff/sites/"))["Location"] == "/staff/sign-in/second/"
    assert client.get("/staff/").status_code == 302
    assert (
        client.post("/staff/sign-in/second/", {"code": app.code()})["Location"] == "/staff/sites/"
    )


def test_without_a_key_of_ours_one_is_set_up_first(client: Client, provider, officer):
    del provider.says["amr"]
    assert client.get(off(client))["Location"] == "/staff/keys/"
    assert client.get("/staff/").status_code == 302


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.jp"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": ""},
        {"email": ["officer@example.jp"]},
        {"email": None, "preferred_username": "sample-duty_officer"},
    ],
)
def test_nobody_gets_an_account_by_it(client: Client, provider, officer, claims):
    provider.says |= claims
    assert NOBODY in client.get(off(client)).content.decode()
    assert User.objects.count() == 1
    assert client.get("/staff/").status_code == 302


def test_one_address_of_two_accounts_is_nobodys(client: Client, provider, officer):
    User.objects.create(username="double", email=MAIL)
    assert NOBODY in client.get(off(client)).content.decode()


def test_a_name_from_a_claim_that_the_city_chose(client: Client, provider, officer, settings):
    settings.OIDC = settings.OIDC | {"claim": "employee_number"}
    provider.says = {"employee_number": officer.username, "amr": ["mfa"]}
    assert client.get(off(client))["Location"] == "/staff/"


def test_who_has_left_does_not_come_in_by_it(client: Client, provider, officer):
    officer.grants.all().delete()
    assert "使える役割がありません" in client.get(off(client)).content.decode()


SPOILT = {
    "another's nonce": lambda claims: claims.update(nonce="x"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "for somebody else": lambda claims: claims.update(aud="other"),
    "from somebody else": lambda claims: claims.update(iss="https://other.example"),
    "too old": lambda claims: claims.update(exp=1, iat=0),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    client: Client, provider, officer, what
):
    provider.spoils = SPOILT[what]
    assert AWAY in client.get(off(client)).content.decode()
    assert client.get("/staff/").status_code == 302


def test_a_token_that_somebody_else_signed_opens_nothing(client: Client, provider, officer):
    provider.signs_with = provider.other
    assert AWAY in client.get(off(client)).content.decode()


def test_what_somebody_else_began_is_not_finished_here(client: Client, provider, officer):
    """Else a link would sign somebody in as whoever sent it."""
    back = off(client)
    assert AWAY in Client().get(back).content.decode()
    assert client.get(back)["Location"] == "/staff/"


def test_a_code_is_used_once_and_needs_its_verifier(client: Client, provider, officer):
    back = off(client)
    client.get(back)
    client.post("/staff/sign-out/")
    assert AWAY in client.get(back).content.decode()
    # A code that was taken on the way is worth nothing with another verifier.
    stolen = parse_qs(urlsplit(off(client)).query)["code"][0]
    mine = parse_qs(urlsplit(off(client)).query)["state"][0]
    answer = client.get(f"/staff/sign-in/provider/back/?code={stolen}&state={mine}")
    assert AWAY in answer.content.decode()


@pytest.mark.parametrize("query", ["", "?error=access_denied", "?code=x&state=y", "?code=x"])
def test_what_is_no_answer_is_said_to_be_none(client: Client, provider, query):
    assert AWAY in client.get(f"/staff/sign-in/provider/back/{query}").content.decode()


def test_a_provider_that_is_away_leaves_the_password(client: Client, provider, officer):
    provider.down = True
    answer = client.post("/staff/sign-in/provider/", {"next": "/staff/sites/", "kept": "words=a"})
    page = answer.content.decode()
    assert AWAY in page
    assert "words=a" in page


def test_without_a_provider_there_is_no_such_door(client: Client, settings):
    settings.OIDC = {}
    assert "市の認証サーバーで入る" not in client.get("/staff/sign-in/").content.decode()
    for answer in (
        client.post("/staff/sign-in/provider/"),
        client.get("/staff/sign-in/provider/back/?code=x&state=y"),
    ):
        assert answer.status_code == 404
