"""Every component holds for everyone, and a map moves once somebody asks for it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from policity.kit.languages import LANGUAGES
from tests.journeys.test_events import DESK, picture
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, demo

pytestmark = [pytest.mark.journey, pytest.mark.process]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def test_every_component_holds_for_everyone(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    staff = signed_in(city, browser, "koho", DESK)
    found: list[str] = []
    for scheme in ("light", "dark"):
        staff.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of playwright's words
        for language in LANGUAGES:
            staff.goto(f"http://127.0.0.1:{city.port}/staff/components/?language={language.code}")
            found += faults(staff, f"{language.code} {scheme}")
            picture(staff, f"components-{language.code}-{scheme}")
    assert found == []


def test_a_map_moves_once_somebody_asks_for_it(city: City, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # No tile can be reached: the lines of the city and its towns are the map.
    page.route("https://**", lambda route: route.abort())
    page.set_viewport_size(PHONE)
    page.goto(f"http://127.0.0.1:{city.port}/places/", wait_until="networkidle")
    assert not [url for url in asked if "leaflet" in url or "gsi.go.jp" in url]
    page.get_by_role("button", name="動かせる地図を開く").click()
    expect(page.locator(".leaflet-interactive").first).to_be_visible()
    expect(page.get_by_text("背景の地図を、読めませんでした")).to_be_visible()
    # A mark for each facility with a position, and then, as they arrive, the city and its towns.
    expect(page.locator("path.leaflet-interactive").nth(100)).to_be_attached()
    tiles = [url for url in asked if "gsi.go.jp" in url]
    assert tiles
    assert all(url.startswith("https://cyberjapandata.gsi.go.jp/xyz/pale/") for url in tiles)
    page.locator("path.leaflet-interactive").last.click(force=True)
    expect(page.locator(".leaflet-popup-content a")).to_be_visible()
    # It comes up gently; what is half there has half its contrast.
    expect(page.locator(".leaflet-popup")).to_have_css("opacity", "1")
    assert faults(page, "map") == []
    picture(page, "map")
