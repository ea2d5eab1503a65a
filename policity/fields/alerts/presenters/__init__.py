"""Alerts and the city's own orders as a page, a feed and a CAP message say them."""

from policity.fields.alerts.presenters.cap import cap
from policity.fields.alerts.presenters.cards import alert_card
from policity.fields.alerts.presenters.entries import Entry, moment
from policity.fields.alerts.presenters.feed import feed
from policity.fields.alerts.presenters.going import Going, going, hazard_names, uses
from policity.fields.alerts.presenters.order_map import OrderMap
from policity.fields.alerts.presenters.ordered import ordered
from policity.fields.alerts.presenters.orders import (
    LevelBlock,
    Mistake,
    OrderBlock,
    Orders,
    blocks,
    by_level,
)
from policity.fields.alerts.presenters.story import story
from policity.fields.alerts.presenters.views import (
    AlertView,
    Standing,
    ended_entries,
    entries,
    own_entries,
    read,
    summary,
    view,
)

__all__ = [
    "AlertView",
    "Entry",
    "Going",
    "LevelBlock",
    "Mistake",
    "OrderBlock",
    "OrderMap",
    "Orders",
    "Standing",
    "alert_card",
    "blocks",
    "by_level",
    "cap",
    "ended_entries",
    "entries",
    "feed",
    "going",
    "hazard_names",
    "moment",
    "ordered",
    "own_entries",
    "read",
    "story",
    "summary",
    "uses",
    "view",
]
