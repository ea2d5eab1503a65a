"""A facility from the desk to a phone: written, found by kind, by what is open and by what is near.

Every page holds for everyone (axe, 320 px, a finger), and says the same without a script.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from policity.kit.languages import LANGUAGES
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

DESK = {"width": 1280, "height": 900}
HERE = {"latitude": 35.7391, "longitude": 139.5375}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        # Sheets come last of all.
        sheets = city.home / "published" / "places" / "sheets"
        until(lambda: sheets.is_dir() and len(list(sheets.iterdir())) == 114, "all is written")
        yield city


def write(page: Page, city: City) -> None:
    """An editor writes a facility that is open day and night."""
    page.goto(f"http://127.0.0.1:{city.port}/staff/facilities/new/")
    page.get_by_label("名前", exact=True).fill("いつも館（見本）")
    page.get_by_label("種類").select_option("community_centre")
    page.get_by_label("住所", exact=False).fill("緑町三丁目1")
    page.get_by_label("緯度").fill("35.7392")
    page.get_by_label("経度").fill("139.5376")
    page.get_by_label("時間がわかっている").check()
    for day in "月火水木金土日":
        page.get_by_label(f"{day}曜日", exact=True).fill("0:00-24:00")
    page.get_by_label("エレベーター").check()
    page.get_by_role("button", name="保存する").click()
    expect(page.get_by_role("status")).to_contain_text("保存しました")


def test_from_the_desk_to_a_phone(city: City, page: Page) -> None:
    found: list[str] = []
    browser = page.context.browser
    assert browser
    staff = signed_in(city, browser, "koho", DESK)
    write(staff, city)
    found += faults(staff, "desk")
    staff.get_by_role("link", name="いつも館（見本）").click()
    found += faults(staff, "desk form")
    published = city.home / "published" / "places" / "index.html"
    until(lambda: "いつも館" in published.read_text("utf-8"), "the list has what was written")

    page.set_viewport_size(PHONE)
    sent: list[str] = []
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation(HERE)  # type: ignore[arg-type]  # a mapping will do
    page.on("request", lambda request: sent.append(request.url))
    for language in LANGUAGES:
        for rest in ("places/", "places/towns/", "places/12/"):
            page.goto(f"http://127.0.0.1:{city.port}{language.prefix}{rest}")
            page.wait_for_load_state("networkidle")
            found += faults(page, f"{language.code} {rest}")
    page.goto(f"http://127.0.0.1:{city.port}/places/towns/")
    page.get_by_role("link", name="泉町一丁目", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("泉町一丁目の地図")
    found += faults(page, "sheet")
    assert found == []

    page.goto(f"http://127.0.0.1:{city.port}/places/")
    page.get_by_label("いま開いている所").check()
    page.get_by_label("エレベーター").check()
    expect(page.get_by_role("link", name="いつも館（見本）")).to_be_visible()
    expect(page.get_by_role("link", name="文理台公園")).to_be_hidden()
    page.get_by_label("エレベーター").uncheck()
    page.get_by_label("いま開いている所").uncheck()
    page.get_by_role("button", name="近い順にならべる").click()
    near = page.locator("#nearest li")
    expect(near.first).to_contain_text("約0メートル")
    expect(page.locator("#nearest")).to_contain_text("いつも館")
    assert not [url for url in sent if "35.7" in url or "139.5" in url]

    page.get_by_role("link", name="いつも館（見本）").click()
    expect(page.locator(".week__now")).to_contain_text("いま、開いています")
    expect(page.locator(".ahead tbody tr")).to_have_count(7)


def test_without_a_script_the_lists_and_weeks_are_there(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"http://127.0.0.1:{city.port}/places/")
    expect(plain.locator("#sieve")).to_be_hidden()
    plain.get_by_role("link", name="けやき図書館（見本）").click()
    expect(plain.locator("table.week").first).to_contain_text("10:00–20:00")
    expect(plain.locator(".ahead")).to_be_hidden()
