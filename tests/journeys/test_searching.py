"""A resident searches on a phone: the application answers, and then the files alone do."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_offline import stop
from tests.journeys.test_registering import NARROW, PHONE, faults
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

FIRST_LOAD = 150_000
# What a question may cost beside the page, as bytes before compression.
QUESTION = 60_000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        asked = f"/search/?q={quote('小学校')}"
        until(lambda: "hits" in city.get(asked).decode(), "the index knows the pages")
        _has_settled(city)
        yield city


def _has_settled(city: City) -> None:
    """Files of signs are written once what is new has settled."""
    until(lambda: b'"t":{"' in city.get("/search/index/3.json"), "the published index")


@contextmanager
def _served(city: City) -> Iterator[str]:
    """The published folder behind any web server."""
    serve = partial(_Quiet, directory=str(Path(city.home) / "published"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def files(city: City) -> Iterator[str]:
    with _served(city) as address:
        yield address


@pytest.fixture
def weighed(page: Page) -> Callable[[], int]:
    """How many bytes have come since the last time."""
    sizes: list[int] = []
    page.on("response", lambda got: sizes.append(len(got.body())) if got.ok else None)

    def weigh() -> int:
        total = sum(sizes)
        sizes.clear()
        return total

    return weigh


def test_a_question_is_answered_narrowed_and_led_elsewhere_by_keyboard(
    city: City, page: Page, weighed: Callable[[], int]
) -> None:
    page.set_viewport_size(PHONE)
    base = f"http://127.0.0.1:{city.port}"
    page.goto(f"{base}/")
    page.get_by_role("contentinfo").get_by_role("link", name="さがす", exact=True).click()
    page.wait_for_load_state("networkidle")
    assert weighed() < FIRST_LOAD
    field = page.get_by_label("さがすことば")
    field.focus()
    page.keyboard.type("しょうがっこう")
    # Titles that are read so are offered while one types.
    until(lambda: page.locator("datalist option").count(), "titles are suggested")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="件 見つかりました")).to_be_visible()
    assert "小学校" in page.locator(".hits a").first.inner_text()
    assert faults(page, "found") == []
    page.locator(".narrow").get_by_role("link", name="緊急避難場所").click()
    assert page.locator(".narrow [aria-current]").count() == 1
    field = page.get_by_label("さがすことば")
    field.fill("earthquake")
    field.press("Enter")
    expect(page.get_by_role("heading", name="見つかりませんでした")).to_be_visible()
    assert faults(page, "nothing found") == []
    page.get_by_role("link", name="English (").click()
    expect(page.get_by_role("heading", name="found")).to_be_visible()
    # A page comes first; what is asked for here is a place on one.
    page.locator(".hits a[href*='#site-']").first.click()
    assert "#site-" in page.url


@pytest.mark.parametrize(
    ("address", "typed", "title"),
    [
        ("/search/", "しょうがっこう", "小学校"),
        ("/search/", "小学校 避難", "小学校"),
        ("/search/", "ﾋﾅﾝ", "避難"),
        ("/en/search/", "EARTHQUAKES shelter", "School"),
        ("/easy/search/", "学校", "学校"),
        ("/ko/search/", "대피", ""),
        ("/zh-hans/search/", "地震", ""),
    ],
)
def test_the_files_alone_answer(
    files: str, page: Page, weighed: Callable[[], int], address: str, typed: str, title: str
) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{files}{address}")
    page.wait_for_load_state("networkidle")
    assert weighed() < FIRST_LOAD
    page.goto(f"{files}{address}?q={quote(typed)}")
    page.wait_for_selector(".hits a")
    page.wait_for_load_state("networkidle")
    text = page.locator(".hits").inner_text().replace("\n", "")
    assert title in text or address == "/en/search/"
    assert page.locator(".hits mark").count() or "しょう" in typed or "ﾋ" in typed
    assert faults(page, f"{address} {typed}") == []


def test_with_the_city_stopped_its_folder_answers_pages_and_questions(
    tmp_path: Path, page: Page
) -> None:
    with demo(tmp_path / "home") as city:
        _has_settled(city)
        stop(city)
        assert city.living() == {}
        assert city.get("/") == b""
        page.set_viewport_size(PHONE)
        with _served(city) as address:
            page.goto(f"{address}/en/")
            page.get_by_role("contentinfo").get_by_role("link", name="Search", exact=True).click()
            page.locator("#q").fill("shelter")
            page.locator("#q").press("Enter")
            page.locator(".hits a").first.click()
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert faults(page, "what was found") == []


def test_the_files_alone_say_that_there_is_nothing(files: str, page: Page) -> None:
    page.goto(f"{files}/search/?q={quote('ぱぴぷぺ')}")
    expect(page.get_by_role("heading", name="見つかりませんでした")).to_be_visible()
    expect(page.get_by_text("ことばを短くするか")).to_be_visible()
    assert faults(page, "nothing") == []


def test_without_a_script_there_is_the_site_map(files: str, page: Page) -> None:
    browser = page.context.browser
    assert browser
    context = browser.new_context(java_script_enabled=False, viewport=NARROW)  # type: ignore[arg-type]
    still = context.new_page()
    still.goto(f"{files}/search/?q={quote('避難所')}")
    still.get_by_role("main").get_by_role("link", name="サイトの地図を見る").click()
    expect(still.get_by_role("link", name="避難場所と避難所")).to_be_visible()
    context.close()


@pytest.mark.parametrize("address", ["/site-map/", "/easy/site-map/", "/search/", "/easy/search/"])
def test_pages_are_for_everybody(files: str, page: Page, address: str) -> None:
    page.goto(f"{files}{address}")
    assert faults(page, address) == []
