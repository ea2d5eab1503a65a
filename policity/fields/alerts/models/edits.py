"""What staff changed of the rules and the texts that ship."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from policity.fields.alerts.models.records import Kept
from policity.fields.alerts.rules.edits import LONGEST_WHY, Book


class Edit(Kept):
    """One change by staff. The last one of a subject is in use. Append-only.

    `subject` is a phenomenon (book RULES) or an entry of the texts ("alerts.flood.moderate").
    `data` is what differs from what ships: {severity: answer}, or {language: {part: text}}; empty
    where what ships is used again.
    """

    book = models.CharField(max_length=6, choices=[(book.value, book.name) for book in Book])
    subject = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    why = models.CharField(max_length=LONGEST_WHY)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["book", "subject"]),
            models.Index(fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"{self.book} {self.subject}"
