"""A schedule is read from one cell, and told where the measure is."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from policity.foundations.city_plan import services
from policity.foundations.city_plan.formats import schedules
from policity.foundations.city_plan.formats.cells import BadTable
from policity.foundations.city_plan.formats.schedules import BadSchedule, Phase
from policity.foundations.city_plan.models import Measure
from policity.foundations.city_plan.tests.conftest import HEAD, NOW, ROWS, table
from policity.foundations.city_plan.tests.test_showing import body
from policity.kit.languages import LANGUAGES

CELL = "R7 設計する；令和5～6年度 調べる"
PHASES = [[2023, 2024, "調べる"], [2025, 2025, "設計する"]]
years = st.integers(1990, 2060)
text = st.text(st.characters(codec="utf-8", exclude_characters=";；:："), min_size=1, max_size=60)


@pytest.fixture(autouse=True)
def _then(time_machine, city):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def scheduled(plan):
    services.take_over(plan=plan, data=_table(CELL), by=None, now=NOW)
    return plan


def _table(cell):
    head = HEAD.replace("段階", "工程,段階")
    first = ROWS[0].replace("普及", f"{cell},普及")
    others = [ROWS[1].replace(",,,,,,,2", ",,,,,,,,2"), ROWS[2].replace("利用", ",利用")]
    return table(first, *others, head=head)


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("令和6年度 設計", 2024, 2024),
        ("令和6～7年度 設計", 2024, 2025),
        ("平成30年度～令和2年度：設計", 2018, 2020),
        ("H30-31 設計", 2018, 2019),
        ("2024–2026年度\u3000設計", 2024, 2026),
        ("令和元～2 設計", 2019, 2020),
    ],
)
def test_years_are_read_as_offices_write_them(cell, first, last):
    assert schedules.read(cell) == (Phase(first, last, "設計"),)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("設計する", "のように書いてください"),
        ("令和6年度", "のように書いてください"),
        ("来年度 設計", "年度ではありません"),
        ("令和7～6年度 設計", "終わりが始まりより前"),
        ("令和6年度 " + "長" * 101, "100文字まで"),
    ],
)
def test_what_is_no_schedule_says_how_to_write_one(cell, words):
    with pytest.raises(BadSchedule, match=words):
        schedules.read(cell)


@given(st.lists(st.tuples(years, years, text)))
def test_what_is_written_is_read_again(rows):
    phases = sorted(
        (Phase(min(a, b), max(a, b), " ".join(said.split()))
         for a, b, said in rows if said.split()),
        key=lambda one: (one.first_year, one.last_year),
    )  # fmt: skip
    assert list(schedules.read(schedules.written(phases))) == phases


def test_a_table_brings_it_and_taken_again_changes_nothing(scheduled):
    assert list(Measure.objects.order_by("code").values_list("schedule", flat=True)) == [PHASES, []]
    again = services.take_over(plan=scheduled, data=_table(CELL), by=None, now=NOW)
    assert (again.changed, again.same) == ((), 2)


def test_a_phase_outside_the_measures_years_is_refused_with_its_row(plan):
    with pytest.raises(BadTable) as error:
        services.take_over(plan=plan, data=_table("令和9年度 あとで"), by=None, now=NOW)
    assert error.value.problems[0] == (
        "2行目 工程: 「あとで」は、施策の期間（令和4年度～令和8年度）の外です"
    )
    assert not Measure.objects.exists()


def test_page_report_table_and_document_tell_the_same(scheduled):
    Measure.objects.filter(code="1").update(schedule=[*PHASES, [2026, 2026, "<b>広げる"]])
    page = html.document_fromstring(body("/plan/keikaku/measures/1/").decode())
    found = page.xpath("//ol[@class='thread']/li")
    assert [" ".join(one.text_content().split()) for one in found] == [
        "令和5年度〜令和6年度調べる", "令和7年度設計する", "令和8年度いまの年度<b>広げる"
    ]  # fmt: skip
    assert [one.get("aria-current") for one in found] == [None, None, "step"]
    written = "令和5年度～令和6年度 調べる；令和7年度 設計する；令和8年度 <b>広げる"
    report = html.document_fromstring(body("/plan/keikaku/report/2025/").decode())
    assert written in report.xpath("//article[1]//dd/text()")
    rows = csv.DictReader(io.StringIO(body("/plan/keikaku/2025.csv").decode("utf-8-sig")))
    assert {(row["施策番号"], row["工程"]) for row in rows} == {("1", written), ("2", "")}
    first = json.loads(body("/plan/keikaku/2025.json"))["measures"][0]
    assert first["schedule"][0] == {"first_year": 2023, "last_year": 2024, "text": "調べる"}


def test_without_one_nothing_is_said(scheduled):
    for language in LANGUAGES:
        page = body(f"{language.prefix}plan/keikaku/measures/2/").decode()
        assert "h-schedule" not in page
