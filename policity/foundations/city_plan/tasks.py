"""What the worker does for the plan: counts at night what is over, reminds in the morning, and
begins and ends calls for comments.
"""

from datetime import date, datetime, timedelta

from django.utils import timezone

from policity.foundations.city_plan import services
from policity.foundations.work.rules import Handler, Order

# When the offices open.
HOUR = 8
_done: list[date] = []
_reminded: list[date] = []


def count(now: datetime) -> int:
    """Once a day, and after an outage at once: one metric after the other, till none is due."""
    today = timezone.localdate(now)
    if _done == [today]:
        return 0
    kept = services.keep_next(now=now)
    if not kept:
        _done[:] = [today]
    return kept


def remind(now: datetime) -> int:
    """Once a day from eight o'clock on: whoever holds a turn that is late or ends soon."""
    local = timezone.localtime(now)
    if local.hour < HOUR or _reminded == [local.date()]:
        return 0
    _reminded[:] = [local.date()]
    return services.remind(now=now)


EVERY = timedelta(minutes=1)

_looked: list[datetime] = []


def turn_calls(now: datetime) -> int:
    """Once a minute: a call for comments begins on its day, and ends with its last."""
    if _looked and timedelta() <= now - _looked[0] < EVERY:
        return 0
    _looked[:] = [now]
    return services.turn(now=now)


HANDLERS = (
    Handler("city_plan", Order.IDLE, count),
    Handler("city_plan-reminders", Order.IDLE, remind),
    Handler("plan_comments", Order.ROUTINE, turn_calls),
)
