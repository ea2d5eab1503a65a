"""What the city shows of itself: places worth the way, walks that lead past them, and what
residents photographed there.
"""

from typing import ClassVar, Self, TypeVar

from django.db import models

from policity.fields.charm.rules.photographs import Licence, Reason
from policity.fields.charm.rules.seasons import Verb
from policity.foundations.places.models import Town
from policity.foundations.publishing.models import CityImage


class Shown(models.Model):
    """What spots and courses have in common.

    `texts` maps a language code to {"title", "summary", "body", "access"}; Japanese is always
    there. `source` names whose facts these are, `revision` grows with every change.
    """

    class Stage(models.TextChoices):
        """How it stands. What is withdrawn is on no page; it may be published again."""

        DRAFT = "draft", "下書き"
        PUBLISHED = "published", "公開"
        WITHDRAWN = "withdrawn", "取り下げ"

    stage = models.CharField(max_length=9, choices=Stage.choices, default=Stage.DRAFT)
    texts = models.JSONField()
    source = models.CharField(max_length=200, blank=True)
    is_sample = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"#{self.pk} {self.stage}"


ShownT = TypeVar("ShownT", bound=Shown)


class ShownQuerySet(models.QuerySet[ShownT]):
    """Spots or courses in the words of who looks for them."""

    def public(self) -> Self:
        """What everybody may read."""
        return self.filter(stage=Shown.Stage.PUBLISHED)

    def shown_once(self) -> Self:
        """What everybody may read, or could before it was withdrawn."""
        return self.exclude(stage=Shown.Stage.DRAFT)


class Spot(Shown):
    """A place worth the way. `months` are those in which it is (1 to 12), none: all year.

    `kana` is its Japanese name's reading in hiragana. `lat`, `lon`: degrees, WGS 84. `town` is the
    one it lies in, none outside the city. A `picture` is one of the city's; what it shows is told
    by "alt" among the texts.
    """

    verb = models.CharField(max_length=4, choices=[(one.value, one.value) for one in Verb])
    kana = models.CharField(max_length=200, blank=True)
    months = models.JSONField(default=list)
    lat = models.FloatField()
    lon = models.FloatField()
    town = models.ForeignKey(Town, models.PROTECT, related_name="+", null=True)
    picture = models.ForeignKey(CityImage, models.SET_NULL, related_name="+", null=True)

    objects: ClassVar = ShownQuerySet["Spot"].as_manager()


class Course(Shown):
    """A walk. `stops` are what one passes, in order (`rules.stops.Stop`, as JSON).

    `line` is the way as [longitude, latitude] pairs, empty where it goes straight from stop to
    stop.
    """

    stops = models.JSONField()
    line = models.JSONField(default=list)

    objects: ClassVar = ShownQuerySet["Course"].as_manager()


class Contribution(models.Model):
    """What somebody sent at once, and under which terms (`rules.photographs`).

    `person` is a resident's number as long as they are to be told by mail, `language` is the one
    in which they wrote. `credit` is the name to be shown, `terms` the version of the text that
    they agreed to, `taken` the day of the photographs, where they said it.
    """

    person = models.PositiveBigIntegerField(null=True)
    language = models.CharField(max_length=10)
    credit = models.CharField(max_length=60, blank=True)
    licence = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Licence])
    terms = models.CharField(max_length=10)
    taken = models.DateField(null=True)
    sent_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            # Who leaves, or is to be told no more.
            models.Index(fields=["person"], name="charm_sent_by"),
            # How much was sent in a period.
            models.Index(fields=["sent_at"], name="charm_sent_at"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Photograph(models.Model):
    """One photograph of a contribution, of a spot or of the city.

    `texts` maps a language code to {"alt"}: what can be seen. `file` names what lies in the media
    folder (`services.files`), empty once it is deleted; `width` and `height` are its own, in
    pixels. `reason` and `note` say why it was declined.
    """

    class Stage(models.TextChoices):
        """How it stands. Nobody but staff sees what is not published."""

        WAITING = "waiting", "確認待ち"
        PUBLISHED = "published", "公開"
        DECLINED = "declined", "公開しない"
        WITHDRAWN = "withdrawn", "取り下げ"

    contribution = models.ForeignKey(Contribution, models.PROTECT, related_name="photographs")
    spot = models.ForeignKey(Spot, models.PROTECT, related_name="+", null=True)
    stage = models.CharField(max_length=9, choices=Stage.choices, default=Stage.WAITING)
    texts = models.JSONField()
    file = models.CharField(max_length=32, blank=True)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    reason = models.CharField(
        max_length=10, blank=True, choices=[(one.value, one.value) for one in Reason]
    )
    note = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # What waits for staff; what a spot's page and the gallery show.
            models.Index(fields=["stage", "spot"], name="charm_photographs"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.stage}"


class PhotographReport(models.Model):
    """Somebody says that something is wrong with a photograph. `settled_at`: staff looked at it."""

    photograph = models.ForeignKey(Photograph, models.PROTECT, related_name="reports")
    text = models.CharField(max_length=1000)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"#{self.photograph_id}"
