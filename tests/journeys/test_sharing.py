"""From a page to a poster on a board, and to the numbers of those who came by it.

An editor presses once at a page's own list, makes a short link, takes its code and its poster,
ends it and uses it again. Whoever scans it comes to the page, which tells messengers of its card.
"""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from policity.foundations.publishing.formats import cards
from tests.journeys.test_events import DESK, picture
from tests.journeys.test_orders import signed_in
from tests.journeys.test_registering import PHONE, faults
from tests.living import City, demo, until

HAND = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36"

pytestmark = [pytest.mark.journey, pytest.mark.process]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def both(page: Page, name: str) -> None:
    """Pictures by day and by night."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        picture(page, f"{name}-{scheme}")
    page.emulate_media(color_scheme="light")


def opened(browser: Browser, address: str) -> str:
    """Somebody new opens an address; says where they came to."""
    # A browser that names itself headless is a program, and not counted.
    with browser.new_context(viewport=PHONE, user_agent=HAND) as somebody:  # type: ignore[arg-type]
        page = somebody.new_page()
        page.goto(address)
        assert somebody.cookies() == []
        return page.url


def test_from_a_page_to_a_poster_and_its_numbers(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    here, found = f"http://127.0.0.1:{city.port}", list[str]()
    staff = signed_in(city, browser, "koho", DESK)
    staff.goto(f"{here}/staff/links/")
    found += faults(staff, "no links")
    both(staff, "links-none")

    staff.goto(f"{here}/staff/charm/")
    staff.get_by_role("link", name=re.compile("短いアドレスとポスター")).first.click()
    expect(staff.get_by_label("ページのアドレス")).to_have_value(re.compile(r"/charm/spots/\d+/"))
    expect(staff.get_by_label("どこに出すか")).to_be_focused()
    path = staff.get_by_label("ページのアドレス").input_value()
    staff.get_by_role("button", name="作る").click()
    expect(staff.get_by_role("alert")).to_contain_text("どこに出すかを入れてください")
    expect(staff.get_by_label("ページのアドレス")).to_have_value(path)
    found += faults(staff, "a fault")
    both(staff, "links-fault")
    staff.get_by_label("どこに出すか").fill("駅の掲示板")
    staff.get_by_role("button", name="作る").click()
    expect(staff.get_by_role("status")).to_contain_text("短いアドレスを作りました")

    with staff.expect_download() as poster:
        staff.get_by_role("link", name="ポスター（A4、PDF）を受け取る").click()
    assert poster.value.path().read_bytes().startswith(b"%PDF-")
    with staff.expect_download() as code:
        staff.get_by_role("link", name="QRコード（SVG）を受け取る").click()
    assert b"<svg" in code.value.path().read_bytes()

    words = staff.locator("main b").first.inner_text()
    address = f"{here}/s/{words.rpartition('/')[2]}/"
    for _ in range(3):
        assert opened(browser, address) == f"{here}{path}"
    staff.reload()
    expect(staff.locator("main")).to_contain_text("7日で 3回、28日で 3回、全部で 3回")
    found += faults(staff, "link")
    both(staff, "link")
    staff.get_by_role("button", name="終わりにする").click()
    expect(staff.get_by_role("status")).to_contain_text("終わりにしました")
    both(staff, "link-ended")
    assert opened(browser, address) == address
    staff.get_by_role("button", name="また使えるようにする").click()
    assert opened(browser, address) == f"{here}{path}"

    staff.goto(f"{here}/staff/links/")
    found += faults(staff, "links")
    both(staff, "links")
    tables = {"アドレス": ["駅の掲示板", "4"], "ページ": [path, "1", "4"], "日": [path, "4"]}
    for table, row in tables.items():
        with staff.expect_download() as taken:
            staff.get_by_role("link", name=f"{table}ごとのCSV").click()
        rows = list(csv.reader(io.StringIO(taken.value.path().read_text("utf-8-sig"))))
        assert len(rows) == 2
        assert set(row) <= set(rows[1])
    staff.get_by_role("link", name=path).click()
    expect(staff.get_by_role("heading", name="このページの短いアドレス")).to_be_visible()
    assert found == []


def test_a_page_of_the_tree_and_an_event_lead_to_their_links(city: City, page: Page) -> None:
    browser = page.context.browser
    assert browser
    here = f"http://127.0.0.1:{city.port}"
    staff = signed_in(city, browser, "koho", DESK)
    for start, path in (("/staff/content/pages/", "/"), ("/staff/events/", "/events/")):
        staff.goto(f"{here}{start}")
        if path == "/events/":
            staff.locator("main .people a").first.click()
        else:
            staff.get_by_role("button", name=re.compile("操作|Actions|アクション")).first.click()
        staff.get_by_role("link", name="短いアドレスとポスター").first.click()
        expect(staff.get_by_label("ページのアドレス")).to_have_value(re.compile(f"^{path}"))


def test_a_shared_page_has_a_card_with_its_own_title(city: City) -> None:
    drawn = dict[str, bytes]()
    for page in ("/", "/en/", "/zh-hans/news/", "/ko/places/", "/easy/events/", "/charm/calendar/"):
        body = city.get(page)
        address = cards.address_in(body)
        assert address, page
        until(lambda at=address: city.get(at).startswith(b"\x89PNG"), f"the card of {page}")
        drawn[address] = city.get(address)
        assert drawn[address] == cards.draw(cards.read(body))
        assert Image.open(io.BytesIO(drawn[address])).size == cards.SIZE
    assert len(set(drawn.values())) == len(drawn) == 6
