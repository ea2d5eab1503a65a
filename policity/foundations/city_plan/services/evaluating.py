"""A year's sheets: opened for a plan, and taken from hand to hand until they are published."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.city_plan.formats.facts import schemes, stages
from policity.foundations.city_plan.models import Measure, Plan, Sheet, Step
from policity.foundations.city_plan.policies import may
from policity.foundations.city_plan.queries.evaluating import MeasureView, evaluate, missed
from policity.foundations.city_plan.queries.sheets import said as said_of
from policity.foundations.city_plan.queries.sheets import without_sheet
from policity.foundations.city_plan.rules.cycle import (
    LOCKED,
    NEXT,
    Act,
    Asked,
    Said,
    Turn,
    faults,
    lasts_until,
)
from policity.foundations.city_plan.services import showing
from policity.foundations.city_plan.services.drawing import PlanRefused
from policity.foundations.work import services as work
from policity.kit.eras import fiscal_name

TOPIC = "city_plan"

WORDS: Mapping[Turn, str] = {
    Turn.DEPARTMENT: "担当課の自己評価",
    Turn.PLANNING: "企画の確認",
    Turn.COMMITTEE: "委員会の評価",
    Turn.COMMENT: "市民の意見",
    Turn.HEADQUARTERS: "本部の決定",
    Turn.DECIDED: "公開",
    Turn.PUBLISHED: "公開ずみ",
}
"""What a sheet waits for."""


@work.alone(TOPIC)
def open_year(*, plan: Plan, fiscal: int, by: User | None, now: datetime) -> int:
    """Open the sheets of a year for every measure that has none yet; how many. PlanRefused.

    None for those that were decided to end before it.
    """
    if not plan.first_year <= fiscal <= plan.last_year:
        raise PlanRefused(f"{plan.name}に、{fiscal_name(fiscal)}はありません。")
    new = [
        Sheet(
            measure=row, year=fiscal, stage=row.stage, turn=Turn.DEPARTMENT, opened_at=now,
        )
        for row in without_sheet(plan, fiscal).order_by("pk")
    ]  # fmt: skip
    Sheet.objects.bulk_create(new)
    if new:
        audit.record(
            "plan.opened", on=f"city_plan.plan:{plan.pk}", by=by, now=now, year=fiscal,
            count=len(new),
        )  # fmt: skip
    return len(new)


@work.alone(TOPIC)
def act(*, sheet: int, what: Act, said: Said, seen: int, by: User, now: datetime) -> Sheet:
    """Take a sheet's turn. `seen` is the revision that was looked at. Raises PlanRefused.

    With the decision its figures are locked, and the measure goes to the stage that was decided.
    Where it is decided that the measure ends, no sheet of a later year is opened any more; its last
    year is another one once that is published.
    """
    row = Sheet.objects.select_related("measure__plan", "measure__department").get(pk=sheet)
    if row.revision != seen:
        raise PlanRefused("ほかの人が、先に進めました。いまの内容を見て、もう一度してください。")
    turn = NEXT.get((Turn(row.turn), what))
    if turn is None:
        raise PlanRefused(f"いまは「{WORDS[Turn(row.turn)]}」の番です。")
    if not may(by, what, row, on=timezone.localdate(now)):
        raise PlanRefused("この役割では、できません。")
    if found := faults(what, said, asked(row, now=now)):
        raise PlanRefused("\n".join(found))
    Step.objects.create(
        sheet=row, act=what, grade=said.grade, direction=said.direction, said=asdict(said),
        at=now, by=by,
    )  # fmt: skip
    row.turn, row.revision = turn, row.revision + 1
    if what is Act.DECIDE:
        row.decided_at = now
        if said.stage:
            Measure.objects.filter(pk=row.measure_id).update(stage=said.stage)
    if what is Act.PUBLISH:
        row.published_at = now
        _end(row)
    row.save()
    audit.record(
        f"plan.{DONE[what]}", on=f"city_plan.sheet:{row.pk}", by=by, now=now, year=row.year
    )
    if row.turn in LOCKED:
        showing.changed(plan=row.measure.plan_id, measures=[row.measure_id], now=now)
    return row


def _end(sheet: Sheet) -> None:
    """A measure whose end was decided ends with the publication.

    Every public page reads its last year: with the decision already, all would tell of it.
    """
    decided = Step.objects.filter(sheet=sheet, act=Act.DECIDE).last()
    last = sheet.measure.last_year
    until = lasts_until(last, sheet.year, said_of(decided.said) if decided else None)
    if until != last:
        Measure.objects.filter(pk=sheet.measure_id).update(last_year=until)


DONE: Mapping[Act, str] = {
    Act.RATE: "rated",
    Act.CHECK: "checked",
    Act.REVIEW: "assessed",
    Act.HEAR: "heard",
    Act.DECIDE: "decided",
    Act.PUBLISH: "published",
    Act.RETURN: "returned",
}
"""What the trail calls each act."""


def asked(sheet: Sheet, *, now: datetime) -> Asked:
    """What a sheet asks for: by its stage, its figures, and what was decided the year before."""
    views = evaluate(sheet.measure.plan, sheet.year, now=now, only=sheet.measure.code).measures
    return asked_by(sheet, views[0] if views else None)


def asked_by(sheet: Sheet, view: MeasureView | None) -> Asked:
    """The same, by a year as it was evaluated already."""
    scheme = schemes()[sheet.measure.plan.scheme]
    return Asked(
        questions=stages()[sheet.stage].questions,
        missed=missed(view) if view else {},
        decided=decided_before(sheet),
        grades=scheme.codes,
        directions=frozenset(scheme.directions),
        stages=frozenset(stages()),
        later=later(sheet),
    )


def later(sheet: Sheet) -> str:
    """The next later year whose sheet is open already, in words; empty where none is."""
    rows = Sheet.objects.filter(measure=sheet.measure_id, year__gt=sheet.year).order_by("year")
    fiscal = rows.values_list("year", flat=True).first()
    return fiscal_name(fiscal) if fiscal else ""


def decided_before(sheet: Sheet) -> list[str]:
    """The actions that were decided with the sheet of the year before."""
    last = Step.objects.filter(
        sheet__measure=sheet.measure, sheet__year=sheet.year - 1, act=Act.DECIDE
    ).last()
    return list(last.said["actions"]) if last else []
