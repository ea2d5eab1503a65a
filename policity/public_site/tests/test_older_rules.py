"""What an older site's pages say, whatever they say: dates, names, trees, tables."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.public_site.formats import older, saved
from policity.public_site.formats.older import Template
from policity.public_site.rules import old_address, slug_fault
from policity.public_site.rules import older as rules

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


class Nowhere:
    def link(self, address):
        return 'linktype="page" id="1"'

    def picture(self, address, *, alt):
        return 1


def read(inside, *, template=Template()):  # noqa: B008  # frozen
    data = f"<html><body><main>{inside}</main></body></html>".encode()
    return older.read(data, address="/a.html", host="", template=template, ends=Nowhere())


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("更新日：令和6年5月1日", date(2024, 5, 1)),
        ("最終更新日 平成３１年４月３０日", date(2019, 4, 30)),
        ("掲載日:令和元年12月1日", date(2019, 12, 1)),
        ("公開日 2024/05/01", date(2024, 5, 1)),
        ("更新日 2024年5月1日（水）", date(2024, 5, 1)),
        ("登録日: 2024-5-1 10:00", date(2024, 5, 1)),
        ("更新日：令和6年13月1日", None),
        ("令和6年5月1日に開きます", None),
        ("更新日：平成40年1月1日", None),
    ],
)
def test_days(said, day):
    assert rules.updated(said) == day


@pytest.mark.parametrize(
    ("said", "office"),
    [
        ("お問い合わせ 総務部総務課 電話：042-000-0000", ("総務部総務課", "042-000-0000")),
        ("担当課：こども課", ("こども課", "")),
        ("お問合せ先 市民部 保険年金課 電話番号: 042-000-0001 ファクス: 042-000-0002",
         ("市民部 保険年金課", "042-000-0001")),
        ("とくにありません", ("", "")),
    ],
)  # fmt: skip
def test_offices(said, office):
    assert rules.office(said) == office


@pytest.mark.parametrize(
    ("words", "vague"),
    [("こちら", True), ("詳しくはこちら", True), ("» here", True), ("こちらをクリック", True),
     ("ごみの出し方", False), ("こちらの申込書", False)],
)  # fmt: skip
def test_words_of_links(words, vague):
    assert rules.is_vague(words) == vague


@given(TEXT)
def test_no_text_breaks_a_rule(text):
    rules.updated(text)
    rules.office(text)
    rules.is_vague(text)
    rules.platform_signs(text)


@given(st.lists(TEXT.filter(bool), max_size=6), st.sampled_from(["", "guides/", "charm/"]))
def test_every_name_can_stand_in_an_address_and_stands_there_once(parts, below):
    taken: set[str] = set()
    for part in parts:
        name = rules.name_for(part, below=below, taken=taken)
        assert not slug_fault(name, below=below)
        assert name not in taken
        taken.add(name)


PARTS = st.sampled_from(["a", "b", "index.html", "c.html", "d.htm", "e"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=4).map(lambda one: "/" + "/".join(one))))
def test_what_stands_above_comes_first_and_nothing_comes_twice(addresses):
    places = rules.tree(addresses)
    seen = {"/"}
    for one in places:
        assert one.above in seen
        assert one.place not in seen
        seen.add(one.place)
    assert {rules.place_of(one) for one in addresses} <= seen | {"/"}


@given(TEXT)
def test_whatever_is_written_comes_over_as_text(text):
    said = read(f"<h1>x</h1><p>{text.replace('<', '&lt;')}</p>")
    for block in said.body:
        assert "<script" not in str(block["value"]).lower()


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data):
    saved.text_of(data)
    with suppress(older.BadPage):
        older.read(data, address="/a", host="x.example", template=Template(), ends=Nowhere())


def test_a_table_whose_cells_span_is_said_in_each():
    said = read("""<table><tr><th colspan="2">一</th><th>二</th></tr>
<tr><td rowspan="3">甲</td><td>乙</td><td>丙</td></tr><tr><td>丁</td><td>戊</td></tr>
<tr><td colspan="99999999">己</td></tr></table>""")
    value = said.body[0]["value"]
    assert [one["heading"] for one in value["columns"]][:3] == ["一", "一", "二"]
    assert [row["values"][:3] for row in value["rows"]][:2] == [["甲", "乙", "丙"],
                                                                ["甲", "丁", "戊"]]  # fmt: skip


def test_a_template_is_followed_and_what_is_around_is_left_out():
    page = "<h1>題</h1><div id=x><p>本文です。</p><p class=pan>ホーム</p></div><p>欄外</p>"
    said = read(page, template=Template("#x", (".pan",)))
    assert said.title == "題"
    assert said.body == [{"type": "text", "value": "<p>本文です。</p>"}]


def test_every_need_says_what_to_do():
    assert set(rules.SAID) == set(rules.Need)


def test_an_old_address_of_a_page_is_a_file():
    assert old_address("/kurashi/gomi/shigen.html") == "/kurashi/gomi/shigen.html"
