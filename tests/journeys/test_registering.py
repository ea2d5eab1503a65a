"""A resident registers on a phone, confirms, changes, leaves: real processes, a real browser."""

import email
import email.policy
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from policity.kit.languages import LANGUAGES, Language
from tests.living import City, demo, surroundings, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 700}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINGER = 43.5
SMALL = """least => [...document.querySelectorAll(
    "a:not(.skip), summary, button, select, label.choice, " +
    "input:not([type=hidden], [type=radio], [type=checkbox])")]
    .filter(e => e.offsetHeight && e.offsetHeight < least).map(e => e.outerHTML)"""
UNFOLD = """document.querySelectorAll("details").forEach(e => { e.open = true; });
    document.querySelectorAll("[data-push], [data-when]").forEach(e => { e.hidden = false; })"""
# Somebody who registered, in the home: their links, by purpose.
SOMEBODY = """
import json, sys
from django.utils import timezone
from policity.foundations.places import queries as places
from policity.foundations.residents import queries, services
from policity.foundations.residents.models import Address, Label
from policity.foundations.residents.rules.links import Purpose
towns = places.towns()
who = services.register(
    town=towns[2].id, language="ja", email="somebody@example.jp", now=timezone.now())
services.add_place(
    resident=who, town=towns[40].id, label=Label.FAMILY, now=timezone.now())
mail = Address.objects.get(resident=who).pk
links = {one.value: queries.link(one, who, mail * (one == "confirm")) for one in Purpose}
links["gone"] = queries.link(Purpose.CHANGE, 99999)
print("LINKS", json.dumps(links))
"""
# Push services are on the Internet: the browser's answer is made up, all else is its own.
SUBSCRIBE = """
PushManager.prototype.subscribe = async function (options) {
  window.asked = options;
  return { toJSON: () => ({ endpoint: "https://push.example/" + Date.now(),
    keys: { p256dh: "B" + "A".repeat(86), auth: "A".repeat(22) } }) };
};
"""


def policity(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=surroundings(home) | {"POLICITY_DEMO": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


@pytest.fixture(scope="module")
def links(city: City) -> dict[str, str]:
    said = policity(city.home, "shell", "-c", SOMEBODY)
    assert "LINKS" in said
    found: dict[str, str] = json.loads(said.partition("LINKS ")[2])
    return found


@pytest.fixture
def go(city: City, page: Page) -> Callable[[str], None]:
    """Opens an address of the city on a phone."""
    page.set_viewport_size(PHONE)
    return lambda path: page.goto(f"http://127.0.0.1:{city.port}{path}") and None


def mail_to(city: City, address: str) -> str:
    """The text of the mail that waits in the outbox."""
    for file in (city.home / "outbox").glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if address in str(mail["To"]):
            return str(mail.get_content())
    return ""


def faults(page: Page, what: str) -> list[str]:
    """What axe and a finger find wrong with a page on a narrow screen, everything unfolded."""
    page.set_viewport_size(NARROW)
    page.evaluate(UNFOLD)
    seen = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    found = [f"{what}: {one['id']} {one['nodes'][0]['html']}" for one in seen]
    width = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{what}: {width} px wide"] if width > NARROW["width"] else []
    found += [f"{what}: too small {one}" for one in page.evaluate(SMALL, FINGER)]
    page.set_viewport_size(PHONE)
    return found


def test_from_the_front_page_to_the_first_warning(
    city: City, page: Page, go: Callable[[str], None]
) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    go("/")
    page.locator(".invite").get_by_role("link", name="知らせを受け取る").click()
    page.get_by_label("住んでいる町").fill("202-0011")
    page.get_by_label("メールアドレス").fill("taro＠example.jp")
    page.get_by_text("静かな時間").click()
    page.get_by_label("始まり").fill("22:00")
    page.get_by_label("終わり").fill("06:00")
    page.get_by_role("button", name="登録する").click()
    # The postal code has six towns: nothing typed is lost by the question.
    expect(page.locator("#fault")).to_be_focused()
    expect(page.get_by_label("始まり")).to_have_value("22:00")
    page.get_by_label("泉町三丁目", exact=True).check()
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("メールを見てください")

    until(lambda: mail_to(city, "taro@example.jp"), "the mail is in the outbox")
    link = re.search(r"http\S+/me/confirm/\S+/", mail_to(city, "taro@example.jp"))
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="受け取る").click()
    expect(page.get_by_role("status").first).to_contain_text("これから知らせが届きます")
    expect(page.get_by_label("始まり")).to_have_value("22:00")

    page.get_by_text("場所を足す").click()
    page.get_by_label("町", exact=True).fill("南町1")
    page.get_by_label("何の場所ですか").select_option(label="学校")
    page.get_by_role("button", name="足す").click()
    expect(page.locator("#places")).to_contain_text("南町一丁目")
    page.get_by_role("button", name="消す 泉町三丁目").click()
    expect(page.locator("#places")).not_to_contain_text("泉町三丁目")

    page.get_by_label("言葉").select_option(label="English")
    page.get_by_role("button", name="この内容に変える").click()
    expect(page).to_have_url(re.compile(r"/en/me/"))
    page.get_by_role("link", name="To the page for leaving").click()
    page.get_by_role("button", name="Leave, and delete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have left")
    page.goto(link[0])
    expect(page.get_by_role("heading", level=1)).to_contain_text("もうありません")
    assert page.context.cookies() == []
    assert [one for one in complaints if "410" not in one] == []


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_every_page_in_every_state_holds_for_everyone(
    page: Page, go: Callable[[str], None], links: dict[str, str], language: Language
) -> None:
    found: list[str] = []
    change = links["change"]
    for path in (
        "register/",
        "register/done/",
        f"register/done/{change}/",
        f"me/confirm/{links['confirm']}/",
        f"me/{change}/",
        f"me/{change}/?done=confirmed",
        f"me/leave/{links['leave']}/",
        "me/x/",
        f"me/{links['gone']}/",
    ):
        go(language.prefix + path)
        found += faults(page, path)
    go(language.prefix + "register/")
    page.locator("#town").fill("泉町")
    page.locator("#email").fill("taro@example")
    page.locator("form button[type=submit]").click()
    expect(page.locator("#fault")).to_be_focused()
    found += faults(page, "register/, wrong")
    go(f"{language.prefix}me/{change}/")
    page.locator("#h-mail ~ details summary").click()
    page.locator("#email").fill("taro@example")
    page.locator("#h-mail ~ details button").click()
    expect(page.locator("#fault")).to_be_focused()
    found += faults(page, "mail/, wrong")
    assert found == []


def test_by_keyboard_alone(city: City, page: Page, go: Callable[[str], None]) -> None:
    go("/register/")
    press = page.keyboard.press

    def until_on(selector: str) -> None:
        for _ in range(40):
            press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        pytest.fail(f"Tab never reaches {selector}")

    until_on("#town")
    page.keyboard.type("泉町三丁目")
    press("Escape")  # the list of towns
    until_on("#email")
    page.keyboard.type("keys@example.jp")
    until_on("summary")
    press("Enter")
    until_on("#want_notice")
    press("ArrowDown")
    until_on("button[type=submit]")
    press("Enter")
    expect(page).to_have_url(re.compile("/register/done/$"))


def test_without_scripts_there_is_mail(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"http://127.0.0.1:{city.port}/en/register/")
    expect(plain.get_by_role("button", name="Allow notifications")).to_have_count(0)
    plain.locator("#town").fill("2020011")
    plain.locator("#email").fill("plain@example.jp")
    plain.get_by_role("button", name="Register").click()
    plain.get_by_label("泉町四丁目").check()
    plain.get_by_role("button", name="Register").click()
    expect(plain).to_have_url(re.compile("/en/register/done/$"))


def test_notifications_alone_and_what_a_message_shows(city: City, page: Page) -> None:
    base = f"http://127.0.0.1:{city.port}"
    page.context.grant_permissions(["notifications"], origin=base)
    page.add_init_script(SUBSCRIBE)
    page.set_viewport_size(PHONE)
    page.goto(f"{base}/register/")
    page.locator("#town").fill("泉町三丁目")
    page.get_by_role("button", name="通知を許可").click()
    expect(page.get_by_text("通知を許可しました")).to_be_visible()
    assert page.evaluate("window.asked.applicationServerKey.length") == 65
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登録しました")
    page.get_by_role("link", name="設定のページを開く").click()
    expect(page.get_by_text("1台の機器に届きます")).to_be_visible()

    told = {"title": "大雨警報", "body": "川から離れる", "url": "/en/", "tag": "t1", "lang": "ja"}
    shown = _pushed(page, base, json.dumps(told))
    assert shown == [["大雨警報", "川から離れる", "t1", "ja", "/en/"]]
    # A second message of the same story takes its place; what cannot be read still shows.
    shown = _pushed(page, base, json.dumps({**told, "title": "大雨特別警報"}))
    assert [one[0] for one in shown] == ["大雨特別警報"]
    assert len(_pushed(page, base, "not JSON")) == 2


def _pushed(page: Page, origin: str, data: str) -> list[list[str]]:
    """Deliver a message to the service worker as a push service would; what is shown then.

    The browser's debugging tool loses one in a hundred on a busy machine, whatever it says; like
    a push service that hears nothing it delivers once more, and the tag keeps that to one notice.
    """
    tool = page.context.new_cdp_session(page)
    registrations: list[str] = []
    tool.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: registrations.extend(one["registrationId"] for one in said["registrations"]),
    )
    tool.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    before = page.evaluate(_SHOWN)
    delivery = {"origin": origin, "registrationId": registrations[0], "data": data}
    for _ in range(3):
        tool.send("ServiceWorker.deliverPushMessage", delivery)
        for _ in range(50):
            shown: list[list[str]] = page.evaluate(_SHOWN)
            if shown != before:
                return shown
            page.wait_for_timeout(50)
    pytest.fail(f"nothing was shown for {data}")


_SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
    .map(n => [n.title, n.body, n.tag, n.lang, n.data.url])"""
