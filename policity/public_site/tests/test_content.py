"""Pages of the tree as files: in five languages, with what they show, and what makes them stale."""

import pytest
from django.utils import translation as languages
from lxml import html

from policity.kit.languages import LANGUAGES
from policity.public_site.tests import content
from policity.public_site.tests.content import article, begun, department, shown, text

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def home(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return begun()


def test_a_city_begins_with_the_sections_that_others_link_to(home):
    there = set(content.FAMILIES["sections"].addresses())
    for part in ("guides", "news", "charm", "faq", "departments"):
        for language in LANGUAGES:
            assert f"{language.prefix}{part}/" in there
    said = shown("/en/guides/", "/guides/", "/easy/guides/")
    assert "Procedures and guides" in said["/en/guides/"]
    assert "手続きと案内" in said["/guides/"]
    assert "<ruby>手続<rp>（</rp><rt>てつづ</rt><rp>）</rp></ruby>き" in said["/easy/guides/"]


def test_a_page_says_what_was_written_and_whom_to_ask(home):
    page = article(department(), body=[
        {"type": "heading", "value": "いるもの"},
        text(f"<p>印かん<script>x</script>と<a linktype=\"page\" id=\"{home.pk}\">課</a></p>"),
        {"type": "table", "value": {"columns": [{"type": "text", "heading": "月"}],
                                    "rows": [{"values": ["4月"]}], "caption": "日程"}},
    ])  # fmt: skip
    [body] = shown(f"/departments/kodomo/{page.slug}/").values()
    read = html.document_fromstring(body)
    assert read.xpath("string(//h1)") == "保育園に入りたい"
    assert "<script>x" not in body
    assert read.xpath("//article//table//th[@scope='row']/text()") == ["4月"]
    assert read.xpath("//a[@href='tel:042-000-0001']")
    assert [one.text_content() for one in read.xpath("//nav[@class='crumbs']//a")] == [
        "トップ", "市役所の課", "こども課",
    ]  # fmt: skip


def test_a_language_that_is_missing_says_so_and_offers_what_there_is(home):
    page = article(department())
    content.translation(page)
    address = f"/departments/kodomo/{page.slug}/"
    said = shown("/en" + address, "/ko" + address)
    assert "Joining a nursery" in said["/en" + address]
    read = html.document_fromstring(said["/ko" + address])
    offered = read.xpath("//ul[@class='offers']//a/@href")
    assert offered == [address, "/en" + address]
    assert read.xpath("//h1/@lang") == ["ja"]


def test_what_is_a_draft_is_nowhere(home):
    page = article(department())
    content.translation(page, live=False)
    page.unpublish()
    assert shown(f"/departments/kodomo/{page.slug}/", f"/en/departments/kodomo/{page.slug}/") == {}


def test_rendering_takes_as_many_queries_for_many_pages_as_for_one(home, django_assert_num_queries):
    section = department()
    picture = content.picture()
    pages = [
        article(section, slug=f"p{number}", body=[
            {"type": "picture", "value": {"image": picture.pk, "alt": "園庭の砂場"}},
            text(f"<p><a linktype=\"page\" id=\"{home.pk}\">x</a></p>"),
        ])
        for number in range(6)
    ]  # fmt: skip
    addresses = [f"{language.prefix}departments/kodomo/{page.slug}/"
                 for page in pages for language in LANGUAGES]  # fmt: skip
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    family = content.FAMILIES["articles"]
    list(family.render(addresses[:1]))
    with CaptureQueriesContext(connection) as one:
        list(family.render(addresses[:1]))
    with CaptureQueriesContext(connection) as many:
        assert len([1 for _, page in family.render(addresses) if page]) == 30
    assert len(many) == len(one) <= 25


def test_the_language_that_is_active_does_not_matter(home):
    page = article(department(), body=[text("<p>x</p>")])
    address = f"/departments/kodomo/{page.slug}/"
    with languages.override("ko"):
        one = shown(address)
    assert one == shown(address)
