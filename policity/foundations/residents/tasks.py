"""What the worker does for residents when nothing else is there to do."""

from datetime import datetime, timedelta

from policity.foundations.residents.services.registering import forget_unconfirmed
from policity.foundations.work.rules import Handler, Order

EVERY = timedelta(hours=1)

_last: list[datetime] = []


def forget(now: datetime) -> int:
    """Once an hour: forget the addresses that nobody confirmed in time."""
    if _last and now - _last[0] < EVERY:
        return 0
    _last[:] = [now]
    forget_unconfirmed(now=now)
    return 0


HANDLERS = (Handler("unconfirmed", Order.IDLE, forget),)
