"""Whether somebody can sign up now. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Door(StrEnum):
    """How signing up stands, as a page says it."""

    NONE = "none"
    CANCELLED = "cancelled"
    OVER = "over"
    EARLY = "early"
    LATE = "late"
    FULL = "full"
    WAITING = "waiting"
    OPEN = "open"

    @property
    def lets_in(self) -> bool:
        """Whether somebody new may sign up, be it to wait."""
        return self in (Door.OPEN, Door.WAITING)


@dataclass(frozen=True, slots=True)
class Terms:
    """How one signs up for one time: `closes` hours before it begins, for `most` persons at once.

    Without a `capacity` there is room for everybody; `waits` keeps a line for who comes too late.
    """

    takes: bool
    capacity: int | None
    waits: bool
    opens: datetime | None
    closes: int
    most: int


def door(
    terms: Terms,
    *,
    starts: datetime,
    ends: datetime,
    cancelled: bool,
    room: int | None,
    now: datetime,
) -> Door:
    """How signing up stands for a time with so much room left (`line.room`)."""
    if cancelled:
        return Door.CANCELLED
    if now >= ends:
        return Door.OVER
    if not terms.takes:
        return Door.NONE
    if terms.opens and now < terms.opens:
        return Door.EARLY
    if now >= closes_at(terms, starts):
        return Door.LATE
    if room is None or room > 0:
        return Door.OPEN
    return Door.WAITING if terms.waits else Door.FULL


def closes_at(terms: Terms, starts: datetime) -> datetime:
    """From then on nobody new signs up."""
    return starts - timedelta(hours=terms.closes)
