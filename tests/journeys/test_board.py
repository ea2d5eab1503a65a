"""The board in a real browser: it changes by itself, and says so when it no longer does."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.test_registering import RULES
from tests.living import City, demo, surroundings, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

SAMPLES = Path(__file__).parents[3] / "shared/data/jma/official-samples"
SIZES = {"phone": (390, 844), "narrow": (320, 700), "desk": (1280, 900)}
HEAD = "external_id,email,push,town,lat,lon,language,kinds,quiet_from,quiet_to\n"


def policity(home: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=surroundings(home) | {"POLICITY_DEMO": "1"},
        capture_output=True,
        check=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        people = city.home / "people.csv"
        rows = (
            f"r{n},{f'p{n}@example.jp' if n % 5 else ''},,泉町三丁目,,,ja,,,\n" for n in range(50)
        )
        people.write_text(HEAD + "".join(rows))
        policity(city.home, "residents", "import", str(people))
        yield city


def sign_in(city: City, page: Page, who: str) -> None:
    accounts = (city.home / "demo-accounts.txt").read_text().splitlines()
    passwords = dict(line.split("\t")[:2] for line in accounts)
    page.goto(f"http://127.0.0.1:{city.port}/staff/")
    page.fill("[name=username]", who)
    page.fill("[name=password]", passwords[who])
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def test_the_board_changes_by_itself_and_says_when_it_does_not(city: City, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(city, page, "bosai")
    state = page.locator("[data-state]")
    expect(state).to_contain_text("自動で変わります")
    link = page.get_by_role("link", name="読み直す")
    link.focus()
    policity(city.home, "bulletin", "ingest", str(SAMPLES / "15_12_02_161130_VPWW53.xml"))
    expect(page.locator("[data-headline]")).to_contain_text("50人のうち 40人", timeout=20_000)
    expect(page.get_by_role("heading", name="送信　対象 50人")).to_be_visible()
    expect(link).to_be_focused()
    # Within a pane that changes too.
    inside = page.locator("#to-reach")
    inside.focus()
    scrolled = page.evaluate("scrollY")
    policity(city.home, "bulletin", "ingest", str(SAMPLES / "15_12_02_161130_VPWW54.xml"))
    expect(inside).to_be_focused()
    assert page.evaluate("scrollY") == scrolled
    # A mark on the map leads to its row, by the keyboard alone.
    page.get_by_role("link", name=re.compile(r"^1\s泉町三丁目\s届いた 80.0%")).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#town-\d+$"))
    row = page.locator("tr:target")
    expect(row).to_contain_text("泉町三丁目")
    expect(row).to_be_focused()

    (live,) = city.pids("live")
    os.kill(live, signal.SIGKILL)
    expect(state).to_have_text(re.compile(r"つながっていません（\d\d:\d\d:\d\d の状態）"))
    expect(state).to_contain_text("自動で変わります", timeout=30_000)

    page.get_by_role("button", name="サインアウト").click()
    expect(page).to_have_url(re.compile("/staff/sign-in/"))
    assert complaints == []


def test_without_scripts_there_is_a_link(city: City, page: Page) -> None:
    assert page.context.browser
    plain = page.context.browser.new_context(java_script_enabled=False).new_page()
    sign_in(city, plain, "koho")
    expect(plain.locator("[data-state]")).to_contain_text("の状態")
    plain.get_by_role("link", name="読み直す").click()
    expect(plain.get_by_role("heading", name="いま決めること")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_the_board_holds_for_everyone(city: City, page: Page, size: str) -> None:
    policity(city.home, "bulletin", "ingest", str(SAMPLES / "15_12_02_161130_VPWW53.xml"))
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    sign_in(city, page, "bosai")
    expect(page.locator("[data-headline]")).to_be_visible(timeout=20_000)
    found = []
    for address in ("/staff/", "/staff/reach/1/"):
        page.goto(f"http://127.0.0.1:{city.port}{address}")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            seen = Axe().run(page, options={"runOnly": RULES}).response["violations"]
            found += [f"{address} {theme}: {one['id']} {one['nodes'][0]['html']}" for one in seen]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{address}: {wide} px wide"] if wide > width else []
    assert found == []


def test_a_city_with_an_open_stream_stops_in_time(tmp_path: Path, page: Page) -> None:
    with demo(tmp_path) as city:
        sign_in(city, page, "kanri")
        expect(page.locator("[data-state]")).to_contain_text("自動で変わります")
        os.killpg(city.process.pid, signal.SIGTERM)
        assert city.process.wait(9) == 0
        until(lambda: not city.living(), "nothing is left")
        expect(page.locator("[data-state]")).to_contain_text("つながっていません")
