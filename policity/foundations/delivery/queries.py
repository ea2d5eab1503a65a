"""What was told, whom it reached, and what is still on its way."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count, F

from policity.foundations.delivery.models import Alarm, Dispatch, LedgerRow, Message
from policity.foundations.delivery.rules.batches import EXPAND, prefix, send_kind
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.residents.models import Channel
from policity.foundations.residents.rules.choices import ACCOUNT
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


def leads(threads: Iterable[str]) -> set[int]:
    """The messages in whose dispatch anything of these stories was sent."""
    told = Message.objects.filter(thread__in=list(threads)).values_list("pk", "sent_with")
    return {lead or pk for pk, lead in told}


def followers(threads: Iterable[str], *, before: int) -> list[int]:
    """Whoever was handed anything of these stories before a message, ascending."""
    earlier = leads(threads) - {before}
    rows = LedgerRow.objects.filter(message__in=earlier, state__gte=State.HANDED)
    return list(rows.order_by("person").values_list("person", flat=True).distinct())


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
SELECT 'dispatch', "message_id", "stage", CASE WHEN "expanded_at" IS NULL THEN 1 ELSE 0 END,
    "targets"
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
    sent = Dispatch.objects.exclude(message__kind=ACCOUNT).order_by("-message_id")
    return sent.values_list("message_id", flat=True).first()


def status(message: int) -> Status | None:
    """How the sending of a message stands; that of its lead, where it travels with another."""
    found = Message.objects.filter(pk=message).values_list("pk", "sent_with").first()
    if found is None:
        return None
    lead = found[1] or found[0]
    return statuses([lead]).get(lead)


def statuses(leads: Sequence[int]) -> dict[int, Status]:
    """How the sending of each of these messages stands. One query."""
    if not leads:
        return {}
    these = f"({', '.join(['%s'] * len(leads))})"
    with connection.cursor() as cursor:
        cursor.execute(STATUS.format(these=these), [*leads] * STATUS.count("{these}"))
        rows = cursor.fetchall()
    counts: dict[int, dict[str, list[tuple[str, int, int]]]] = {}
    for what, message, text, state, number in rows:
        counts.setdefault(message, {}).setdefault(what, []).append((text, state, number))
    return {m: _status(m, found) for m, found in counts.items() if "dispatch" in found}


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


@dataclass(frozen=True, slots=True)
class Sent:
    """One dispatch for the board: what, how it stands, and how fast."""

    status: Status
    title: str
    kind: str
    severity: str
    created_at: datetime


def sent(limit: int) -> tuple[Sent, ...]:
    """The newest dispatches that are for more than their owner's account. Two queries."""
    newest = Dispatch.objects.exclude(message__kind=ACCOUNT).select_related("message")
    dispatches = list(newest.order_by("-message_id")[:limit])
    stand = statuses([dispatch.message_id for dispatch in dispatches])
    return tuple(
        Sent(
            status=stand[dispatch.message_id],
            title=dispatch.message.texts["ja"]["title"],
            kind=dispatch.message.kind,
            severity=dispatch.message.severity,
            created_at=dispatch.created_at,
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


def awaiting() -> tuple[tuple[int, str, datetime], ...]:
    """What waits for approval: message, title, since when. The oldest first."""
    waiting = Dispatch.objects.filter(stage=Dispatch.Stage.AWAITING).select_related("message")
    return tuple(
        (dispatch.message_id, dispatch.message.texts["ja"]["title"], dispatch.created_at)
        for dispatch in waiting.order_by("created_at")
    )


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


def failures(message: int, limit: int) -> tuple[tuple[str, int], ...]:
    """Why rows of a message failed, with how many each, the most frequent first."""
    rows = LedgerRow.objects.filter(message=message, state=State.FAILED).values_list("reason")
    return tuple(rows.annotate(count=Count("*")).order_by("-count", "reason")[:limit])


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
