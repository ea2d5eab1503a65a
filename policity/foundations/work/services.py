"""The one claim verb. Work is put, claimed under a lease, and done or tried again.

Leases go by the clock of the caller, which on one machine is one clock. Two claims of one item
differ in `attempt`; whoever lost the lease cannot end the item any more.
"""

import fcntl
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from policity.foundations.work.channels import notify
from policity.foundations.work.models import Item
from policity.foundations.work.rules import backoff
from policity.kit.declare import Lane

PUT = """
INSERT INTO work_item
    ("kind", "key", "lane", "due", "leased_until", "attempt", "version", "progress", "last_error")
VALUES (%s, %s, %s, %s, NULL, 0, 1, '{}', '')
ON CONFLICT ("kind", "key") DO UPDATE SET
    "version" = work_item."version" + 1,
    "due" = CASE WHEN excluded."due" < work_item."due" THEN excluded."due"
                 ELSE work_item."due" END,
    "lane" = CASE WHEN excluded."lane" = 'urgent' THEN 'urgent' ELSE work_item."lane" END
"""

# {skip}: on PostgreSQL two claims at once choose different rows, and neither waits.
CLAIM = """
UPDATE work_item SET "attempt" = "attempt" + 1, "leased_until" = %s
WHERE "id" IN (
    SELECT "id" FROM work_item
    WHERE "kind" = %s AND "lane" = %s AND "due" <= %s
        AND ("leased_until" IS NULL OR "leased_until" <= %s)
    ORDER BY "due", "id" LIMIT %s {skip}
)
RETURNING "id", "kind", "key", "lane", "attempt", "version", "progress"
"""

DONE = 'DELETE FROM work_item WHERE "id" = %s AND "attempt" = %s AND "version" = %s'
AGAIN = 'UPDATE work_item SET "leased_until" = NULL WHERE "id" = %s AND "attempt" = %s'


@dataclass(frozen=True, slots=True)
class Claim:
    """An item in our hands until the lease ends. `id` and `attempt` together are the fence."""

    id: int
    kind: str
    key: str
    lane: Lane
    attempt: int
    version: int
    progress: dict[str, Any]


def put(kind: str, keys: Iterable[str], *, lane: Lane, due: datetime) -> None:
    """Ask for work, set-wise, inside the caller's transaction.

    Where the item is there already, the earlier `due` and the more urgent lane win, and a run
    that is under way will be followed by another.
    """
    moment = connection.ops.adapt_datetimefield_value(due)
    rows = [(kind, key, lane.value, moment) for key in sorted(set(keys))]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(PUT, rows)
        notify()


def claim(
    kind: str, *, lane: Lane, now: datetime, lease: timedelta, limit: int
) -> tuple[Claim, ...]:
    """Take up to `limit` due items, the longest due first; nobody else gets them for `lease`."""
    adapt = connection.ops.adapt_datetimefield_value
    moment = adapt(now)
    values = [adapt(now + lease), kind, lane.value, moment, moment, limit]
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM.format(skip=skip), values)
        rows = cursor.fetchall()
    return tuple(
        Claim(id_, kind_, key, Lane(lane_), attempt, version, json.loads(progress))
        for id_, kind_, key, lane_, attempt, version, progress in sorted(rows)
    )


def done(claims: Sequence[Claim]) -> None:
    """End items. One that was put again since the claim waits for another run instead.

    A claim that is no longer the latest changes nothing.
    """
    # In the order in which they are put: no two wait for each other.
    claims = sorted(claims, key=lambda held: (held.kind, held.key))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(DONE, [(held.id, held.attempt, held.version) for held in claims])
        cursor.executemany(AGAIN, [(held.id, held.attempt) for held in claims])


def retry(held: Claim, *, error: str, now: datetime, jitter: float) -> None:
    """Give an item back to be tried later (`rules.backoff`), with the reason for the operator.

    One that was put again since the claim is due at once: its new reason may have cured it.
    """
    latest = Item.objects.filter(id=held.id, attempt=held.attempt)
    latest.filter(version=held.version).update(due=now + backoff(held.attempt, jitter=jitter))
    latest.update(leased_until=None, last_error=error)


def give_back(held: Claim, *, due: datetime) -> None:
    """Give an unfinished item back without a fault: to be claimed again when it is due."""
    Item.objects.filter(id=held.id, attempt=held.attempt).update(leased_until=None, due=due)


def cancel(kinds: Collection[str], *, prefix: str) -> int:
    """Drop items whose key begins so, and say how many there were.

    Those in somebody's hands stay: whoever holds them ends them.
    """
    items = Item.objects.filter(kind__in=kinds, key__startswith=prefix, leased_until__isnull=True)
    return items.delete()[0]


def progress(held: Claim, value: dict[str, Any], *, now: datetime, lease: timedelta) -> bool:
    """Note how far a long item has come, and renew its lease. False: it is ours no more."""
    latest = Item.objects.filter(id=held.id, attempt=held.attempt)
    return bool(latest.update(progress=value, leased_until=now + lease))


@contextmanager
def alone(topic: str) -> Iterator[None]:
    """One transaction, with nobody else in one of the same topic, until it ends.

    For who reads more than it locks before it writes: a rule over several rows, or one that is
    not there yet. SQLite has one writer at a time whatever the topic; on PostgreSQL this is what
    makes it so, for every machine. Topics are taken from the upper rooms to the lower.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [topic])
        yield


@contextmanager
def locked(file: Path) -> Iterator[int]:
    """Be the only process on this machine that holds a lock file; waits until it is free.

    Gives its descriptor: a child that inherits it holds the lock too, until both have ended.
    """
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def release(kinds: Collection[str], *, lane: Lane | None = None) -> int:
    """End every lease on these kinds (of one lane), and say how many there were.

    Only for one who knows, by a lock, that nobody else works on them: then a lease that is held
    belongs to a process that died.
    """
    held = Item.objects.filter(kind__in=kinds, leased_until__isnull=False)
    if lane is not None:
        held = held.filter(lane=lane)
    return held.update(leased_until=None)
