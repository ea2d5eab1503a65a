"""What people answer, and the queue of those who need help."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.delivery.models import Alarm, AlarmStep, LedgerRow, Reply
from policity.foundations.delivery.rules.duty import duty
from policity.foundations.delivery.rules.ledger import State, befores
from policity.foundations.delivery.services.counting import moved
from policity.foundations.residents import queries as residents

log = structlog.get_logger("policity.delivery")

_STATES = {
    Reply.Answer.SEEN: State.SEEN,
    Reply.Answer.SAFE: State.CONFIRMED,
    Reply.Answer.HELP: State.CONFIRMED,
}


class NotOpenError(ValueError):
    """The alarm is closed, or was never raised. The message is one Japanese sentence."""


@transaction.atomic
def reply(
    *,
    message: int,
    person: int,
    channel: str,
    answer: Reply.Answer,
    now: datetime,
    sent_at: datetime | None = None,
) -> Alarm | None:
    """Take a person's answer, and raise the alarm if help is needed.

    Every answer is kept; the ledger's row only goes forward. Somebody who is safe after all
    closes their alarm with it. `sent_at` is when it was given, where that was before now: it had
    to wait for the database. The alarm has waited since then, and "I am safe" of before a call
    does not close it; the chronology says when it came to us. Raises LookupError where the message
    was not for that person.
    """
    sent_at = sent_at or now
    state = _STATES[answer]
    row = LedgerRow.objects.filter(message=message, person=person, channel=channel)
    if not row.exists():
        raise LookupError(f"message {message} was not for this person")
    before = [one.value for one in befores(state)]
    forward = row.filter(state__in=before)
    if forward.exists():
        moved([message])
        forward.update(state=state, changed_at=now, reason="")
    # Whoever taps twice has one alarm.
    list(row.select_for_update())
    Reply.objects.create(
        message_id=message, person=person, channel=channel, answer=answer, at=sent_at
    )
    open_ones = Alarm.objects.filter(message=message, person=person, closed_at=None)
    if answer == Reply.Answer.SAFE:
        ended = list(open_ones.filter(raised_at__lte=sent_at).values_list("pk", flat=True))
        open_ones.filter(pk__in=ended).update(
            closed_at=now, outcome="本人から「無事です」", phone="", situation=[]
        )
        _steps(ended, AlarmStep.Act.SAFE, by=None, now=now)
    if answer != Reply.Answer.HELP:
        return None
    alarm = open_ones.first()
    if alarm is None:
        who = residents.registration(person)
        alarm = Alarm.objects.create(
            message_id=message,
            person=person,
            town=who.places[0].town.name if who and who.places else "",
            language=who.language if who else "ja",
            raised_at=sent_at,
        )
        _steps([alarm.pk], AlarmStep.Act.RAISED, by=None, now=now)
        log.warning("alarm", alarm=alarm.pk, message=message)
    return alarm


@transaction.atomic
def tell_more(
    *, message: int, person: int, phone: str, situation: Sequence[str], now: datetime
) -> None:
    """What somebody who needs help adds: a number to call back, and what is the matter."""
    Alarm.objects.filter(message=message, person=person, closed_at=None).update(
        phone=phone, situation=list(situation)
    )


@transaction.atomic
def own_alarm(*, alarm: int, by: User, now: datetime) -> None:
    """A member of staff sees to it. Raises NotOpenError."""
    taken = Alarm.objects.filter(pk=alarm, closed_at=None).update(owner=by, taken_at=now)
    if not taken:
        raise NotOpenError("この呼びかけは、もう終わっています。")
    _steps([alarm], AlarmStep.Act.TAKEN, by=by, now=now)
    log.info("alarm_taken", alarm=alarm)


@transaction.atomic
def close_alarm(*, alarm: int, outcome: str, by: User, now: datetime) -> None:
    """It is seen to, and how. What was personal in it is emptied. Raises NotOpenError."""
    closed = Alarm.objects.filter(pk=alarm, closed_at=None).update(
        owner=by, closed_at=now, outcome=outcome[:200], phone="", situation=[]
    )
    if not closed:
        raise NotOpenError("この呼びかけは、もう終わっています。")
    _steps([alarm], AlarmStep.Act.CLOSED, by=by, now=now)
    log.info("alarm_closed", alarm=alarm)


@transaction.atomic
def escalate(*, now: datetime) -> int:
    """Mark alarms that nobody has taken for too long, and say how many that were."""
    late = Alarm.objects.filter(
        closed_at=None,
        taken_at=None,
        escalated_at=None,
        raised_at__lte=now - duty().escalates_after,
    )
    numbers = list(late.values_list("pk", flat=True))
    count = late.filter(pk__in=numbers).update(escalated_at=now)
    _steps(numbers, AlarmStep.Act.ESCALATED, by=None, now=now)
    if count:
        log.error("alarms_escalated", count=count)
    return count


def _steps(alarms: Sequence[int], act: AlarmStep.Act, *, by: User | None, now: datetime) -> None:
    AlarmStep.objects.bulk_create(
        AlarmStep(alarm_id=alarm, act=act, at=now, by=by) for alarm in alarms
    )
    if by is not None:
        for alarm in alarms:
            audit.record(f"call.{act.value}", on=f"delivery.alarm:{alarm}", by=by, now=now)
