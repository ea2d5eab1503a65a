"""Messages, whom they go to, and the reach ledger: who was reached, and how far."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from policity.foundations.delivery.rules.ledger import State
from policity.kit.declare import Lane


class Leads(models.TextChoices):
    """Where the personal link in a message leads (`residents.rules.links.Purpose`)."""

    REPLY = "reply", "返事"
    CONFIRM = "confirm", "アドレスの確認"
    CHANGE = "change", "設定"
    JOIN = "join", "イベントの申込みの確認"
    JOIN_NEW = "join_new", "イベントの申込みとアドレスの確認"
    EVENTS = "events", "イベントの申込み"

    @property
    def unconfirmed(self) -> bool:
        """Whether it goes to an address that awaits its owner's word, to ask for it."""
        return self in (Leads.CONFIRM, Leads.JOIN_NEW)

    @property
    def proves(self) -> bool:
        """Whether the link proves the mailbox that it was sent to, and names it."""
        return self in (Leads.CONFIRM, Leads.JOIN, Leads.JOIN_NEW)


# Hundreds of thousands of rows at once: the key begins with the message, which is never deleted.
UNCHECKED: dict[str, Any] = {"db_index": False, "db_constraint": False}


class Message(models.Model):
    """One thing told, with its texts frozen as they were told. Append-only.

    `kind` is what residents choose by ("weather"), `thread` holds the messages of one story
    together ("alerts:event:12"). `severity` is CAP's word, `level` the 警戒レベル(相当) where
    there is one. `texts` maps a language code to {"title", "body"}. `sent_with` is the message in
    whose dispatch this one travels: what one announcement says is one mail.
    """

    kind = models.CharField(max_length=20)
    thread = models.CharField(max_length=100)
    severity = models.CharField(max_length=8)
    level = models.PositiveSmallIntegerField(null=True)
    told_at = models.DateTimeField()
    created_at = models.DateTimeField()
    texts = models.JSONField()
    sent_with = models.ForeignKey(
        "self", related_name="sent_along", on_delete=models.PROTECT, null=True
    )

    class Meta:
        ordering: ClassVar = ["-told_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-told_at"]),
            # Who was told of a story hears how it went on.
            models.Index(fields=["thread"], name="message_thread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.thread}"


class Dispatch(models.Model):
    """The sending of a message, and of those that travel with it, to a frozen audience.

    `cursor` is the last resident whose rows are written; `expanded_at` when all were. `targets`
    grows in the same transactions as the rows. `ahead`: a correction, before everything else.
    `path` is the page that tells more, without its language ("alerts/12/"), `leads_to` where the
    personal link leads; both may be empty. From `faded_at` on the standing alone tells whom it
    reached: its persons are being forgotten (`services.fading`).
    """

    class Stage(models.TextChoices):
        """How the sending stands."""

        AWAITING = "awaiting", "承認待ち"
        ACCEPTED = "accepted", "送信"
        WITHDRAWN = "withdrawn", "取り下げ"

    message = models.OneToOneField(Message, on_delete=models.PROTECT, primary_key=True)
    stage = models.CharField(max_length=9, choices=Stage.choices)
    lane = models.CharField(max_length=20, choices=[(lane.value, lane.value) for lane in Lane])
    ahead = models.BooleanField(default=False)
    audience = models.JSONField()
    path = models.CharField(max_length=200, blank=True)
    leads_to = models.CharField(max_length=8, choices=Leads.choices, blank=True)
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT, null=True
    )
    cursor = models.PositiveBigIntegerField(default=0)
    targets = models.PositiveIntegerField(default=0)
    expanded_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    faded_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.message_id} {self.stage}"

    @property
    def expanding(self) -> bool:
        """Whether more rows are still to come."""
        return self.stage == self.Stage.ACCEPTED and self.expanded_at is None


class Target(models.Model):
    """One person whom a message is for. Written beside the ledger, to count it against."""

    pk = models.CompositePrimaryKey("message_id", "person")
    message = models.ForeignKey(Message, models.PROTECT, related_name="+", **UNCHECKED)
    person = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.message_id} #{self.person}"


class LedgerRow(models.Model):
    """How far a message came with a person on a channel. The key is what makes it happen once.

    `hold` is 0, or the minute of the day (1–1440) at which the person's quiet hours end.
    `reason` is the gateway's last word, for staff.
    """

    pk = models.CompositePrimaryKey("message_id", "person", "channel")
    message = models.ForeignKey(Message, models.PROTECT, related_name="+", **UNCHECKED)
    person = models.PositiveBigIntegerField()
    channel = models.CharField(max_length=4)
    state = models.PositiveSmallIntegerField(choices=[(s.value, s.word) for s in State])
    hold = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    changed_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "delivery_ledger"

    def __str__(self) -> str:
        return f"{self.message_id} #{self.person} {self.channel} {State(self.state).word}"


class Reach(models.Model):
    """How far a dispatch had come at a moment: its targets, and persons by their furthest state.

    Append-only, so that the curve outlives the sending. The states' sum is `targets`.
    """

    message = models.ForeignKey(Message, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    targets = models.PositiveIntegerField()
    unreachable = models.PositiveIntegerField()
    withdrawn = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    queued = models.PositiveIntegerField()
    handed = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    seen = models.PositiveIntegerField()
    confirmed = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            # The curve of one message, in order.
            models.UniqueConstraint(fields=["message", "at"], name="delivery_one_sample_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.at}"


class MovementQuerySet(models.QuerySet["Movement"]):
    """Movements in the words of who counts."""

    def uncounted(self) -> "MovementQuerySet":
        """Of messages whose rows have changed since somebody counted them."""
        return self.filter(changes__gt=F("counted"))


class Movement(models.Model):
    """That rows of a message's ledger have changed: one row a message.

    `changes` grows with every transaction that changes them, in that transaction; `counted` is
    what it was when they were last counted.
    """

    message = models.OneToOneField(
        Message, models.PROTECT, primary_key=True, related_name="movement"
    )
    changes = models.PositiveBigIntegerField()
    counted = models.PositiveBigIntegerField()

    objects = MovementQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # Whose turn it is to be counted, each second, among all that were ever sent.
            models.Index(
                fields=["message"],
                condition=Q(changes__gt=F("counted")),
                name="delivery_uncounted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.changes}"


class Standing(models.Model):
    """How a dispatch stands as it was last counted, split up: one row a message, written over.

    `changes` is the movement's at the count: where they are the same, this is how it stands now.
    `split` is what `rules.reach.Split` packs: persons by town and by language, rows by channel,
    and why persons failed.
    """

    message = models.OneToOneField(
        Message, models.PROTECT, primary_key=True, related_name="standing"
    )
    changes = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    targets = models.PositiveIntegerField()
    counted = models.PositiveIntegerField()
    split = models.JSONField()

    def __str__(self) -> str:
        return f"{self.message_id} {self.at}"


class Reply(models.Model):
    """What a person answered to a message. The latest counts; all are kept."""

    class Answer(models.TextChoices):
        """The three buttons."""

        SEEN = "seen", "見ました"
        SAFE = "safe", "無事です"
        HELP = "help", "助けが必要です"

    message = models.ForeignKey(Message, related_name="replies", on_delete=models.PROTECT)
    person = models.PositiveBigIntegerField()
    channel = models.CharField(max_length=4)
    answer = models.CharField(max_length=4, choices=Answer.choices)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["message", "person"])]

    def __str__(self) -> str:
        return f"{self.message_id} #{self.person} {self.answer}"


class Alarm(models.Model):
    """Somebody needs help: a place in the staffed queue, until somebody has seen to it.

    One a person and message. `phone` and `situation` are what the person added; they are
    personal, and are emptied when the alarm is closed.
    """

    message = models.ForeignKey(Message, related_name="alarms", on_delete=models.PROTECT)
    person = models.PositiveBigIntegerField()
    town = models.CharField(max_length=50, blank=True)
    language = models.CharField(max_length=10)
    raised_at = models.DateTimeField()
    phone = models.CharField(max_length=30, blank=True)
    situation = models.JSONField(default=list)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT, null=True
    )
    taken_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message", "person"],
                condition=Q(closed_at=None),
                name="delivery_one_open_alarm_a_person",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["closed_at", "raised_at"])]

    def __str__(self) -> str:
        return f"#{self.person}"


class ToldByHand(models.Model):
    """Staff told a message where no machine of ours can: a ledger entry. Append-only.

    `outlet` is the place (緊急速報メール, the prefecture's system, X), `text` what was put there.
    """

    message = models.ForeignKey(Message, related_name="by_hand", on_delete=models.PROTECT)
    outlet = models.CharField(max_length=20)
    text = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "outlet"], name="delivery_by_hand_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.outlet}"


class DrillStep(models.Model):
    """Who did what about a drill to real people. Append-only.

    `by` is empty where a message stopped it: `because` is that one.
    """

    class Act(models.TextChoices):
        """What was done; the words are the minutes'."""

        COMPOSED = "composed", "作成"
        APPROVED = "approved", "承認"
        SENT = "sent", "送信"
        STOPPED = "stopped", "自動で中止"
        WITHDRAWN = "withdrawn", "取りやめ"

    message = models.ForeignKey(Message, related_name="drill_steps", on_delete=models.PROTECT)
    act = models.CharField(max_length=9, choices=Act.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT, null=True
    )
    because = models.ForeignKey(Message, related_name="+", on_delete=models.PROTECT, null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            # Two persons, not one who presses twice.
            models.UniqueConstraint(
                fields=["message", "by"],
                condition=Q(act="approved"),
                name="delivery_one_approval_a_person",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="delivery_drill_steps")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.act}"


class AlarmStep(models.Model):
    """Who did what about a call for help, and when. Append-only; nothing personal stands in it.

    The alarm itself only knows who has it now: the chronology is read from here.
    """

    class Act(models.TextChoices):
        """What was done; the words are the minutes'."""

        RAISED = "raised", "助けを求める返事が届く"
        TAKEN = "taken", "受け持つ"
        ESCALATED = "escalated", "だれも受けないまま時間がたつ"
        CLOSED = "closed", "終わりにする"
        SAFE = "safe", "本人から「無事です」の返事"

    alarm = models.ForeignKey(Alarm, related_name="steps", on_delete=models.PROTECT)
    act = models.CharField(max_length=9, choices=Act.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT, null=True
    )

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.act}"


class Hold(models.Model):
    """That nothing of a lane is begun, from `since` on; `until` is empty while it lasts.

    At most one lasts in each lane. Rows are kept.
    """

    lane = models.CharField(max_length=20, choices=[(lane.value, lane.value) for lane in Lane])
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["lane"], condition=Q(until=None), name="delivery_one_hold_a_lane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lane} {self.since}"
