"""What the worker does for delivery: it watches the queue of those who need help."""

from datetime import datetime

from policity.foundations.delivery.services import escalate
from policity.foundations.work.rules import Handler, Order


def late_alarms(now: datetime) -> int:
    """Escalate what nobody has taken for too long."""
    return escalate(now=now)


HANDLERS = (Handler("late-alarms", Order.URGENT, late_alarms),)
