"""Short links to published pages, and how often each was opened on a day."""

from typing import ClassVar

from django.db import models

from policity.foundations.accounts.models import User


class ShortLink(models.Model):
    """A short address that leads to a page of ours, for paper and for hands that type.

    `address` is the published address, its language in it. `label` says for staff where it hangs.
    From `ended_at` on it leads nowhere; its code is never given to another page.
    """

    code = models.CharField(max_length=6, unique=True)
    address = models.CharField(max_length=400)
    label = models.CharField(max_length=100)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.code


class DayCount(models.Model):
    """How often a link was opened on a day of the city's time. Nothing of who opened it."""

    link = models.ForeignKey(ShortLink, models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["link", "day"], name="sharing_one_count_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.link_id} {self.day}"
