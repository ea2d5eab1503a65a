"""A page with a picture and its translation is written by one and approved by another; it is on a
telephone in two languages, and found there; then it is taken down, and its files are gone."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.test_board import sign_in
from tests.living import City, demo, until

pytestmark = [pytest.mark.journey, pytest.mark.process]
HERE = "departments/kodomo/mizu-asobi/"
ALT = "公園の池で、子どもが遊んでいる"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def at(city: City, path: str) -> str:
    return f"http://127.0.0.1:{city.port}/{path}"


def insert(page: Page, block: str) -> None:
    """Put one more block at the end."""
    page.get_by_role("button", name="Insert a block").last.click()
    page.get_by_role("option", name=block, exact=True).click()


def write(page: Page, text: str) -> None:
    insert(page, "文")
    editor = page.locator(".public-DraftEditor-content").last
    editor.click()
    expect(editor).to_be_focused()
    editor.press_sequentially(text)
    # The form has it a moment after the screen.
    kept = page.locator("input[type=hidden][name^=body-][name$=-value]").last
    expect(kept).to_have_value(re.compile(re.escape(text)))


def upload(page: Page, file: Path) -> None:
    insert(page, "画像")
    page.get_by_role("button", name="画像を選択").click()
    page.get_by_role("tab", name="アップロード").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(file)
    dialog.locator("input[name$=title]").last.fill("水あそび場")
    dialog.locator("button[type=submit]").last.click()
    page.get_by_label("代替テキスト（必須）").fill(ALT)


def submit(page: Page) -> str:
    """Hand it to the department's publishers; gives its address in Wagtail."""
    page.get_by_role("button", name="他のアクション").click()
    page.get_by_role("button", name="承認（こども課）に提出する").click()
    expect(page.get_by_text("承認").first).to_be_visible()
    page.wait_for_url("**/pages/*/")
    return page.url


def approve(page: Page, city: City, number: int) -> None:
    page.goto(at(city, f"staff/content/pages/{number}/edit/"))
    page.get_by_role("button", name="他のアクション").click()
    page.get_by_role("button", name="承認と公開", exact=True).click()
    page.wait_for_url(re.compile(r"/pages/\d+/$"))


def numbers(page: Page, city: City) -> list[int]:
    """What waits for somebody's approval, by number, as their first page lists it."""
    page.goto(at(city, "staff/content/"))
    links = page.locator("a[href*='/edit/']").all()
    found = {int(str(link.get_attribute("href")).split("/")[-3]) for link in links}
    return sorted(found)


def test_a_page_is_written_translated_approved_read_and_taken_down(
    city: City, page: Page, tmp_path: Path
) -> None:
    photograph = tmp_path / "IMG_0001.jpg"
    Image.linear_gradient("L").resize((1600, 1200)).convert("RGB").save(photograph)
    page.set_viewport_size({"width": 1280, "height": 1000})
    sign_in(city, page, "kodomo")
    page.get_by_role("link", name="市のページ").click()
    # An editor of one department begins at its pages.
    page.goto(at(city, "staff/content/pages/"))
    section = page.url.rstrip("/").rpartition("/")[2]
    page.goto(at(city, f"staff/content/pages/add/public_site/articlepage/{section}/"))
    page.get_by_placeholder("ページタイトル*").fill("水あそび場をひらきます")
    page.locator("#id_kind").select_option("news")
    write(page, "七月から、公園で水あそびができます。")
    upload(page, photograph)
    page.get_by_role("tab", name="プロモート").click()
    page.locator("#id_slug").fill("mizu-asobi")
    submit(page)
    assert not (city.home / "published" / HERE).exists()

    page.get_by_role("link", name="水あそび場をひらきます").first.click()
    number = int(page.url.rstrip("/").split("/")[-2])
    page.goto(at(city, f"staff/content/pages/add/public_site/translationpage/{number}/"))
    page.locator("#id_language").select_option("en")
    page.get_by_placeholder("ページタイトル*").fill("A place to play with water")
    write(page, "From July you can play with water in the park.")
    submit(page)

    # Somebody else of the department, in a browser of their own.
    page.context.clear_cookies()
    sign_in(city, page, "kodomo-kacho")
    waiting = numbers(page, city)
    assert number in waiting
    assert len(waiting) == 2
    for one in waiting:
        approve(page, city, one)

    file = city.home / "published" / HERE / "index.html"
    english = city.home / "published" / "en" / HERE / "index.html"
    until(lambda: file.is_file() and b"play with water" in english.read_bytes(), "it is published")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(at(city, HERE))
    expect(page.get_by_role("heading", level=1)).to_have_text("水あそび場をひらきます")
    picture = page.get_by_alt_text(ALT)
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.figure img').complete")
    assert page.evaluate("document.querySelector('.figure img').naturalWidth") > 0
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A place to play with water")
    page.get_by_role("link", name="한국어").click()
    expect(page.get_by_text("이 페이지는 아직 한국어로")).to_be_visible()
    listed = city.home / "published/news/index.html"
    until(lambda: "水あそび場をひらきます" in listed.read_text("utf-8"), "the news list it")
    page.goto(at(city, "news/"))
    expect(page.get_by_role("link", name="水あそび場をひらきます")).to_be_visible()
    # By a word of its body, as somebody looks for it who does not know its name.
    found = f"/search/?q={quote('七月 水あそび')}"
    until(lambda: f'href="/{HERE}"' in city.get(found).decode(), "searching finds it")
    page.get_by_role("contentinfo").get_by_role("link", name="さがす", exact=True).click()
    page.get_by_label("さがすことば").fill("七月 水あそび")
    page.get_by_label("さがすことば").press("Enter")
    page.locator(".hits").get_by_role("link", name="水あそび場をひらきます").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("水あそび場をひらきます")
    pictures = list((city.home / "published/assets/pictures").glob("*"))
    assert pictures

    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(at(city, f"staff/content/pages/{number}/unpublish/"))
    page.locator("main form button[type=submit], main form input[type=submit]").last.click()
    page.wait_for_url("**/pages/*/")
    until(lambda: not file.exists() and not english.exists(), "it is gone")
    # A browser may keep a page for ten seconds; this is another address to it.
    assert page.goto(at(city, f"{HERE}?again")).status == 404  # type: ignore[union-attr]
    until(lambda: not any(one.exists() for one in pictures), "its picture is gone")
