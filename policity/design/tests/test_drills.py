"""The marks of a drill: on every page, in every language, and nowhere else."""

import pytest
from lxml import html

from policity.design import drills
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

WORDS = {"ja": "訓練", "ja-easy": "訓練", "en": "Drill", "zh-hans": "演练", "ko": "훈련"}


def page(language):
    easy = ' class="easy"' if language.code == "ja-easy" else ""
    return (
        f'<!doctype html><html lang="{language.html}"><head><title>雨</title></head>'
        f'<body{easy}><a href="#main">本文へ</a>'
        '<main id="main"><h1 id="a">雨</h1></main></body></html>'
    )


def plain(element):
    for reading in element.xpath(".//rt | .//rp"):
        reading.drop_tree()
    return element.text_content()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_a_page_begins_with_the_strip_and_says_the_word_before_its_titles(language):
    found = html.document_fromstring(drills.marked(page(language)))
    word = WORDS[language.code]
    strip = found.xpath("//body/*")[0]
    assert strip.get("class") == "drill"
    assert "訓練" in plain(strip)
    assert word in strip.get("aria-label")
    assert word in found.findtext(".//title")
    assert plain(found.find(".//h1")).startswith(word)


def test_a_page_is_marked_once():
    once = drills.marked(page(LANGUAGES[0]))
    assert drills.marked(once) == once


def test_every_kanji_of_the_easy_marks_has_its_reading(settings):
    settings.DRILL = True
    assert ruby.readings_missing(drills.titled("", "ja-easy")) == ()
    assert ruby.readings_missing(drills.told("", "ja-easy")) == ()


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_elsewhere_nothing_is_marked(settings, language):
    settings.DRILL = False
    assert drills.titled("雨", language.code) == "雨"
    assert drills.told("にげる", language.code) == "にげる"
