"""What the worker does for the plan at night: what is over is counted and kept."""

from datetime import date, datetime

from django.utils import timezone

from policity.foundations.city_plan import services
from policity.foundations.work.rules import Handler, Order

_done: list[date] = []


def count(now: datetime) -> int:
    """Once a day, and after an outage at once: one metric after the other, till none is due."""
    today = timezone.localdate(now)
    if _done == [today]:
        return 0
    kept = services.keep_next(now=now)
    if not kept:
        _done[:] = [today]
    return kept


HANDLERS = (Handler("city_plan", Order.IDLE, count),)
