"""What came in from outside and became of it, and what the city itself decided."""

from policity.fields.alerts.models.edits import Edit
from policity.fields.alerts.models.orders import Order, OrderStep
from policity.fields.alerts.models.records import Emergency, HandOver, Note
from policity.fields.alerts.models.situation import ReceivedSituation
from policity.fields.alerts.models.telegrams import (
    Action,
    Event,
    EventQuerySet,
    Feed,
    Outcome,
    Telegram,
    Transition,
)

__all__ = [
    "Action",
    "Edit",
    "Emergency",
    "Event",
    "EventQuerySet",
    "Feed",
    "HandOver",
    "Note",
    "Order",
    "OrderStep",
    "Outcome",
    "ReceivedSituation",
    "Telegram",
    "Transition",
]
