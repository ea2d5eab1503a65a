"""What is known of persons fades to counts; what was told, by whom and how far it came, stays.

A message's ledger is given up in pieces: first its standing is made true and kept for good, then
its rows go. From then on counts are read off the standing (`Dispatch.faded_at`).
"""

from datetime import datetime
from typing import cast

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Sum

from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Alarm, Dispatch, Standing, Target
from policity.foundations.delivery.services.counting import count_one
from policity.foundations.delivery.signals import open_stories
from policity.foundations.residents.rules.choices import APART

PIECE = 2000
_OF_THESE = """
DELETE FROM {table} WHERE "message_id" = %s AND "person" IN (
    SELECT "person" FROM delivery_target WHERE "message_id" = %s ORDER BY "person" LIMIT %s
)
"""


def due(*, before: datetime) -> list[int]:
    """The dispatches whose persons are to be forgotten, oldest first.

    Not what is still being sent, nor a story that goes on: whoever was told hears how it ends.
    """
    old = Dispatch.objects.filter(created_at__lt=before, faded_at=None)
    old = old.exclude(stage=Dispatch.Stage.AWAITING).order_by("message_id")
    numbers = list(old.values_list("message_id", flat=True))
    if not numbers:
        return []
    answers = (cast(set[str], found) for _, found in open_stories.send(None))
    threads: set[str] = set().union(*answers)
    kept = queries.waiting_messages() | queries.leads(threads)
    return [number for number in numbers if number not in kept]


def fade_ledger(*, before: datetime, now: datetime) -> int:
    """Forget a piece of what is due; how many persons went. 0: nothing is due any more."""
    while messages := _half_done() or _next(due(before=before)):
        for message in messages:
            _keep_counts(message, now=now)
        if persons := _forget(messages):
            return persons
    return 0


def _half_done() -> list[int]:
    rows = Exists(Target.objects.filter(message=OuterRef("message_id")))
    half = Dispatch.objects.exclude(faded_at=None).filter(rows)
    return list(half.values_list("message_id", flat=True)[:1])


def _next(messages: list[int]) -> list[int]:
    """The first that is due, and those after it that are no more than a piece together."""
    sizes = Dispatch.objects.filter(message__in=messages[:PIECE]).order_by("message_id")
    found: list[int] = []
    persons = 0
    for message, targets in sizes.values_list("message_id", "targets"):
        persons += targets
        if found and persons > PIECE:
            break
        found.append(message)
    return found


@transaction.atomic
def _keep_counts(message: int, *, now: datetime) -> None:
    dispatch = Dispatch.objects.select_related("message").get(message=message)
    if dispatch.faded_at is not None:
        return
    true = Standing.objects.filter(message=message, changes=F("message__movement__changes"))
    # What was counted then is not counted anew: since then people have moved, left and grown older.
    if dispatch.message.kind not in APART and not true.exists():
        count_one(message, now=now)
    Dispatch.objects.filter(message=message).update(faded_at=now)


@transaction.atomic
def _forget(messages: list[int]) -> int:
    """Of each of these, the rows of a piece of its persons."""
    rows = 0
    with connection.cursor() as cursor:
        for message in messages:
            for table in ("delivery_ledger", "delivery_reply", "delivery_target"):
                cursor.execute(_OF_THESE.format(table=table), [message, message, PIECE])
            rows += cursor.rowcount
    return rows


def persons_due(*, before: datetime) -> int:
    """How many persons are to be forgotten, over all dispatches."""
    left = Target.objects.filter(message__dispatch__faded_at__isnull=False).count()
    sizes = Dispatch.objects.filter(message__in=due(before=before)).aggregate(all=Sum("targets"))
    return left + int(sizes["all"] or 0)


def calls_due(*, before: datetime) -> int:
    """How many calls for help still say who it was."""
    return _old_calls(before).count()


def _old_calls(before: datetime) -> QuerySet[Alarm]:
    return Alarm.objects.filter(closed_at__lt=before).exclude(person=0, outcome="")


@transaction.atomic
def fade_calls(*, before: datetime, now: datetime) -> int:
    """Of calls for help that were seen to long ago: who it was, and what was written about it.

    When and in which town they were raised, taken and closed stays.
    """
    old = _old_calls(before)
    numbers = list(old.order_by("pk").values_list("pk", flat=True)[:PIECE])
    return Alarm.objects.filter(pk__in=numbers).update(person=0, outcome="", phone="", situation=[])
