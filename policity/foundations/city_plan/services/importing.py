"""Taking a table of measures and indicators into a plan: all of it, or nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from policity.foundations.accounts.models import Department, User
from policity.foundations.accounts.services import audit
from policity.foundations.city_plan.formats.facts import stages
from policity.foundations.city_plan.formats.sheets import (
    Around,
    IndicatorRow,
    MeasureRow,
    read,
)
from policity.foundations.city_plan.models import (
    Facet,
    Indicator,
    Measure,
    Plan,
    Serving,
    Sheet,
    Target,
    Value,
)
from policity.foundations.city_plan.queries.metrics import metrics
from policity.foundations.city_plan.queries.sheets import ending
from policity.foundations.city_plan.rules.attaining import MONTHS, Aim
from policity.foundations.city_plan.rules.cycle import Turn
from policity.foundations.city_plan.services import showing
from policity.foundations.city_plan.services.evaluating import TOPIC
from policity.foundations.work import services as work

BY_FILE = "取り込んだ表のとおり"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a table brings: measures that are new, changed and the same, targets and figures."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    targets: int
    values: int


class _Preview(Exception):  # noqa: N818  # carries the answer out of a transaction that ends
    def __init__(self, taken: Taken) -> None:
        self.taken = taken


def look(*, plan: Plan, data: bytes, now: datetime) -> Taken:
    """What taking a table over would do; nothing is written. Raises formats.cells.BadTable."""
    try:
        with transaction.atomic():
            raise _Preview(_take(plan, data, is_sample=plan.is_sample, by=None, now=now))
    except _Preview as found:
        return found.taken


@work.alone(TOPIC)
def take_over(
    *, plan: Plan, data: bytes, by: User | None, now: datetime, is_sample: bool = False
) -> Taken:
    """Take a table over. Raises formats.cells.BadTable, and then nothing was taken.

    Measures and indicators are known by their codes: taken again, the table changes what differs.
    Another target or figure is written beside the one before. What the table does not name stays.
    """
    taken = _take(plan, data, is_sample=is_sample or plan.is_sample, by=by, now=now)
    audit.record(
        "plan.imported", on=f"city_plan.plan:{plan.pk}", by=by, now=now,
        count=len(taken.new) + len(taken.changed),
    )  # fmt: skip
    measures = plan.measures.values_list("pk", flat=True)
    showing.changed(plan=plan.pk, measures=measures, now=now)
    return taken


def _take(plan: Plan, data: bytes, *, is_sample: bool, by: User | None, now: datetime) -> Taken:
    rows = read(data, _around(plan))
    first = _measures(plan, rows, is_sample=is_sample)
    known = {one.code: one for one in Measure.objects.filter(plan=plan)}
    changed = _serves(plan, rows, known) | _indicators(rows, known) | first
    targets, values = _years(plan, rows, by=by, now=now)
    codes = [row.code for row in rows]
    new = tuple(code for code in codes if changed.get(code))
    others = tuple(code for code in codes if code in changed and not changed[code])
    return Taken(new, others, len(codes) - len(new) - len(others), targets, values)


def _around(plan: Plan) -> Around:
    facets: dict[str, list[str]] = {kind: [] for kind in Facet.Kind.values}
    own = Facet.objects.filter(plan=plan) | Facet.objects.filter(
        plan=plan.parent_id, kind=Facet.Kind.GOAL
    )
    for kind, name in own.order_by("kind", "plan", "number").values_list("kind", "name"):
        facets[kind].append(name)
    departments = Department.objects.order_by("slug").values_list("name", flat=True)
    return Around(
        plan.first_year,
        plan.last_year,
        facets,
        list(departments),
        {code: stage.name for code, stage in stages().items()},
        frozenset(metrics()),
    )


Changed = dict[str, bool]
"""The codes of measures that changed, and whether they are new."""


def _measures(plan: Plan, rows: Iterable[MeasureRow], *, is_sample: bool) -> Changed:
    fields = dict(Facet.objects.filter(plan=plan, kind="field").values_list("name", "pk"))
    departments = dict(Department.objects.values_list("name", "pk"))
    known = {one.code: one for one in Measure.objects.filter(plan=plan)}
    # Once a sheet was opened, decisions move the stage.
    moved = set(Sheet.objects.filter(measure__plan=plan).values_list("measure_id", flat=True))
    # And what ended by a decision is not prolonged by a table that says nothing of it.
    ended = ending(plan, turns=(Turn.PUBLISHED,))
    names = ["name", "summary", "field_id", "department_id", "partners", "budget", "first_year",
             "last_year", "schedule", "stage"]  # fmt: skip
    new, others = [], []
    for row in rows:
        said: dict[str, Any] = {
            "name": row.name, "summary": row.summary, "field_id": fields[row.field],
            "department_id": departments.get(row.department), "partners": row.partners,
            "budget": row.budget, "first_year": row.first_year, "last_year": row.last_year,
            "schedule": [[one.first_year, one.last_year, one.text] for one in row.schedule],
            "stage": row.stage,
        }  # fmt: skip
        one = known.get(row.code)
        if one is None:
            new.append(Measure(plan=plan, code=row.code, is_sample=is_sample, **said))
            continue
        if one.pk in moved:
            said["stage"] = one.stage
        said["last_year"] = min(row.last_year, ended.get(one.pk, row.last_year))
        if _write(one, said):
            others.append(one)
    Measure.objects.bulk_create(new)
    Measure.objects.bulk_update(others, names)
    return {one.code: True for one in new} | {one.code: False for one in others}


def _write(row: Measure | Indicator, said: dict[str, Any]) -> bool:
    """Write what differs; whether anything did."""
    differs = [name for name, value in said.items() if getattr(row, name) != value]
    for name in differs:
        setattr(row, name, said[name])
    return bool(differs)


def _serves(plan: Plan, rows: Iterable[MeasureRow], known: dict[str, Measure]) -> Changed:
    own = Facet.objects.filter(plan__in=[plan.pk, plan.parent_id or plan.pk])
    facets = {(kind, name): pk for kind, name, pk in own.values_list("kind", "name", "pk")}
    have: dict[int, set[int]] = {}
    kept = Serving.objects.filter(measure__plan=plan)
    for measure, facet in kept.values_list("measure_id", "facet_id"):
        have.setdefault(measure, set()).add(facet)
    new: list[Serving] = []
    gone = Q(pk=None)
    differing = {}
    for row in rows:
        pk = known[row.code].pk
        wanted, before = {facets[one] for one in row.serves}, have.get(pk, set())
        new += [Serving(measure_id=pk, facet_id=facet) for facet in sorted(wanted - before)]
        if before - wanted:
            gone |= Q(measure=pk, facet__in=before - wanted)
        if before != wanted:
            differing[row.code] = False
    kept.filter(gone).delete()
    Serving.objects.bulk_create(new)
    return differing


def _indicators(rows: Iterable[MeasureRow], known: dict[str, Measure]) -> Changed:
    kept = {
        (one.measure_id, one.code): one
        for one in Indicator.objects.filter(measure__in=known.values())
    }
    names = ["name", "kind", "unit", "direction", "reckoning", "adds_up", "baseline",
             "baseline_year", "splits", "method", "metric"]  # fmt: skip
    new, others, differing = [], [], {}
    for row in rows:
        for given in row.indicators:
            said = {name: getattr(given, name) for name in names} | {"splits": list(given.splits)}
            one = kept.get((known[row.code].pk, given.code))
            if one is None:
                new.append(Indicator(measure=known[row.code], code=given.code, **said))
            elif _write(one, said):
                others.append(one)
            else:
                continue
            differing[row.code] = False
    Indicator.objects.bulk_create(new)
    Indicator.objects.bulk_update(others, names)
    return differing


def _years(
    plan: Plan, rows: Iterable[MeasureRow], *, by: User | None, now: datetime
) -> tuple[int, int]:
    """Write the targets and figures that differ from the last of their year; how many."""
    ours = Indicator.objects.filter(measure__plan=plan)
    pks = {(code, own): pk for code, own, pk in ours.values_list("measure__code", "code", "pk")}
    aims = {
        (indicator, year): Aim(low, high)
        for indicator, year, low, high in Target.objects.filter(indicator__in=ours)
        .order_by("pk")
        .values_list("indicator_id", "year", "low", "high")
    }
    kept = Value.objects.filter(indicator__in=ours).order_by("pk")
    last = {
        tuple(of): (number, reason, months, evidence)
        for number, reason, months, evidence, *of in kept.values_list(
            "number", "reason", "months", "evidence", "indicator_id", "year", "split", "part"
        )
    }
    targets, values = [], []
    for row in rows:
        for given in row.indicators:
            pk = pks[row.code, given.code]
            targets += _targets(pk, given, aims, by=by, now=now)
            values += _values(pk, given, last, by=by, now=now)
    Target.objects.bulk_create(targets)
    Value.objects.bulk_create(values)
    return len(targets), len(values)


def _targets(
    pk: int, given: IndicatorRow, aims: dict[tuple[int, int], Aim], *, by: User | None,
    now: datetime,
) -> list[Target]:  # fmt: skip
    return [
        Target(
            indicator_id=pk, year=year, low=aim.low, high=aim.high, at=now, by=by,
            reason=BY_FILE if (pk, year) in aims else "",
        )
        for year, aim in given.targets.items()
        if aims.get((pk, year)) != aim
    ]  # fmt: skip


def _values(
    pk: int, given: IndicatorRow, last: Mapping[tuple[Any, ...], tuple[Any, ...]], *,
    by: User | None, now: datetime,
) -> list[Value]:  # fmt: skip
    said = {(year, "", ""): one for year, one in given.values.items()} | given.parts
    return [
        Value(
            indicator_id=pk, year=year, split=split, part=part, number=one.number,
            reason=one.reason, evidence=given.evidence, imported=True, at=now, by=by,
        )
        for (year, split, part), one in said.items()
        if last.get((pk, year, split, part)) != (one.number, one.reason, MONTHS, given.evidence)
    ]  # fmt: skip
