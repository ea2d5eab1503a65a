"""What the worker does for continuity when nothing else is there to do."""

from datetime import date, datetime
from pathlib import Path
from threading import Thread

from django.conf import settings
from django.utils import timezone

from policity.foundations.continuity import queries
from policity.foundations.continuity.services import fading, spooling
from policity.foundations.continuity.services.certificates import look_at_certificate
from policity.foundations.work.rules import Handler, Order

_today: dict[str, int] = {}
_looked: date | None = None


def fade(now: datetime) -> int:
    """Once a day, and after an outage at once: a piece of what is to fade, till nothing is."""
    last = queries.faded(settings.HOME)
    if last and timezone.localdate(last.at) == timezone.localdate(now):
        return 0
    kind, count = fading.fade_piece(now=now)
    if count:
        _today[kind] = _today.get(kind, 0) + count
        return count
    fading.note_faded(dict(_today), now=now)
    _today.clear()
    return 0


def arrive(now: datetime) -> int:
    """What residents sent while the database was away, calls for help first."""
    return spooling.arrive(Path(settings.HOME), now=now)


def look(now: datetime) -> int:
    """Once a day: until when the city's own address is trusted. Nobody waits for the answer."""
    global _looked  # this process looks, and knows when it did
    if _looked != timezone.localdate(now):
        _looked = timezone.localdate(now)
        Thread(
            target=look_at_certificate,
            args=(Path(settings.HOME), settings.PUBLIC_URL),
            kwargs={"now": now},
            daemon=True,
        ).start()
    return 0


HANDLERS = (
    Handler("spool", Order.URGENT, arrive),
    Handler("fading", Order.IDLE, fade),
    Handler("certificate", Order.IDLE, look),
)
