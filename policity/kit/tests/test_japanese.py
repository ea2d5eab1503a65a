import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policity.kit.japanese import fold, folded_places, grams, is_kana, skeleton, stem

JAPANESE = st.text(
    st.sampled_from("あいうかがごみしょっんーアイウカガゴミョッンーｱｲｳｶﾞｺﾞー々市民税引越齋斎髙高")
    | st.sampled_from("ヶケ12ＡＢab 　。・-−"),
    max_size=30,
)
KATAKANA = st.text(st.sampled_from("アイウカガゴミシショッンー"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﾏｲﾅﾝﾊﾞｰ", "まいなんばー"),
        ("ゴミ", "ごみ"),
        ("ＡＥＤ", "aed"),
        ("人々", "人人"),
        ("コンピューター", "コンピュータ"),
        ("コンピュ−タ", "コンピュータ"),
        ("齋藤", "斎藤"),
        ("髙橋", "高橋"),
        ("渡邉", "渡辺"),
        ("三ヶ所", "三か所"),
        ("三ケ所", "三カ所"),
        ("ヴァイオリン", "ぶぁいおりん"),
        ("㈱", "(株)"),
        ("あ゙", "あ"),
        ("し々ﾞ", "しし"),
        ("髙ﾞ", "高"),
    ],
)
def test_ways_to_write_the_same_fold_to_one(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ビール", "ビル"), ("おばさん", "おばあさん"), ("ケア", "カア"), ("市", "区")],
)
def test_what_is_something_else_stays_apart(one, other):
    assert fold(one) != fold(other)


@example("あ-々々")
@given(JAPANESE)
def test_folding_what_is_folded_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(KATAKANA)
def test_kind_and_width_of_kana_make_no_difference(text):
    hiragana = "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)
    assert fold(text) == fold(hiragana)


@given(JAPANESE)
def test_normal_forms_make_no_difference(text):
    assert fold(unicodedata.normalize("NFKC", text)) == fold(text)


@given(JAPANESE)
def test_each_folded_sign_comes_from_a_place_in_order(text):
    folded, places = folded_places(text)
    assert len(folded) == len(places)
    assert folded == fold(text)
    assert list(places) == sorted(places)
    assert all(0 <= place < len(text) for place in places)


@given(st.text(st.sampled_from("市民税引越子供"), min_size=2, max_size=12), st.data())
def test_whatever_two_signs_stand_beside_each_other_are_found(text, data):
    at = data.draw(st.integers(0, len(text) - 2))
    assert text[at : at + 2] in set(grams(fold(text)))


def test_words_of_latin_letters_are_whole_and_without_a_plural():
    assert list(grams(fold("Shelters of West-Tokyo 2026年"))) == [
        "shelter", "of", "west", "tokyo", "2026", "年",
    ]  # fmt: skip
    assert list(grams("bus class 1990s")) == ["bus", "class", "1990s"]


def test_forms_of_a_word_share_their_stem():
    assert {stem(word) for word in ("遊ぶ", "遊び", "遊べる")} == {"遊"}
    assert stem("引っ越し") == "引っ越"
    assert stem("市民") == stem("ひらがな") == ""


def test_kanji_stand_for_a_word_that_is_written_in_several_ways():
    assert skeleton("引っ越し") == skeleton("引越し") == "引越"
    assert skeleton("市民税") == skeleton("出す") == skeleton("ひっこし") == ""


def test_kana_are_told_from_the_rest():
    assert [is_kana(text) for text in ("ｱｲｳー", "あいう")] == [True, True]
    assert [is_kana(text) for text in ("あ1", "", "亜")] == [False, False, False]
