"""What crossed between the two installations, and what was refused: never what stood in it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from policity.foundations.crossing.rules import Refusal
from policity.kit.sides import Side


class CrossingQuerySet(models.QuerySet["Crossing"]):
    """Crossings in the words of whoever counts them."""

    def taken(self) -> "CrossingQuerySet":
        """What is done with on this side: taken, or too old ever to be."""
        return self.filter(Q(course=Crossing.Course.RECEIVED) | Q(refusal=Refusal.OLD))


class Crossing(models.Model):
    """One file that went, came or was refused. Append-only.

    `number` counts the files of a kind from one side; `digest` is that of what was in it (of a
    refused one's bytes), `size` its bytes. `missed`: how many before it never came, where a person
    let it in nevertheless. Of a file that nobody known to us signed, kind and number stay empty.
    """

    class Course(models.TextChoices):
        SENT = "sent", "渡した"
        RECEIVED = "received", "受け取った"
        REFUSED = "refused", "受け取らなかった"

    course = models.CharField(max_length=10, choices=Course.choices)
    kind = models.CharField(max_length=50, blank=True)
    sender = models.CharField(
        max_length=10, blank=True, choices=[(side.value, side.value) for side in Side]
    )
    number = models.PositiveBigIntegerField(null=True)
    made_at = models.DateTimeField(null=True)
    at = models.DateTimeField()
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    by = models.CharField(max_length=150, blank=True)
    refusal = models.CharField(
        max_length=10, blank=True, choices=[(one.value, one.value) for one in Refusal]
    )
    missed = models.PositiveIntegerField(default=0)

    objects = CrossingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["course", "kind", "sender", "number"],
                condition=~Q(course="refused"),
                name="crossing_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.course} {self.kind} {self.number}"
