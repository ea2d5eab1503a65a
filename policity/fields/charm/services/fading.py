"""What is kept of photographs for a while only: what was declined, and who sent them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from policity.fields.charm.models import Contribution, Photograph, PhotographReport
from policity.fields.charm.services import files
from policity.fields.charm.services.photographs import forget
from policity.fields.charm.services.showing import TOPIC
from policity.foundations.residents import services as residents
from policity.foundations.work import services as work

PIECE = 50
Stage = Photograph.Stage


def on_left(*, resident: int, **_: Any) -> None:
    """Whoever leaves the city's lists is told nothing more; what they sent stays."""
    Contribution.objects.filter(person=resident).update(person=None)


def to_be_told(*, persons: Collection[int], **_: Any) -> set[int]:
    """Those of these persons who sent something and are to hear of it."""
    rows = Contribution.objects.filter(person__in=persons)
    return {person for person in rows.values_list("person", flat=True) if person is not None}


def declined_due(*, before: datetime) -> int:
    """How many photographs were declined so long ago that they are to be deleted."""
    return _declined(before).count()


def _declined(before: datetime) -> QuerySet[Photograph]:
    rows = Photograph.objects.filter(stage=Stage.DECLINED, decided_at__lt=before)
    return rows.exclude(file="").order_by("pk")


@work.alone(TOPIC)
def fade_declined(*, before: datetime, now: datetime) -> int:
    """Delete some of them, and files that nobody knows of; how many photographs that were."""
    for left in files.left_over(now=now):
        default_storage.delete(left)
    rows = list(_declined(before)[:PIECE])
    for row in rows:
        forget(row)
        row.save()
    return len(rows)


def persons_due(*, before: datetime) -> int:
    """How many contributions still know their sender, who was told everything long ago."""
    return _told(before).count()


def _told(before: datetime) -> QuerySet[Contribution]:
    rows = Contribution.objects.exclude(person=None).exclude(photographs__stage=Stage.WAITING)
    return rows.exclude(photographs__decided_at__gte=before).order_by("pk")


@work.alone(TOPIC)
def fade_persons(*, before: datetime, now: datetime) -> int:
    """Forget who sent some of them, and what was said of photographs and settled; how many.

    Guests who are to be told nothing else are forgotten altogether.
    """
    PhotographReport.objects.filter(settled_at__lt=before).delete()
    rows = dict(_told(before).values_list("pk", "person")[:PIECE])
    Contribution.objects.filter(pk__in=rows).update(person=None)
    residents.part(persons=sorted({person for person in rows.values() if person}), now=now)
    return len(rows)
