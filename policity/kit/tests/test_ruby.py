import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit import ruby

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]))
WORDS = st.text(st.characters(exclude_characters="{}|", exclude_categories=["Cs"]), min_size=1)
PIECES = st.lists(st.one_of(WORDS.map(lambda w: (w, "")), st.tuples(WORDS, WORDS)))


def written(pieces: list[tuple[str, str]]) -> str:
    return "".join(f"{{{base}|{reading}}}" if reading else base for base, reading in pieces)


def test_a_reading_stands_over_its_word() -> None:
    assert ruby.html("{川|かわ}に 行く") == (
        "<ruby>川<rp>（</rp><rt>かわ</rt><rp>）</rp></ruby>に 行く"
    )
    assert ruby.plain("{川|かわ}に {近|ちか}づかない") == "川に 近づかない"
    assert ruby.readings("{川|かわ}に {近|ちか}づかない") == (("川", "かわ"), ("近", "ちか"))


def test_html_is_escaped_inside_and_outside_the_markup() -> None:
    assert ruby.html('<b> & "x" {<i>|&}') == (
        "&lt;b&gt; &amp; &quot;x&quot; <ruby>&lt;i&gt;<rp>（</rp><rt>&amp;</rt><rp>）</rp></ruby>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "}",
        "|",
        "{川}",
        "{川|}",
        "{|かわ}",
        "{川|かわ",
        "川|かわ}",
        "{{川|かわ}}",
        "{川|か|わ}",
    ],
)
@pytest.mark.parametrize("verb", [ruby.plain, ruby.html, ruby.readings, ruby.readings_missing])
def test_unbalanced_markup_is_refused(verb, text: str) -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        verb(text)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("{川|かわ}に いかない 3 A ー", ()),
        ("{川|かわ}に 行く", ("行",)),
        ("人々 {々|x}", ("人", "々")),
        ("𠮷野", ("𠮷", "野")),
    ],
)
def test_kanji_without_a_reading_are_found(text: str, missing: tuple[str, ...]) -> None:
    assert ruby.readings_missing(text) == missing


@given(PIECES)
def test_nothing_is_lost(pieces: list[tuple[str, str]]) -> None:
    text = written(pieces)
    assert ruby.plain(text) == "".join(base for base, _ in pieces)
    assert ruby.readings(text) == tuple(piece for piece in pieces if piece[1])


@given(PIECES)
def test_no_tag_comes_out_that_we_did_not_write(pieces: list[tuple[str, str]]) -> None:
    tags = set(re.findall(r"<[^>]*>", ruby.html(written(pieces))))
    assert tags <= {"<ruby>", "</ruby>", "<rp>", "</rp>", "<rt>", "</rt>"}


@given(st.text())
def test_any_text_is_read_or_refused_by_all_alike(text: str) -> None:
    try:
        ruby.plain(text)
    except ValueError:
        with pytest.raises(ValueError, match="unbalanced"):
            ruby.html(text)
    else:
        ruby.html(text)
        ruby.readings_missing(text)


@given(ANYTHING)
def test_a_foreign_text_has_no_markup_and_loses_nothing(text: str) -> None:
    said = ruby.plain(ruby.foreign(text))
    assert said == text.replace("{", "｛").replace("|", "｜").replace("}", "｝")
    assert ruby.readings(ruby.foreign(text)) == ()
