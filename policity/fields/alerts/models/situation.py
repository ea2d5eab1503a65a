"""What came in from the other installation."""

from django.db import models


class ReceivedSituation(models.Model):
    """The situation as the other side last said it: one row, and only where it is received.

    `said` is as it crossed (`rules.situation`): town and site names, for their keys differ.
    """

    made_at = models.DateTimeField()
    received_at = models.DateTimeField()
    said = models.TextField()

    def __str__(self) -> str:
        return f"{self.made_at}"
