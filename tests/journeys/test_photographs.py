"""A resident sends a photograph from a phone; staff publish it; it is seen; it is taken back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from policity.fields.charm.tests.test_photographs import CAMERA, noted
from tests.journeys.test_events import DESK, picture
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, asked, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]
ALT = "朝の公園（見本）"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def test_a_photograph_from_a_phone_to_a_page_and_back(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    found: list[str] = []
    here = f"http://127.0.0.1:{city.port}"
    spot = asked(city.home, "SELECT MIN(id) FROM charm_spot")[0]
    page.set_viewport_size(PHONE)
    page.goto(f"{here}/charm/spots/{spot}/")
    page.get_by_role("link", name="この場所の写真を送る").click()
    found += faults(page, "form")
    picture(page, "photograph-form")
    page.get_by_label("何が写っていますか").fill(ALT)
    page.get_by_role("button", name="送る", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("写真を選んでください")
    expect(page.get_by_label("何が写っていますか")).to_have_value(ALT)
    found += faults(page, "form with faults")
    picture(page, "photograph-faults")
    file = {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": noted()}
    page.locator("#photographs").set_input_files([file])
    for label in ("だれでも使えます", "私が撮った写真です", "公開してよいと言っています"):
        page.get_by_text(label).click()
    page.get_by_role("button", name="送る", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("受け取りました")
    own = page.url
    found += faults(page, "sent")
    picture(page, "photograph-sent")

    staff = signed_in(city, browser, "koho", DESK)
    staff.goto(f"{here}/staff/charm/photographs/")
    found += faults(staff, "queue")
    picture(staff, "staff-photographs")
    staff.get_by_role("link", name=ALT).click()
    found += faults(staff, "one")
    picture(staff, "staff-photograph")
    staff.get_by_role("button", name="公開する").click()
    expect(staff.get_by_role("status")).to_contain_text("公開しました")

    until(lambda: ALT.encode() in city.get(f"/charm/spots/{spot}/"), "it is on the spot's page")
    until(lambda: ALT.encode() in city.get("/charm/photographs/"), "it is in the gallery")
    image = page.get_by_role("img", name=ALT)

    def comes() -> int:
        # Whoever was there less than ten seconds ago sees what they saw.
        page.goto(f"{here}/charm/spots/{spot}/")
        return image.count()

    until(comes, "it is on the page that was looked at before")
    image.scroll_into_view_if_needed()
    until(lambda: image.evaluate("one => one.naturalWidth"), "it is seen")
    source = image.get_attribute("src")
    assert source
    assert city.get(source).startswith(b"\xff\xd8\xff")
    assert CAMERA not in city.get(source)
    found += faults(page, "spot")
    picture(page, "spot-with-photograph")
    page.goto(f"{here}/charm/photographs/")
    found += faults(page, "gallery")
    picture(page, "gallery")
    page.get_by_role("link", name="この写真について知らせる").click()
    found += faults(page, "report")
    page.get_by_label("どんなことですか").fill("私が写っています")
    page.get_by_role("button", name="知らせる").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("知らせました")

    page.goto(own)
    page.get_by_role("button", name="取り下げて、消す").click()
    expect(page.get_by_role("status")).to_contain_text("写真は消えました")
    found += faults(page, "withdrawn")
    until(lambda: ALT.encode() not in city.get(f"/charm/spots/{spot}/"), "it is on no page")
    until(lambda: not city.get(source).startswith(b"\xff\xd8\xff"), "its file is gone")
    assert list((city.home / "media" / "photographs").iterdir()) == []
    assert page.context.cookies() == []
    assert found == []
