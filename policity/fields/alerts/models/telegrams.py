"""What was received, what is in force, and every step between the two."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from policity.fields.alerts.rules.bulletin import (
    Change,
    Generation,
    Phenomenon,
    Severity,
    Status,
)


def _choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in enum]


class Outcome(models.TextChoices):
    """What became of the bytes that arrived."""

    READ = "read", "読み取り済み"
    IGNORED = "ignored", "対象外"
    REFUSED = "refused", "読み取れない"


class Telegram(models.Model):
    """The bytes that arrived, kept as a record. The same bytes are taken in once.

    `places` holds the codes of the places they were compared for, `withdrawn_for` those for which
    a later one took it back. `root` is the identity of the first alert of its chain (CAP).
    """

    digest = models.CharField(max_length=64, unique=True)
    entry = models.CharField(max_length=500, blank=True, db_index=True)
    source = models.CharField(max_length=500)
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=500, blank=True)
    body = models.BinaryField()

    format = models.CharField(max_length=3, blank=True)
    kind = models.CharField(max_length=16, blank=True)
    title = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=8, blank=True)
    info_type = models.CharField(max_length=8, blank=True)
    reported_at = models.DateTimeField(null=True)
    identity = models.CharField(max_length=300, blank=True)
    root = models.CharField(max_length=300, blank=True)
    office = models.CharField(max_length=300, blank=True)
    headline = models.TextField(blank=True)
    withdrawn_for = models.JSONField(default=list)
    places = models.JSONField(default=list)
    # It came late, with others after it: its steps are recorded, and what all of them add up to
    # is still to be told.
    backlog = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["identity", "reported_at"]),
            # After an outage: what is still to be told.
            models.Index(fields=["source"], condition=Q(backlog=True), name="untold_backlog"),
        ]

    def __str__(self) -> str:
        return f"{self.kind or self.outcome} {self.title}"


class EventQuerySet(models.QuerySet["Event"]):
    """Events in the words of the crisis room."""

    def actual(self) -> "EventQuerySet":
        """Real ones: never an exercise, never a test."""
        return self.filter(status=Status.ACTUAL)

    def in_force(self) -> "EventQuerySet":
        """Begun and not ended."""
        return self.filter(ended_at__isnull=True)


class Event(models.Model):
    """One phenomenon over one place, from its beginning to its end.

    `place` is the code that was asked for (the city's), `area_name` the area as the telegram
    told it. `level` is the 警戒レベル相当, where there is one. Times are the telegrams' own.
    """

    place = models.CharField(max_length=16)
    phenomenon = models.CharField(max_length=20, choices=_choices(Phenomenon))
    subject = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=8, choices=_choices(Status))
    severity = models.CharField(max_length=8, choices=_choices(Severity))
    level = models.PositiveSmallIntegerField(null=True)
    code = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    area_name = models.CharField(max_length=200)
    generation = models.PositiveSmallIntegerField(choices=[(g.value, g.name) for g in Generation])
    kind = models.CharField(max_length=16)
    office = models.CharField(max_length=300)
    headline = models.TextField(blank=True)
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    withdrawn = models.BooleanField(default=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["place", "phenomenon", "subject", "status"],
                condition=Q(ended_at__isnull=True),
                name="one_open_event",
            )
        ]
        indexes: ClassVar = [
            # The board and the pages list what ended last.
            models.Index(fields=["status", "ended_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.phenomenon} {self.severity} ({self.place})"


class Action(models.TextChoices):
    """What the city's rules made of a transition."""

    SENT = "sent", "公開・送信"
    AWAITING_APPROVAL = "awaiting", "公開・送信は承認待ち"
    PUBLISHED = "published", "公開"
    RECORDED = "recorded", "記録のみ"


class Transition(models.Model):
    """One step of an event against what we held before. Append-only."""

    event = models.ForeignKey(Event, related_name="transitions", on_delete=models.PROTECT)
    telegram = models.ForeignKey(
        Telegram, related_name="transitions", on_delete=models.PROTECT, null=True
    )
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    change = models.CharField(max_length=9, choices=_choices(Change))
    severity_from = models.CharField(max_length=8, blank=True)
    severity_to = models.CharField(max_length=8, blank=True)
    level_from = models.PositiveSmallIntegerField(null=True)
    level_to = models.PositiveSmallIntegerField(null=True)
    code_from = models.CharField(max_length=100, blank=True)
    name_from = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    office = models.CharField(max_length=300, blank=True)
    withdrawal = models.BooleanField(default=False)
    action = models.CharField(max_length=9, choices=Action.choices)
    message = models.ForeignKey(
        "delivery.Message", related_name="+", on_delete=models.PROTECT, null=True
    )
    showing = models.ForeignKey(
        "publishing.Showing", related_name="+", on_delete=models.SET_NULL, null=True
    )

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.change} {self.name}"


class Feed(models.Model):
    """A source that is read again and again: an Atom feed, or a watched folder.

    `long_url` is the same feed over several days, read to fill a gap. `newest` is the moment up
    to which its entries were taken in. `gap_until`: before this moment some may be missing.
    `answered_at` is when it was last read to its end, `next_at` when it is due again.
    `quiet_hours` without a new entry are an alarm; 0 where silence means nothing.
    """

    class Kind(models.TextChoices):
        """How the source is read."""

        ATOM = "atom", "フィード"
        FOLDER = "folder", "フォルダー"

    kind = models.CharField(max_length=6, choices=Kind.choices)
    url = models.CharField(max_length=500, unique=True)
    long_url = models.CharField(max_length=500, blank=True)
    quiet_hours = models.PositiveSmallIntegerField(default=0)
    # Kept when removed, so that a feed we ship does not come back by itself.
    active = models.BooleanField(default=True)
    added_at = models.DateTimeField()
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    newest = models.DateTimeField(null=True)
    gap_until = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    next_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.url
