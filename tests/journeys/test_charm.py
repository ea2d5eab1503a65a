"""Staff show a spot and a walk; somebody reads them on a phone and takes the way along.

Every page holds for everyone (axe, 320 px, a finger), in every language.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from policity.fields.charm.formats import gpx
from policity.kit.languages import LANGUAGES
from tests.journeys.test_events import DESK, picture
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, asked, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def test_a_spot_and_a_walk_from_the_desk_to_a_phone(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    found: list[str] = []
    here = f"http://127.0.0.1:{city.port}"
    staff = signed_in(city, browser, "koho", DESK)
    staff.goto(f"{here}/staff/charm/")
    found += faults(staff, "list")
    picture(staff, "staff-charm")
    staff.get_by_role("link", name="見どころを作る").click()
    staff.get_by_label("名前", exact=True).fill("落ち葉の広場（見本）")
    staff.get_by_label("緯度").fill("135.7")
    staff.get_by_label("経度").fill("139.5400")
    staff.get_by_role("button", name="保存する").click()
    expect(staff.get_by_role("alert")).to_contain_text("緯度")
    found += faults(staff, "spot with a fault")
    staff.get_by_label("緯度").fill("35.7400")
    staff.get_by_role("button", name="保存する").click()
    expect(staff.get_by_role("status")).to_contain_text("下書きにしました")
    staff.get_by_role("button", name=re.compile("公開する：落ち葉の広場")).click()
    expect(staff.get_by_role("status")).to_contain_text("公開しました")
    spot = asked(city.home, "SELECT MAX(id) FROM charm_spot")[0]

    staff.get_by_role("link", name="散歩コースを作る").click()
    staff.get_by_label("名前", exact=True).fill("記録した道（見本）")
    staff.get_by_label("立ち寄るところ", exact=False).fill(
        f"見どころ {spot}\nベンチ 35.7450 139.5410 木の下"
    )
    line = ((139.54, 35.74), (139.543, 35.742), (139.541, 35.745))
    staff.get_by_label(re.compile("GPX、900KB")).set_input_files(
        {"name": "walk.gpx", "mimeType": "application/gpx+xml", "buffer": gpx.write("x", line, ())}
    )
    found += faults(staff, "course")
    picture(staff, "staff-course")
    staff.get_by_role("button", name="保存する").click()
    staff.get_by_role("button", name=re.compile("公開する：記録した道")).click()
    course = asked(city.home, "SELECT MAX(id) FROM charm_course")[0]

    page.set_viewport_size(PHONE)
    until(lambda: "記録した道".encode() in city.get("/charm/"), "the walk is listed")
    until(lambda: city.get(f"/charm/courses/{course}/course.gpx"), "the way is written")
    assert gpx.read(city.get(f"/charm/courses/{course}/course.gpx")) == line
    page.goto(f"{here}/")
    page.locator("footer").get_by_role("link", name="まちを歩く・知る").click()
    page.get_by_role("link", name=re.compile("記録した道")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("記録した道（見本）")
    page.get_by_role("link", name="落ち葉の広場（見本）").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("落ち葉の広場（見本）")

    staff.get_by_role("button", name=re.compile("取り下げる：落ち葉の広場")).click()
    expect(staff.get_by_role("status")).to_contain_text("取り下げました")
    until(lambda: "落ち葉の広場".encode() not in city.get("/charm/"), "the spot is gone")
    gone = f"/charm/spots/{spot}/"
    until(lambda: "落ち葉の広場".encode() not in city.get(gone), "its page is gone")
    assert page.context.cookies() == []
    assert found == []


def test_every_public_page_in_every_language_holds_for_everyone(city: City, page: Page) -> None:
    spot = asked(city.home, "SELECT MIN(id) FROM charm_spot")[0]
    course = asked(city.home, "SELECT MIN(id) FROM charm_course")[0]
    found: list[str] = []
    for language in LANGUAGES:
        for path in ("", "calendar/", f"spots/{spot}/", f"courses/{course}/"):
            address = f"{language.prefix}charm/{path}"
            page.goto(f"http://127.0.0.1:{city.port}{address}")
            found += faults(page, address)
            picture(page, f"{language.code}-charm-{path.strip('/').replace('/', '-') or 'front'}")
    assert found == []
