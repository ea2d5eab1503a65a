"""A town in any usual spelling, and what the kinds are called."""

import re

import pytest

from policity.foundations.places import queries as places
from policity.foundations.residents.rules import choices, towns
from policity.foundations.residents.rules.texts import NOTHING, _read, kind_texts
from policity.kit import ruby
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-鿿]")
PREFIXES = ("東京都", "西東京市")


@pytest.fixture
def known(city):
    return places.towns()


@pytest.mark.parametrize(
    "text",
    [
        "泉町三丁目",
        "泉町3丁目",
        "泉町３－６－８",
        "　泉町 三丁目 6番8号 ",
        "東京都西東京市泉町三丁目6番8号",
        "西東京市泉町3の6",
        "いずみちょう3",
        "イズミチョウ３丁目",
        "いずみちょうさんちょうめ",
    ],
)
def test_a_town_is_known_in_any_usual_spelling(known, text):
    assert [town.name for town in towns.find(text, known, PREFIXES)] == ["泉町三丁目"]


@pytest.mark.parametrize(
    "text", ["202-0011", "〒２０２ー００１１", "2020011", "泉町", "いずみちょう"]
)
def test_what_leaves_the_number_open_gives_each(known, text):
    names = [town.name for town in towns.find(text, known, PREFIXES)]
    assert names == [f"泉町{n}丁目" for n in "一二三四五六"]


def test_every_town_is_found_by_its_name_and_its_reading(known):
    for town in known:
        assert towns.find(town.name, known, PREFIXES) == (town,)
        assert town in towns.find(town.full_kana or town.name, known, PREFIXES)


@pytest.mark.parametrize(
    ("text", "base"), [("泉丁", "泉町"), ("和泉町", "泉町"), ("ひばりケおか", "ひばりが丘")]
)
def test_a_slip_is_answered_with_what_is_alike(known, text, base):
    assert base in {town.base for town in towns.similar(text, known, PREFIXES)}


@pytest.mark.parametrize("text", ["", "999-9999", "<script>", "大阪市北区梅田", "\x00", "{a|b}"])
def test_what_is_no_town_here_is_none(known, text):
    assert towns.find(text, known, PREFIXES) == ()


def test_no_more_is_suggested_than_fits_a_phone(known):
    lengths = {len(towns.similar(town.base[-2:], known, PREFIXES)) for town in known}
    assert max(lengths) == towns.MOST_SUGGESTED


@pytest.mark.parametrize("language", [language.code for language in LANGUAGES])
def test_every_kind_has_its_words(language):
    kinds = kind_texts(language)
    assert [kind.code for kind in kinds] == list(choices.kinds())
    for kind in kinds:
        degrees = choices.kinds()[kind.code].degrees
        assert list(kind.options) == [*(Severity if degrees else ["minor"]), NOTHING]
        assert kind.option(None) == kind.options[NOTHING]
        assert len(set(kind.options.values())) == len(kind.options)


def test_easy_japanese_reads_every_kanji_and_others_have_none():
    texts = [text for entry in _read().values() for text in _leaves(entry)]
    for language, text in texts:
        if language == "ja-easy":
            assert ruby.readings_missing(text) == ()
        else:
            assert "{" not in text
        if language in ("en", "ko"):
            assert not JAPANESE.search(text)


def _leaves(entry):
    for key, value in entry.items():
        yield from _leaves(value) if isinstance(value, dict) else [(key, value)]
