"""What is in force and what stands, what was, and how the city stands. Real, never a drill."""

from policity.fields.alerts.queries.events import (
    IN_FORCE,
    RECENT,
    AlarmReason,
    Drill,
    EventHistory,
    FeedAlarm,
    HistoryStep,
    InForce,
    Told,
    drills,
    ends_by_itself,
    event,
    event_ids,
    event_key,
    feed_alarms,
    feeds,
    front_state,
    histories,
    in_force,
    known_entries,
    recent,
    told,
    unreadable,
)
from policity.fields.alerts.queries.orders import ORDERS, OrderView, order_key, page

__all__ = [
    "IN_FORCE",
    "ORDERS",
    "RECENT",
    "AlarmReason",
    "Drill",
    "EventHistory",
    "FeedAlarm",
    "HistoryStep",
    "InForce",
    "OrderView",
    "Told",
    "drills",
    "ends_by_itself",
    "event",
    "event_ids",
    "event_key",
    "feed_alarms",
    "feeds",
    "front_state",
    "histories",
    "in_force",
    "known_entries",
    "order_key",
    "page_of",
    "recent",
    "told",
    "unreadable",
]


def page_of(thread: str) -> str:
    """The page of a story, without its language: "alerts:event:12" → "alerts/12/"."""
    room, _, number = thread.rpartition(":")
    return {"alerts:event": f"alerts/{number}/", "alerts:order": page(int(number))}[room]
