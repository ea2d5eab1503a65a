"""A poster says what its page says, in one page, with its font inside."""

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from policity.foundations.sharing.formats import LONGEST_TITLE, Poster, pdf, said
from policity.foundations.sharing.rules import cut, width

URL = "https://www.city.example.lg.jp/s/bcdfg/"


def drawn(title: str, lead: str = "", language: str = "ja") -> PdfReader:
    body = pdf(Poster("見本市", title, lead, URL, URL[8:-1], "開いてください。", language))
    return PdfReader(io.BytesIO(body))


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("桜の見ごろ", "ja"),
        ("Where to see cherry blossoms", "en"),
        ("벚꽃", "ko"),
        ("樱花", "zh-Hans"),
    ],
)
def test_it_stands_on_one_page_and_its_font_is_inside(title: str, language: str):
    poster = drawn(title, "三月の終わりから。", language)
    [page] = poster.pages
    text = "".join(page.extract_text().split())
    for words in (title, "見本市", "三月の終わりから", URL[8:-1]):
        assert words.replace(" ", "") in text
    for font in page["/Resources"]["/Font"].values():
        [inner] = font["/DescendantFonts"]
        assert "/FontFile3" in inner["/FontDescriptor"]
    assert poster.trailer["/Root"]["/Lang"].startswith(language[:2])


def test_what_is_typed_is_never_markup():
    [page] = drawn('#panic("x") $x$ *b* \\ "').pages
    assert '#panic("x")$x$*b*\\"' in "".join(page.extract_text().split())


@pytest.mark.parametrize("long", ["あ" * 10_000, "x" * 10_000, "word " * 2_000, "題、" * 5_000])
def test_ten_thousand_characters_are_cut_and_nothing_is_slow(long: str):
    begun = time.monotonic()
    poster = drawn(long, long)
    assert time.monotonic() - begun < 2
    [page] = poster.pages
    assert "…" in page.extract_text()


@given(st.text(), st.integers(2, 80))
def test_what_is_cut_is_the_beginning_and_fits(text: str, most: int):
    short = cut(text, most)
    assert width(short) <= most
    assert short == text if width(text) <= most else text.startswith(short[:-1])


def test_it_is_cut_where_something_ends():
    assert cut("桜が咲きます。見に来てください。", 10) == "桜が咲きます。…"
    assert cut("one two three four", 8) == "one two three…"
    assert len(cut("あ" * 200, LONGEST_TITLE)) == LONGEST_TITLE


@pytest.mark.parametrize(
    ("body", "title", "lead"),
    [
        ("<main><h1><ruby>桜<rt>さくら</rt></ruby>の花</h1><p>春。</p></main>", "桜の花", "春。"),
        ("<meta name=description content='言'><main><h1>題</h1><p>x</p></main>", "題", "言"),
        ("<title>題だけ</title><main></main>", "題だけ", ""),
        ("<p>x</p>", "", "x"),
    ],
)  # fmt: skip
def test_what_a_page_says_first(body: str, title: str, lead: str):
    found = said(f"<!doctype html><html>{body}</html>".encode())
    assert (found.title, found.lead) == (title, lead)
