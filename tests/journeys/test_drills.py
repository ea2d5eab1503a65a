"""Somebody who is no engineer practises: begins a drill, watches it, stops one, reads what came."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from policity.project import drill_play
from tests.journeys.test_hearing import listed
from tests.journeys.test_orders import DESK, PHONE, signed_in
from tests.journeys.test_registering import RULES, faults
from tests.journeys.test_seen_to_work import policity
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

LONG = 180_000
TOWN = "泉町一丁目"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with demo(tmp_path / "home") as city:
        yield city


def to_drills(page: Page) -> None:
    page.get_by_role("link", name="訓練", exact=True).click()
    expect(page.get_by_role("heading", name="訓練", exact=True)).to_be_visible()


def checked(page: Page, what: str) -> None:
    """For everyone: on a narrow screen with a finger, on a phone, and at a desk."""
    found = faults(page, what)
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        seen = Axe().run(page, options={"runOnly": RULES}).response["violations"]
        found += [f"{what}: {one['id']} {one['nodes'][0]['html']}" for one in seen]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{what}: {wide} px wide"] if wide > viewport["width"] else []
    assert found == []


def test_a_drill_is_begun_watched_stopped_and_read(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    complaints: list[str] = []
    officer = signed_in(city, browser, "bosai", PHONE)
    officer.on("pageerror", lambda error: complaints.append(str(error)))
    to_drills(officer)
    expect(officer.get_by_text("訓練は、まだ行っていません。", exact=True)).to_be_visible()
    checked(officer, "drills, none")
    officer.fill("#people", "0")
    officer.get_by_role("button", name="訓練を始める").click()
    expect(officer.get_by_role("alert")).to_contain_text("1人から20,000人まで")
    assert faults(officer, "drills, refused") == []
    officer.fill("#people", "24")
    officer.get_by_role("button", name="訓練を始める").click()

    # It changes by itself, and the page stays the one it was.
    expect(officer.get_by_text("動いています")).to_be_visible()
    checked(officer, "drill, running")
    officer.evaluate("window.same = true")
    expect(officer.get_by_role("log")).to_contain_text("見本の市民24人", timeout=LONG)

    # Another person is told whose it is.
    commander = signed_in(city, browser, "honbu", DESK)
    to_drills(commander)
    expect(commander.get_by_text(re.compile("当直.*始めました"))).to_be_visible()
    checked(commander, "drills, one runs")

    expect(officer.get_by_text("終わりました", exact=True)).to_be_visible(timeout=LONG)
    expect(officer.get_by_role("heading", name="届かなかった人")).to_be_visible()
    expect(officer.get_by_role("button", name="訓練を止める")).to_have_count(0)
    assert officer.evaluate("window.same") is True
    checked(officer, "drill, finished")

    # Without scripts the page reads itself again.
    plain = browser.new_context(java_script_enabled=False, viewport=DESK).new_page()  # type: ignore[arg-type]
    plain.context.add_cookies(commander.context.cookies())  # type: ignore[arg-type]
    plain.goto(f"http://127.0.0.1:{city.port}/staff/drills/")
    plain.get_by_role("button", name="訓練を始める").click()
    expect(plain.get_by_role("log")).to_contain_text("見本の市民2000人", timeout=LONG)
    plain.get_by_role("button", name="訓練を止める").click()
    expect(plain.get_by_text("途中で止めました")).to_be_visible(timeout=60_000)

    to_drills(officer)
    checked(officer, "drills, two")
    officer.goto(f"http://127.0.0.1:{city.port}/staff/chronology/?kind=drill")
    for said in ("を開始", "を途中で中止", "が終了"):
        expect(officer.get_by_text(f"訓練「大雨」{said}").first).to_be_visible()
    assert complaints == []


def test_a_drill_to_real_people_takes_three_and_ends_when_it_gets_serious(
    city: City, page: Page, tmp_path: Path
) -> None:
    browser = page.context.browser
    assert browser
    rows = (
        {"external_id": f"r{n}", "email": f"p{n}@example.jp", "town": TOWN, "language": language,
         "kinds": kinds}
        for n, (language, kinds) in enumerate(
            [("ja", "drill:1"), ("ko", "drill:1;weather:3"), ("en", "weather:1"), ("ja", "")]
        )
    )  # fmt: skip
    assert (
        policity(
            city.home, "residents", "import", str(listed(tmp_path / "p.csv", *rows))
        ).returncode
        == 0
    )

    composer = signed_in(city, browser, "bosai", PHONE)
    to_drills(composer)
    composer.get_by_role("link", name="市民への訓練を作る").click()
    expect(composer.get_by_text("参加する人").locator("..")).to_contain_text("2人")
    checked(composer, "compose a drill")
    composer.get_by_text("知らせが届くか", exact=True).click()
    composer.get_by_role("button", name="作って、承認を頼む").click()
    expect(composer.get_by_text("作った人は、承認できません")).to_be_visible()
    checked(composer, "a drill, composed")

    for who, viewport, said in (("honbu", DESK, "あと1人"), ("yakin", PHONE, "送り始めました")):
        other = signed_in(city, browser, who, viewport)
        to_drills(other)
        other.get_by_role("link", name="ひらく").first.click()
        checked(other, f"a drill, for {who}")
        other.get_by_role("button", name="この訓練を承認する").click()
        expect(other.get_by_text(said)).to_be_visible()
    mails = city.home / "outbox"
    until(lambda: len(list(mails.glob("*.eml"))) == 2, "two mails")
    for file in mails.glob("*.eml"):
        subject = str(message_from_bytes(file.read_bytes(), policy=policy.default)["subject"])
        assert subject.startswith(("【訓練】", "[훈련] ")), subject

    # The next one waits when the real thing comes.
    composer.goto(f"http://127.0.0.1:{city.port}/staff/drills/messages/new/")
    composer.get_by_text("持ち物と連絡先", exact=True).click()
    composer.get_by_role("button", name="作って、承認を頼む").click()
    expect(composer.get_by_text("承認を待っています").first).to_be_visible()
    step = {"code": "43", "name": "レベル４大雨危険警報"}
    alert = tmp_path / "alert.xml"
    alert.write_bytes(
        drill_play.telegram(step, city="西東京市", area="1322900", at=datetime.now(UTC))
    )
    assert policity(city.home, "bulletin", "ingest", str(alert)).returncode == 0
    composer.reload()
    expect(composer.get_by_text("自動で止めました")).to_be_visible()
    checked(composer, "a drill, stopped")
    to_drills(composer)
    expect(composer.get_by_text("訓練の知らせを送れません")).to_be_visible()
    checked(composer, "drills, not now")
