"""The duty officer's night: two people issue an order, correct it, open shelters, lift it."""

import json
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from policity.kit.languages import LANGUAGES
from tests.journeys.test_hearing import listed
from tests.journeys.test_registering import faults
from tests.journeys.test_seen_to_work import policity
from tests.living import City, demo, until

__all__ = ["Axe"]

pytestmark = [pytest.mark.journey, pytest.mark.process]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
TOWNS = ("東伏見一丁目", "東伏見二丁目", "東伏見三丁目", "柳沢一丁目")


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with demo(tmp_path / "home") as city:
        yield city


def signed_in(city: City, browser: Browser, name: str, viewport: dict[str, int]) -> Page:
    accounts = (city.home / "demo-accounts.txt").read_text().splitlines()
    passwords = {line.split("\t")[0]: line.split("\t")[1] for line in accounts}
    page = browser.new_context(viewport=viewport, locale="ja").new_page()  # type: ignore[arg-type]
    page.goto(f"http://127.0.0.1:{city.port}/staff/sign-in/")
    page.fill("#id_username", name)
    page.fill("#id_password", passwords[name])
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page


def shown(city: City, address: str) -> str:
    return city.get(address).decode()


def in_every_language(city: City, address: str, words: dict[str, str]) -> float:
    """Wait until a page says so in each language, and give the seconds that took."""
    began = time.monotonic()
    for language in LANGUAGES:
        until(
            partial(says, city, language.prefix + address, words[language.code]),
            f"{language.code} {words[language.code]}",
            10,
        )
    return time.monotonic() - began


def says(city: City, address: str, word: str) -> bool:
    return word in shown(city, address)


def stands(city: City) -> bool:
    return json.loads(city.get("/state.json"))["state"] == "evacuate"


ORDER = {
    "ja": "避難指示",
    "ja-easy": "ひなんしじ",
    "en": "Evacuation order",
    "zh-hans": "避难指示",
    "ko": "대피 지시",
}


def test_two_people_issue_correct_and_lift_an_order(city: City, page: Page, tmp_path: Path) -> None:
    browser = page.context.browser
    assert browser
    people = [
        {"external_id": str(n), "town": town, "language": "ja", "email": f"p{n}@example.jp"}
        for n, town in enumerate([*TOWNS, "泉町一丁目"])
    ]
    done = policity(city.home, "residents", "import", str(listed(tmp_path / "p.csv", *people)))
    assert done.returncode == 0, done.stderr

    # One at a phone composes.
    officer = signed_in(city, browser, "bosai", PHONE)
    officer.goto(f"http://127.0.0.1:{city.port}/staff/orders/")
    assert faults(officer, "orders, none") == []
    officer.get_by_role("link", name="新しく作る").click()
    assert faults(officer, "compose") == []
    officer.check("input[name=level][value='4']")
    officer.check("input[name=reason][value=flood]")
    for town in TOWNS:
        officer.check(f"input[data-name={town}]")
    expect(officer.locator(".chosen")).to_contain_text("4町をえらんでいます")
    officer.get_by_role("button", name="保存して、届く人を見る").click()
    expect(officer.get_by_text("対象", exact=True).first).to_be_visible()
    assert faults(officer, "order, draft") == []
    officer.get_by_role("button", name="承認を頼む").click()

    # Another at a desk approves; pages in five languages follow.
    commander = signed_in(city, browser, "honbu", DESK)
    commander.get_by_role("link", name=re.compile("読んで決める")).click()
    assert faults(commander, "order, to approve") == []
    commander.get_by_role("button", name="承認して、発令する").click()
    expect(commander.get_by_text("発令しました")).to_be_visible()
    assert faults(commander, "order, issued") == []
    took = in_every_language(city, "", ORDER)
    assert took < 5, took
    assert stands(city)
    until(lambda: len(list((city.home / "outbox").glob("*.eml"))) == 4, "four mails")

    # Two shelters are opened on a phone.
    keeper = signed_in(city, browser, "hinanjo", PHONE)
    keeper.goto(f"http://127.0.0.1:{city.port}/staff/sites/?q=小学校")
    for _ in range(2):
        keeper.get_by_role("button", name=re.compile("^開く")).first.click()
    until(lambda: len(json.loads(city.get("/state.json"))["shelters_open"]) == 2, "two open")

    # It was an error: who was told is told so, and the page is gone.
    commander.reload()
    commander.locator("summary", has_text="誤りとして取り消す").click()
    commander.fill("#error", "町をまちがえた")
    commander.get_by_role("button", name="誤りとして取り消し、訂正を送る").click()
    until(lambda: len(list((city.home / "outbox").glob("*.eml"))) == 8, "four corrections")
    until(lambda: not stands(city), "nothing stands")

    # The right one, from the wrong one; then it is lifted.
    officer.goto(f"http://127.0.0.1:{city.port}/staff/orders/")
    officer.get_by_role("link", name=re.compile("もとにして作る")).first.click()
    officer.get_by_role("button", name="えらび直す").click()
    officer.check("input[data-name=柳沢一丁目]")
    officer.get_by_role("button", name="保存して、届く人を見る").click()
    officer.get_by_role("button", name="承認を頼む").click()
    commander.goto(officer.url)
    commander.get_by_role("button", name="承認して、発令する").click()
    until(lambda: stands(city), "the right one stands")
    commander.get_by_role("link", name="解除する").click()
    commander.get_by_role("button", name="保存して、届く人を見る").click()
    commander.get_by_role("button", name="承認を頼む").click()
    officer.goto(commander.url)
    officer.get_by_role("button", name="承認して、発令する").click()
    until(lambda: not stands(city), "nothing stands")
    story = shown(city, "/evacuation/2/")
    assert "解除" in story
    until(lambda: len(list((city.home / "outbox").glob("*.eml"))) == 10, "one order, one lifting")
