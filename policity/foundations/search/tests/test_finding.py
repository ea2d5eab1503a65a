"""What is found, and in which order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policity.foundations.search.formats.finding import Hits, beginning, find
from policity.foundations.search.formats.index import HEAP_BYTES, Entry, document, open_index
from policity.foundations.search.formats.thesaurus import read, shipped
from policity.foundations.search.rules.asking import LONGEST, Thesaurus, ask


def index_of(*documents: tuple[str, str], code: str = "ja"):
    """An index of titles and texts, numbered from 0."""
    index = open_index(None)
    writer = index.writer(HEAP_BYTES, 1)
    for number, (title, text) in enumerate(documents):
        writer.add_document(document(Entry(number, f"/{number}/", code, title, text)))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


def found(typed: str, *documents: tuple[str, str], code: str = "ja", **more) -> Hits:
    return find(index_of(*documents, code=code), ask(typed, code, **more), code=code)


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("引越し", "引っ越しの手続き"),
        ("引越", "引っ越しの手続き"),
        ("ひっこし", "引っ越しの手続き"),
        ("引っ越し", "ひっこしの手続き"),
        ("ゴミ", "ごみの収集"),
        ("ｺﾞﾐ", "ごみの収集"),
        ("マイナンバー", "ﾏｲﾅﾝﾊﾞｰカード"),
        ("税金", "固定資産税金額表"),
        ("市民", "市民税の申告"),
        ("民税", "市民税の申告"),
        ("税", "市民税の申告"),
        ("斎藤", "齋藤記念館"),
        ("すし", "鮨と寿司"),
        ("コンピュータ", "コンピューター教室"),
        ("こども", "子ども食堂"),
        ("いざかや", "小さな居酒屋"),
        ("たつまき", "竜巻注意情報"),
        ("遊べる", "公園で遊び隊"),
        ("ＡＥＤ", "AEDの場所"),
        ("人人", "人々の集い"),
        ("申込み", "講座の申し込み"),
    ],
)
def test_ways_to_write_it_find_it(typed, title):
    others = [("会議室の予約", "市役所の会議室を使う。"), ("図書館", "本を借りる。")]
    assert found(typed, *others, (title, "")).numbers == (2,)


@pytest.mark.parametrize(
    ("typed", "title"), [("ビル", "ビール祭り"), ("公園", "講演会"), ("市制", "施設一覧")]
)
def test_what_only_sounds_alike_is_not_found_by_kanji(typed, title):
    assert found(typed, (title, "")).count == 0


def test_titles_stand_above_texts():
    assert found("住民票", ("証明書", "住民票など"), ("住民票", "証明書など")).numbers == (1, 0)


def test_what_is_written_stands_above_what_sounds_or_means_the_same():
    same = Thesaurus.of([["補助金", "助成金"]])
    documents = [("助成金 助成金", "助成金"), ("お知らせ", "市の広報と補助金の話です。")]
    assert found("補助金", *documents, thesaurus=same).numbers == (1, 0)
    assert found("こうえん", ("講演会", "公園で"), ("こうえん", "")).numbers[0] == 1


def test_what_stands_together_stands_above_what_stands_apart():
    documents = [("津波 津波", "心配なことは相談を。"), ("地震", "津波の心配はありません。")]
    assert found("津波の心配", *documents).numbers == (1, 0)


def test_all_words_are_wanted_and_else_the_most():
    documents = [("災害ごみ", ""), ("災害", "土砂災害"), ("災害", "雨")]
    hits = found("災害 ごみ 持ち込み", *documents)
    assert hits.numbers == (0,)
    assert set(hits.also) == {1, 2}


def test_words_of_questions_are_not_wanted():
    thesaurus = shipped().thesaurus()
    assert found("ゴミ いつ", ("ごみの収集日", ""), thesaurus=thesaurus).count == 1
    assert found("住民票の取り方を教えて", ("住民票", "取り方"), thesaurus=thesaurus).count == 1
    assert found("どこ", ("どこでも図書館", ""), thesaurus=thesaurus).count == 1


@pytest.mark.parametrize("typed", ["", " ", "。", "の", "!?", "ー", '"', "a" * 500, "\x00", "🙂"])
def test_whatever_is_typed_is_answered(typed):
    assert found(typed, ("図書館", "")).count == 0
    assert beginning(index_of(("図書館", "")), typed, code="ja", limit=5) == ()


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_a_question(text):
    question = ask(text, "ja", shipped().thesaurus())
    assert len(question.terms) <= 12
    find(EMPTY, question, code="ja")
    find(EMPTY, ask(text, "ko"), code="ko")
    beginning(EMPTY, text[:LONGEST], code="ja", limit=5)


EMPTY = index_of(("図書館", "本"))


@given(
    st.sampled_from("市民税住引越子供避難所粗大食券"),
    st.sampled_from("市民税住引越子供避難所粗大食券"),
)
@settings(max_examples=60, deadline=None)
def test_two_signs_are_found_inside_any_longer_word(one, other):
    typed = one + other
    assert found(typed, (f"大{typed}館", ""), ("図書", "")).numbers == (0,)


@pytest.mark.parametrize(
    ("code", "typed", "title"),
    [
        ("en", "SHELTER", "Evacuation shelters"),
        ("en", "evacuation shelters", "Shelter for evacuation"),
        ("zh-hans", "避难", "避难场所"),
        ("ko", "대피소", "대피소는 어디입니까"),
        ("ja-easy", "ひなんじょ", "避難所"),
    ],
)
def test_other_languages_are_searched_too(code, typed, title):
    assert found(typed, ("x", ""), (title, ""), code=code).numbers == (1,)


def test_a_list_of_words_that_is_none_is_refused():
    for text in ("same = 1\nidle = []", "", "same ="):
        with pytest.raises((KeyError, TypeError, ValueError)):
            read(text)


def test_every_expression_of_ours_can_be_looked_for():
    for expression, instead in shipped().thesaurus().same.items():
        assert ask(expression, "ja", shipped().thesaurus()), expression
        assert expression not in instead
