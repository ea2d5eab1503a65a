import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit import ruby
from policity.kit.furigana import aligned, furigana

WORDS = st.text(st.sampled_from("市役所食取込む引越しのへ、。 12AB々ヶ月日一人ア"), max_size=30)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("市役所へ 来て ください", "{市役所|しやくしょ}へ {来|き}て ください"),
        ("取り込む", "{取|と}り{込|こ}む"),
        ("1人", "{1人|ひとり}"),
        ("ABC", "ABC"),
        ("", ""),
    ],
)
def test_a_reading_stands_at_its_kanji(text, marked):
    assert furigana(text, {}) == marked


def test_what_an_editor_wrote_stays_and_the_citys_list_goes_before_the_dictionary():
    assert furigana("{田無|たなし}の窓口", {"田無": "でんむ"}) == "{田無|たなし}の{窓口|まどぐち}"
    city = {"芝久保町": "しばくぼちょう", "芝久保": "しばくぼ"}
    assert furigana("芝久保町の人", city).startswith("{芝久保町|しばくぼちょう}の")


def test_markup_that_is_not_whole_is_said():
    with pytest.raises(ValueError, match="unbalanced"):
        furigana("{漢字|かんじ", {})


@given(WORDS)
def test_nothing_is_lost_and_no_kanji_is_left_without_a_reading(text):
    marked = furigana(text, {})
    assert ruby.plain(marked) == text
    assert furigana(marked, {}) == marked


@given(WORDS, st.text("あいうえおかきく", max_size=8))
def test_aligning_loses_nothing_whatever_the_reading(word, reading):
    assert ruby.plain(aligned(word, reading)) == word
