"""Saying which pages of a plan are no longer true."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from policity.foundations.city_plan.models import Measure
from policity.foundations.city_plan.queries.showing import PLANS, measure_key, plan_key
from policity.foundations.publishing.services import mark_stale
from policity.kit.eras import fiscal_year


def changed(*, plan: int, measures: Iterable[int], now: datetime) -> None:
    """Figures or words of some of a plan's measures: in the transaction that changes them."""
    mark_stale({plan_key(plan), *map(measure_key, measures)}, now=now)


def drawn(*, plan: int, now: datetime) -> None:
    """A plan is there that was not."""
    mark_stale({PLANS, plan_key(plan)}, now=now)


def counted(*, metric: str, now: datetime) -> None:
    """What the system counted. A year that has begun has its pages, too."""
    rows = Measure.objects.filter(indicators__metric=metric)
    mark_stale({PLANS, *map(measure_key, rows.values_list("pk", flat=True))}, now=now)


def on_comparing(sender: object, now: datetime, **_: Any) -> None:
    """What the system counts of the running year moves with everything; pages follow by the day."""
    fiscal = fiscal_year(timezone.localdate(now))
    moving = Measure.objects.filter(first_year__lte=fiscal, last_year__gte=fiscal)
    rows = set(moving.filter(indicators__metric__gt="").values_list("plan", "pk"))
    keys = {key for plan, measure in rows for key in (plan_key(plan), measure_key(measure))}
    mark_stale(keys, now=now)
