"""A year's sheets as they stand, and what was done and said with one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from policity.foundations.accounts.models import User
from policity.foundations.city_plan.models import Measure, Plan, Sheet, Step
from policity.foundations.city_plan.rules.cycle import LOCKED, Act, Done, FollowUp, Said, Turn


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a sheet: who did what, when, and said what."""

    act: Act
    by: User
    at: datetime
    said: Said


def sheets(plan: Plan, fiscal: int) -> QuerySet[Sheet]:
    """A year's sheets in the plan's order, with what their lines say."""
    rows = Sheet.objects.filter(measure__plan=plan, year=fiscal)
    rows = rows.select_related("measure__plan", "measure__department", "measure__field")
    return rows.order_by("measure__field__number", "measure__code")


def ending(plan: Plan, *, turns: Collection[Turn] = LOCKED) -> dict[int, int]:
    """With which year measures end, of which that was decided: published, or not yet. One query.

    What was decided last with a sheet counts, while it was not returned.
    """
    rows = Step.objects.filter(sheet__measure__plan=plan, sheet__turn__in=turns, act=Act.DECIDE)
    last = {
        (measure, fiscal): ends
        for measure, fiscal, ends in rows.order_by("sheet__year", "pk").values_list(
            "sheet__measure_id", "sheet__year", "said__ends"
        )
    }
    # A step from before there were ends says nothing of them.
    return {measure: fiscal for (measure, fiscal), ends in last.items() if ends}


def without_sheet(plan: Plan, fiscal: int) -> QuerySet[Measure]:
    """The measures of a year that need a sheet and have none. One query before its own.

    A measure that was decided to end before needs none, though nobody may read of it yet.
    """
    rows = Measure.objects.filter(plan=plan, first_year__lte=fiscal, last_year__gte=fiscal)
    ended = [measure for measure, last in ending(plan).items() if last < fiscal]
    return rows.exclude(sheets__year=fiscal).exclude(pk__in=ended)


def unopened(plan: Plan, fiscal: int) -> int:
    """How many measures of a year have no sheet yet. Two queries."""
    return without_sheet(plan, fiscal).count()


def last_opened(plan: Plan) -> int | None:
    """The last fiscal year that has sheets. One query."""
    rows = Sheet.objects.filter(measure__plan=plan).order_by("-year")
    return rows.values_list("year", flat=True).first()


def steps(sheet: Sheet) -> tuple[StepView, ...]:
    """Everything that was done with a sheet, in its order. One query."""
    rows = Step.objects.filter(sheet=sheet).select_related("by").order_by("pk")
    return tuple(StepView(Act(row.act), row.by, row.at, said(row.said)) for row in rows)


def said(kept: Mapping[str, Any]) -> Said:
    """What somebody said, as a step keeps it. What was not asked for yet is not in older ones."""
    told = [FollowUp(one["action"], Done(one["done"]), one["why"]) for one in kept["follow_ups"]]
    return Said(**{**kept, "follow_ups": told})
