"""What is kept as records: notes, hand-overs, and the one switch of the state of emergency."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.utils import timezone

from policity.fields.alerts.models import Emergency, HandOver, Note
from policity.fields.alerts.queries.records import EMERGENCY
from policity.fields.alerts.rules.records import hand_over_fault, note_fault, why_fault
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import audit
from policity.foundations.delivery import services as delivery
from policity.foundations.publishing.services import mark_stale
from policity.foundations.work import services as work
from policity.kit import moments

log = structlog.get_logger("policity.alerts")

# The same words again so soon are a second tap on the same button.
SECOND_TAP = timedelta(minutes=1)


class RecordError(ValueError):
    """It was not recorded. The text says why and what to do, in Japanese."""


@work.alone("alerts")
def write_note(
    *, text: str, at: datetime, by: User, now: datetime, corrects: int | None = None
) -> Note:
    """Put a line into the chronology, of now or of earlier; or correct one (`corrects`).

    Raises RecordError.
    """
    _require(by, Act.KEEP_CHRONOLOGY, now=now)
    if fault := note_fault(text, at=at, now=now):
        raise RecordError(fault)
    said = {"text": text.strip(), "at": at, "by": by, "corrects": corrects}
    again: Note | None = Note.objects.filter(**said, written_at__gt=now - SECOND_TAP).first()
    if again is not None:
        return again
    wrong = _wrong_note(corrects) if corrects is not None else None
    made: Note = Note.objects.create(**said | {"corrects": wrong}, written_at=now)
    audit.record("note.written", on=f"alerts.note:{made.pk}", by=by, now=now, corrects=corrects)
    return made


def _wrong_note(number: int) -> Note:
    found: Note | None = Note.objects.select_for_update().filter(pk=number).first()
    if found is None:
        raise RecordError("訂正する記録が、ありません。")
    later = Note.objects.filter(corrects=found).select_related("by").first()
    if later is not None:
        at = moments.clock(timezone.localtime(later.written_at), "ja")
        raise RecordError(f"{later.by}が、{at}にもう訂正しました。新しい記録を読んでください。")
    return found


@work.alone("alerts")
def hand_over(
    *, text: str, summary: Sequence[Mapping[str, Any]], by: User, now: datetime
) -> HandOver:
    """Write down what the next shift must know, with how things stand now. Raises RecordError."""
    _require(by, Act.KEEP_CHRONOLOGY, now=now)
    if fault := hand_over_fault(text):
        raise RecordError(fault)
    again: HandOver | None = HandOver.objects.filter(
        text=text.strip(), by=by, at__gt=now - SECOND_TAP
    ).first()
    if again is not None:
        return again
    made: HandOver = HandOver.objects.create(
        text=text.strip(), summary=list(summary), by=by, at=now
    )
    audit.record("hand_over.written", on=f"alerts.hand_over:{made.pk}", by=by, now=now)
    log.info("handed_over", hand_over=made.pk)
    return made


@work.alone("alerts")
def receive(*, hand_over: int, by: User, now: datetime) -> HandOver:
    """The next officer has read it and takes over. Raises RecordError."""
    _require(by, Act.KEEP_CHRONOLOGY, now=now)
    found: HandOver | None = HandOver.objects.select_for_update().filter(pk=hand_over).first()
    if found is None:
        raise RecordError("この引き継ぎは、ありません。")
    if found.received_by is not None and found.received_by != by:
        raise RecordError(f"{found.received_by}が、もう引き継ぎました。")
    if found.by == by:
        raise RecordError("書いた人は、自分の引き継ぎを受けられません。次の人が押します。")
    if found.received_by is None:
        found.received_by, found.received_at = by, now
        found.save(update_fields=["received_by", "received_at"])
        audit.record("hand_over.received", on=f"alerts.hand_over:{found.pk}", by=by, now=now)
        log.info("taken_over", hand_over=found.pk)
    return found


@work.alone("alerts")
def declare_emergency(*, why: str, by: User, now: datetime) -> Emergency:
    """The city has its disaster headquarters: site, board and channels at once.

    The site's front page says so, and routine messages wait. Raises RecordError.
    """
    _require(by, Act.SWITCH_EMERGENCY, now=now)
    if fault := why_fault(why):
        raise RecordError(fault)
    standing = Emergency.objects.filter(ended_at=None).select_related("began_by").first()
    if standing is not None:
        at = moments.full(timezone.localtime(standing.began_at), "ja")
        raise RecordError(f"{standing.began_by}が、{at}にもう切り替えました。")
    made: Emergency = Emergency.objects.create(began_at=now, began_by=by, why=why.strip())
    delivery.hold_routine(by=by, now=now)
    mark_stale({EMERGENCY}, now=now)
    audit.record("emergency.declared", on=f"alerts.emergency:{made.pk}", by=by, now=now)
    log.warning("emergency_declared", emergency=made.pk)
    return made


@work.alone("alerts")
def end_emergency(*, emergency: int, by: User, now: datetime) -> Emergency:
    """The state of emergency that was read (`emergency`) is over; what waited goes out.

    Raises RecordError.
    """
    _require(by, Act.SWITCH_EMERGENCY, now=now)
    found: Emergency | None = Emergency.objects.select_for_update().filter(pk=emergency).first()
    if found is None or found.ended_at is not None:
        raise RecordError("緊急時の体制は、もう終わっています。")
    found.ended_at, found.ended_by = now, by
    found.save(update_fields=["ended_at", "ended_by"])
    delivery.release_routine(now=now)
    mark_stale({EMERGENCY}, now=now)
    audit.record("emergency.ended", on=f"alerts.emergency:{found.pk}", by=by, now=now)
    log.warning("emergency_ended", emergency=found.pk)
    return found


def _require(by: User, act: Act, *, now: datetime) -> None:
    """Whatever calls this room: who may not, does not."""
    if not may(roles(by, on=timezone.localdate(now)), act):
        raise RecordError("この仕事をする権限がありません。管理者に相談してください。")
