"""When a city is well, and when it is not. Pure.

Each rule looks at one thing that was measured and says how it stands; what that means for people
is said elsewhere.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

GIB = 1 << 30


class State(IntEnum):
    """How something stands, from good to bad. What cannot be known is said, and is no alarm."""

    GOOD = 0
    UNKNOWN = 1
    WEAK = 2
    BROKEN = 3


# Bytes. Below the first, commits fail soon.
FULL = GIB // 2
# Room that is not the database's: pages, mails that are kept, logs.
ROOM = 2 * GIB
# An upgrade copies the database, migrates a copy, and keeps one.
TIMES_THE_DATABASE = 3


def disk(*, free: int, database: int) -> State:
    """By the bytes that are free, and those of the database: copies and upgrades need as many."""
    if free < FULL:
        return State.BROKEN
    return State.WEAK if free < ROOM + TIMES_THE_DATABASE * database else State.GOOD


# A server's Date has whole seconds, and the way takes time: less than this says nothing.
CLOCK_WEAK = timedelta(seconds=10)
# Codes of a second factor hold half a minute: beyond two minutes nobody signs in with one.
CLOCK_BROKEN = timedelta(minutes=2)
# What a server said longer ago says nothing of now.
CLOCK_HOLDS = timedelta(hours=1)


def ahead(heard: Iterable[tuple[datetime, timedelta]], *, now: datetime) -> timedelta | None:
    """How far our clock is ahead, by what servers said of theirs: (when heard, ours less theirs).

    If one of them agrees with us, the others are wrong: the smallest counts. None: nobody said
    anything within the hour.
    """
    fresh = [off for at, off in heard if abs(now - at) <= CLOCK_HOLDS]
    return min(fresh, key=abs, default=None)


def clock(off: timedelta | None) -> State:
    """By how far our clock is off."""
    if off is None:
        return State.UNKNOWN
    if abs(off) >= CLOCK_BROKEN:
        return State.BROKEN
    return State.WEAK if abs(off) >= CLOCK_WEAK else State.GOOD


# Automatic renewal happens a month before the end: later than this, it did not.
RENEWED = timedelta(days=21)
EXPIRES = timedelta(days=3)


def certificate(until: datetime, *, now: datetime) -> State:
    """By when it expires."""
    if until - now < EXPIRES:
        return State.BROKEN
    return State.WEAK if until - now < RENEWED else State.GOOD


# Every three months, and some days to find one.
DRILL_HOLDS = timedelta(days=100)


def drilled(at: datetime | None, *, now: datetime) -> State:
    """By when copies were last brought back for a trial."""
    return State.WEAK if at is None or now - at > DRILL_HOLDS else State.GOOD


class Slot(StrEnum):
    """Of the log that a PostgreSQL server keeps for the copies: how it stands.

    `ENDLESS`: copies that are away for days would fill the server's disk.
    """

    KEPT = "kept"
    LOST = "lost"
    ENDLESS = "endless"
    NONE = "none"


def slot(status: str | None, limit: str) -> Slot:
    """By `wal_status` and `max_slot_wal_keep_size`, as the server says them."""
    # Without a status nothing was ever kept.
    if status in ("unreserved", "lost", None):
        return Slot.LOST
    return Slot.ENDLESS if limit == "-1" else Slot.KEPT
