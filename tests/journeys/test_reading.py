"""Somebody chooses large text and one hand on a phone; every page follows, until it is undone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Page, expect

from policity.kit.languages import LANGUAGES, Language
from tests.journeys.test_events import picture
from tests.journeys.test_registering import FINGER, PHONE, RULES, SMALL, faults
from tests.living import City, demo

pytestmark = [pytest.mark.journey, pytest.mark.process]

LETTER = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
SHOWN = ("/", "/shelters/", "/register/", "/places/", "/easy/", "/easy/register/", "/ko/events/")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def wrong(page: Page, what: str) -> list[str]:
    """What axe, a finger and the edge of a phone find wrong with a page as it was chosen."""
    seen = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    found = [f"{what}: {one['id']} {one['nodes'][0]['html']}" for one in seen]
    found += [f"{what}: too small {one}" for one in page.evaluate(SMALL, FINGER)]
    width = page.evaluate("document.documentElement.scrollWidth")
    return [*found, f"{what}: {width} px wide"] if width > PHONE["width"] else found


def at_the_bottom(page: Page) -> list[FloatRect]:
    """Where the ways in stand, if all of them are on the screen."""
    page.evaluate("scrollTo(0, 300)")
    boxes = [one.bounding_box() for one in page.locator(".top__nav a").all()]
    return [
        box
        for box in boxes
        if box and PHONE["height"] / 2 < box["y"] <= PHONE["height"] - box["height"]
    ]


def test_chosen_kept_and_undone(city: City, page: Page) -> None:
    here = f"http://127.0.0.1:{city.port}"
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method + (request.post_data or "")))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a mapping will do
    page.goto(f"{here}/alerts/")
    assert page.evaluate(LETTER) == 16
    assert at_the_bottom(page) == []
    page.get_by_role("link", name="文字の大きさ・片手で使う").click()
    found = faults(page, "as it comes")
    picture(page, "reading")
    page.get_by_label("左手で使う").check()
    left = at_the_bottom(page)
    assert len(left) == 3
    assert left[0]["x"] < 20
    assert left[-1]["x"] + left[-1]["width"] < 320
    page.get_by_label("右手で使う").check()
    right = at_the_bottom(page)
    assert right[0]["x"] > 70
    assert right[-1]["x"] + right[-1]["width"] > PHONE["width"] - 20
    page.get_by_label("もっと大きい（150%）").check()
    assert page.evaluate(LETTER) == 24
    expect(page.get_by_role("status")).to_contain_text("この端末に残しました")
    found += wrong(page, "chosen")
    picture(page, "reading-chosen")

    # Whoever goes back sees it there, too; and on every page that follows.
    page.go_back()
    assert page.evaluate(LETTER) == 24
    for address in SHOWN:
        page.goto(here + address)
        assert page.evaluate(LETTER) == 24, address
        assert len(at_the_bottom(page)) == 3, address
        found += wrong(page, address)
        picture(page, f"reading{address.replace('/', '-')}")
    # The last words of a page are not below the bar.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    foot, bar = (
        page.locator(".foot__links").bounding_box(),
        page.locator(".top__nav").bounding_box(),
    )
    assert foot
    assert bar
    assert foot["y"] + foot["height"] <= bar["y"]

    page.goto(f"{here}/reading/")
    expect(page.get_by_label("もっと大きい（150%）")).to_be_checked()
    expect(page.get_by_label("右手で使う")).to_be_checked()
    page.get_by_role("button", name="すべて、もとにもどす").click()
    expect(page.get_by_label("ふつう（100%）")).to_be_checked()
    page.wait_for_function(f"{LETTER} === 16")
    page.goto(f"{here}/")
    assert page.evaluate(LETTER) == 16
    assert at_the_bottom(page) == []
    assert page.evaluate("localStorage.length") == 0
    # Nothing was told to anybody.
    assert set(sent) == {"GET"}
    assert page.context.cookies() == []
    assert found == []


def test_before_anything_is_drawn(city: City, page: Page) -> None:
    """What was chosen stands before the style sheet does: nothing jumps."""
    page.goto(f"http://127.0.0.1:{city.port}/reading/")
    page.get_by_label("大きい（125%）", exact=True).check()
    page.route("**/*.css", lambda route: route.abort())
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"http://127.0.0.1:{city.port}/events/")
    assert page.evaluate("document.documentElement.dataset.text") == "125"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_in_every_language_with_scripts_and_without(
    city: City, page: Page, language: Language
) -> None:
    address = f"http://127.0.0.1:{city.port}{language.prefix}reading/"
    page.goto(address)
    assert faults(page, language.code) == []
    expect(page.locator("main form")).to_be_visible()
    picture(page, f"reading-{language.code}")
    browser = page.context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False, viewport=PHONE).new_page()  # type: ignore[arg-type]  # a mapping will do
    plain.goto(address)
    expect(plain.locator("main form")).to_be_hidden()
    expect(plain.locator("main .fault")).to_be_visible()
    expect(plain.locator("#h-zoom")).to_be_visible()
    picture(plain, f"reading-plain-{language.code}")
