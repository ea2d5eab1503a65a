"""Putting a message on the road: told, sent to whom it is for, approved, withdrawn.

Whatever is severe ends every drill that waits or is under way, here, where it is told: no field
that tells something can forget it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import structlog
from django.db import transaction

from policity.design import drills
from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.delivery.models import (
    Dispatch,
    DrillStep,
    Leads,
    LedgerRow,
    Message,
    ToldByHand,
)
from policity.foundations.delivery.queries import SENDS, leads, open_drills, waiting_messages
from policity.foundations.delivery.rules import drilling
from policity.foundations.delivery.rules.batches import EXPAND, prefix
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services.counting import moved
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import kind as kind_of
from policity.foundations.work import services as work
from policity.kit.declare import Lane
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

log = structlog.get_logger("policity.delivery")

# Due since long before everything else: what waits longest is claimed first.
AHEAD_OF_ALL = datetime(2000, 1, 1, tzinfo=UTC)
# Who stops drills and who lets one out are never there at once: one of them sees the other.
DRILLS = "drills"


class NotAwaitingError(ValueError):
    """Nothing of this number waits for approval. The message is one Japanese sentence."""


class UnsoundDrillError(ValueError):
    """A drill to real people that somebody could take for real, or that nobody let out."""


def tell(
    *,
    kind: str,
    thread: str,
    severity: str,
    level: int | None,
    texts: Mapping[str, Mapping[str, str]],
    told_at: datetime,
    now: datetime,
) -> Message:
    """Put a message on the road, in the caller's transaction. `send` gives it to people.

    Raises ValueError where a language is missing: nobody is told less than others.
    """
    missing = [language.code for language in LANGUAGES if not texts.get(language.code)]
    if missing:
        raise ValueError(f"no text in {', '.join(missing)} for {thread}")
    told: Message = Message.objects.create(
        kind=kind,
        thread=thread,
        severity=severity,
        level=level,
        told_at=told_at,
        created_at=now,
        texts={code: dict(text) for code, text in texts.items()},
    )
    if drilling.ends_drills(kind, severity):
        stop_drills(because=told, by=None, now=now)
    return told


@transaction.atomic
def send(
    *,
    messages: Sequence[Message],
    audience: Audience,
    by: User | None,
    now: datetime,
    approved: bool = True,
    corrects: bool = False,
    ahead: bool = False,
    paths: Mapping[int, str] | None = None,
    leads_to: str = Leads.REPLY,
) -> Dispatch:
    """Send messages of one announcement as one, in the caller's transaction.

    The gravest leads: its number is the ledger's. `approved=False` waits for `approve`. With
    `corrects` what still waits of their threads is withdrawn, and this goes ahead of everything,
    as it does with `ahead` alone.
    `paths` has the page that tells more of a message ("alerts/12/"), by its number; `leads_to` is
    where the personal link leads, empty for nowhere.

    Raises UnsoundDrillError for a drill that could be taken for real, or was let out already.
    """
    _sound(messages, audience, leads=bool(paths or leads_to), approved=approved)
    first, *others = sorted(messages, key=lambda m: (-Severity(m.severity).rank, -(m.level or 0)))
    for other in others:
        other.sent_with = first
        other.save(update_fields=["sent_with"])
    lane = kind_of(audience.kind).lane
    dispatch = Dispatch.objects.create(
        message=first,
        stage=Dispatch.Stage.ACCEPTED if approved else Dispatch.Stage.AWAITING,
        lane=lane,
        ahead=corrects or ahead,
        audience=audience.freeze(),
        path=(paths or {}).get(first.pk, ""),
        leads_to=leads_to,
        created_at=now,
        approved_at=now if approved else None,
        approved_by=by if approved else None,
    )
    if drilling.ends_drills(audience.kind, audience.severity):
        stop_drills(because=first, by=None, now=now)
    if corrects:
        for message in messages:
            withdraw_thread(thread=message.thread, before=first, now=now)
    if approved:
        let_out(dispatch, now=now)
    log.info("dispatch", message=first.pk, stage=dispatch.stage, lane=lane, ahead=dispatch.ahead)
    return dispatch


def _sound(messages: Sequence[Message], audience: Audience, *, leads: bool, approved: bool) -> None:
    marks = {one.code: drills.mark(one.code) for one in LANGUAGES}
    for message in messages:
        if not drilling.is_drill(message.kind, audience):
            continue
        found = drilling.faults(
            kind=message.kind,
            severity=message.severity,
            level=message.level,
            texts=message.texts,
            marks={code: (mark.prefix, mark.sentence) for code, mark in marks.items()},
            audience=audience,
            leads=leads,
        )
        if approved:
            found += ("nobody has approved it",)
        if found:
            raise UnsoundDrillError(f"{message.thread}: {'; '.join(found)}")


def let_out(dispatch: Dispatch, *, now: datetime) -> None:
    """A dispatch that was accepted is to be expanded, in the caller's transaction."""
    due = AHEAD_OF_ALL if dispatch.ahead else now
    moved([dispatch.message_id])
    work.put(EXPAND, [prefix(dispatch.message_id)], lane=Lane(dispatch.lane), due=due)


@transaction.atomic
def approve(*, message: int, by: User, now: datetime) -> Dispatch:
    """Let a message that waits go out. Raises NotAwaitingError, as for a drill: that takes two."""
    waiting = Dispatch.objects.filter(message=message, stage=Dispatch.Stage.AWAITING)
    waiting = waiting.exclude(message__kind=drilling.DRILL)
    if not waiting.update(stage=Dispatch.Stage.ACCEPTED, approved_at=now, approved_by=by):
        raise NotAwaitingError(f"承認を待っている知らせ {message} はありません。")
    dispatch = Dispatch.objects.select_related("message").get(message=message)
    if drilling.ends_drills(dispatch.audience["kind"], dispatch.audience["severity"]):
        stop_drills(because=dispatch.message, by=None, now=now)
    let_out(dispatch, now=now)
    audit.record("message.approved", on=f"delivery.message:{message}", by=by, now=now)
    log.info("dispatch", message=message, stage=dispatch.stage, lane=dispatch.lane)
    return dispatch


def withdraw_thread(*, thread: str, before: Message, now: datetime) -> None:
    """Take back what still waits of a story, in the caller's transaction."""
    earlier = leads([thread]) - {before.pk}
    open_ones = Dispatch.objects.filter(message__in=earlier, withdrawn_at=None)
    for message in open_ones.order_by("message_id").values_list("message_id", flat=True):
        withdraw(message=message, now=now)


@transaction.atomic
def withdraw(*, message: int, now: datetime) -> int:
    """Take back what has not been handed over, and say how many rows that were.

    What is on its way while this happens is handed over and counts as such.
    """
    Dispatch.objects.filter(message=message).update(
        stage=Dispatch.Stage.WITHDRAWN, withdrawn_at=now
    )
    moved([message])
    waiting = LedgerRow.objects.filter(message=message, state=State.QUEUED)
    count = waiting.update(state=State.WITHDRAWN, changed_at=now)
    work.cancel((EXPAND, *SENDS), prefix=prefix(message))
    log.info("withdrawn", message=message, rows=count)
    return count


def stop_drills(*, because: Message | None, by: User | None, now: datetime) -> None:
    """Take back every drill that waits or is under way, in the caller's transaction.

    Nobody is sent a correction: the real thing comes in its place. `because` is that one; where
    a person makes room for it, `by` is who.
    """
    with work.alone(DRILLS):
        for message in open_drills():
            withdraw(message=message, now=now)
            DrillStep.objects.create(
                message_id=message, act=DrillStep.Act.STOPPED, at=now, by=by, because=because
            )
            log.warning("drill_stopped", message=message, because=because and because.pk)


@transaction.atomic
def withdraw_person(*, resident: int, now: datetime, threads: Iterable[str] | None = None) -> None:
    """Nothing that waits for somebody is sent: they left, or these stories are theirs no more."""
    messages = waiting_messages()
    if threads is not None:
        messages &= leads(threads)
    waiting = LedgerRow.objects.filter(message__in=messages, person=resident, state=State.QUEUED)
    moved(waiting.values_list("message_id", flat=True))
    waiting.update(state=State.WITHDRAWN, changed_at=now)


@transaction.atomic
def told_by_hand(*, message: int, outlet: str, text: str, by: User, now: datetime) -> bool:
    """Note that somebody told a message where no machine of ours can. False: it was noted before.

    The first note stands: who told it, and when.
    """
    _, new = ToldByHand.objects.get_or_create(
        message_id=message, outlet=outlet, defaults={"text": text, "at": now, "by": by}
    )
    if new:
        audit.record(
            "message.told_by_hand", on=f"delivery.message:{message}", by=by, now=now, outlet=outlet
        )
        log.info("told_by_hand", message=message, outlet=outlet)
    return new
