"""The page of the search, as the application answers it and as a file."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from lxml import html

from policity.foundations.publishing.formats import cards
from policity.foundations.publishing.services import rebuild, render_due
from policity.foundations.search.tests.conftest import NOW
from policity.kit.languages import LANGUAGES


def page(client: Client, path: str):
    answer = client.get(path)
    assert answer.status_code == 200
    return html.document_fromstring(answer.content)


def heading(found) -> str:
    return " ".join(found.xpath("//main//h2[1]")[0].text_content().split())


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_a_hit_is_shown_in_every_language(client, site, told, language):
    address = f"{language.prefix}a/"
    site.put(address, told("AED 2026", "AED"))
    site.index()
    found = page(client, f"{language.prefix}search/?q=aed")
    (link,) = found.xpath("//ol[@class='hits']//a")
    assert link.get("href") == address
    assert "".join(link.xpath("./mark//text()")) == "AED"
    assert found.xpath("//input[@id='q']/@value") == ["aed"]
    # Other languages are asked the same.
    assert "/ko/search/?q=aed" in found.xpath("//nav[@class='lang']/a/@href")


def test_what_is_typed_and_found_is_text_and_never_markup(client, site, told):
    site.put("/a/", told("<b>危ない</b>", '<img src=x onerror="1">危ない'))
    site.index()
    found = page(client, '/search/?q=危ない"><script>1</script>')
    assert not found.xpath("//main//b | //main//img | //main//script")
    assert found.xpath("//input[@id='q']/@value") == ['危ない"><script>1</script>']
    found = page(client, "/search/?q=危ない")
    assert "<b>危ない</b>" in found.xpath("//ol[@class='hits']//a")[0].text_content()


def test_facets_are_links_that_keep_what_was_asked(client, site, told):
    site.put("/a/", told("大雨警報", kind="警報"))
    site.put("/b/", told("大雨に備える", kind="案内"))
    site.index()
    found = page(client, "/search/?q=大雨")
    links = {" ".join(a.text_content().split()): a.get("href") for a in found.xpath("//aside//a")}
    assert set(links) == {"警報 1", "案内 1"}
    narrowed = page(client, f"/search/{links['警報 1']}")
    assert heading(narrowed) == "1件 見つかりました"
    (chosen,) = narrowed.xpath("//aside//a[@aria-current]")
    # It leads back to all.
    assert heading(page(client, f"/search/{chosen.get('href')}")) == "2件 見つかりました"


def test_pages_turn(client, site, told):
    for number in range(12):
        site.put(f"/a/{number}/", told(f"講座 {number}"))
    site.index()
    first = page(client, "/search/?q=講座")
    (after,) = first.xpath("//a[@rel='next']/@href")
    second = page(client, f"/search/{after}")
    assert len(second.xpath("//ol[@class='hits']/li")) == 2
    assert second.xpath("//a[@rel='prev']")
    assert not second.xpath("//a[@rel='next']")


def test_where_nothing_is_found_the_page_says_what_else_to_do(client, site, told):
    site.put("/en/a/", told("Garbage", "", "Guide"))
    site.index()
    found = page(client, "/search/?q=garbage")
    assert heading(found) == "見つかりませんでした"
    links = found.xpath("//main//a/@href")
    assert "/en/search/?q=garbage" in links
    assert "/site-map/" in links


@pytest.mark.parametrize(
    "query", ["p=0", "p=x", "p=99999", "year=abc", "kind=" + "x" * 200, "section=%00", "q=%FF"]
)
def test_what_makes_no_sense_is_left_out(client, site, told, query):
    site.put("/a/", told("講座"))
    site.index()
    assert client.get(f"/search/?q=講座&{query}").status_code == 200


def test_the_longest_question_is_answered(client, site):
    assert client.get("/search/", {"q": "あ" * 5_000}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_is_sent_here(client, site, method):
    assert getattr(client, method)("/search/").status_code == 405


def test_what_somebody_looks_for_is_kept_nowhere(client, site):
    answer = client.get("/search/?q=病気")
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies


def test_titles_are_suggested(client, site, told):
    site.put("/a/", told("引っ越しの手続き"))
    site.index()
    assert client.get("/search/suggest/?q=ひっこ").json() == {"titles": ["引っ越しの手続き"]}
    assert client.get("/search/suggest/").json() == {"titles": []}


def test_a_page_takes_few_queries_however_much_is_found(
    client, site, told, django_assert_max_num_queries
):
    for number in range(30):
        site.put(f"/a/{number}/", told(f"講座 {number}", kind=f"種類{number}"))
    site.index()
    with django_assert_max_num_queries(8):
        client.get("/search/?q=講座")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_the_published_page_asks_and_knows_its_files(site, language):
    rebuild()
    render_due(now=NOW)
    file = settings.PUBLISHED / language.prefix[1:] / "search" / "index.html"
    found: Any = html.document_fromstring(file.read_bytes())
    (place,) = found.xpath("//div[@data-files]")
    assert (place.get("data-files"), place.get("data-folder")) == (
        "16",
        f"{language.prefix}search/",
    )
    (form,) = found.xpath("//form[@role='search']")
    assert form.get("action") == f"{language.prefix}search/"
    assert found.xpath("//noscript")
    assert f"{language.prefix}site-map/" in found.xpath("//main//a/@href")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_the_search_and_the_site_map_have_a_card_that_names_nothing_typed(client, site, language):
    rebuild()
    render_due(now=NOW)
    folder = Path(settings.PUBLISHED) / language.prefix[1:]
    asked = (folder / "search" / "index.html").read_bytes()
    for body in (asked, (folder / "site-map" / "index.html").read_bytes()):
        shown = cards.read(body)
        assert cards.address_in(body) == cards.address(shown)
        assert shown.title
    answer = client.get(f"{language.prefix}search/?q=aed").content
    assert cards.address_in(answer) == cards.address_in(asked)
