"""What a telephone has kept is read when nothing can be reached, and says of when it is."""

import signal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.test_pages import NARROW, RULES
from tests.living import City, demo, until

pytestmark = pytest.mark.journey

KEPT = """async () => (await Promise.all((await caches.keys()).map(async name =>
    (await (await caches.open(name)).keys()).map(one => new URL(one.url).pathname)))).flat()"""


def kept(page: Page) -> set[str]:
    return set(page.evaluate(KEPT))


def ten_seconds_later(page: Page) -> None:
    """What a browser may show without asking (front.CACHE_PAGES) has become too old."""
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")


def stop(city: City) -> None:
    """The whole city, pages and all: nothing answers at its address."""
    city.process.send_signal(signal.SIGTERM)
    city.process.wait(30)


def test_pages_that_matter_are_there_when_nothing_can_be_reached(
    tmp_path: Path, page: Page
) -> None:
    with demo(tmp_path / "home") as city:
        base = f"http://127.0.0.1:{city.port}"
        page.set_viewport_size({"width": NARROW, "height": 700})
        page.goto(f"{base}/en/alerts/")
        wanted = {"/en/", "/en/alerts/", "/en/shelters/"}
        until(lambda: wanted <= kept(page), "the pages that matter are kept")
        # Read once while it could be, and personal pages, which nobody may keep.
        page.goto(f"{base}/shelters/")
        until(lambda: "/shelters/" in kept(page), "what was read is kept")
        page.goto(f"{base}/en/register/")
        page.goto(f"{base}/staff/sign-in/")
        assert not {one for one in kept(page) if "register" in one or "staff" in one}
        assert page.locator(".kept").count() == 0

        stop(city)
        ten_seconds_later(page)
        axe = Axe()
        for path, lang, says in (
            ("/en/", "en", "You are offline."),
            ("/en/alerts/", "en", "You are offline."),
            ("/en/shelters/", "en", "You are offline."),
            ("/shelters/", "ja", "つながらないため、"),
        ):
            page.goto(base + path)
            assert page.locator("html").get_attribute("lang") == lang
            assert says in page.locator(".kept").inner_text()
            assert page.locator("main h1").count() == 1
            # With its style sheet.
            assert (
                page.evaluate("getComputedStyle(document.querySelector('.kept p')).fontWeight")
                == "700"
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
            found = axe.run(page, options={"runOnly": RULES}).response["violations"]
            assert [one["id"] for one in found] == []
        # One that was never read: the front page in its language, and that it is not this one.
        page.goto(f"{base}/en/nowhere/")
        assert "not kept on this device" in page.locator(".kept").inner_text()


def test_what_the_city_takes_down_is_not_shown_from_the_telephone(
    tmp_path: Path, page: Page
) -> None:
    with demo(tmp_path / "home") as city:
        base = f"http://127.0.0.1:{city.port}"
        page.goto(f"{base}/")
        until(lambda: "/alerts/" in kept(page), "the pages that matter are kept")
        file = city.home / "published" / "alerts" / "index.html"
        for suffix in ("", ".br", ".gz"):
            file.with_name(file.name + suffix).unlink()
        ten_seconds_later(page)
        answer = page.goto(f"{base}/alerts/")
        assert answer is not None
        assert answer.status == 404
        until(lambda: "/alerts/" not in kept(page), "it is forgotten")
