"""Work that is waiting: batches, stale pages and jobs, all claimed by one verb."""

from django.db import models

from policity.kit.declare import Lane


class Item(models.Model):
    """One piece of work, named by (kind, key); it is gone when it is done.

    `attempt` counts the claims and is the fence: only the latest claim may end the item.
    `version` counts the reasons: a reason that arrives during a run calls for another run.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=500)
    lane = models.CharField(max_length=20, choices=[(lane.value, lane.value) for lane in Lane])
    due = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    progress = models.JSONField(default=dict)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "key"], name="work_one_a_key"),)
        indexes = (
            # Every claim, and the worker's look at what is due.
            models.Index(fields=["kind", "lane", "due"], name="work_due"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
