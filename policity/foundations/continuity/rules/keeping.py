"""Which copies to keep. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta

NEWEST = 3
DAYS = 14


def left(
    begun: Collection[datetime], whole: Collection[datetime], *, now: datetime
) -> set[datetime]:
    """Of all that were begun, those that never became whole, or were not removed wholly.

    Whoever makes one has time until all others of its day are gone.
    """
    return {at for at in set(begun) - set(whole) if now - at > timedelta(days=DAYS)}


def outlived(begun: Collection[datetime], *, now: datetime) -> set[datetime]:
    """Of copies that are whole, by when each was begun, those that are no longer needed.

    The newest three stay, and of each of the last fourteen days (in the time zone of the moments)
    the last one.
    """
    ordered = sorted(begun)
    kept = set(ordered[-NEWEST:])
    last = {at.date(): at for at in ordered}
    kept |= {at for day, at in last.items() if now.date() - day < timedelta(days=DAYS)}
    return set(ordered) - kept
