"""What the worker does for the tree of pages."""

import random
import threading
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from policity.foundations.work import services as work
from policity.foundations.work.rules import Handler, Order
from policity.kit.declare import Lane
from policity.public_site import rules
from policity.public_site.services import editing, importing, links, schedule
from policity.public_site.sources import Asker

log = structlog.get_logger("policity.public_site")

_begun = threading.Event()


def begin(now: datetime) -> int:
    """Once in a worker's life: see that there is a tree."""
    if _begun.is_set():
        return 0
    count = int(editing.begin())
    _begun.set()
    return count


def clock(now: datetime) -> int:
    """Publish what is to appear, and take away what is to go."""
    return schedule.due(now=now)


_asker = Asker()
_gathered: dict[str, Any] = {"day": None, "after": 0}


def look_at_links(now: datetime) -> int:
    """At night: what published pages lead to is gathered, and asked whether it answers."""
    if found := _asker.done():
        links.note(found[0], fault=found[1], now=now)
    night = timezone.localtime(now)
    if settings.DRILL or not rules.is_night(night):
        return 0
    if _gathered["day"] != night.date():
        _gathered["after"] = after = links.gather(after=_gathered["after"], now=now)
        if after:
            return 1
        _gathered["day"] = night.date()
    if not _asker.busy and (address := links.due(now=now)):
        _asker.begin(address)
    return 0


_hand: list[threading.Thread] = []


def take_over(now: datetime) -> int:
    """Have an older site taken over, or taken back, beside this: it holds up nothing.

    Whoever works on it dies with the worker, between two pages; the next one goes on.
    """
    if _hand and _hand[0].is_alive():
        return 0
    claims = work.claim(importing.KIND, lane=Lane.ROUTINE, now=now, lease=importing.LEASE, limit=1)
    if not claims:
        return 0
    _hand[:] = [threading.Thread(target=_carry_out, args=claims, name="takeover", daemon=True)]
    _hand[0].start()
    return 1


def _carry_out(claim: work.Claim) -> None:
    try:
        importing.carry_out(claim)
    except Exception as error:  # a locked database, a full disk, a bug: it is tried again
        log.exception("takeover_failed", key=claim.key)
        jitter = random.random()  # noqa: S311 - it spreads load, it hides nothing
        work.retry(claim, error=repr(error), now=timezone.now(), jitter=jitter)
    finally:
        connection.close()


HANDLERS = (
    Handler("first-pages", Order.ROUTINE, begin),
    Handler("planned-pages", Order.ROUTINE, clock),
    Handler("links", Order.IDLE, look_at_links),
    Handler("takeover", Order.IDLE, take_over),
)
