"""Figures of parts: by hand, from a table, counted; told everywhere, but not of few."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.city_plan import services
from policity.foundations.city_plan.formats import figures
from policity.foundations.city_plan.formats.cells import BadTable
from policity.foundations.city_plan.formats.figures import Given
from policity.foundations.city_plan.models import Indicator, Sheet, Value
from policity.foundations.city_plan.queries.evaluating import evaluate
from policity.foundations.city_plan.rules.parting import FEWEST, Part, for_everybody
from policity.foundations.city_plan.services import PlanRefused
from policity.foundations.city_plan.tests.conftest import HEAD, NOW, ROWS, table

BY_HAND: dict[str, Any] = {"fiscal": 2025, "split": "town", "evidence": "台帳", "by": None,
                           "now": NOW}  # fmt: skip
SPLIT_HEAD = f"{HEAD},内訳,部分"
WHOLE = ROWS[0] + ",町、年齢,"
IZUMI = "1,,,,,,,1" + "," * 13 + ",{},,町：泉町"


def indicator(**more: Any) -> Indicator:
    found = Indicator.objects.get(measure__code="1", code="1")
    for name, value in ({"splits": ["town", "age"]} | more).items():
        setattr(found, name, value)
    found.save()
    return found


# ---- Who is too few to be told of ----

rows = st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1, max_size=12)


def parts(counts: list[int | None]) -> list[Part]:
    return [Part("town", f"{n:02}", Decimal(n), rows=rows) for n, rows in enumerate(counts)]


@given(rows)
def test_of_few_nothing_is_told_and_of_who_is_not_counted_everything(counts):
    told = for_everybody(parts(counts))
    assert [one.name for one in told] == [one.name for one in parts(counts)]
    for one in told:
        few = one.rows is not None and 0 < one.rows < FEWEST
        assert not few or one.withheld
        assert one.withheld == (one.number is None)
        assert one.rows or not one.withheld


@given(rows)
def test_nobody_is_reckoned_from_the_whole_and_the_others(counts):
    hidden = [one for one in for_everybody(parts(counts)) if one.withheld]
    others = [one for one in parts(counts) if one.rows]
    assert len(hidden) != 1 or len(others) == 1


def test_one_that_is_withheld_takes_the_next_smallest_along():
    told = for_everybody(parts([9, 10, 500, 0]))
    assert [one.withheld for one in told] == [True, True, False, False]
    assert not any(one.withheld for one in for_everybody(parts([10, 11])))


# ---- By hand ----


@pytest.mark.parametrize(
    ("line", "name", "said"),
    [
        ("泉町 31.5", "泉町", Given(Decimal("31.5"))),
        ("泉町\t３１．５％", "泉町", Given(Decimal("31.5"))),
        ("18～39歳、40", "18～39歳", Given(Decimal(40))),
        ("谷戸町：測っていない：調査は3年ごと", "谷戸町", Given(None, "調査は3年ごと")),
        ("Tiếng Việt 7", "Tiếng Việt", Given(Decimal(7))),
    ],
)
def test_a_line_is_a_name_and_a_figure(line, name, said):
    assert figures.parts(f"\n{line}\n\n", "%") == {name: said}


def test_figures_with_commas_are_one_figure():
    assert figures.parts("泉町,1,234", "人") == {"泉町": Given(Decimal(1234))}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("泉町", "1行目: 「泉町 31.5」のように"),
        ("泉町 たくさん", "1行目: 「泉町 31.5」のように"),
        ("泉町 5\n泉町 6", "2行目: 「泉町」は、前の行と同じ名前"),
        ("泉町 101", "割合は、0から100まで"),
        ("泉町 測っていない", "わけも書いてください"),
        (f"{'町' * 51} 5", "50文字まで"),
        ("\n".join(f"{n}町 5" for n in range(201)), "200行まで"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(text, says):
    with pytest.raises(BadTable, match=says):
        figures.parts(text, "%")


@given(st.text())
def test_whatever_is_typed_is_taken_or_told(text):
    with contextlib.suppress(BadTable):
        assert all(name.strip() for name in figures.parts(text, "%"))


def test_parts_are_noted_together_and_the_last_of_each_counts(filled):
    one = indicator()
    first = {"泉町": Given(Decimal(30)), "谷戸町": Given(None, "調査の前")}
    assert services.record_parts(indicator=one, parts=first, **BY_HAND) == 2
    assert services.record_parts(indicator=one, parts=first, **BY_HAND) == 0
    assert AuditEntry.objects.filter(act="plan.figure_set").count() == 1
    assert services.record_parts(indicator=one, parts={"泉町": Given(Decimal(40))}, **BY_HAND) == 1
    view = evaluate(filled, 2025, now=NOW).measures[0].indicators[0]
    assert {part.name: part.number for part in view.parts} == {"泉町": 40, "谷戸町": None}
    # The whole stays what it was.
    assert view.now.figure is not None
    assert view.now.figure.number == 77


def test_what_cannot_be_noted_of_parts_is_refused(filled):
    said = {"泉町": Given(Decimal(30))}
    for change, parts_, words in (
        ({"split": "language"}, said, "その内訳はありません"),
        ({}, {}, "1行に1つずつ"),
        ({"evidence": " "}, said, "根拠"),
        ({"fiscal": 2030}, said, "期間にない"),
    ):
        with pytest.raises(PlanRefused, match=words):
            services.record_parts(indicator=indicator(), parts=parts_, **(BY_HAND | change))
    with pytest.raises(PlanRefused, match="システムが数えます"):
        services.record_parts(indicator=indicator(metric="a.b"), parts=said, **BY_HAND)
    assert not Value.objects.exclude(split="").exists()


def test_what_was_decided_upon_stays_beside_what_comes_later(filled):
    one = indicator()
    services.record_parts(indicator=one, parts={"泉町": Given(Decimal(30))}, **BY_HAND)
    Sheet.objects.create(
        measure=one.measure, year=2025, stage="spreading", turn="decided", opened_at=NOW,
        decided_at=NOW,
    )  # fmt: skip
    later = BY_HAND | {"now": NOW.replace(hour=4)}
    services.record_parts(indicator=one, parts={"泉町": Given(Decimal(99))}, **later)
    view = evaluate(filled, 2025, now=NOW).measures[0].indicators[0]
    assert [part.number for part in view.parts] == [30]


# ---- From a table ----


def test_a_table_brings_parts_below_their_whole(plan):
    data = table(WHOLE, IZUMI.format("66"), head=SPLIT_HEAD)
    taken = services.take_over(plan=plan, data=data, by=None, now=NOW)
    assert (taken.new, taken.values) == (("1",), 3)
    part = Value.objects.get(split="town")
    assert (part.part, part.year, part.number, part.evidence) == ("泉町", 2025, Decimal(66), "台帳")
    assert services.take_over(plan=plan, data=data, by=None, now=NOW).values == 0


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((IZUMI.format("66"), WHOLE), "2行目 指標番号: 「1」の行が、これより上にありません"),
        ((WHOLE, IZUMI.format("101")), "3行目 実績 令和7年度: 割合は"),
        ((WHOLE, IZUMI.format("66"), IZUMI.format("67")), "4行目 部分: 「泉町」は、前の行と同じ"),
        ((WHOLE, IZUMI.format("66").replace("町：", "ことば：")), "3行目 部分: 指標の「内訳」"),
        ((WHOLE, IZUMI.format("66").replace("1,,,,,,,1,", "1,,,,,,,1,別の名")), "実績だけ"),
        ((WHOLE.replace("台帳", "").replace("79,77", ","), IZUMI.format("66")), "根拠を、指標の行"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_part_is_told(plan, rows, says):
    data = table(*rows, head=SPLIT_HEAD)
    with pytest.raises(BadTable, match=says):
        services.look(plan=plan, data=data, now=NOW)
