"""Keeping what the system counts, month by month and year by year, as it was counted."""

from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from policity.foundations.city_plan.models import Snapshot
from policity.foundations.city_plan.queries.metrics import last_month, metrics, moments
from policity.foundations.city_plan.rules.spans import Span, over
from policity.foundations.city_plan.services import showing
from policity.kit.declare import PLACES, Metric, Reading

log = structlog.get_logger("policity.city_plan")

LATE = timedelta(days=7)
TOO_LATE = "その時点の様子は、記録されませんでした。"


def keep_next(*, now: datetime) -> int:
    """Count what is over and was not counted yet of the first metric that has any; how many spans.

    Whatever a night missed is counted by a later one.
    """
    counted = last_month()
    today = timezone.localdate(now)
    for metric in metrics().values():
        spans = list(over(today, since=counted.get(metric.name)))
        if spans:
            kept = sum(_keep(metric, span, now=now) for span in spans)
            showing.counted(metric=metric.name, now=now)
            return kept
    return 0


def _keep(metric: Metric, span: Span, *, now: datetime) -> int:
    since, until = moments(span)
    if metric.is_state and now - until > LATE:
        # How things stand today says nothing of how they stood then.
        reading = Reading(None, 0, TOO_LATE)
    else:
        reading = metric.read(since, until)
    try:
        with transaction.atomic():
            Snapshot.objects.create(
                metric=metric.name,
                version=metric.version,
                length=span.length,
                begins=span.begins,
                ends=span.ends,
                number=None if reading.number is None else round(reading.number, PLACES),
                reason=reading.reason,
                rows=reading.rows,
                left_out=dict(reading.left_out),
                splits={
                    split: {name: [str(round(part.number, PLACES)), part.rows]
                            for name, part in parts.items()}
                    for split, parts in reading.splits.items()
                },
                made_at=now,
            )  # fmt: skip
    except IntegrityError:
        # Another machine was first: what is kept stays.
        return 0
    log.info("counted", metric=metric.name, begins=str(span.begins), rows=reading.rows)
    return 1
