"""When a copy is too old to rely on. Pure."""

from datetime import datetime, timedelta

TOO_OLD = timedelta(minutes=5)
"""Copies follow within seconds: after this long something is broken, and a person has to look."""


def too_old(at: datetime | None, *, now: datetime) -> bool:
    """Whether what is copied up to `at` (None: nothing) leaves too much out."""
    return at is None or now - at > TOO_OLD
