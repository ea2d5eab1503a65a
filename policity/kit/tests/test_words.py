import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policity.kit.words import Weight, words


def norms(text: str) -> list[str]:
    return [word.norm for word in words(text) if word.weight is Weight.MATTER]


@pytest.mark.parametrize("text", ["引越し", "引越", "引っ越し"])
def test_okurigana_makes_no_difference(text):
    assert norms(text) == ["引っ越し"]


def test_words_know_how_they_are_read_and_what_they_are_made_of():
    (word,) = words("市民税")
    assert (word.reading, [part.norm for part in word.parts]) == ("しみんぜい", ["市民", "税"])


def test_what_says_nothing_is_told_from_what_does():
    weights = {word.surface: word.weight for word in words("ごみはいつ、お寿司に")}
    assert weights == {
        "ごみ": Weight.MATTER,
        "は": Weight.NOTHING,
        "いつ": Weight.BESIDE,
        "、": Weight.NOTHING,
        "お": Weight.BESIDE,
        "寿司": Weight.MATTER,
        "に": Weight.NOTHING,
    }


def test_a_city_s_name_is_one_word():
    assert norms("西東京市") == ["西東京市"]


@given(
    st.text(st.sampled_from("引っ越し市民税ゴミの日。\nabc12"), max_size=200), st.integers(1, 60)
)
@settings(max_examples=40, deadline=None)
def test_words_follow_each_other_however_long_the_text(text, times):
    long = text * times
    found = words(long)
    assert "".join(long[word.start : word.end] for word in found) == long


def test_a_text_of_any_length_is_read():
    assert len(words("市民税。" * 30_000)) == 60_000
