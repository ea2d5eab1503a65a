"""An older site is taken over by a command; an editor sees what needs a hand, mends it and submits;
somebody else approves; a resident finds the page at its old address."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from policity.public_site.tests import older
from policity.public_site.tests.test_importing import packed
from tests.journeys.test_board import policity, sign_in
from tests.journeys.test_writing import approve, at
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]
REPORT = "staff/content/reports/taken-over/"


@pytest.fixture
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One for each: what was taken over before would be found there."""
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def submit(page: Page) -> None:
    """Hand it to the department's publishers."""
    page.get_by_role("button", name="他のアクション").click()
    page.get_by_role("button", name="承認（こども課）に提出する").click()
    page.wait_for_url(re.compile(r"/pages/\d+/$"))


def picture(page: Page, name: str) -> None:
    """Where somebody wants to look at it: for both widths, light and dark."""
    folder = os.environ.get("POLICITY_TEST_PICTURES")
    if not folder:
        return
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 1000})


def faults(page: Page) -> list[str]:
    """What axe finds in the report itself, not in Wagtail's frame around it."""
    found = Axe().run(page, context="main").response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def test_an_older_site_is_sent_watched_looked_at_and_undone(
    city: City, page: Page, tmp_path: Path
) -> None:
    (tmp_path / "site.zip").write_bytes(packed(older.site(tmp_path / "older")))
    page.set_viewport_size({"width": 1280, "height": 1000})
    sign_in(city, page, "kodomo")
    page.goto(at(city, "staff/content/"))
    page.get_by_role("link", name="前のサイトの取り込み").click()
    page.get_by_label("どのページの下に取り込みますか").select_option(label="　　こども課")
    page.get_by_label("本文から外すもの（CSS）").fill(".pankuzu")
    page.get_by_role("button", name="取り込みを始める").click()
    # What was typed is still there.
    expect(page.get_by_text("アドレスを書くか、ファイルを選んでください。")).to_be_visible()
    expect(page.get_by_label("本文から外すもの（CSS）")).to_have_value(".pankuzu")
    assert faults(page) == []
    picture(page, "takeovers")
    page.get_by_label("または、保存したサイトのファイル").set_input_files(tmp_path / "site.zip")
    page.get_by_role("button", name="取り込みを始める").click()
    # By itself, once the worker has it.
    expect(page.get_by_role("heading", name="取り込みました")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("row", name="取り込めなかったページ")).to_have_text(re.compile("0$"))
    assert faults(page) == []
    picture(page, "takeover")
    expect(page.locator("#state")).to_contain_text("画像に代替テキストがない")
    page.get_by_role("link", name="画像に代替テキストがない").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="ごみの出し方"))
    row.get_by_role("button", name="見た").click()
    expect(row.get_by_role("button", name="見ていないことにする")).to_be_visible()
    expect(page.get_by_role("link", name="資源の出し方")).to_have_count(0)
    assert faults(page) == []
    picture(page, "report")
    page.goto(at(city, "staff/content/import/"))
    page.get_by_role("link", name="site.zip").click()
    page.get_by_role("button", name="この取り込みを取り消す").click()
    expect(page.get_by_role("heading", name="取り消しました")).to_be_visible(timeout=30_000)
    page.goto(at(city, REPORT))
    expect(page.get_by_role("link", name="ごみの出し方")).to_have_count(0)


def test_a_page_comes_from_the_older_site_and_is_found_at_its_old_address(
    city: City, page: Page, tmp_path: Path
) -> None:
    policity(city.home, "content", "import", str(older.site(tmp_path)),
             "--into", "departments/kodomo")  # fmt: skip
    page.set_viewport_size({"width": 1280, "height": 1000})
    sign_in(city, page, "kodomo")
    page.goto(at(city, REPORT))
    expect(page.get_by_role("cell", name=re.compile("画像に代替テキストがない"))).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("link", name="資源の出し方")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 1000})

    # A page below another waits for the pages above it.
    numbers = []
    for title in ("くらし", "ごみの出し方", "資源の出し方"):
        page.goto(at(city, REPORT))
        page.get_by_role("link", name=title, exact=True).click()
        numbers.append(int(re.findall(r"/pages/(\d+)/edit/", page.url)[0]))
        if title == "ごみの出し方":
            page.locator("[name$='-value-alt']").last.fill("分けたごみが並んでいる")
        submit(page)
        if title == "ごみの出し方":
            expect(page.get_by_text("リンクのことばで先が分からない")).to_be_visible()
    page.context.clear_cookies()
    sign_in(city, page, "kodomo-kacho")
    for number in numbers:
        approve(page, city, number)

    old = city.home / "published/kurashi/gomi/shigen.html"
    until(old.is_file, "its old address is a file")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(at(city, "kurashi/gomi/shigen.html"))
    page.wait_for_url("**/departments/kodomo/kurashi/gomi/shigen/")
    expect(page.get_by_role("heading", level=1)).to_have_text("資源の出し方")
    page.get_by_role("link", name="ごみの出し方").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ごみの出し方")
    expect(page.get_by_alt_text("分けたごみが並んでいる")).to_be_attached()
    assert Axe().run(page).response["violations"] == []
