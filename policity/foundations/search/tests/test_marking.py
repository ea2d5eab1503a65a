import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policity.foundations.search.rules.asking import ask
from policity.foundations.search.rules.marking import LENGTH, excerpt, marked
from policity.kit import ruby


def hits(text: str, typed: str, code: str = "ja") -> list[str]:
    return [piece.text for piece in marked(text, ask(typed, code)) if piece.hit]


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("引っ越しの手続き", "引越し", ["引っ越し"]),
        ("引っ越しの手続き", "ひっこし", ["引っ越し"]),
        ("粗大ゴミの日", "ごみ", ["ゴミ"]),
        ("ﾏｲﾅﾝﾊﾞｰの話", "マイナンバー", ["ﾏｲﾅﾝﾊﾞｰ"]),
        ("市民税と所得税", "税", ["税", "税"]),
        ("役所の避難所", "避難所", ["避難所"]),
        ("Shelters here", "shelters", ["Shelters"]),
        ("図書館", "住民票", []),
    ],
)
def test_what_was_looked_for_is_marked_as_it_stands(text, typed, expected):
    assert hits(text, typed) == expected


@given(
    st.text("避難所学校ゴミの日ｺﾞﾐ。 {}|", max_size=300), st.sampled_from(["避難", "ごみ", "学校"])
)
@settings(max_examples=80, deadline=None)
def test_marking_changes_no_sign(text, typed):
    text = ruby.foreign(text)
    question = ask(typed, "ja")
    assert "".join(piece.text for piece in marked(text, question)) == text
    shown = "".join(piece.text for piece in excerpt(text, question)).strip("…")
    assert shown in text
    assert len(shown) <= LENGTH


def test_a_word_keeps_its_reading():
    pieces = marked("{避難|ひなん} の {所|ところ}", ask("避難", "ja-easy"))
    assert [(piece.text, piece.reading, piece.hit) for piece in pieces] == [
        ("避難", "ひなん", True),
        (" の ", "", False),
        ("所", "ところ", False),
    ]


def test_the_part_with_the_hit_is_shown_from_its_sentence_on():
    text = "あ" * 300 + "。" + "避難所は学校です。" + "い" * 300
    shown = "".join(piece.text for piece in excerpt(text, ask("避難所", "ja")))
    assert shown.startswith("…避難所は学校です。")
    assert shown.endswith("…")
