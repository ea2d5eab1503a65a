"""What the system counts by itself: which metrics there are, and what they came to."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import module_has_submodule

from policity.foundations.city_plan.models import Snapshot
from policity.foundations.city_plan.rules.parting import Part
from policity.foundations.city_plan.rules.spans import Length, Span, year
from policity.kit.declare import PLACES, Metric, Reading
from policity.kit.sides import Side, works


@cache
def metrics() -> dict[str, Metric]:
    """The `METRICS` in the `declarations` module of every app that is at work here, by name."""
    found: dict[str, Metric] = {}
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "declarations"):
            continue
        if not works(getattr(app.module, "SIDE", Side.BOTH), settings.ROLE):
            continue
        for one in getattr(import_module(f"{app.name}.declarations"), "METRICS", ()):
            if one.name in found:
                raise ValueError(f"a metric's name is taken: {one.name}")
            found[one.name] = one
    return found


def moments(span: Span) -> tuple[datetime, datetime]:
    """When a span begins and ends in the city's time."""
    since, until = (
        timezone.make_aware(datetime.combine(day, time())) for day in (span.begins, span.ends)
    )
    return since, until


def so_far(metric: Metric, fiscal: int, *, now: datetime) -> Reading:
    """What a metric comes to in a fiscal year up to now."""
    since, until = moments(year(fiscal))
    reading = metric.read(since, min(until, now))
    if reading.number is None:
        return reading
    return replace(reading, number=round(reading.number, PLACES))


def looked_into(metric: Metric, fiscal: int, *, now: datetime) -> tuple[Reading, tuple[str, ...]]:
    """The same, with every question that was put to the database, as it was put (SQL)."""
    asked: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(f"{sql}\n-- {', '.join(map(str, params))}" if params else sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        reading = so_far(metric, fiscal, now=now)
    return reading, tuple(asked)


def snapshots(names: Iterable[str], *, until: date) -> dict[tuple[str, int], Snapshot]:
    """The newest method's count of each metric for each fiscal year that began by a day. One query.

    By name and fiscal year.
    """
    rows = Snapshot.objects.filter(metric__in=set(names), length=Length.YEAR, begins__lte=until)
    return {(row.metric, row.begins.year): row for row in rows.order_by("version")}


def split_reading(reading: Reading) -> tuple[Part, ...]:
    """The parts of what a metric came to."""
    return tuple(
        Part(split, name, round(one.number, PLACES), rows=one.rows)
        for split, parts in reading.splits.items()
        for name, one in parts.items()
    )


def split_snapshot(kept: Snapshot) -> tuple[Part, ...]:
    """The parts of what was kept of one."""
    return tuple(
        Part(split, name, Decimal(number), rows=rows)
        for split, parts in kept.splits.items()
        for name, (number, rows) in parts.items()
    )


def last_month() -> Mapping[str, date]:
    """The end of the last month that was counted of each metric, by today's method. One query."""
    rows = Snapshot.objects.filter(length=Length.MONTH).order_by("begins")
    known = {(one.name, one.version) for one in metrics().values()}
    return {
        name: ends
        for name, version, ends in rows.values_list("metric", "version", "ends")
        if (name, version) in known
    }
