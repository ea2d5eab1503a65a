"""The tree as a folder: an edit rewrites what shows it, and what goes is gone."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page

from policity.foundations.accounts.models import User
from policity.foundations.events import services as events
from policity.foundations.publishing.services import rebuild, render_due
from policity.kit.languages import LANGUAGES, split
from policity.public_site.models import ArticlePage, SectionPage
from policity.public_site.rules import RESERVED
from policity.public_site.services import schedule
from policity.public_site.tests import content
from policity.public_site.tests.content import article, begun, department

HERE = "departments/kodomo/hoiku/"


@pytest.fixture
def folder(city, settings, tmp_path):
    """A published folder with a city and the beginnings of its tree."""
    settings.HOME = tmp_path
    settings.PUBLISHED = tmp_path / "published"
    settings.MEDIA_ROOT = tmp_path / "media"
    begun()
    rebuild()
    render()
    return settings.PUBLISHED


def render() -> None:
    report = render_due(now=timezone.now())
    assert report.failed == 0


def texts(folder: Path) -> dict[str, bytes]:
    """Every published page of the tree, and the first one, by address."""
    return {
        "/" + str(file.relative_to(folder)).removesuffix("index.html"): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".br", ".gz")
    }


def changed(folder: Path, before: dict[str, bytes]) -> set[str]:
    """What differs now, beside what is searched: that has tests of its own."""
    now = texts(folder)
    return {address for address in before.keys() | now.keys()
            if before.get(address) != now.get(address)
            and not split(address)[1].startswith(("search/", "site-map/"))}  # fmt: skip


def everywhere(rest: str) -> set[str]:
    return {language.prefix + rest for language in LANGUAGES}


def test_a_new_page_comes_with_what_lists_it_and_an_edit_with_what_shows_it(folder):
    section = department()
    render()
    before = texts(folder)
    page = article(section)
    render()
    assert changed(folder, before) == (
        everywhere(HERE) | everywhere("guides/") | everywhere("departments/kodomo/")
    )
    before = texts(folder)
    page.lead = "四月からの入園です。"
    page.save_revision().publish()
    render()
    assert changed(folder, before) == (
        everywhere("guides/") | everywhere("departments/kodomo/") | {"/" + HERE}
    )
    before = texts(folder)
    content.translation(page)
    render()
    # Every language offers it; the English lists call it by its English name.
    assert changed(folder, before) == (
        everywhere(HERE) - {"/" + HERE} | {"/en/guides/", "/en/departments/kodomo/"}
    )


def test_news_stands_on_the_first_page(folder):
    before = texts(folder)
    article(department(), slug="n1", title="図書館の休館", kind="news")
    render()
    assert everywhere("") <= changed(folder, before)
    assert "図書館の休館" in (folder / "index.html").read_text()


@pytest.mark.parametrize("way", ["unpublish", "delete", "expire"])
def test_what_is_taken_down_is_gone_from_the_files(folder, way):
    page = article(department(), body=[
        {"type": "picture", "value": {"image": content.picture().pk, "alt": "園庭"}},
        {"type": "file", "value": {"file": content.document().pk, "title": "申込書"}},
    ])  # fmt: skip
    content.translation(page)
    render()
    assert (folder / HERE / "index.html").is_file()
    assert (folder / "en" / HERE / "index.html").is_file()
    assert list(folder.glob("assets/pictures/*.webp"))
    (file,) = folder.glob("files/*.pdf")
    # The section of files offers it in every language, and no longer once nothing else does.
    listed = [folder / one.prefix.strip("/") / "files" / "index.html" for one in LANGUAGES]
    assert all(f"/files/{file.name}" in one.read_text() for one in listed)
    if way == "unpublish":
        page.unpublish()
    elif way == "delete":
        Page.objects.get(pk=page.pk).delete()
    else:
        ArticlePage.objects.filter(pk=page.pk).update(expire_at=timezone.now() - timedelta(1))
        assert schedule.due(now=timezone.now()) == 1
    render()
    assert not [file for file in folder.rglob("*") if "hoiku" in str(file)]
    assert not [one for one in listed if ".pdf" in one.read_text()]
    assert not list(folder.glob("assets/pictures/*")) + list(folder.glob("files/*.pdf*"))


def test_a_page_appears_when_its_time_has_come(folder):
    page = article(department())
    page.unpublish()
    due = timezone.now() - timedelta(minutes=1)
    page.go_live_at = due
    page.save_revision(approved_go_live_at=due)
    assert schedule.due(now=due - timedelta(seconds=1)) == 0
    render()
    assert not (folder / HERE).exists()
    assert schedule.due(now=due) == 1
    assert schedule.due(now=due) == 0
    render()
    assert (folder / HERE / "index.html").is_file()


def test_a_page_that_moves_leaves_a_way_behind_with_all_below_it(
    folder, django_capture_on_commit_callbacks
):
    section = department()
    page = article(section)
    render()
    section = SectionPage.objects.get(pk=section.pk)
    section.slug = "kosodate"
    with django_capture_on_commit_callbacks(execute=True):
        section.save_revision().publish()
    render()
    assert (folder / "departments/kosodate/hoiku/index.html").is_file()
    old = (folder / HERE / "index.html").read_text()
    assert 'content="0; url=/departments/kosodate/hoiku/"' in old
    Page.objects.get(pk=page.pk).specific.move(Page.objects.get(slug="charm"), pos="last-child")
    render()
    assert (folder / "charm/hoiku/index.html").is_file()
    assert 'url=/charm/hoiku/"' in (folder / HERE / "index.html").read_text()
    assert (folder / "en/charm/hoiku/index.html").is_file()


def test_redirects_that_lead_in_a_circle_lead_nowhere(folder):
    Redirect.objects.create(old_path="/a", redirect_link="/b/")
    Redirect.objects.create(old_path="/b", redirect_link="/a/")
    Redirect.objects.create(old_path="/c.html", redirect_link="https://example.org/")
    Redirect.objects.create(old_path="/staff/x", redirect_link="/d/")
    render()
    assert (folder / "c.html").is_file()
    assert not (folder / "a").exists()
    assert not (folder / "staff").exists()


def test_a_picture_is_published_in_sizes_without_what_the_camera_noted(folder):
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAM"
    exif.get_ifd(0x8825)[2] = (35.0, 43.0, 30.0)
    picture = content.picture(
        content.jpeg(exif=exif.tobytes()),
        focal_point_x=300, focal_point_y=300, focal_point_width=100, focal_point_height=100,
    )  # fmt: skip
    article(department(), body=[
        {"type": "picture", "value": {"image": picture.pk, "alt": "園庭"}}
    ])  # fmt: skip
    render()
    files = list(folder.glob("assets/pictures/*"))
    sizes = {(file.suffix, Image.open(file).size) for file in files}
    assert sizes == {
        (ending, size)
        for ending in (".webp", ".jpg")
        for size in ((480, 360), (960, 720), (1440, 1080), (720, 540))
    }
    for file in files:
        assert b"SECRETCAM" not in file.read_bytes()
        assert not Image.open(io.BytesIO(file.read_bytes())).getexif()
    html = (folder / HERE / "index.html").read_text()
    for part in ("srcset=", 'width="960"', 'height="720"', "(max-width: 30rem)"):
        assert part in html
    assert "original" not in html


def test_no_page_of_the_tree_takes_the_address_of_another_room(folder):
    from policity.foundations.publishing.queries import families

    ours = {"articles", "sections", "pictures", "files", "old-addresses", "home"}
    first = {
        address.lstrip("/").partition("/")[0].partition(".")[0]
        for family in families().values()
        if family.name not in ours
        for address in family.addresses()
    }
    # Files of their own at the top, no folders.
    # `charm` is a section of the tree, with another room's pages below it (RESERVED_BELOW).
    assert first - RESERVED <= {"charm", "", "city", "security", "state", "sw"}


def test_no_page_of_the_tree_takes_the_address_of_short_links():
    # The application answers below it, so that no family of pages says so.
    assert "s" in RESERVED


def test_a_home_without_a_tree_is_as_it_was(folder):
    Page.objects.get(slug="home").delete()
    rebuild()
    render()
    assert (folder / "index.html").is_file()
    assert not (folder / "news").exists()


def test_what_is_on_next_stands_on_the_first_page_until_it_is_over(folder):
    now = timezone.now()
    by = User.objects.create(username="koho")
    for day in range(1, 7):
        texts_ = {"ja": {"title": f"朝市{day}", "place": "駅前"}}
        starts = now + timedelta(days=day)
        draft = events.Draft(texts=texts_, starts=starts, ends=starts + timedelta(hours=1))
        event = events.draft(event=draft, by=by, now=now)
        events.publish(number=event.pk, by=by, now=now)
    render()
    home = (folder / "index.html").read_text()
    assert [day for day in range(1, 7) if f"朝市{day}" in home] == [1, 2, 3, 4]
    events.end_what_is_over(now=now + timedelta(days=1, hours=2))
    render()
    home = (folder / "index.html").read_text()
    assert [day for day in range(1, 7) if f"朝市{day}" in home] == [2, 3, 4, 5]
