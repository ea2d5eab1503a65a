"""Alerts as a page, a feed and a CAP message say them."""

from policity.fields.alerts.presenters.cap import cap
from policity.fields.alerts.presenters.feed import feed
from policity.fields.alerts.presenters.views import (
    AlertView,
    Entry,
    Standing,
    ended_entries,
    entries,
    may_go,
    moment,
    own_entries,
    read,
    summary,
    view,
)

__all__ = [
    "AlertView",
    "Entry",
    "Standing",
    "cap",
    "ended_entries",
    "entries",
    "feed",
    "may_go",
    "moment",
    "own_entries",
    "read",
    "summary",
    "view",
]
