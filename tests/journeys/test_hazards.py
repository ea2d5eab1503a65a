"""A hazard map from the desk to a phone: brought, shown, and a home looked up on it.

Without a script by its town; with one by a press on the map, or by where somebody is.
"""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from policity.kit.languages import LANGUAGES
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

DESK = {"width": 1280, "height": 900}
INSIDE = {"latitude": 35.7379, "longitude": 139.5485}
OUTSIDE = {"latitude": 35.7391, "longitude": 139.5375}
BEYOND = {"latitude": 35.6812, "longitude": 139.7671}
# Around 泉町, in the east of the city.
AREA = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"A31a_105": 3, "river": "石神井川"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[139.54, 35.735], [139.552, 35.735], [139.552, 35.744], [139.54, 35.744],
                     [139.54, 35.735]]
                ],
            },
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        sheets = city.home / "published" / "places" / "sheets"
        until(lambda: sheets.is_dir() and len(list(sheets.iterdir())) == 114, "all is written")
        yield city


def bring(page: Page, city: City) -> list[str]:
    """The crisis room brings a map and shows it. Gives what is wrong with the pages."""
    page.goto(f"http://127.0.0.1:{city.port}/staff/hazards/")
    found = faults(page, "desk")
    file = {
        "name": "a31a.geojson",
        "mimeType": "application/geo+json",
        "buffer": json.dumps(AREA).encode(),
    }
    page.get_by_label("災害の種類").select_option("flood")
    page.get_by_label("地図の名前").fill("石神井川（見本）")
    page.get_by_label("もとの資料").fill("見本の資料")
    page.get_by_label("いつの地図か").fill("2026-04-01")
    page.get_by_label("ファイル").set_input_files(file)  # type: ignore[arg-type]  # a mapping will do
    page.get_by_role("button", name="下書きにして見る").click()
    expect(page.get_by_role("alert")).to_contain_text("どれが深さか")
    found += faults(page, "desk asks")
    page.get_by_label("深さの属性").select_option("A31a_105")
    page.get_by_label("ファイル").set_input_files(file)  # type: ignore[arg-type]  # a mapping will do
    page.get_by_role("button", name="下書きにして見る").click()
    expect(page.get_by_role("status")).to_contain_text("下書きにしました")
    found += faults(page, "preview")
    page.get_by_role("button", name="公開する").click()
    expect(page.get_by_role("status")).to_contain_text("公開しました")
    return found


def test_a_home_is_looked_up(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    page.set_viewport_size(PHONE)
    here = f"http://127.0.0.1:{city.port}/places/hazards/"
    page.goto(here)
    expect(page.get_by_role("heading", name="まだ、ハザードマップがありません")).to_be_visible()
    found = faults(page, "none")

    found += bring(signed_in(city, browser, "bosai", DESK), city)
    published = city.home / "published" / "places" / "hazards" / "index.html"
    until(lambda: "石神井川" in published.read_text("utf-8"), "the page has the map")
    for language in LANGUAGES:
        page.goto(f"http://127.0.0.1:{city.port}{language.prefix}places/hazards/")
        page.wait_for_load_state("networkidle")
        found += faults(page, language.code)

    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.context.grant_permissions(["geolocation"])
    page.goto(f"http://127.0.0.1:{city.port}/places/")
    page.get_by_role("link", name="ハザードマップで家を見る").click()
    answer = page.locator("#answer")
    for place, said in (
        (INSIDE, "家にいると危ない所です"),
        (OUTSIDE, "区域の外です"),
        (BEYOND, "市の外です"),
    ):
        page.context.set_geolocation(place)  # type: ignore[arg-type]  # a mapping will do
        page.get_by_role("button", name="いまいる所で調べる").click()
        expect(answer).to_contain_text(said, use_inner_text=True)
        found += faults(page, said)
    page.get_by_role("button", name="動かせる地図を開く").click()
    page.locator(".moving__map").click()
    expect(answer).to_contain_text("深さ 3〜5メートル", use_inner_text=True)
    assert not [url for url in sent if "35.7" in url or "139.5" in url]
    assert found == []
    without_a_script(city, browser)


def without_a_script(city: City, browser: Browser) -> None:
    """The towns are there, and the way to the sites."""
    plain = browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()  # type: ignore[arg-type]  # a mapping will do
    plain.goto(f"http://127.0.0.1:{city.port}/places/hazards/")
    expect(plain.locator("#ask")).to_be_hidden()
    expect(plain.locator("main")).to_contain_text("深さ 3〜5メートル")
    expect(plain.locator(".reach").first).to_contain_text("泉町")
    plain.get_by_role("link", name="この災害のときの避難場所").last.click()
    expect(plain).to_have_url(f"http://127.0.0.1:{city.port}/shelters/#flood")
