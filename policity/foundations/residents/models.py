"""Who wants to know what, where they live, and how they are reached.

Everything here is personal data. It is read and written through this room's services and
queries only, and none of it is ever logged.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from policity.foundations.places.models import Town
from policity.kit.languages import LANGUAGES


class Resident(models.Model):
    """Somebody who registered to hear from the city. No name is asked for.

    `external_id` is the number in an imported list. `wants` holds the choices as
    `rules.choices.pack` writes them; empty for the city's defaults. Quiet hours are minutes of
    the day, both or neither. `version` grows with every change; one beyond `Version` belongs to a
    list that is still being taken over, and nobody sees it yet.

    `born` (year) and `household` are for counting alone, and empty for most: who tells them does so
    freely. `household` is a number made from that of a list (`formats.household`): people of one
    home have the same, and nobody else.
    """

    external_id = models.CharField(max_length=100, unique=True, null=True, blank=True)
    language = models.CharField(
        max_length=10, choices=[(language.code, language.name) for language in LANGUAGES]
    )
    wants = models.CharField(max_length=300, blank=True)
    quiet_from = models.PositiveSmallIntegerField(null=True, blank=True)
    quiet_to = models.PositiveSmallIntegerField(null=True, blank=True)
    born = models.PositiveSmallIntegerField(null=True, blank=True)
    household = models.BigIntegerField(null=True, blank=True)
    registered_at = models.DateTimeField()
    version = models.PositiveBigIntegerField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__lt=1440, quiet_to__lt=1440),
                name="residents_quiet_hours_are_a_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Label(models.TextChoices):
    """Why somebody watches a place."""

    HOME = "home", "自宅"
    FAMILY = "family", "家族の家"
    SCHOOL = "school", "学校"
    WORK = "work", "職場"


class Place(models.Model):
    """A place that a resident watches: a town, and its point (degrees) where it is known."""

    resident = models.ForeignKey(Resident, models.CASCADE, related_name="places")
    label = models.CharField(max_length=6, choices=Label.choices, default=Label.HOME)
    town = models.ForeignKey(Town, models.PROTECT, related_name="+")
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lat__isnull=True, lon__isnull=True)
                | Q(lat__isnull=False, lon__isnull=False),
                name="residents_a_point_has_both",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.resident_id} {self.label}"


class Channel(models.TextChoices):
    """How somebody is reached."""

    MAIL = "mail", "メール"
    PUSH = "push", "通知"


class AddressQuerySet(models.QuerySet["Address"]):
    """Addresses in the words of the sending side."""

    def usable(self) -> "AddressQuerySet":
        """Confirmed by their owner, and not known to be dead."""
        return self.filter(confirmed_at__isnull=False, retired_at__isnull=True)


class Address(models.Model):
    """A mail address, or a browser's push subscription (`value` is its endpoint, RFC 8030).

    `p256dh` and `auth` are the subscription's keys (RFC 8291), base64url. A retired address is
    dead (unknown user, subscription gone); `retired_for` is the gateway's word, for staff. Beside a
    confirmed mail address another may wait for its owner's word, to take its place.
    """

    resident = models.ForeignKey(Resident, models.CASCADE, related_name="addresses")
    channel = models.CharField(max_length=4, choices=Channel.choices)
    value = models.CharField(max_length=2000)
    p256dh = models.CharField(max_length=100, blank=True)
    auth = models.CharField(max_length=40, blank=True)
    added_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_for = models.CharField(max_length=200, blank=True)

    objects = AddressQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # The channel first: a batch reads a range of residents on one channel.
            models.UniqueConstraint(
                fields=["channel", "resident"],
                condition=Q(confirmed_at__isnull=False),
                name="residents_one_address_a_channel",
            ),
            models.UniqueConstraint(
                fields=["channel", "resident"],
                condition=Q(confirmed_at__isnull=True),
                name="residents_one_waits_a_channel",
            ),
        ]
        indexes: ClassVar = [
            # Who has this address: registering twice, a bounce, a browser that comes back.
            models.Index(fields=["channel", "value"]),
        ]

    def __str__(self) -> str:
        return f"#{self.resident_id} {self.channel}"


class Version(models.Model):
    """The number of the last change here: one row. Whoever keeps a copy asks what is newer.

    It grows, and not always by one.
    """

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


class Departure(models.Model):
    """A resident who left, by number only, so that copies forget them too."""

    resident = models.PositiveBigIntegerField()
    version = models.PositiveBigIntegerField(db_index=True)

    def __str__(self) -> str:
        return f"#{self.resident}"
