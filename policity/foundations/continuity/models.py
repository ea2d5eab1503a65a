"""What a home has to know of what was kept for it."""

from django.db import models


class Arrived(models.Model):
    """A form that was kept while the database was away, and has come in: it comes in once.

    Written in the transaction of what the form does; `key` is its file's name.
    """

    key = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
