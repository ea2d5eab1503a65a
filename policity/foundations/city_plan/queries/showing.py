"""What of a plan is for everybody: its frame, its figures, and the words of published sheets."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from policity.foundations.city_plan import queries
from policity.foundations.city_plan.formats.facts import stages
from policity.foundations.city_plan.formats.schedules import Phase
from policity.foundations.city_plan.models import Facet, Measure, Plan, Serving, Sheet, Step
from policity.foundations.city_plan.queries.evaluating import MeasureView, evaluate
from policity.foundations.city_plan.rules.cycle import Act, Turn
from policity.kit.eras import fiscal_year

PLANS = "city_plan:plans"
MOST_NEW = 5


def plan_key(number: int) -> str:
    """Names a plan with all its measures: its lists, tables and reports are made from it."""
    return f"city_plan:plan:{number}"


def measure_key(number: int) -> str:
    """Names a measure: its page is made from it."""
    return f"city_plan:measure:{number}"


@dataclass(frozen=True, slots=True)
class FacetView:
    """A side from which the plan orders its measures."""

    kind: str
    number: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A measure as it stands in the plan. `budget` is in yen; `serves` is kind and name.

    `stage` is its stage of use now, as far as that is published."""

    id: int
    code: str
    name: str
    summary: str
    field: int
    department: str
    partners: str
    budget: int | None
    first_year: int
    last_year: int
    schedule: tuple[Phase, ...]
    stage: str
    serves: tuple[tuple[str, str], ...]
    is_sample: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a published sheet says. `reasons` by the code of an indicator that was missed.

    `review` is the committee's opinion, `heard` what residents said and the city answered.
    `follow_ups` are last year's actions, each with what became of it and why. `ends`: the measure
    ends with the year.
    """

    year: int
    grade: str
    direction: str
    text: str
    reasons: Mapping[str, str]
    actions: tuple[str, ...]
    follow_ups: tuple[tuple[str, str, str], ...]
    review: str
    heard: str
    ends: bool
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with its measures by code, and what was published of each by year."""

    id: int
    code: str
    name: str
    subtitle: str
    first_year: int
    last_year: int
    vision: str
    principle: str
    parent: str
    scheme: str
    source: str
    is_sample: bool
    facets: tuple[FacetView, ...]
    measures: Mapping[str, Card]
    told: Mapping[str, Mapping[int, Told]]

    @property
    def has_samples(self) -> bool:
        """Whether some of its measures are made up, whatever the plan itself is."""
        return any(one.is_sample for one in self.measures.values())

    def fields(self) -> tuple[FacetView, ...]:
        """Its fields in their order."""
        return tuple(one for one in self.facets if one.kind == Facet.Kind.FIELD)


@dataclass(frozen=True, slots=True)
class Years:
    """Which fiscal years are told of at a moment: the last that is over, and the last that began.

    They are the same where the plan is over, or in its first year.
    """

    over: int
    begun: int


def years(first: int, last: int, *, now: datetime) -> Years:
    """The years to tell of, of something that lasts from a fiscal year to another."""
    running = fiscal_year(timezone.localdate(now))
    begun = max(first, min(running, last))
    return Years(max(first, begun - 1) if begun == running else begun, begun)


def plans() -> QuerySet[Plan]:
    """Every plan, the newest first. One query."""
    return Plan.objects.order_by("-first_year", "-last_year", "code")


def in_force(*, now: datetime) -> Plan | None:
    """The plan of the year that runs; None where there is none, or not one alone."""
    try:
        return queries.plan(fiscal=fiscal_year(timezone.localdate(now)))
    except queries.NoPlan:
        return None


def view(plan: Plan) -> PlanView:
    """A plan's frame, its measures, and the words of its published sheets. Six queries."""
    facets = Facet.objects.filter(plan=plan).order_by("kind", "number")
    rows = Measure.objects.filter(plan=plan).select_related("field", "department")
    serves = defaultdict(list)
    served = Serving.objects.filter(measure__plan=plan).order_by("facet__kind", "facet__number")
    for measure, kind, name in served.values_list("measure_id", "facet__kind", "facet__name"):
        serves[measure].append((kind, name))
    # Where a measure goes is decided before it is published.
    decided = Sheet.objects.filter(measure__plan=plan, turn=Turn.DECIDED).order_by("-year")
    held = dict(decided.values_list("measure_id", "stage"))
    measures = {
        row.code: Card(
            id=row.pk,
            code=row.code,
            name=row.name,
            summary=row.summary,
            field=row.field.number,
            department=row.department.name if row.department else "",
            partners=row.partners,
            budget=row.budget,
            first_year=row.first_year,
            last_year=row.last_year,
            schedule=tuple(Phase(*one) for one in row.schedule),
            stage=stages()[held.get(row.pk, row.stage)].name,
            serves=tuple(serves[row.pk]),
            is_sample=row.is_sample,
        )
        for row in rows.order_by("field__number", "code")
    }
    return PlanView(
        id=plan.pk,
        code=plan.code,
        name=plan.name,
        subtitle=plan.subtitle,
        first_year=plan.first_year,
        last_year=plan.last_year,
        vision=plan.vision,
        principle=plan.principle,
        parent=plan.parent_name,
        scheme=plan.scheme,
        source=plan.source,
        is_sample=plan.is_sample,
        facets=tuple(FacetView(one.kind, one.number, one.name, one.text) for one in facets),
        measures=measures,
        told=_told(plan),
    )


def _told(plan: Plan) -> Mapping[str, Mapping[int, Told]]:
    """Of sheets that were published, and of no other. Two queries."""
    sheets = Sheet.objects.filter(
        measure__plan=plan, turn=Turn.PUBLISHED, published_at__isnull=False
    )
    last: dict[int, dict[str, Step]] = defaultdict(dict)
    for step in Step.objects.filter(sheet__in=sheets).order_by("pk"):
        last[step.sheet_id][step.act] = step
    found: dict[str, dict[int, Told]] = defaultdict(dict)
    for sheet in sheets.select_related("measure"):
        found[sheet.measure.code][sheet.year] = _words(sheet, last[sheet.pk])
    return found


def _words(sheet: Sheet, steps: Mapping[str, Step]) -> Told:
    def said(act: Act, part: str, otherwise: Any = "") -> Any:
        return steps[act].said.get(part) or otherwise if act in steps else otherwise

    assert sheet.published_at is not None  # noqa: S101  # as it was asked for
    return Told(
        year=sheet.year,
        grade=said(Act.DECIDE, "grade"),
        direction=said(Act.DECIDE, "direction"),
        text=said(Act.DECIDE, "text"),
        reasons=said(Act.RATE, "reasons", {}),
        actions=tuple(said(Act.DECIDE, "actions", ())),
        follow_ups=tuple(
            (one["action"], one["done"], one.get("why", ""))
            for one in said(Act.RATE, "follow_ups", ())
        ),
        review=said(Act.REVIEW, "text"),
        heard=said(Act.HEAR, "text"),
        ends=said(Act.DECIDE, "ends", False),
        published_at=sheet.published_at,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """A measure at a moment: in the last year that is over, and with all years that began."""

    card: Card
    years: Years
    over: MeasureView
    begun: MeasureView


def standing(
    plan: Plan, found: PlanView, *, now: datetime, codes: Collection[str] | None = None
) -> Mapping[str, Standing]:
    """How measures stand, those of `codes` or all, by code. Each year is evaluated once."""
    cards = [one for one in found.measures.values() if codes is None or one.code in codes]
    wanted: dict[int, set[str]] = defaultdict(set)
    spans = {}
    for card in cards:
        spans[card.code] = span = years(card.first_year, card.last_year, now=now)
        for fiscal in (span.over, span.begun):
            wanted[fiscal].add(card.code)
    views = {
        (fiscal, one.code): one
        for fiscal, some in wanted.items()
        for one in evaluate(plan, fiscal, now=now, among=None if codes is None else some).measures
    }
    return {
        card.code: Standing(
            card,
            spans[card.code],
            views[spans[card.code].over, card.code],
            views[spans[card.code].begun, card.code],
        )
        for card in cards
    }


def evaluated_years(found: Plan | PlanView, *, now: datetime) -> range:
    """The fiscal years of a plan that have begun; none where it begins later."""
    running = fiscal_year(timezone.localdate(now))
    return range(found.first_year, min(found.last_year, running) + 1)
