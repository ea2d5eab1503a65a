from policity.fields.alerts.services.feeds import (
    BadAddressError,
    add_feed,
    answered,
    closed_gap,
    ensure_feeds,
    failed,
    found_gap,
    remove_feed,
)
from policity.fields.alerts.services.intake import Ingested, ingest
from policity.fields.alerts.services.settle import settle
from policity.fields.alerts.services.steps import expire

__all__ = [
    "BadAddressError",
    "Ingested",
    "add_feed",
    "answered",
    "closed_gap",
    "ensure_feeds",
    "expire",
    "failed",
    "found_gap",
    "ingest",
    "remove_feed",
    "settle",
]
