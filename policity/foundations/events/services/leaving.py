"""Whoever leaves the city's lists leaves the lines; and in time everybody is forgotten."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum

from policity.foundations.events.models import Occurrence, Registration
from policity.foundations.events.services.lining import TOPIC, settle
from policity.foundations.residents import services as residents
from policity.foundations.work import services as work

PIECE = 50


def on_left(*, resident: int, now: datetime, **_: Any) -> None:
    """Nobody's registrations outlive them; whoever waits behind them moves up soon after.

    Not here: the residents' list is held, and who keeps a line may be waiting for it. Of what is
    over they stay as a count, without name or number of a person.
    """
    rows = Registration.objects.filter(person=resident)
    times = list(
        rows.filter(cancelled_at=None, occurrence__starts__gt=now)
        .order_by("occurrence_id")
        .values_list("occurrence_id", flat=True)
    )
    rows.filter(number=None).delete()
    rows.filter(cancelled_at=None, occurrence__in=times).update(cancelled_at=now, seated=False)
    rows.update(person=None, address=None, name="", to_call=False)
    Occurrence.objects.filter(pk__in=times).update(unsettled=True)


def in_a_line(*, persons: Collection[int], **_: Any) -> set[int]:
    """Those of these persons who signed up for something that is not yet forgotten."""
    return _persons(Registration.objects.filter(person__in=persons))


@work.alone(TOPIC)
def settle_after_leaving(*, now: datetime) -> int:
    """Let those move up who waited behind somebody who left; in how many times."""
    times = list(
        Occurrence.objects.select_related("event__site", "event__facility")
        .filter(unsettled=True)
        .order_by("pk")
    )
    for time in times:
        settle(time, now=now)
    Occurrence.objects.filter(pk__in=[time.pk for time in times]).update(unsettled=False)
    return len(times)


def due(before: datetime) -> QuerySet[Occurrence]:
    """The times that ended so long ago that nobody in them is known any more."""
    people = Exists(Registration.objects.filter(occurrence=OuterRef("pk")))
    return Occurrence.objects.filter(people, ends__lt=before).order_by("ends", "pk")


def persons_due(*, before: datetime) -> int:
    """How many registrations are to be forgotten."""
    return Registration.objects.filter(occurrence__in=due(before)).count()


@transaction.atomic
def fade(*, before: datetime, now: datetime) -> int:
    """Forget who was in some of these times, and say how many that were; how many stays.

    Guests who are in no other line are forgotten altogether.
    """
    gone = 0
    for time in due(before)[:PIECE]:
        rows = Registration.objects.filter(occurrence=time)
        line = rows.in_line()
        persons = _persons(rows)
        Occurrence.objects.filter(pk=time.pk).update(
            faded_at=now,
            had=_seats(line.filter(seated=True)),
            waited=_seats(line.filter(seated=False)),
            came=_seats(line.filter(attended=True)),
            cancelled=_seats(rows.exclude(cancelled_at=None).exclude(number=None)),
        )
        gone += rows.delete()[0]
        residents.part(persons=sorted(persons), now=now)
    return gone


def _persons(rows: QuerySet[Registration]) -> set[int]:
    return {one for one in rows.values_list("person", flat=True) if one is not None}


def _seats(rows: QuerySet[Registration]) -> int:
    return int(rows.aggregate(all=Sum("seats"))["all"] or 0)
