"""What the worker does for publishing: urgent pages, the others, and smaller files when idle."""

from dataclasses import astuple
from datetime import datetime

from policity.foundations.publishing import services
from policity.foundations.work.rules import Handler, Order
from policity.kit.declare import Lane

_look = services.LookOver()


def urgent(now: datetime) -> int:
    """Write a batch of urgent pages."""
    return _count(services.render_step(now=now, lane=Lane.URGENT))


def routine(now: datetime) -> int:
    """Write a batch of the other pages."""
    return _count(services.render_step(now=now))


def look_over(now: datetime) -> int:
    """Once in a worker's life: see that every page is as this program makes it."""
    return _look.step()


def cards(now: datetime) -> int:
    """Draw some cards."""
    return _count(services.draw_step(now=now))


def smaller(now: datetime) -> int:
    """Recompress one page as far as it goes."""
    return int(services.deepen(now=now))


def _count(report: services.RenderReport | None) -> int:
    # A batch that only finds pages gone ends no page yet, but there is more to do.
    return max(1, sum(astuple(report))) if report else 0


HANDLERS = (
    Handler("pages", Order.URGENT, urgent),
    Handler("pages", Order.ROUTINE, routine),
    Handler("whole-site", Order.IDLE, look_over),
    Handler("cards", Order.IDLE, cards),
    Handler("denser-pages", Order.IDLE, smaller),
)
