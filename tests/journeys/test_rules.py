"""Rules and texts are tried, changed and put back in a real browser; the next telegram obeys."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.test_board import HEAD, SAMPLES, SIZES, policity, sign_in
from tests.journeys.test_registering import RULES
from tests.living import City, demo

pytestmark = [pytest.mark.journey, pytest.mark.process]

RAIN = SAMPLES / "15_12_02_161130_VPWW53.xml"
ENGLISH = "The stream by the park may rise. Stay away from it."


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        people = city.home / "people.csv"
        rows = (f"r{n},p{n}@example.jp,,泉町三丁目,,,en,,,\n" for n in range(20))
        people.write_text(HEAD + "".join(rows))
        policity(city.home, "residents", "import", str(people))
        yield city


def test_a_rule_and_a_text_are_tried_and_changed(city: City, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(city, page, "honbu")
    page.get_by_role("link", name="きまりと文面").click()
    page.get_by_role("link", name="大雨", exact=True).click()
    moderate = page.get_by_role("group", name=re.compile("大雨警報"))
    moderate.get_by_label("承認のあとで送る").check()
    page.get_by_label("電文のファイル（XML）で試す").set_input_files(RAIN)
    page.get_by_role("button", name="保存せずに試す").click()
    expect(page.get_by_text("承認のあとで20人に送ります")).to_be_visible()
    expect(moderate.get_by_label("承認のあとで送る")).to_be_checked()
    page.get_by_label("変える理由").fill("夜は、人が見てから送る")
    page.get_by_role("button", name="このきまりにする").click()
    expect(page.get_by_role("status")).to_contain_text("きまりを変えました")

    # The next telegram is taken in by another process.
    policity(city.home, "bulletin", "ingest", str(RAIN))
    page.get_by_role("link", name="ボード").click()
    expect(page.get_by_role("button", name=re.compile("承認")).first).to_be_visible()

    page.get_by_role("link", name="きまりと文面").click()
    page.get_by_role("link", name="文面", exact=True).click()
    page.get_by_label("文のなかの言葉でさがす").fill("大雨警報")
    page.get_by_role("button", name="さがす").click()
    page.get_by_role("link", name="大雨警報", exact=True).click()
    expect(page.get_by_role("heading", name="この文面の、いちばん新しい電文")).to_be_visible()
    page.get_by_text("English").click()
    page.locator("#en-headline").fill(ENGLISH)
    page.locator("#en-by").fill("見本 通訳")
    page.get_by_role("button", name="保存せずに、見え方を試す").click()
    expect(page.locator(".letter[lang=en], [lang=en] .letter")).to_contain_text(ENGLISH)
    page.get_by_label("変える理由").fill("公園の川")
    page.get_by_role("button", name="この文面にする").click()
    expect(page.get_by_role("status")).to_contain_text("文面を変えました")

    for n in range(50):
        # A browser may keep a page for ten seconds; each of these is another address to it.
        page.goto(f"http://127.0.0.1:{city.port}/en/?{n}")
        if page.get_by_text(ENGLISH).count():
            break
        page.wait_for_timeout(100)
    expect(page.get_by_text(ENGLISH).first).to_be_visible()
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_rules_and_texts_hold_for_everyone(city: City, page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    sign_in(city, page, "honbu")
    found = []
    for address, tries in (
        ("rules/", False), ("rules/heavy_rain/", True), ("texts/", False),
        ("texts/alerts/alerts.flood.moderate/", True), ("texts/orders/levels.4/", True),
    ):  # fmt: skip
        page.goto(f"http://127.0.0.1:{city.port}/staff/{address}")
        if tries:
            page.locator("[name=do][value=try]").click()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            seen = Axe().run(page, options={"runOnly": RULES}).response["violations"]
            found += [f"{address} {theme}: {one['id']} {one['nodes'][0]['html']}" for one in seen]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{address}: {wide} px wide"] if wide > width else []
    assert found == []
