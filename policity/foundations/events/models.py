"""What takes place where and when, and who signed up for it."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from policity.foundations.accounts.models import Department
from policity.foundations.events.rules.reasons import LONGEST
from policity.foundations.places.models import Facility, Site


class Source(models.Model):
    """Somebody else's calendar, which is read and never written.

    `address` is where it lies; empty for one whose files staff bring. `read_at` is when it was
    read last, `fault` why it could not be the last time, in Japanese; what was read before stays.
    `skipped` is how many entries could not be taken the last time, `left` the first of them: pairs
    of a name and why. `digest` (SHA-256) is that of the bytes read last. `ended_at`: it is read no
    more.
    """

    name = models.CharField("名前", max_length=100)
    address = models.URLField("アドレス", max_length=500, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)
    skipped = models.PositiveIntegerField(default=0)
    left = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", null=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class EventQuerySet(models.QuerySet["Event"]):
    """Events in the words of who looks for them."""

    def public(self) -> Self:
        """What everybody may read: published or called off, and not gone from its source."""
        return self.filter(stage__in=(Event.Stage.PUBLISHED, Event.Stage.CANCELLED), gone_at=None)


class Event(models.Model):
    """Something that takes place once or more often. One of a `source` is that one's alone.

    `texts` maps a language code to {"title", "body", "place"}; Japanese is always there. `starts`
    and `ends` are of its first time, `rule` repeats it (RRULE, RFC 5545), `skips` are days off, as
    ISO 8601. It is at a `facility`, or at a `site` of the disaster plan, or where its texts say.
    `takes`: one signs up; `closes` is hours before it begins, `reminds` likewise, 0 for
    neither. `most`: for so many persons at once. `whole`: it is a course, and one signs up for all
    of its times at once (`Registration`). `asks`: who came is asked afterwards, `questions` of
    one's own, too (`rules.asking.Question.stored`). `uid` is the source's, `revision` grows with
    every change (SEQUENCE). `department` keeps it; without one it is the whole city's.
    """

    class Stage(models.TextChoices):
        """How it stands."""

        DRAFT = "draft", "下書き"
        PUBLISHED = "published", "公開"
        CANCELLED = "cancelled", "中止"

    source = models.ForeignKey(Source, models.PROTECT, related_name="events", null=True)
    uid = models.CharField(max_length=300, blank=True)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", null=True)
    stage = models.CharField(max_length=9, choices=Stage.choices, default=Stage.DRAFT)
    texts = models.JSONField()
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+", null=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="+", null=True)
    contact = models.CharField(max_length=200, blank=True)
    link = models.URLField(max_length=500, blank=True)
    all_day = models.BooleanField(default=False)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    rule = models.CharField(max_length=200, blank=True)
    skips = models.JSONField(default=list)
    takes = models.BooleanField(default=False)
    capacity = models.PositiveIntegerField(null=True)
    waits = models.BooleanField(default=True)
    most = models.PositiveSmallIntegerField(default=1)
    whole = models.BooleanField(default=False, db_default=False)
    opens = models.DateTimeField(null=True)
    closes = models.PositiveSmallIntegerField(default=0)
    reminds = models.PositiveSmallIntegerField(default=24)
    asks = models.BooleanField(default=False)
    questions = models.JSONField(null=True)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # An importer finds its own by this, and no other's.
            models.UniqueConstraint(
                fields=["source", "uid"],
                condition=Q(source__isnull=False),
                name="events_one_uid_a_source",
            ),
            models.CheckConstraint(
                condition=Q(ends__gte=models.F("starts")), name="events_end_after_they_begin"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.stage}"

    @property
    def venue(self) -> Facility | Site | None:
        """The city's own place where it is; None: its texts say where."""
        return self.facility or self.site


class Occurrence(models.Model):
    """One time of an event, with a line of its own.

    `reason` is why it was called off (`rules.reasons.Reason`), `reason_words` staff's own words.
    `over`: it has ended, and the pages were told. `reminded_at`, `asked_at`: those who had a place
    were told so. `asked` is what they were asked, whatever becomes of the event's `questions`: else
    answers would stand under questions that nobody was asked. `numbers` counts those who proved
    that it was them. `unsettled`: somebody left the city's lists, and who moves up is still to be
    seen. From `faded_at` on nobody is known: `had`, `waited`, `came` and `cancelled` say how many
    persons that were.
    """

    event = models.ForeignKey(Event, models.PROTECT, related_name="times")
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=8, blank=True, db_default="")
    reason_words = models.CharField(max_length=LONGEST, blank=True, db_default="")
    over = models.BooleanField(default=False)
    reminded_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    asked = models.JSONField(null=True)
    numbers = models.PositiveIntegerField(default=0)
    unsettled = models.BooleanField(default=False)
    faded_at = models.DateTimeField(null=True)
    had = models.PositiveIntegerField(default=0)
    waited = models.PositiveIntegerField(default=0)
    came = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "starts"], name="events_one_time_a_moment"),
        ]
        indexes: ClassVar = [
            # What is still to come, for every list; and what has just ended.
            models.Index(fields=["starts"], condition=Q(over=False), name="events_to_come"),
        ]

    def __str__(self) -> str:
        return f"#{self.event_id} {self.starts}"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    """Registrations in the words of who keeps the line."""

    def in_line(self) -> Self:
        """Who proved that it was them, and did not cancel."""
        return self.filter(number__isnull=False, cancelled_at=None)


class Registration(models.Model):
    """Somebody signed up for one time. Personal: it fades when the time is long over.

    Who signed up for a course has one for each time of it, of the same number: each time has the
    line of the whole, and says by itself who came.

    `person` is a resident's number; without one, staff wrote them down (`phone`), and tell them
    themselves (`to_call`). `address` is the mail address's number that awaits their word. `number`
    is theirs in the line, from when they gave it. `seated`: they were told that they have a place.
    """

    occurrence = models.ForeignKey(Occurrence, models.PROTECT, related_name="registrations")
    person = models.PositiveBigIntegerField(null=True)
    address = models.PositiveBigIntegerField(null=True)
    name = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    seats = models.PositiveSmallIntegerField(default=1)
    number = models.PositiveIntegerField(null=True)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    seated = models.BooleanField(default=False)
    attended = models.BooleanField(null=True)
    answered = models.BooleanField(default=False)
    to_call = models.BooleanField(default=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["occurrence", "person"],
                condition=Q(cancelled_at=None, person__isnull=False),
                name="events_nobody_stands_twice",
            ),
            models.UniqueConstraint(
                fields=["occurrence", "number"], name="events_one_number_in_line"
            ),
        ]
        indexes: ClassVar = [
            # What somebody signed up for, for that person's own page.
            models.Index(fields=["person"], name="events_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Answer(models.Model):
    """What somebody thought of a time: nobody's name, and nothing that leads to one.

    `score` is 1 (bad) to 5 (good). `answers` are to what was `asked`, in its order
    (`rules.asking.Given`); empty where nothing more was.
    """

    occurrence = models.ForeignKey(Occurrence, models.PROTECT, related_name="answers")
    score = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=1000, blank=True)
    answers = models.JSONField(null=True)
    on = models.DateField()

    def __str__(self) -> str:
        return f"#{self.occurrence_id} {self.score}"
