"""What staff write down for the record: notes, hand-overs, and the state of emergency."""

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Never

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull

from policity.fields.alerts.rules.records import LONGEST_HAND_OVER, LONGEST_NOTE, LONGEST_WHY


class RecordChanged(TypeError):  # noqa: N818  # what is the case
    """Somebody's code tried to change or delete what is kept as it was written."""


class KeptQuerySet(models.QuerySet[Any]):
    """Rows that are added, and never changed but for what their model leaves open."""

    def update(self, **values: Any) -> int:
        """Raises RecordChanged for what is kept as it was written."""
        _refuse_beyond(self.model.LEFT_OPEN, values)
        return super().update(**values)

    def delete(self) -> Never:
        """Refused."""
        raise RecordChanged("what was recorded is never deleted")


class Kept(models.Model):
    """A row that is kept as it was written. `LEFT_OPEN` are the fields that are filled in later."""

    LEFT_OPEN: ClassVar[frozenset[str]] = frozenset()

    objects = KeptQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once, and what was left open after that. Raises RecordChanged."""
        if not self._state.adding:
            _refuse_beyond(self.LEFT_OPEN, kwargs.get("update_fields") or ("everything",))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Refused."""
        raise RecordChanged("what was recorded is never deleted")


def _refuse_beyond(open_ones: Collection[str], fields: Iterable[str]) -> None:
    if kept := sorted(set(fields).difference(open_ones)):
        raise RecordChanged(f"what was recorded is never changed: {', '.join(kept)}")


class Note(Kept):
    """One line that staff wrote into the chronology. Append-only.

    `at` is when it happened, `written_at` when it was written down. `corrects` is the note that
    this one stands for instead; that one stays as it is.
    """

    at = models.DateTimeField()
    written_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    text = models.CharField(max_length=LONGEST_NOTE)
    corrects = models.OneToOneField(
        "self", related_name="corrected_by", on_delete=models.PROTECT, null=True
    )

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return self.text


class HandOver(Kept):
    """What one shift told the next. Once written only its receipt is added.

    `summary` is how things stood at that moment, in words: a list of {"name", "lines"}.
    """

    LEFT_OPEN: ClassVar[frozenset[str]] = frozenset({"received_by", "received_at"})

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    text = models.TextField(max_length=LONGEST_HAND_OVER)
    summary = models.JSONField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT, null=True
    )
    received_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["at"]), models.Index(fields=["received_at"])]

    def __str__(self) -> str:
        return f"{self.pk} {self.at}"


class Emergency(Kept):
    """That the city had its disaster headquarters, from `began_at` until `ended_at`.

    At most one has not ended.
    """

    LEFT_OPEN: ClassVar[frozenset[str]] = frozenset({"ended_at", "ended_by"})

    began_at = models.DateTimeField()
    began_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT
    )
    why = models.CharField(max_length=LONGEST_WHY)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT, null=True
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                IsNull(F("ended_at"), True),
                condition=Q(ended_at=None),
                name="alerts_one_emergency",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="alerts_who_ended_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.began_at}"
