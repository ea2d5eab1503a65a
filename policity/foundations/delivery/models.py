"""Messages: what the city says, once, in every language. Audiences and channels build on them."""

from typing import ClassVar

from django.db import models


class Message(models.Model):
    """One thing told, with its texts frozen as they were told. Append-only.

    `kind` is what residents choose by ("weather"), `thread` holds the messages of one story
    together ("alerts:event:12"). `severity` is CAP's word, `level` the 警戒レベル(相当) where
    there is one. `texts` maps a language code to {"title", "body"}.
    """

    kind = models.CharField(max_length=20)
    thread = models.CharField(max_length=100)
    severity = models.CharField(max_length=8)
    level = models.PositiveSmallIntegerField(null=True)
    told_at = models.DateTimeField()
    created_at = models.DateTimeField()
    texts = models.JSONField()

    class Meta:
        ordering: ClassVar = ["-told_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["kind", "-told_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.thread}"
