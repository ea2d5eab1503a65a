"""The city's own evacuation information (避難情報), from the first draft to what became of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from policity.fields.alerts.rules.orders import Level


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders in the words of the crisis room."""

    def issued(self) -> "OrderQuerySet":
        """Those that were issued, in order; without those that were sent in error."""
        issued = self.filter(stage=Order.Stage.ISSUED, withdrawn_at=None)
        return issued.order_by("issued_at", "pk")


class Order(models.Model):
    """One decision: a level for some towns, or that it is lifted there (`level` is empty).

    `towns` holds towns' numbers; a town's row is never deleted. `notes` maps a language code to
    what is added by hand, `notes_checked` to who checked it: what nobody checked is not sent.
    `version` counts changes, so that nobody approves what they have not read. `story` is the
    number of the first order of the story that this one goes on with, its own if it begins one.
    Once it is issued it stays as it is; `withdrawn_at`: it was sent in error.
    """

    class Stage(models.TextChoices):
        """How far it has come."""

        DRAFT = "draft", "作成中"
        SUBMITTED = "submitted", "承認待ち"
        ISSUED = "issued", "発令"
        DISCARDED = "discarded", "取りやめ"

    stage = models.CharField(max_length=9, choices=Stage.choices)
    version = models.PositiveIntegerField(default=1)
    level = models.PositiveSmallIntegerField(
        null=True, choices=[(one.value, one.name) for one in Level]
    )
    towns = models.JSONField()
    reason = models.CharField(max_length=20, blank=True)
    notes = models.JSONField(default=dict)
    notes_checked = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    # Why it was issued by one person alone, and that a second one has looked at it since.
    alone = models.CharField(max_length=300, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    story = models.PositiveBigIntegerField(null=True)
    message = models.ForeignKey(
        "delivery.Message", related_name="+", on_delete=models.PROTECT, null=True
    )
    correction = models.ForeignKey(
        "delivery.Message", related_name="+", on_delete=models.PROTECT, null=True
    )
    showing = models.ForeignKey(
        "publishing.Showing", related_name="+", on_delete=models.SET_NULL, null=True
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["stage", "issued_at"])]

    def __str__(self) -> str:
        return f"{self.pk} {self.level or 'lifted'} {self.stage}"


class OrderStep(models.Model):
    """Who did what to an order, and when. Append-only: the chronology is read from it."""

    class Act(models.TextChoices):
        """What was done."""

        COMPOSED = "composed", "作成"
        CHANGED = "changed", "変更"
        SUBMITTED = "submitted", "承認を依頼"
        RETURNED = "returned", "差し戻し"
        ISSUED = "issued", "承認・発令"
        DISCARDED = "discarded", "取りやめ"
        WITHDRAWN = "withdrawn", "誤りとして取り消し"
        REVIEWED = "reviewed", "事後の確認"

    order = models.ForeignKey(Order, related_name="steps", on_delete=models.PROTECT)
    act = models.CharField(max_length=9, choices=Act.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    words = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.order_id} {self.act}"
