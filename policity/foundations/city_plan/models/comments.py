"""A call for comments, what came in, and what the city answers to comments that say the same."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from policity.foundations.accounts.models import User
from policity.foundations.city_plan.models.plans import Measure, Plan
from policity.foundations.city_plan.rules.commenting import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    Channel,
    Outcome,
    Reason,
    Stage,
)


class Call(models.Model):
    """A call for comments (意見募集) on a plan's evaluation of a fiscal year, or on its draft.

    `year` is the one whose evaluation is shown, none for the draft of the plan. It is open from
    `first_day` to the end of `last_day`. `texts` maps a language code to {"title", "body"};
    Japanese is always there. `revision` grows with every change: whoever changes it says what
    they saw.
    """

    STAGES: ClassVar = {
        Stage.DRAFT: "下書き",
        Stage.COMING: "予告",
        Stage.OPEN: "受付中",
        Stage.CLOSED: "締め切り",
        Stage.PUBLISHED: "結果を公開",
    }

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="calls")
    year = models.PositiveSmallIntegerField(null=True)
    texts = models.JSONField()
    first_day = models.DateField()
    last_day = models.DateField()
    stage = models.CharField(
        max_length=9, choices=[(s.value, w) for s, w in STAGES.items()], default=Stage.DRAFT.value
    )
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="city_plan_call_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.stage}"


class CommentGroup(models.Model):
    """Comments that say the same, and the city's answer to them (意見の概要と市の考え方).

    `texts` maps a language code to {"title", "summary", "answer", "change"}: what is said, what
    the city thinks of it, and what changed because of it. `outcome` is empty as long as there is
    no answer. `is_checked`: somebody looked, and what reads like a resident's name is none.
    """

    OUTCOMES: ClassVar = {
        Outcome.REFLECTED: "反映した",
        Outcome.INCLUDED: "すでに含まれている",
        Outcome.NOTED: "参考にする",
        Outcome.DECLINED: "反映しない",
        Outcome.ANSWERED: "質問への答え・そのほか",
    }

    call = models.ForeignKey(Call, models.PROTECT, related_name="groups")
    texts = models.JSONField()
    outcome = models.CharField(
        max_length=9, blank=True, choices=[(o.value, w) for o, w in OUTCOMES.items()]
    )
    is_checked = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.pk}"


class Comment(models.Model):
    """What somebody said, word for word. It is never published: what a group says of it is.

    `name` and `address` are what they wrote of themselves, for staff alone, and fade. `received`
    is the day on which it came, `by` who typed it in, none for what came by web. What is
    `withheld` is in no group; `note` says more of why.
    """

    CHANNELS: ClassVar = {
        Channel.WEB: "ウェブ",
        Channel.MAIL: "メール",
        Channel.PAPER: "紙",
    }
    REASONS: ClassVar = {
        Reason.PERSONAL: "個人のことが書かれている",
        Reason.ABUSE: "ひとを傷つけることば",
        Reason.ADVERT: "宣伝・関係のないこと",
        Reason.OTHER: "そのほか",
    }

    call = models.ForeignKey(Call, models.PROTECT, related_name="comments")
    measure = models.ForeignKey(Measure, models.PROTECT, related_name="+", null=True)
    group = models.ForeignKey(CommentGroup, models.PROTECT, related_name="comments", null=True)
    channel = models.CharField(max_length=5, choices=[(c.value, w) for c, w in CHANNELS.items()])
    language = models.CharField(max_length=10, default="ja")
    text = models.TextField(blank=True)
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    address = models.CharField(max_length=LONGEST_ADDRESS, blank=True)
    received = models.DateField()
    kept_at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", null=True)
    withheld = models.CharField(
        max_length=8, blank=True, choices=[(r.value, w) for r, w in REASONS.items()]
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(withheld="") | Q(group=None), name="city_plan_withheld_is_in_no_group"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
