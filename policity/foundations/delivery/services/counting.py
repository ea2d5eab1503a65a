"""Counts dispatches that have moved, for everybody who looks: one count a tick, by one process."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.db.models import F, Q

from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Dispatch, Movement, Reach, Standing
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.rules.reach import Sample, worth_keeping
from policity.foundations.residents.rules.choices import APART

log = structlog.get_logger("policity.delivery")


MOVED = """
INSERT INTO delivery_movement ("message_id", "changes", "counted") VALUES (%s, 1, 0)
ON CONFLICT ("message_id") DO UPDATE SET "changes" = delivery_movement."changes" + 1
"""


def moved(messages: Iterable[int]) -> None:
    """Note, in the transaction that writes them, that rows of these messages change.

    Before they are written: until the transaction ends nobody else changes any of them, so that
    no two wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.executemany(MOVED, [(message,) for message in sorted(set(messages))])


def count(*, now: datetime) -> tuple[int, ...]:
    """Count every dispatch whose rows have changed since the last count, and say which those are.

    Each count replaces the dispatch's standing, and joins its curve where it tells something new.
    Messages to somebody's own account or work are not counted: each is its reader's. Nor is what
    has faded: its standing is what was counted before. Nothing is locked while one is counted.
    """
    waiting = Movement.objects.uncounted().order_by("-message_id")
    nobodys = Q(message__kind__in=APART) | Q(message__dispatch__faded_at__isnull=False)
    found = dict(waiting.annotate(is_nobodys=nobodys).values_list("message_id", "is_nobodys"))
    if idle := [message for message, is_nobodys in found.items() if is_nobodys]:
        Movement.objects.filter(message__in=idle).update(counted=F("changes"))
    messages = tuple(message for message, is_nobodys in found.items() if not is_nobodys)
    for message in messages:
        count_one(message, now=now)
    return messages


def count_one(message: int, *, now: datetime) -> None:
    """Count one dispatch anew. Raises LookupError where there is none."""
    _keep(queries.count(message, now=now))


@transaction.atomic
def _keep(count: queries.Count) -> None:
    dispatch = Dispatch.objects.get(message=count.message)
    Standing.objects.update_or_create(
        message_id=count.message,
        defaults={
            "changes": count.changes,
            "at": count.at,
            "targets": count.targets,
            "counted": count.counted,
            "split": count.split.pack(),
        },
    )
    Movement.objects.filter(message=count.message).update(counted=count.changes)
    if not count.whole:
        log.error("does_not_add_up", message=count.message, targets=count.targets)
        return
    rows = Reach.objects.filter(message=count.message).order_by("-at")
    words = [state.word for state in State]
    last = rows.values_list("at", "targets", *words).first()
    kept = Sample(last[0], last[1], tuple(last[2:])) if last else None
    began = dispatch.approved_at or dispatch.created_at
    if worth_keeping(kept, count.sample, began=began):
        Reach.objects.create(
            message_id=count.message,
            at=count.at,
            targets=count.targets,
            **dict(zip(words, count.split.states, strict=True)),
        )
