"""What the worker does for events: what is over leaves the lists, reminders and questions go."""

from datetime import datetime, timedelta

from django.conf import settings

from policity.foundations.events import services
from policity.foundations.events.sources import Desk
from policity.foundations.work.rules import Handler, Order

EVERY = timedelta(minutes=1)

_last: list[datetime] = []


def tick(now: datetime) -> int:
    """Once a minute, and at once again as long as something was due."""
    if _last and timedelta() <= now - _last[0] < EVERY:
        return 0
    done = services.end_what_is_over(now=now) + services.remind(now=now)
    done += services.ask_who_came(now=now) + services.settle_after_leaving(now=now)
    if not done:
        _last[:] = [now]
    return done


_desk = Desk()
_looked: list[datetime] = []


def calendars(now: datetime) -> int:
    """Have others' calendars read that are due, and write down what has come in.

    They are fetched and read beside this: a server that hangs holds up nothing.
    """
    ended = _desk.done()
    for source, found in ended:
        if isinstance(found, str):
            services.note_fault(source=source, fault=found, now=now)
        else:
            services.take(source=source, reading=found, now=now)
    if not (_looked and timedelta() <= now - _looked[0] < EVERY):
        _looked[:] = [now]
        private = settings.FEEDS_ALLOW_PRIVATE
        for source, address in services.due(now=now):
            _desk.begin(source, address, now=now, allow_private=private)
    return len(ended)


HANDLERS = (
    Handler("events", Order.ROUTINE, tick),
    Handler("calendars", Order.ROUTINE, calendars),
)
