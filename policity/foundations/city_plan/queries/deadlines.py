"""By when each turn of a year should be taken, and which sheets are late or soon will be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Max, Q

from policity.foundations.city_plan.models import Deadline, Plan, Reminder, Sheet
from policity.foundations.city_plan.rules.cycle import Turn
from policity.foundations.city_plan.rules.deadlines import AHEAD, is_due


@dataclass(frozen=True, slots=True)
class Due:
    """A sheet whose turn is late or ends soon, with the last day of that turn."""

    sheet: Sheet
    last_day: date


def deadlines(plan: Plan, fiscal: int) -> Mapping[Turn, date]:
    """The days that are set for a year. One query."""
    rows = Deadline.objects.filter(plan=plan, year=fiscal)
    return {Turn(turn): day for turn, day in rows.values_list("turn", "day")}


def due(today: date) -> list[Due]:
    """The sheets of whose turn somebody is to be reminded today, the most urgent first."""
    days = {
        (plan, year, turn): day
        for plan, year, turn, day in Deadline.objects.filter(
            day__lte=today + max(AHEAD)
        ).values_list("plan_id", "year", "turn", "day")
    }
    asked = Q(pk=None)
    for plan, year, turn in days:
        asked |= Q(measure__plan=plan, year=year, turn=turn)
    last = Max("reminders__day", filter=Q(reminders__turn=F("turn")))
    rows = Sheet.objects.filter(asked).annotate(reminded=last)
    rows = rows.select_related("measure__plan", "measure__department")
    found = [
        Due(row, days[row.measure.plan_id, row.year, row.turn])
        for row in rows.order_by("measure__plan", "year", "measure__code")
        if is_due(days[row.measure.plan_id, row.year, row.turn], today, reminded=row.reminded)
    ]
    return sorted(found, key=lambda one: one.last_day)


def reminded(plan: Plan, fiscal: int, *, days: int) -> list[tuple[date, int]]:
    """The last days on which somebody was reminded of a year, and of how many sheets. One query."""
    rows = Reminder.objects.filter(sheet__measure__plan=plan, sheet__year=fiscal)
    counts = rows.values("day").annotate(sheets=Count("sheet")).order_by("-day")[:days]
    return [(row["day"], row["sheets"]) for row in counts]
