"""Writing a plan down: its frame, and figures and targets by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.city_plan.formats.facts import Frame
from policity.foundations.city_plan.formats.figures import Given
from policity.foundations.city_plan.models import Facet, Indicator, Plan, Target, Value
from policity.foundations.city_plan.rules.attaining import MONTHS, Aim, Direction
from policity.foundations.city_plan.services import showing

NO_EVIDENCE = "数字の根拠（資料の名前と場所）を書いてください。"


class PlanRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is Japanese for staff, one line a fault."""


@transaction.atomic
def draw(*, frame: Frame, by: User | None, now: datetime) -> Plan:
    """Write down a new plan without measures. A revision is a plan of its own. PlanRefused."""
    if Plan.objects.filter(code=frame.code).exists():
        raise PlanRefused(
            f"計画「{frame.code}」は、もうあります。"
            "改定は、新しい code と revises で作ってください。"
        )
    revises = None
    if frame.revises:
        revises = Plan.objects.filter(code=frame.revises).first()
        if revises is None:
            raise PlanRefused(f"改定のもとの計画「{frame.revises}」はありません。")
    parent = Plan.objects.filter(code=frame.parent).first() if frame.parent else None
    plan = Plan.objects.create(
        code=frame.code,
        name=frame.name,
        subtitle=frame.subtitle,
        first_year=frame.first_year,
        last_year=frame.last_year,
        vision=frame.vision,
        principle=frame.principle,
        parent_name=parent.name if parent else frame.parent,
        parent=parent,
        revises=revises,
        scheme=frame.scheme,
        source=frame.source,
        is_sample=frame.is_sample,
        written_at=now,
    )
    Facet.objects.bulk_create(
        Facet(plan=plan, kind=kind, number=number, name=name, text=text)
        for kind, facets in frame.facets.items()
        for number, (name, text) in enumerate(facets, 1)
    )
    audit.record("plan.made", on=f"city_plan.plan:{plan.pk}", by=by, now=now, title=plan.name)
    showing.drawn(plan=plan.pk, now=now)
    return plan


@transaction.atomic
def set_target(
    *, indicator: Indicator, fiscal: int, aim: Aim, reason: str, by: User | None, now: datetime
) -> Target:
    """Set a year's target, or another one in its place: then with a reason. Raises PlanRefused."""
    _within(indicator, fiscal)
    if aim.low is None and aim.high is None:
        raise PlanRefused("目標の数字を入れてください。")
    if aim.low is not None and aim.high is not None and aim.low > aim.high:
        raise PlanRefused("目標の下限が、上限より大きくなっています。")
    if aim.direction is not Direction(indicator.direction):
        raise PlanRefused("目標の向き（以上・以下・範囲）が、指標の向きとちがいます。")
    earlier = Target.objects.filter(indicator=indicator, year=fiscal).exists()
    if earlier and not reason.strip():
        raise PlanRefused("目標を変えるときは、変えるわけを書いてください。")
    target: Target = Target.objects.create(
        indicator=indicator, year=fiscal, low=aim.low, high=aim.high, reason=reason, at=now, by=by
    )
    audit.record(
        "plan.target_set", on=f"city_plan.indicator:{indicator.pk}", by=by, now=now, year=fiscal
    )
    showing.changed(plan=indicator.measure.plan_id, measures=[indicator.measure_id], now=now)
    return target


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure as somebody brings it, see `models.Value`."""

    number: Decimal | None
    reason: str = ""
    evidence: str = ""
    months: int = MONTHS


@transaction.atomic
def record(
    *, indicator: Indicator, fiscal: int, entry: Entry, by: User | None, now: datetime
) -> Value:
    """Note what an indicator came to, with evidence, or why it was not measured. PlanRefused.

    What was noted before stays; this one counts.
    """
    _within(indicator, fiscal)
    _by_hand(indicator)
    faults = [
        (entry.number is None and not entry.reason.strip(), "測っていないわけを書いてください。"),
        (entry.number is not None and bool(entry.reason),
         "数字と、測っていないわけの両方があります。"),
        (entry.number is not None and not entry.evidence.strip(), NO_EVIDENCE),
        (not 1 <= entry.months <= MONTHS, "月数は、1から12までです。"),
        (entry.number is not None and indicator.unit == "%" and not 0 <= entry.number <= 100,
         "割合は、0から100までです。"),
    ]  # fmt: skip
    if found := [words for is_one, words in faults if is_one]:
        raise PlanRefused("\n".join(found))
    value: Value = Value.objects.create(
        indicator=indicator, year=fiscal, number=entry.number, reason=entry.reason.strip(),
        evidence=entry.evidence, months=entry.months, at=now, by=by,
    )  # fmt: skip
    _brought(indicator, fiscal, by=by, now=now)
    return value


@transaction.atomic
def record_parts(
    *, indicator: Indicator, fiscal: int, split: str, parts: Mapping[str, Given], evidence: str,
    by: User | None, now: datetime,
) -> int:  # fmt: skip
    """Note what the parts of a whole came to, all of them or none; how many differ. PlanRefused.

    A part that is not among them stays as it was noted before.
    """
    _within(indicator, fiscal)
    _by_hand(indicator)
    measured = [one.number for one in parts.values() if one.number is not None]
    faults = [
        (split not in indicator.splits, "この指標には、その内訳はありません。"),
        (not parts, "部分の名前と数字を、1行に1つずつ書いてください。"),
        (bool(measured) and not evidence.strip(), NO_EVIDENCE),
    ]
    if found := [words for is_one, words in faults if is_one]:
        raise PlanRefused("\n".join(found))
    kept = Value.objects.filter(indicator=indicator, year=fiscal, split=split).order_by("pk")
    last = {
        part: (number, reason, source)
        for part, number, reason, source in kept.values_list("part", "number", "reason", "evidence")
    }
    rows = [
        Value(
            indicator=indicator, year=fiscal, split=split, part=name, number=one.number,
            reason=one.reason, evidence=evidence.strip(), at=now, by=by,
        )
        for name, one in parts.items()
        if last.get(name) != (one.number, one.reason, evidence.strip())
    ]  # fmt: skip
    Value.objects.bulk_create(rows)
    if rows:
        _brought(indicator, fiscal, by=by, now=now)
    return len(rows)


def _by_hand(indicator: Indicator) -> None:
    if indicator.metric:
        raise PlanRefused("この指標は、システムが数えます。手では入れられません。")


def _brought(indicator: Indicator, fiscal: int, *, by: User | None, now: datetime) -> None:
    audit.record(
        "plan.figure_set", on=f"city_plan.indicator:{indicator.pk}", by=by, now=now, year=fiscal
    )
    showing.changed(plan=indicator.measure.plan_id, measures=[indicator.measure_id], now=now)


def _within(indicator: Indicator, fiscal: int) -> None:
    plan = indicator.measure.plan
    if not plan.first_year <= fiscal <= plan.last_year:
        raise PlanRefused("計画の期間にない年度です。")
