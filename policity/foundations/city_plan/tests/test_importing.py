"""A table is taken whole or not at all, and says in words what is wrong with it."""

import contextlib
import csv
import io
import zipfile
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.city_plan import services
from policity.foundations.city_plan.formats.cells import BadTable
from policity.foundations.city_plan.formats.sheets import Around, read
from policity.foundations.city_plan.models import (
    Indicator,
    Measure,
    Serving,
    Target,
    Value,
)
from policity.foundations.city_plan.tests.conftest import HEAD, NOW, ROWS, table

AROUND = Around(
    first_year=2022,
    last_year=2026,
    facets={
        "field": ["防災", "魅力"],
        "viewpoint": ["携帯"],
        "challenge": ["つながり"],
        "goal": [],
    },
    departments=["防災課"],
    stages={"preparing": "準備", "spreading": "普及", "in_use": "利用"},
    metrics=frozenset({"sharing.opened"}),
)


def told(*rows, head=HEAD):
    with pytest.raises(BadTable) as error:
        read(table(*rows, head=head), AROUND)
    return "\n".join(error.value.problems)


def workbook(*rows, merge=(), shape=()):
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for area in merge:
        sheet.merge_cells(area)
    for cell, form in shape:
        sheet[cell].number_format = form
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells():
    return [line.split(",") for line in (HEAD, *ROWS)]


def test_a_table_becomes_measures_with_their_years(plan):
    taken = services.take_over(plan=plan, data=table(), by=None, now=NOW)
    assert (taken.new, taken.changed, taken.same) == (("1", "2"), (), 0)
    assert (taken.targets, taken.values) == (6, 6)
    first = Measure.objects.get(code="1")
    assert (first.field.name, first.department.name, first.stage) == ("防災", "防災課", "spreading")
    assert set(first.serves.values_list("facet__name", flat=True)) == {"携帯", "つながり"}
    waited = Indicator.objects.get(measure=first, code="2")
    assert waited.baseline == Decimal(340)
    target = Target.objects.get(indicator=waited, year=2025)
    assert (target.low, target.high) == (None, Decimal(60))
    missing = Value.objects.get(indicator__measure__code="2", year=2025)
    assert (missing.number, missing.reason) == (None, "機械の故障")
    assert AuditEntry.objects.filter(act="plan.imported").count() == 1


def test_taken_again_nothing_changes_and_what_differs_is_written_beside(filled):
    again = services.take_over(plan=filled, data=table(), by=None, now=NOW)
    assert (again.new, again.changed, again.same) == ((), (), 2)
    assert (again.targets, again.values) == (0, 0)
    other = ROWS[0].replace("80,90,,79,77", "80,85,,79,78")
    taken = services.take_over(plan=filled, data=table(other, *ROWS[1:]), by=None, now=NOW)
    assert (taken.targets, taken.values) == (1, 1)
    mine = Target.objects.filter(indicator__measure__code="1", indicator__code="1", year=2025)
    assert [(t.low, bool(t.reason)) for t in mine.order_by("pk")] == [(90, False), (85, True)]
    moved = ROWS[0].replace("携帯,つながり", "携帯,").replace("届ける", "早く届ける")
    assert services.take_over(
        plan=filled, data=table(moved, *ROWS[1:]), by=None, now=NOW
    ).changed == ("1",)
    assert Serving.objects.filter(measure__code="1").count() == 1


def test_looking_writes_nothing(plan):
    seen = services.look(plan=plan, data=table(), now=NOW)
    assert (seen.new, seen.targets, seen.values) == (("1", "2"), 6, 6)
    assert not Measure.objects.exists()
    assert not AuditEntry.objects.filter(act="plan.imported").exists()


def test_one_wrong_row_and_nothing_is_taken(plan):
    bad = ROWS[2].replace("1000", "千人")
    with pytest.raises(BadTable, match="4行目 目標 令和6年度"):
        services.take_over(plan=plan, data=table(*ROWS[:2], bad), by=None, now=NOW)
    assert not Measure.objects.exists()


def test_a_workbook_says_the_same_as_a_csv():
    rows = cells()
    rows[1][17:22] = [0.8, 0.9, None, 0.79, 0.77]
    shape = [(f"{letter}2", "0%") for letter in "RSTUV"]
    from_book = read(workbook(*rows, shape=shape), AROUND)
    assert from_book == read(table(), AROUND)


def test_measures_merged_over_their_indicators_are_read():
    rows = cells()
    assert read(workbook(*rows, merge=["A2:A3", "B2:B3"]), AROUND) == read(table(), AROUND)


def test_merged_headings_are_told_by_their_cells():
    with pytest.raises(BadTable, match=r"R1:S1.*結合を解いて"):
        read(workbook(*cells(), merge=["R1:S1"]), AROUND)
    assert "B列に見出しがありません" in told(head=HEAD.replace("施策名", ""))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("79,77", "79,約8割"), "2行目 実績 令和7年度: 数字ではありません（約8割）"),
        (("80,90", "80,九割"), "2行目 目標 R7: 数字ではありません"),
        (("80,90", "80,120"), "2行目 目標 R7: 割合は、0から100までです（120）"),
        (("79,77", "79,-1"), "割合は、0から100まで"),
        (("79,77", "79,測っていない"), "わけも書いてください"),
        ((",台帳,80", ",,80"), "2行目 根拠: 実績の根拠"),
        (("防災課", "総務課"), "2行目 担当課: 「総務課」はありません（防災課）"),
        (("届ける,1", "届ける,9"), "2行目 分野: 「9」はありません（防災、魅力）"),
        (("届ける,1", "届ける,"), "2行目 分野: 書いてください"),
        (("普及", "はやり"), "2行目 段階: 「はやり」はありません"),
        (("増やす", "ふやす"), "2行目 向き: 「ふやす」はありません（増やす、減らす、範囲に保つ）"),
        (("成果", "せいか"), "2行目 種類"),
        (("増やす", "範囲に保つ"), "上限も書いてください"),
        (("80,90,,", "80,90,95,"), "上限は、「範囲に保つ」指標だけ"),
        (("80,90", "80,1234567890123456"), "大きすぎる数"),
        (("80,90", "80,1.23456"), "小数は、4桁まで"),
        (("増やす,,,,,", "増やす,,,,ない,"), "「ない」という集計はありません"),
        (
            ("増やす,,,,,台帳", "増やす,,,,sharing.opened,"),
            "システムが数える指標には、実績を書けません",
        ),
        (("増やす,,", "増やす,基準から,"), "2行目 基準値: 「基準から」で出すときは"),
        (("届ける", "届" * 101), "100文字まで"),
        (("1,届ける", ",届ける"), "2行目 施策番号: 書いてください"),
        (("79,77", "79,77,余り"), "見出しより列が多い行です"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_place(change, says):
    assert says in told(ROWS[0].replace(*change), *ROWS[1:])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("目標 R7", "目標 R9"), "「目標 R9」は、計画の期間（令和4年度～令和8年度）にない年度です"),
        (("目標 R7", "目標 平成31年度"), "計画の期間"),
        (("目標 R7", "目標 来年"), "年度が読めません"),
        (("目標 R7", "目標 2024"), "「目標 2024」と「目標 令和6年度」は、同じ年度です"),
        (("目標 R7", "もくひょう"), "「もくひょう」という列はありません"),
        (("指標名", "根拠"), "「指標名」の列がありません"),
        (("視点", "課題"), "「課題」の列が2つあります"),
    ],
)
def test_what_is_wrong_with_the_headings_is_told(change, says):
    assert says in told(head=HEAD.replace(*change))


def test_codes_that_come_twice_are_told():
    twice = ROWS[1].replace(",2,待った時間", ",1,待った時間")
    assert "3行目 指標番号: 「1」は、この施策の前の行と同じ番号です" in told(ROWS[0], twice)
    assert "5行目 施策番号: 「1」は、前の行と同じ番号です" in told(*ROWS, ROWS[0])
    assert "名前か分野がちがいます" in told(ROWS[0], ROWS[1].replace(",,", "1,別の名前", 1)
                                         .replace("1,別の名前,,,", "1,別の名前,1,,"))  # fmt: skip


def test_a_full_table_is_told_to_be_too_large():
    line = "{},届ける,1,,,,,1,届いた人,成果,%,増やす,,,,,,,,,,"
    assert "行が多すぎます" in told(*(line.format(number) for number in range(5_001)))
    many = told(*(line.format(number).replace("%", "") for number in range(100)))
    assert many.count("\n") == 50


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00", b"PK\x03\x04", b"PK" + b"\0" * 100, b"\x80\x81\x82", b'"a\n',
     b"a" * 5_000_001, workbook(["a"]), b"a\0b"],
)  # fmt: skip
def test_what_is_no_table_is_told(data):
    with pytest.raises(BadTable):
        read(data, AROUND)


def test_a_package_that_would_fill_the_memory_is_not_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    with pytest.raises(BadTable, match="大きすぎます"):
        read(out.getvalue(), AROUND)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), min_size=22, max_size=22), min_size=1, max_size=4))
def test_whatever_stands_in_the_cells_is_taken_or_told(rows):
    out = io.StringIO()
    csv.writer(out).writerows([HEAD.split(","), *rows])
    with contextlib.suppress(BadTable):
        read(out.getvalue().encode("utf-8", "surrogatepass"), AROUND)
