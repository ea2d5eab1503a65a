"""In the demo, where one installation is both sides, what would be carried crosses by itself."""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from policity.foundations.crossing import queries, services
from policity.foundations.work.rules import Handler, Order
from policity.kit.sides import Role

EVERY = timedelta(minutes=1)
LINK = "crossing"


def across(now: datetime) -> int:
    """Send what has changed since it last went, and take it. Ends no work."""
    if settings.ROLE != Role.ALL or settings.DRILL or not _changed(now):
        return 0
    link = Path(settings.HOME) / "run" / LINK
    link.mkdir(exist_ok=True)
    services.own_keys()
    services.send(link, by=None, now=now)
    services.receive(link, by=None, now=now)
    return 0


def _changed(now: datetime) -> bool:
    """Looked at once a minute: a demo that stands for a week has few lines in its log."""
    if _looked and timedelta(0) <= now - _looked[0] < EVERY:
        return False
    _looked[:] = [now]
    return any(services.news(one) for one in queries.going())


_looked: list[datetime] = []

HANDLERS = (Handler("crossing", Order.IDLE, across),)
