"""What was told, whom it reached, and what is still on its way."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count as CountOf
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from policity.foundations.delivery.models import (
    Alarm,
    AlarmStep,
    Dispatch,
    DrillStep,
    Hold,
    LedgerRow,
    Message,
    Reach,
    Standing,
    ToldByHand,
)
from policity.foundations.delivery.rules.batches import EXPAND, prefix, send_kind
from policity.foundations.delivery.rules.drilling import DRILL, ends_drills
from policity.foundations.delivery.rules.ledger import NO_CHANNEL, State
from policity.foundations.delivery.rules.reach import TELLING, Cell, Sample, Split, reached, split
from policity.foundations.residents.models import Channel
from policity.foundations.residents.queries import homes
from policity.foundations.residents.rules.ages import Band
from policity.foundations.residents.rules.choices import APART
from policity.foundations.work import queries as work
from policity.kit.declare import Lane

SENDS = tuple(send_kind(channel) for channel in Channel.values)


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its texts by language code: {"title", "body"}, furigana as markup."""

    id: int
    thread: str
    severity: str
    level: int | None
    told_at: datetime
    created_at: datetime
    texts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Thread:
    """One story: what was told of it last, and when it was first told of."""

    newest: MessageView
    began_at: datetime


def threads(kinds: Iterable[str], limit: int) -> tuple[Thread, ...]:
    """The stories of these kinds among their last `limit` messages, newest first. One query."""
    found: dict[str, Thread] = {}
    for message in Message.objects.filter(kind__in=list(kinds))[:limit]:
        newest = found[message.thread].newest if message.thread in found else _view(message)
        found[message.thread] = Thread(newest, message.told_at)
    return tuple(found.values())


def _view(m: Message) -> MessageView:
    return MessageView(m.pk, m.thread, m.severity, m.level, m.told_at, m.created_at, m.texts)


def message(number: int) -> MessageView:
    """One message. Raises Message.DoesNotExist."""
    return _view(Message.objects.get(pk=number))


def leads(threads: Iterable[str]) -> set[int]:
    """The messages in whose dispatch anything of these stories was sent."""
    told = Message.objects.filter(thread__in=list(threads)).values_list("pk", "sent_with")
    return {lead or pk for pk, lead in told}


def followers(threads: Iterable[str], *, before: int) -> list[int]:
    """Whoever was handed anything of these stories before a message, ascending."""
    earlier = leads(threads) - {before}
    rows = LedgerRow.objects.filter(message__in=earlier, state__gte=State.HANDED)
    return list(rows.order_by("person").values_list("person", flat=True).distinct())


def persons_reached(messages: Iterable[int]) -> dict[int, int]:
    """How many persons each message was handed to, with whatever it travelled along."""
    found = Message.objects.filter(pk__in=list(messages)).values_list("pk", "sent_with")
    lead_of = {pk: lead or pk for pk, lead in found}
    rows = LedgerRow.objects.filter(message__in=set(lead_of.values()), state__gte=State.HANDED)
    counted = rows.values("message_id").annotate(persons=CountOf("person", distinct=True))
    persons = dict(counted.values_list("message_id", "persons"))
    faded = Standing.objects.filter(
        message__in=set(lead_of.values()), message__dispatch__faded_at__isnull=False
    )
    persons |= {kept.message_id: reached(Split.unpack(kept.split).states) for kept in faded}
    return {pk: persons.get(lead, 0) for pk, lead in lead_of.items()}


def in_hand(messages: Iterable[int]) -> bool:
    """Whether somebody is sending anything of these messages at this moment."""
    return any(work.in_hand(SENDS, prefix=prefix(message)) for message in messages)


def waiting_messages() -> set[int]:
    """The messages of which batches are still waiting, or in somebody's hands."""
    return {int(key.partition(":")[0]) for key in work.keys((EXPAND, *SENDS))}


# One statement, so that counts which were written apart are read at one moment. A person's state is
# the furthest over all channels.
STATUS = """
SELECT 'targets', "message_id", '', 0, count(*) FROM delivery_target
WHERE "message_id" IN {these} GROUP BY "message_id"
UNION ALL
SELECT 'persons', "message_id", '', "state", count(*) FROM (
    SELECT "message_id", max("state") AS "state" FROM delivery_ledger
    WHERE "message_id" IN {these} GROUP BY "message_id", "person"
) AS persons GROUP BY "message_id", "state"
UNION ALL
SELECT 'rows', "message_id", "channel", "state", count(*) FROM delivery_ledger
WHERE "message_id" IN {these} GROUP BY "message_id", "channel", "state"
UNION ALL
SELECT CASE WHEN "faded_at" IS NULL THEN 'dispatch' ELSE 'faded' END, "message_id", "stage",
    CASE WHEN "expanded_at" IS NULL THEN 1 ELSE 0 END, "targets"
FROM delivery_dispatch WHERE "message_id" IN {these}
"""


@dataclass(frozen=True, slots=True)
class Status:
    """How the sending of a message stands.

    `targets` is counted in rows of their own, `counted` was added up while they were written.
    `states` counts persons at their furthest state, `channels` rows.
    """

    message: int
    stage: str
    targets: int
    counted: int
    states: Mapping[str, int]
    channels: Mapping[str, Mapping[str, int]]
    expanding: bool

    @property
    def whole(self) -> bool:
        """Whether every target stands in exactly one state."""
        return self.targets == self.counted == sum(self.states.values())


def latest() -> int | None:
    """The message that was sent last, of those that are for more than their owner's account."""
    sent = Dispatch.objects.exclude(message__kind__in=APART).order_by("-message_id")
    return sent.values_list("message_id", flat=True).first()


def far(threads: Iterable[str]) -> dict[str, dict[State, int]]:
    """How many rows stand in which state, of each of these stories. One query."""
    rows = LedgerRow.objects.filter(message__thread__in=set(threads)).order_by("state")
    found: dict[str, dict[State, int]] = {}
    counts = rows.values_list("message__thread", "state").annotate(rows=CountOf("person"))
    for thread, state, count in counts:
        found.setdefault(thread, {})[State(state)] = count
    return found


def told(thread: str) -> bool:
    """Whether anything of a story was told already."""
    return Message.objects.filter(thread=thread).exists()


def status(message: int) -> Status | None:
    """How the sending of a message stands; that of its lead, where it travels with another."""
    found = Message.objects.filter(pk=message).values_list("pk", "sent_with").first()
    if found is None:
        return None
    lead = found[1] or found[0]
    return statuses([lead]).get(lead)


def statuses(leads: Sequence[int]) -> dict[int, Status]:
    """How the sending of each of these messages stands. One query, and one for what has faded."""
    if not leads:
        return {}
    these = f"({', '.join(['%s'] * len(leads))})"
    with connection.cursor() as cursor:
        cursor.execute(STATUS.format(these=these), [*leads] * STATUS.count("{these}"))
        rows = cursor.fetchall()
    counts: dict[int, dict[str, list[tuple[str, int, int]]]] = {}
    for what, message, text, state, number in rows:
        counts.setdefault(message, {}).setdefault(what, []).append((text, state, number))
    said = {m: _status(m, found) for m, found in counts.items() if "dispatch" in found}
    faded = {m: found["faded"][0][0] for m, found in counts.items() if "faded" in found}
    return said | {
        kept.message_id: _kept_status(kept, faded[kept.message_id])
        for kept in (Standing.objects.filter(message__in=faded) if faded else ())
    }


def _kept_status(kept: Standing, stage: str) -> Status:
    split = Split.unpack(kept.split)

    def words(counts: Sequence[int]) -> dict[str, int]:
        return {state.word: counts[state] for state in State}

    return Status(
        message=kept.message_id,
        stage=stage,
        targets=kept.targets,
        counted=kept.counted,
        states=words(split.states),
        channels={
            channel: {word: number for word, number in words(counts).items() if number}
            for channel, counts in split.channels.items()
        },
        expanding=False,
    )


def _status(message: int, counts: Mapping[str, list[tuple[str, int, int]]]) -> Status:
    stage, unexpanded, counted = counts["dispatch"][0]
    channels: dict[str, dict[str, int]] = {}
    for channel, state, number in counts.get("rows", ()):
        channels.setdefault(channel, {})[State(state).word] = number
    persons = {state: number for _, state, number in counts.get("persons", ())}
    return Status(
        message=message,
        stage=stage,
        targets=sum(number for _, _, number in counts.get("targets", ())),
        counted=counted,
        states={state.word: persons.get(state.value, 0) for state in State},
        channels=channels,
        expanding=bool(unexpanded) and stage == Dispatch.Stage.ACCEPTED,
    )


# One statement, so that everything is read at one moment. How far each channel came with a person
# is one digit of a number, which groups in half the time that a column for each takes.
SPLIT = f"""
SELECT 'persons', homes."town", homes."language", homes."band", persons."far", persons."reason",
    count(*)
FROM (
    SELECT "person",
        sum(("state" + 1) * CASE "channel" {{digits}} END) AS "far",
        max(CASE "state" WHEN {State.FAILED.value} THEN substr("reason", 1, {TELLING}) ELSE '' END)
            AS "reason"
    FROM delivery_ledger WHERE "message_id" = %s GROUP BY "message_id", "person"
) AS persons LEFT JOIN ({{homes}}) AS homes ON homes."person" = persons."person"
GROUP BY homes."town", homes."language", homes."band", persons."far", persons."reason"
UNION ALL
SELECT 'targets', NULL, NULL, NULL, 0, '', count(*) FROM delivery_target WHERE "message_id" = %s
UNION ALL
SELECT 'dispatch', NULL, NULL, NULL, "targets", '', coalesce("changes", 0) FROM delivery_dispatch
LEFT JOIN delivery_movement USING ("message_id") WHERE "message_id" = %s
"""  # noqa: S608  # names and numbers of our own
CHANNELS = (*Channel.values, NO_CHANNEL)
BASE = 16
DIGITS = " ".join(f"WHEN '{name}' THEN {BASE**place}" for place, name in enumerate(CHANNELS))


@dataclass(frozen=True, slots=True)
class Count:
    """How a dispatch stood at a moment, whole and split up.

    `targets` is counted in rows of their own, `counted` was added up while they were written.
    `changes` is the movement's at that moment. A resident who watches several places counts in
    the town of the first one; who has left since counts in no town.
    """

    message: int
    changes: int
    at: datetime
    targets: int
    counted: int
    split: Split

    @property
    def whole(self) -> bool:
        """Whether every target stands in exactly one state."""
        return self.targets == self.counted == sum(self.split.states)

    @property
    def sample(self) -> Sample:
        """For the curve."""
        return Sample(self.at, self.targets, self.split.states)


def count(message: int, *, now: datetime) -> Count:
    """Count a dispatch anew. One statement: of 200,000 persons 0.4 s. Raises LookupError."""
    with connection.cursor() as cursor:
        split_up = SPLIT.format(digits=DIGITS, homes=homes(timezone.localdate(now).year))
        cursor.execute(split_up, [message] * 3)
        rows = cursor.fetchall()
    sums = {what: (far, number) for what, _, _, _, far, _, number in rows if what != "persons"}
    if "dispatch" not in sums:
        raise LookupError(f"message {message} was not sent")
    counted, changes = sums["dispatch"]
    cells = (
        Cell(town, language, None if band is None else Band(band), _states(far), reason, number)
        for what, town, language, band, far, reason, number in rows
        if what == "persons"
    )
    return Count(message, changes, now, sums["targets"][1], counted, split(cells))


def _states(far: int) -> dict[str, State]:
    """By channel, how far it came with a person: what `SPLIT` made a number of."""
    digits = ((name, far // BASE**place % BASE) for place, name in enumerate(CHANNELS))
    return {name: State(digit - 1) for name, digit in digits if digit}


# A count that is older, and no longer true, is not shown: whoever asks counts. While a dispatch to
# 200,000 takes the whole machine, counts are some 8 s apart.
FRESH = timedelta(seconds=30)


def standings(messages: Sequence[int], *, now: datetime) -> dict[int, Count]:
    """How each of these dispatches stands: as it was counted last, where that is true or fresh.

    One query, and a count for each that nobody has counted lately.
    """
    dispatches = Dispatch.objects.filter(message__in=messages).select_related(
        "message__standing", "message__movement"
    )
    found = {}
    for dispatch in dispatches:
        kept = getattr(dispatch.message, "standing", None)
        movement = getattr(dispatch.message, "movement", None)
        true = kept is not None and movement is not None and kept.changes == movement.changes
        true = true or dispatch.faded_at is not None
        if kept is not None and (true or now - kept.at <= FRESH):
            found[dispatch.message_id] = Count(
                message=dispatch.message_id,
                changes=kept.changes,
                # What is true is so now.
                at=now if true else kept.at,
                targets=kept.targets,
                counted=kept.counted,
                split=Split.unpack(kept.split),
            )
        else:
            found[dispatch.message_id] = count(dispatch.message_id, now=now)
    return found


def is_sent(message: int) -> bool:
    """Whether a message leads a dispatch that was let out."""
    awaiting = Dispatch.Stage.AWAITING
    return Dispatch.objects.filter(message=message).exclude(stage=awaiting).exists()


def samples(message: int) -> tuple[Sample, ...]:
    """How far a dispatch had come over time, oldest first."""
    rows = Reach.objects.filter(message=message).order_by("at")
    values = rows.values_list("at", "targets", *(state.word for state in State))
    return tuple(Sample(at, targets, tuple(counts)) for at, targets, *counts in values)


@dataclass(frozen=True, slots=True)
class Sent:
    """One dispatch for the board: what, since when, and how it stands."""

    count: Count
    title: str
    kind: str
    severity: str
    stage: str
    expanding: bool
    began_at: datetime


def sent(limit: int, *, now: datetime, chosen: int | None = None) -> tuple[Sent, ...]:
    """The newest dispatches that are for more than their owner's account, and the chosen one.

    What still waits for approval was sent to nobody, and is missing.
    """
    wanted = Dispatch.objects.exclude(message__kind__in=APART)
    wanted = wanted.exclude(stage=Dispatch.Stage.AWAITING).select_related("message")
    dispatches = list(wanted.order_by("-message_id")[:limit])
    if chosen is not None and all(one.message_id != chosen for one in dispatches):
        dispatches += wanted.filter(message=chosen)
    stand = standings([dispatch.message_id for dispatch in dispatches], now=now)
    return tuple(
        Sent(
            count=stand[dispatch.message_id],
            title=dispatch.message.texts["ja"]["title"],
            kind=dispatch.message.kind,
            severity=dispatch.message.severity,
            stage=dispatch.stage,
            expanding=dispatch.expanding,
            began_at=dispatch.approved_at or dispatch.created_at,
        )
        for dispatch in dispatches
    )


@dataclass(frozen=True, slots=True)
class AlarmView:
    """Somebody needs help, for those on duty."""

    id: int
    town: str
    language: str
    raised_at: datetime
    phone: str
    situation: tuple[str, ...]
    owner: str
    taken_at: datetime | None
    escalated: bool


@dataclass(frozen=True, slots=True)
class Awaiting:
    """What waits for approval: one where it is real, two where it is a drill to real people."""

    message: int
    title: str
    since: datetime
    drill: bool


def awaiting() -> tuple[Awaiting, ...]:
    """What waits for approval, what is real first, then the oldest."""
    waiting = Dispatch.objects.filter(stage=Dispatch.Stage.AWAITING).select_related("message")
    found = (
        Awaiting(
            dispatch.message_id,
            dispatch.message.texts["ja"]["title"],
            dispatch.created_at,
            dispatch.message.kind == DRILL,
        )
        for dispatch in waiting.order_by("created_at")
    )
    return tuple(sorted(found, key=lambda one: one.drill))


def open_alarms() -> tuple[AlarmView, ...]:
    """Who needs help and nobody has seen to, those that nobody took first, the oldest first."""
    rows = Alarm.objects.filter(closed_at=None).select_related("owner")
    return tuple(
        AlarmView(
            id=row.pk,
            town=row.town,
            language=row.language,
            raised_at=row.raised_at,
            phone=row.phone,
            situation=tuple(row.situation),
            owner=str(row.owner) if row.owner else "",
            taken_at=row.taken_at,
            escalated=row.escalated_at is not None,
        )
        for row in rows.order_by(F("taken_at").asc(nulls_first=True), "raised_at")
    )


def troubles() -> dict[str, dict[str, str]]:
    """Why nothing moves, by lane and channel, as the senders last said it."""
    found: dict[str, dict[str, str]] = {}
    for lane in Lane:
        try:
            said = (Path(settings.HOME) / "run" / f"sender-{lane}.alive").read_text()
            found[lane] = json.loads(said)
        except (OSError, ValueError):
            continue
    return {lane: channels for lane, channels in found.items() if channels}


@dataclass(frozen=True, slots=True)
class ByHand:
    """Where staff told a message by hand, who did, and when."""

    message: int
    outlet: str
    text: str
    at: datetime
    by: str


def by_hand(messages: Iterable[int]) -> tuple[ByHand, ...]:
    """What was told by hand of these messages, the oldest first. One query."""
    rows = ToldByHand.objects.filter(message__in=list(messages)).select_related("by")
    return tuple(
        ByHand(row.message_id, row.outlet, row.text, row.at, str(row.by))
        for row in rows.order_by("at", "pk")
    )


def open_drills() -> list[int]:
    """The drills to real people that wait for approval or are under way, by message."""
    drills = Dispatch.objects.filter(message__kind=DRILL, withdrawn_at=None)
    under_way = Exists(LedgerRow.objects.filter(message=OuterRef("pk"), state=State.QUEUED))
    found = drills.filter(Q(expanded_at=None) | Q(under_way)).order_by("message_id")
    return list(found.values_list("message_id", flat=True))


def sends_severe() -> bool:
    """Whether anything real and severe is on its way to people."""
    under_way = Dispatch.objects.filter(
        stage=Dispatch.Stage.ACCEPTED, message__in=waiting_messages()
    )
    return any(
        ends_drills(audience["kind"], audience["severity"])
        for audience in under_way.values_list("audience", flat=True)
    )


@dataclass(frozen=True, slots=True)
class DrillHand:
    """One thing that was done about a drill. `because` is the title of what stopped it."""

    message: int
    at: datetime
    act: DrillStep.Act
    title: str
    by: str
    by_id: int | None
    because: str


@dataclass(frozen=True, slots=True)
class DrillSending:
    """A drill to real people: what was done about it, and whether anything of it still waits."""

    message: int
    texts: Mapping[str, Mapping[str, str]]
    stage: str
    open: bool
    steps: tuple[DrillHand, ...]

    def who(self, act: DrillStep.Act) -> tuple[DrillHand, ...]:
        """Everybody who did that."""
        return tuple(step for step in self.steps if step.act is act)


def drill_sendings(limit: int, *, message: int | None = None) -> tuple[DrillSending, ...]:
    """The newest drills to real people, or the one. Three queries."""
    dispatches = Dispatch.objects.filter(message__kind=DRILL).select_related("message")
    if message is not None:
        dispatches = dispatches.filter(message=message)
    found = list(dispatches.order_by("-message_id")[:limit])
    steps: dict[int, list[DrillHand]] = {}
    rows = DrillStep.objects.filter(message__in=[one.message_id for one in found])
    for hand in _hands(rows):
        steps.setdefault(hand.message, []).append(hand)
    still = set(open_drills())
    return tuple(
        DrillSending(
            message=one.message_id,
            texts=one.message.texts,
            stage=one.stage,
            open=one.message_id in still,
            steps=tuple(steps.get(one.message_id, ())),
        )
        for one in found
    )


def drill_log(since: datetime, until: datetime) -> tuple[DrillHand, ...]:
    """What was done about drills from a moment on and before another. One query."""
    return tuple(_hands(DrillStep.objects.filter(at__gte=since, at__lt=until)))


def _hands(rows: QuerySet[DrillStep]) -> Iterator[DrillHand]:
    for row in rows.select_related("message", "because", "by").order_by("pk"):
        yield DrillHand(
            message=row.message_id,
            at=row.at,
            act=DrillStep.Act(row.act),
            title=row.message.texts["ja"]["title"],
            by=str(row.by) if row.by else "",
            by_id=row.by_id,
            because=row.because.texts["ja"]["title"] if row.because else "",
        )


def held(lane: Lane) -> bool:
    """Whether nothing of a lane is begun for now."""
    return Hold.objects.filter(lane=lane, until=None).exists()


def held_back() -> int:
    """How many routine messages are let out and still wait, whole or in part."""
    waiting = Dispatch.objects.filter(
        lane=Lane.ROUTINE, stage=Dispatch.Stage.ACCEPTED, message__in=waiting_messages()
    )
    return waiting.count()


class SendingAct(StrEnum):
    """What became of a dispatch."""

    SENT = "sent"
    WAITED = "waited"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class SendingStep:
    """One line of the chronology: what became of a dispatch. `by` is empty for the city's rules.

    `targets` and `reached` are as they were counted last, at `counted_at`; None: never yet.
    """

    at: datetime
    act: SendingAct
    title: str
    by: str
    targets: int
    reached: int
    counted_at: datetime | None


def sending_log(since: datetime, until: datetime) -> tuple[SendingStep, ...]:
    """What became of dispatches from a moment on and before another. One query.

    Drills have steps of their own (`drill_log`).
    """
    period = {"gte": since, "lt": until}
    touched = Q()
    for name in ("created_at", "approved_at", "withdrawn_at"):
        touched |= Q(**{f"{name}__{edge}": at for edge, at in period.items()})
    rows = Dispatch.objects.filter(touched).exclude(message__kind__in=(*APART, DRILL))
    found = [
        step
        for row in rows.select_related("message__standing", "approved_by").order_by("message_id")
        for step in _sending_steps(row)
        if since <= step.at < until
    ]
    return tuple(sorted(found, key=lambda step: step.at))


def _sending_steps(row: Dispatch) -> Iterator[SendingStep]:
    kept = getattr(row.message, "standing", None)
    by = str(row.approved_by) if row.approved_by else ""
    at_once = row.approved_at == row.created_at
    steps: list[tuple[datetime | None, SendingAct, str]] = [
        (row.created_at, SendingAct.SENT if at_once else SendingAct.WAITED, by if at_once else ""),
        (None if at_once else row.approved_at, SendingAct.APPROVED, by),
        (row.withdrawn_at, SendingAct.WITHDRAWN, ""),
    ]
    for at, act, who in steps:
        if at is not None:
            yield SendingStep(
                at=at,
                act=act,
                title=row.message.texts["ja"]["title"],
                by=who,
                targets=kept.targets if kept else 0,
                reached=reached(Split.unpack(kept.split).states) if kept else 0,
                counted_at=kept.at if kept else None,
            )


@dataclass(frozen=True, slots=True)
class HandStep:
    """One line of the chronology: who told a message where no machine of ours can."""

    at: datetime
    by: str
    title: str
    outlet: str


def by_hand_log(since: datetime, until: datetime) -> tuple[HandStep, ...]:
    """What staff told by hand from a moment on and before another. One query."""
    rows = ToldByHand.objects.filter(at__gte=since, at__lt=until).select_related("message", "by")
    return tuple(
        HandStep(row.at, str(row.by), row.message.texts["ja"]["title"], row.outlet)
        for row in rows.order_by("at", "pk")
    )


@dataclass(frozen=True, slots=True)
class CallStep:
    """One line of the chronology: a call for help. Its town, and nothing of the person."""

    at: datetime
    act: AlarmStep.Act
    town: str
    by: str


def call_log(since: datetime, until: datetime) -> tuple[CallStep, ...]:
    """What became of calls for help from a moment on and before another. One query."""
    rows = AlarmStep.objects.filter(at__gte=since, at__lt=until)
    values = rows.select_related("alarm", "by").only(
        "act", "at", "alarm__town", "by__display_name", "by__username"
    )
    return tuple(
        CallStep(row.at, AlarmStep.Act(row.act), row.alarm.town, str(row.by) if row.by else "")
        for row in values.order_by("at", "pk")
    )
