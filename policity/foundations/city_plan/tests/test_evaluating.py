"""A year as it stands, the sheets' way through it, and what is locked."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from policity.foundations.accounts.models import AuditEntry
from policity.foundations.city_plan import queries, services
from policity.foundations.city_plan.formats.facts import read_frame
from policity.foundations.city_plan.models import (
    Indicator,
    Measure,
    Plan,
    Sheet,
    Snapshot,
    Step,
    Target,
    Value,
)
from policity.foundations.city_plan.queries.evaluating import NoYear, evaluate
from policity.foundations.city_plan.queries.sheets import ending as ending_of
from policity.foundations.city_plan.queries.sheets import steps, unopened
from policity.foundations.city_plan.rules.attaining import Aim, Gap
from policity.foundations.city_plan.rules.cycle import Act, Done, FollowUp, Said, Turn
from policity.foundations.city_plan.services import Entry, PlanRefused
from policity.foundations.city_plan.tests.conftest import FRAME, NOW, table

AT: dict[str, Any] = {"by": None, "now": NOW}


def indicator(measure="1", code="1"):
    return Indicator.objects.get(measure__code=measure, code=code)


def test_a_year_as_it_stands(filled, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        found = evaluate(filled, 2025, now=NOW)
    first, second = found.measures
    reach, waited = first.indicators
    assert reach.now.attained.share == Fraction(77, 90)
    assert waited.now.attained.share == Fraction(300, 280)
    assert (reach.now.grade, waited.now.grade) == ("B", "A")
    # 普及 weighs both alike: (77/90 + 1) / 2.
    assert first.whole.share == Fraction(167, 180)
    assert (first.grade, first.whole.reached, first.whole.all) == ("B", 1, 2)
    assert first.whole.lowest == Fraction(77, 90)
    assert first.move is not None
    assert first.move.to == "in_use"
    assert second.indicators[0].now.attained.gap is Gap.NOT_MEASURED
    assert second.grade == "－"
    assert reach.no_trend.startswith("見通しは、4年分")
    assert [view.year for view in reach.years] == [2022, 2023, 2024, 2025]
    assert reach.years[0].attained.gap is Gap.NO_VALUE


def test_as_many_queries_for_many_measures_as_for_one(filled, django_assert_max_num_queries):
    field = Measure.objects.get(code="1").field
    for number in range(30):
        row = Measure.objects.create(
            plan=filled, code=f"x{number}", name="x", field=field, stage="in_use", first_year=2022,
            last_year=2026,
        )  # fmt: skip
        Indicator.objects.create(
            measure=row, code="1", name="x", kind="outcome", unit="", direction="up",
            reckoning="target",
        )  # fmt: skip
    with django_assert_max_num_queries(8):
        assert len(evaluate(filled, 2025, now=NOW).measures) == 32


def test_a_year_outside_the_plan(filled):
    with pytest.raises(NoYear):
        evaluate(filled, 2027, now=NOW)


def test_what_is_kept_is_never_written_over(filled):
    row = Value.objects.first()
    row.number = Decimal(1)
    for forbidden in (row.save, row.delete, Value.objects.all().delete):
        with pytest.raises(TypeError):
            forbidden()
    with pytest.raises(TypeError):
        Target.objects.update(low=1)


def test_a_figure_has_a_number_or_a_reason_in_the_database_too(filled):
    for number, reason in ((None, ""), (Decimal(1), "わけ")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Value.objects.create(
                indicator=indicator(), year=2025, number=number, reason=reason, at=NOW
            )


def test_a_figure_by_hand_needs_evidence_and_the_last_one_counts(filled):
    for wrong, words in (
        (Entry(Decimal(80)), "根拠"),
        (Entry(None), "測っていないわけ"),
        (Entry(Decimal(180), evidence="台帳"), "0から100"),
        (Entry(Decimal(80), evidence="台帳", months=13), "月数"),
    ):
        with pytest.raises(PlanRefused, match=words):
            services.record(indicator=indicator(), fiscal=2025, entry=wrong, **AT)
    with pytest.raises(PlanRefused, match="期間にない"):
        services.record(indicator=indicator(), fiscal=2030, entry=Entry(None, "なし"), **AT)
    right = Entry(Decimal(90), evidence="数え直し")
    services.record(indicator=indicator(), fiscal=2025, entry=right, **AT)
    found = evaluate(filled, 2025, now=NOW).measures[0].indicators[0].now
    assert (found.attained.share, found.evidence) == (Fraction(1), "数え直し")


def test_a_target_that_changes_says_why_and_both_are_told(filled):
    change: dict[str, Any] = {
        "indicator": indicator(),
        "fiscal": 2025,
        "aim": Aim(Decimal(70), None),
    }
    with pytest.raises(PlanRefused, match="変えるわけ"):
        services.set_target(**change, reason=" ", **AT)
    with pytest.raises(PlanRefused, match="向き"):
        services.set_target(
            indicator=indicator(), fiscal=2025, aim=Aim(None, Decimal(70)), reason="逆", **AT
        )
    services.set_target(**change, reason="対象を広げた", **AT)
    found = evaluate(filled, 2025, now=NOW).measures[0].indicators[0].now.attained
    assert (found.share, found.by_first) == (Fraction(77, 70), Fraction(77, 90))


# ---- The year's cycle ----

RATING = Said(
    grade="B",
    answers={
        "まだ届いていないのは、どんな人ですか。": "機器のない人",
        "広げるために、何がいちばん効きましたか。": "窓口",
    },
    reasons={"1": "夜だった"},
)


def opened(plan, year=2025):
    services.open_year(plan=plan, fiscal=year, **AT)
    return Sheet.objects.get(measure__code="1", year=year)


def step(sheet, what, said, by, now=NOW):
    current = Sheet.objects.get(pk=sheet.pk)
    return services.act(sheet=sheet.pk, what=what, said=said, seen=current.revision, by=by, now=now)


def decide(sheet, people, now=NOW, **said):
    step(sheet, Act.RATE, RATING, people["rater"], now)
    step(sheet, Act.CHECK, Said(), people["planner"], now)
    step(sheet, Act.REVIEW, Said(grade="B", text="夜を見直すこと"), people["assessor"], now)
    step(sheet, Act.HEAR, Said(text="意見なし"), people["planner"], now)
    return step(sheet, Act.DECIDE, Said(grade="B", **said), people["steering"], now)


def test_every_measure_has_one_sheet_a_year(filled):
    assert services.open_year(plan=filled, fiscal=2025, **AT) == 2
    assert services.open_year(plan=filled, fiscal=2025, **AT) == 0
    with pytest.raises(PlanRefused, match="令和12年度はありません"):
        services.open_year(plan=filled, fiscal=2030, **AT)


def test_a_sheet_goes_from_hand_to_hand_to_its_end(filled, people):
    sheet = opened(filled)
    done = decide(sheet, people, stage="in_use", actions=["夜の訪問を組む"])
    assert (done.turn, done.decided_at) == (Turn.DECIDED, NOW)
    assert Measure.objects.get(code="1").stage == "in_use"
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert Sheet.objects.get(pk=sheet.pk).turn == Turn.PUBLISHED
    acts = AuditEntry.objects.filter(on=f"city_plan.sheet:{sheet.pk}").order_by("number")
    assert [entry.act for entry in acts] == [
        "plan.rated", "plan.checked", "plan.assessed", "plan.heard", "plan.decided",
        "plan.published",
    ]  # fmt: skip
    with pytest.raises(PlanRefused, match="公開ずみ"):
        step(sheet, Act.RETURN, Said(text="やはり"), people["planner"])


def test_figures_are_those_that_were_decided_upon(filled, people):
    decide(opened(filled), people)
    later: dict[str, Any] = {"by": None, "now": NOW + timedelta(days=1)}
    right = Entry(Decimal(95), evidence="数え直し")
    services.record(indicator=indicator(), fiscal=2025, entry=right, **later)
    aim = Aim(Decimal(10), None)
    services.set_target(indicator=indicator(), fiscal=2025, aim=aim, reason="x", **later)
    found = evaluate(filled, 2025, now=later["now"]).measures[0]
    assert found.decided
    assert found.indicators[0].now.attained.share == Fraction(77, 90)
    assert found.indicators[0].now.corrected


def test_last_years_decisions_open_this_years_sheet(filled, people):
    decide(opened(filled, 2024), people, actions=["夜の訪問を組む"])
    sheet = opened(filled, 2025)
    assert services.asked(sheet, now=NOW).decided == ["夜の訪問を組む"]
    with pytest.raises(PlanRefused, match="夜の訪問を組む"):
        step(sheet, Act.RATE, RATING, people["rater"])
    told = [FollowUp("夜の訪問を組む", Done.NOT_DONE, "人が足りない")]
    said = Said(grade="B", answers=RATING.answers, reasons=RATING.reasons, follow_ups=told)
    step(sheet, Act.RATE, said, people["rater"])
    kept = Step.objects.get(sheet=sheet).said
    assert kept["follow_ups"] == [
        {"action": "夜の訪問を組む", "done": "not_done", "why": "人が足りない"}
    ]


def test_two_who_act_at_once(filled, people):
    sheet = opened(filled)
    step(sheet, Act.RATE, RATING, people["rater"])
    with pytest.raises(PlanRefused, match="先に進めました"):
        services.act(
            sheet=sheet.pk, what=Act.CHECK, said=Said(), seen=0, by=people["planner"], now=NOW
        )
    assert Step.objects.count() == 1


def test_a_sheet_that_is_returned_begins_with_its_department(filled, people):
    sheet = opened(filled)
    step(sheet, Act.RATE, RATING, people["rater"])
    step(sheet, Act.RETURN, Said(text="数字を確かめてください"), people["planner"])
    assert Sheet.objects.get(pk=sheet.pk).turn == Turn.DEPARTMENT
    step(sheet, Act.RATE, RATING, people["rater"])
    assert Step.objects.filter(sheet=sheet).count() == 3


def test_it_is_said_whose_turn_it_is(filled, people):
    with pytest.raises(PlanRefused, match="担当課の自己評価"):
        step(opened(filled), Act.DECIDE, Said(grade="A"), people["steering"])


# ---- On target, and still at its end ----


def years_open(plan: Plan) -> list[tuple[str, int]]:
    """The sheets there are once all later years were opened: measure and year."""
    waiting = {year: unopened(plan, year) for year in (2025, 2026)}
    for year, count in waiting.items():
        assert services.open_year(plan=plan, fiscal=year, **AT) == count
    return sorted(Sheet.objects.values_list("measure__code", "year"))


def test_a_measure_that_ends_has_no_later_sheet_and_its_years_change_when_it_is_published(
    filled, people
):
    sheet = opened(filled)
    done = decide(sheet, people, ends=True, text="役目を終えた")
    ending = Measure.objects.get(code="1")
    assert done.turn == Turn.DECIDED
    assert ending.last_year == 2026
    assert years_open(filled) == [("1", 2025), ("2", 2025), ("2", 2026)]
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    ending.refresh_from_db()
    assert ending.last_year == 2025
    assert Measure.objects.get(code="2").last_year == 2026
    assert ("1", 2026) not in years_open(filled)
    assert steps(sheet)[4].said.ends
    assert [one.code for one in evaluate(filled, 2026, now=NOW).measures] == ["2"]


def test_a_measure_goes_on_where_nobody_said_that_it_ends(filled, people):
    sheet = opened(filled)
    decide(sheet, people, text="ここまでよくできた")
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert Measure.objects.get(code="1").last_year == 2026
    assert ("1", 2026) in years_open(filled)


def test_the_end_has_a_reason_and_is_decided_by_nobody_else(filled, people):
    sheet = opened(filled)
    with pytest.raises(PlanRefused, match="わけ"):
        decide(sheet, people, ends=True)
    with pytest.raises(PlanRefused, match="本部"):
        step(opened(filled, 2024), Act.RATE, replace(RATING, ends=True), people["rater"])
    assert ending_of(filled) == {}


def test_nothing_ends_while_a_later_sheet_is_open(filled, people):
    opened(filled, 2026)
    sheet = opened(filled, 2025)
    with pytest.raises(PlanRefused, match="令和8年度のシートがもう開いている"):
        decide(sheet, people, ends=True, text="役目を終えた")
    step(sheet, Act.DECIDE, Said(grade="B"), people["steering"])
    assert Measure.objects.get(code="1").last_year == 2026


def test_an_end_that_is_decided_anew_is_undone(filled, people):
    """What was decided last counts, and while it is not decided again, nothing does."""
    sheet = opened(filled)
    decide(sheet, people, ends=True, text="役目を終えた")
    assert ending_of(filled) == {sheet.measure_id: 2025}
    Sheet.objects.filter(pk=sheet.pk).update(turn=Turn.HEADQUARTERS)
    assert ending_of(filled) == {}
    step(sheet, Act.DECIDE, Said(grade="B"), people["steering"])
    assert ending_of(filled) == {}
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert Measure.objects.get(code="1").last_year == 2026
    assert ("1", 2026) in years_open(filled)


def test_a_table_that_says_nothing_of_it_prolongs_nothing_that_ended(filled, people):
    sheet = opened(filled)
    decide(sheet, people, ends=True, text="役目を終えた")
    services.take_over(plan=filled, data=table(), **AT)
    assert Measure.objects.get(code="1").last_year == 2026
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    services.take_over(plan=filled, data=table(), **AT)
    assert Measure.objects.get(code="1").last_year == 2025
    assert ("1", 2026) not in years_open(filled)


def test_steps_from_before_there_were_ends_are_read(filled, people):
    sheet = opened(filled)
    decide(sheet, people)
    kept = Step.objects.filter(sheet=sheet).last()
    old = {name: value for name, value in kept.said.items() if name != "ends"}
    Step.objects.create(
        sheet=sheet, act=Act.DECIDE, grade="B", said=old, at=NOW, by=people["steering"]
    )
    assert "ends" not in Step.objects.last().said
    assert steps(sheet)[-1].said.ends is False
    assert ending_of(filled) == {}
    step(sheet, Act.PUBLISH, Said(), people["planner"])
    assert ("1", 2026) in years_open(filled)


# ---- Plans side by side ----


def test_a_revision_takes_the_place_of_what_it_revises(filled):
    other = FRAME.replace('code = "keikaku"', 'code = "kaitei"\nrevises = "keikaku"')
    services.draw(frame=read_frame(other), **AT)
    assert queries.plan(fiscal=2025).code == "kaitei"
    assert queries.plan("keikaku") == filled
    assert queries.plan(fiscal=2025).facets.count() == 4


def test_of_plans_side_by_side_the_one_with_measures(filled):
    services.draw(frame=read_frame(FRAME.replace('"keikaku"', '"sogo"')), **AT)
    assert queries.plan(fiscal=2025) == filled


@pytest.mark.parametrize(
    ("code", "fiscal", "words"),
    [("nai", None, "「nai」はありません"), ("", 2030, "その年度の計画はありません")],
)
def test_a_plan_that_is_not_there(filled, code, fiscal, words):
    with pytest.raises(queries.NoPlan, match=words):
        queries.plan(code, fiscal=fiscal)


def test_a_plan_is_drawn_once(plan):
    with pytest.raises(PlanRefused, match="もうあります"):
        services.draw(frame=read_frame(FRAME), **AT)
    text = FRAME.replace('code = "keikaku"', 'code = "b"\nrevises = "nai"')
    with pytest.raises(PlanRefused, match="もとの計画"):
        services.draw(frame=read_frame(text), **AT)
    assert Plan.objects.count() == 1


def test_a_child_serves_the_goals_of_its_parent(plan):
    above = FRAME.replace('"keikaku"', '"ue"').replace("[[challenges]]", "[[goals]]")
    services.draw(frame=read_frame(above), **AT)
    below = FRAME.replace('code = "keikaku"', 'code = "shita"\nparent = "ue"')
    child = services.draw(frame=read_frame(below), **AT)
    assert (child.parent.code, child.parent_name) == ("ue", "試しの計画")
    head = "施策番号,施策名,分野,上位計画の目標,指標番号,指標名,種類,単位,向き"
    row = "1,届ける,防災,つながり,1,届いた人,成果,%,増やす"
    services.take_over(plan=child, data=f"{head}\n{row}".encode(), **AT)
    (measure,) = evaluate(child, 2025, now=NOW).measures
    assert measure.serves == (("goal", "つながり"),)


def test_a_snapshot_counts_before_what_was_brought_by_hand(filled):
    Indicator.objects.filter(pk=indicator().pk).update(metric="sharing.opened")
    Snapshot.objects.create(
        metric="sharing.opened", version=1, length="year", begins=date(2025, 4, 1),
        ends=date(2026, 4, 1), number=Decimal(88), rows=3, left_out={}, splits={}, made_at=NOW,
    )  # fmt: skip
    found = evaluate(filled, 2025, now=NOW).measures[0].indicators[0]
    assert found.now.figure.number == 88
    assert found.now.evidence == "自動で集計（sharing.opened 第1版、3件から）"
    assert found.years[-2].figure.number == 79
