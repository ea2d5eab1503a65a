"""The first people of an empty home, in a real browser: passkey, application, recovery code."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from policity.back_office.tests.provider import CLIENT, SECRET, Provider
from tests.journeys.test_board import SIZES
from tests.journeys.test_registering import RULES
from tests.living import City, end, start, surroundings, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

PASSWORD = "correct-horse-battery"
SHOTS = os.environ.get("SHOTS")


def policity(home: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=surroundings(home) | {"POLICITY_DEMO": "0"},
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    ).stdout.strip()


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    found = Provider()
    found.says = {"email": "kanri@example.jp", "email_verified": True, "amr": ["mfa"]}
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("POLICITY_OIDC_ISSUER", found.issuer)
    monkeypatch.setenv("POLICITY_OIDC_CLIENT", CLIENT)
    monkeypatch.setenv("POLICITY_OIDC_SECRET_FILE", str(tmp_path / "secret"))
    yield found
    found.close()


@pytest.fixture
def city(tmp_path: Path, provider: Provider) -> Iterator[City]:
    home = tmp_path / "home"
    home.mkdir()
    city = start(home)
    try:
        until(lambda: city.missing() == [], "everything serves")
        policity(home, "places", "load", "mitaka")
        yield city
    finally:
        end(city)


def at(city: City, path: str) -> str:
    """A passkey belongs to a name, not to a number."""
    return f"http://localhost:{city.port}{path}"


def opened(city: City, link: str) -> str:
    return at(city, "/staff/" + link.partition("/staff/")[2])


def clean(page: Page, what: str) -> None:
    """Readable for everybody, light and dark, on a telephone, a small one, and a desk."""
    found = []
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            seen = Axe().run(page, options={"runOnly": RULES}).response["violations"]
            found += [f"{what} {size} {theme}: {v['id']} {v['nodes'][0]['html']}" for v in seen]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{what}: {wide} px wide on {size}"] if wide > width else []
        page.emulate_media(color_scheme="light")
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{what}-{size}.png", full_page=True)
    assert found == []


def with_a_key(page: Page) -> Any:
    """A device that makes passkeys, and whose finger is always right."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="サインアウト", exact=True).click()
    expect(page).to_have_url(re.compile("/staff/sign-in/"))


def choose_password(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("新しいパスワード").fill(PASSWORD)
    page.get_by_label("もう一度").fill(PASSWORD)
    page.get_by_role("button", name="決めて、先へ進む").click()
    expect(page.get_by_role("heading", name="二つめの確かめを用意する")).to_be_visible()


def by_password(page: Page, city: City, name: str) -> None:
    page.goto(at(city, "/staff/sign-in/"))
    page.get_by_label("職員ID").fill(name)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("button", name="サインイン", exact=True).click()


def test_the_first_people_of_an_empty_home(city: City, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    link = opened(city, policity(
        city.home, "accounts", "create", "kanri", "--name", "見本", "--role", "administrator",
    ))  # fmt: skip

    # The administrator: a passkey.
    key = with_a_key(page)
    page.goto(link)
    clean(page, "welcome")
    choose_password(page, link)
    clean(page, "set-up")
    page.goto(at(city, "/staff/"))
    expect(page).to_have_url(re.compile("/staff/sign-in/"))
    clean(page, "sign-in")
    by_password(page, city, "kanri")
    page.get_by_label("この端末の呼び名").fill("見本の端末")
    page.get_by_role("button", name="パスキーを作る").click()
    expect(page.get_by_role("heading", name="回復コード")).to_be_visible()
    clean(page, "codes")
    page.get_by_role("button", name="しまったので、先へ進む").click()
    expect(page).to_have_url(at(city, "/staff/"))
    sign_out(page)
    page.get_by_role("button", name="パスキーで入る").click()
    expect(page).to_have_url(at(city, "/staff/"))
    page.goto(at(city, "/staff/me/"))
    expect(page.get_by_text("見本の端末", exact=True)).to_be_visible()
    clean(page, "me")
    sign_out(page)
    by_password(page, city, "kanri")
    expect(page.get_by_role("heading", name="二つめの確かめ")).to_be_visible()
    clean(page, "second")
    page.get_by_role("button", name="パスキーを使う").click()
    expect(page).to_have_url(at(city, "/staff/"))

    # Somebody new: opened, given a role, with a link on paper.
    page.goto(at(city, "/staff/accounts/new/"))
    clean(page, "new-account")
    page.get_by_label("名前").fill("見本 避難所")
    page.get_by_label("職員ID").fill("hinanjo")
    page.get_by_role("button", name="登録する").click()
    clean(page, "account-new")
    page.locator("#role").select_option("site_staff")
    page.get_by_role("button", name="役割を与える").click()
    expect(page.get_by_text("役割を与えました。")).to_be_visible()
    page.get_by_role("button", name="登録のリンクを、印刷して渡す").click()
    clean(page, "account-link")
    link = page.locator(".secret").inner_text()
    page.goto(at(city, "/staff/accounts/"))
    clean(page, "accounts")

    # On their telephone: an application, its key typed in.
    assert page.context.browser
    theirs = page.context.browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    choose_password(theirs, link)
    theirs.get_by_role("link", name="認証アプリを使う").click()
    clean(theirs, "app")
    theirs.set_viewport_size({"width": 390, "height": 844})
    theirs.get_by_text("読み取れないとき").click()
    secret = theirs.locator(".secret").inner_text().replace("-", "")
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    theirs.get_by_label("6桁の番号").fill(code)
    theirs.get_by_role("button", name="確かめて、使い始める").click()
    codes = theirs.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    theirs.get_by_role("button", name="しまったので、先へ進む").click()
    expect(theirs).to_have_url(at(city, "/staff/"))

    # What they type outlives their session, which the administrator ends, and both steps.
    theirs.goto(at(city, "/staff/sites/"))
    page.get_by_role("link", name="見本 避難所").click()
    page.get_by_role("button", name="終わらせる").click()
    expect(page.get_by_text("そのセッションを終わらせました。")).to_be_visible()
    theirs.reload()
    expect(theirs).to_have_url(re.compile("/staff/sign-in/"))
    theirs.get_by_label("職員ID").fill("hinanjo")
    theirs.get_by_label("パスワード").fill(PASSWORD)
    theirs.get_by_role("button", name="サインイン", exact=True).click()
    theirs.get_by_label("認証アプリの番号").fill(codes[0])
    theirs.get_by_role("button", name="確かめる").click()
    expect(theirs).to_have_url(at(city, "/staff/sites/"))

    # The envelope.
    sealed = policity(city.home, "accounts", "seal")
    sign_out(theirs)
    theirs.get_by_role("link", name="封筒の番号で入る").click()
    clean(theirs, "sealed")
    theirs.get_by_role("textbox", name="封筒の番号").fill(sealed)
    theirs.get_by_role("button", name="封を開けて入る").click()
    expect(theirs.get_by_text("非常用アカウントで入りました")).to_be_visible()
    expect(theirs.get_by_text("非常用アカウントの封が")).to_be_visible()
    key.detach()
    assert [said for said in complaints if "Content-Security" in said or "Error" in said] == []


def test_an_address_that_is_a_number_has_no_passkeys_and_says_so(city: City, page: Page) -> None:
    made = policity(
        city.home, "accounts", "create", "kanri", "--name", "見本", "--role", "administrator"
    )
    choose_password(page, opened(city, made).replace("localhost", "127.0.0.1"))
    expect(page.get_by_text("パスキーが使えません")).to_be_visible()
    expect(page.get_by_role("button", name="パスキーを作る")).to_be_hidden()
    expect(page.get_by_role("link", name="認証アプリを使う")).to_be_visible()


def test_the_citys_own_sign_in(city: City, page: Page, provider: Provider) -> None:
    """Through a policy that lets our forms lead nowhere else."""
    made = ("create", "kanri", "--name", "見本", "--role", "editor", "--email", "kanri@example.jp")
    policity(city.home, "accounts", *made)
    page.goto(at(city, "/staff/me/"))
    page.get_by_role("button", name="市の認証サーバーで入る").click()
    expect(page).to_have_url(at(city, "/staff/me/"))
    expect(page.get_by_text("いまは、市の認証サーバーで入っています")).to_be_visible()
