"""Signing up, proving that it was oneself, cancelling, and moving up.

Whoever writes a line is alone with it (`TOPIC`): who has a place follows from all of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.events import queries
from policity.foundations.events.models import Answer, Event, Occurrence, Registration
from policity.foundations.events.rules.asking import Given
from policity.foundations.events.rules.line import Entry, seated
from policity.foundations.events.rules.registering import Door
from policity.foundations.events.services.telling import ask, hush, tell
from policity.foundations.events.services.words import News
from policity.foundations.publishing.services import mark_stale
from policity.foundations.residents import services as residents
from policity.foundations.work import services as work

TOPIC = "events"
# Nobody's mailbox is filled by somebody else who types its address again and again.
MAIL_AGAIN_AFTER = timedelta(minutes=5)
MOST_WAITING = 5
LONGEST_NAME = 60


class SignUpRefused(ValueError):  # noqa: N818  # the thing refused
    """Nobody can sign up so. The message is one Japanese sentence, for the catalogues."""


REFUSALS = {
    Door.NONE: gettext_noop("このイベントは、申込みがいりません。"),
    Door.CANCELLED: gettext_noop("このイベントは、中止になりました。"),
    Door.OVER: gettext_noop("このイベントは、終わりました。"),
    Door.EARLY: gettext_noop("申込みは、まだ始まっていません。"),
    Door.LATE: gettext_noop("申込みは、終わりました。"),
    Door.FULL: gettext_noop("満席です。キャンセル待ちも、ありません。"),
}


def refusal(door: Door) -> str:
    """Why nobody can sign up, for the catalogues; empty where somebody can."""
    return REFUSALS.get(door, "")


_NOWHERE = gettext_noop("このイベントは、もうありません。")


@work.alone(TOPIC)
def sign_up(*, time: int, email: str, name: str, seats: int, language: str, now: datetime) -> None:
    """Somebody whom we do not know signs up: it counts once the mailbox's owner says so.

    The page tells everybody the same, so that a stranger learns nothing of anybody. Raises
    SignUpRefused, residents.BadAddress.
    """
    times = _open(time, seats, now=now)
    row = times[0]
    guest = residents.welcome(email=email, language=language, now=now)
    standing = Registration.objects.filter(
        occurrence=row, person=guest.resident, cancelled_at=None
    ).first()
    if standing and (standing.number or now - standing.asked_at < MAIL_AGAIN_AFTER):
        return
    waiting = Registration.objects.filter(person=guest.resident, number=None, cancelled_at=None)
    if not standing and waiting.count() >= MOST_WAITING:
        return
    Registration.objects.update_or_create(
        occurrence=row,
        person=guest.resident,
        cancelled_at=None,
        defaults={
            "address": guest.address,
            "name": name[:LONGEST_NAME],
            "seats": seats,
            "asked_at": now,
        },
    )
    ask(guest.resident, times, confirmed=guest.confirmed, now=now)


def _open(time: int, seats: int, *, now: datetime) -> list[Occurrence]:
    """The time, or those of its course, if one may sign up now, for so many.

    Raises SignUpRefused.
    """
    row = (
        Occurrence.objects.select_related("event__site", "event__facility").filter(pk=time).first()
    )
    times = queries.alike(row, now=now) if row else []
    view = queries.time(times[0].pk) if times else None
    if view is None:
        raise SignUpRefused(_NOWHERE)
    door = view.door(now)
    if not door.lets_in:
        raise SignUpRefused(REFUSALS[door])
    terms = view.event.terms
    if not 1 <= seats <= terms.most:
        raise SignUpRefused(gettext_noop("人数が、多すぎます。少なくしてください。"))
    if not terms.waits and view.room is not None and seats > view.room:
        raise SignUpRefused(gettext_noop("その人数の席は、もうありません。少なくしてください。"))
    if terms.capacity is not None and seats > terms.capacity:
        raise SignUpRefused(gettext_noop("人数が、多すぎます。少なくしてください。"))
    return times


@dataclass(frozen=True, slots=True)
class Joined:
    """For how many times somebody gave their word, and why not for another; empty: for all."""

    times: int
    refusal: str


@work.alone(TOPIC)
def join(*, person: int, address: int, now: datetime) -> Joined:
    """The owner of a mail address says that it was them. Safe to repeat.

    Raises residents.BadRegistrationError where the link is too old.
    """
    residents.confirm_mail(resident=person, address=address, now=now)
    rows = Registration.objects.filter(
        person=person, address=address, number=None, cancelled_at=None
    )
    joined, refusal = 0, ""
    for row in list(rows.order_by("pk")):
        try:
            row.occurrence = _open(row.occurrence_id, row.seats, now=now)[0]
        except SignUpRefused as error:
            refusal = str(error)
            Registration.objects.filter(pk=row.pk).update(cancelled_at=now)
        else:
            _take_number(row, now=now)
            joined += 1
    return Joined(joined, refusal)


@work.alone(TOPIC)
def sign_up_known(*, person: int, time: int, name: str, seats: int, now: datetime) -> None:
    """Whoever holds a link of their own signs up at one press. Raises SignUpRefused."""
    row = _open(time, seats, now=now)[0]
    standing = Registration.objects.filter(occurrence=row, person=person, cancelled_at=None)
    registration = standing.first()
    if registration is None:
        registration = Registration.objects.create(
            occurrence=row, person=person, name=name[:LONGEST_NAME], seats=seats, asked_at=now
        )
    if registration.number is None:
        _take_number(registration, now=now)


@work.alone(TOPIC)
def add_by_staff(
    *, time: int, name: str, phone: str, seats: int, by: User, now: datetime
) -> Registration:
    """Staff write somebody down who called or came: at the end of the line, as everybody.

    Staff do so before signing up opens and after it closes, too. Raises SignUpRefused.
    """
    row = (
        Occurrence.objects.select_related("event__site", "event__facility").filter(pk=time).first()
    )
    if row is None or not row.event.takes:
        raise SignUpRefused(_NOWHERE)
    if row.cancelled_at or row.event.stage != Event.Stage.PUBLISHED:
        raise SignUpRefused("公開していないイベントには、申込みを足せません。")
    if now >= row.ends:
        raise SignUpRefused(REFUSALS[Door.OVER])
    registration = Registration.objects.create(
        occurrence=row, name=name[:LONGEST_NAME], phone=phone[:30], seats=seats, asked_at=now
    )
    _take_number(registration, now=now)
    audit.record(
        "registration.added", on=f"events.occurrence:{time}", by=by, now=now,
        number=registration.number,
    )  # fmt: skip
    registration.refresh_from_db()
    return registration


def _take_number(registration: Registration, *, now: datetime) -> None:
    """Give somebody the next number in the line, and tell them how they stand."""
    time = Occurrence.objects.select_related("event__site", "event__facility").get(
        pk=registration.occurrence_id
    )
    times = queries.alike(time, now=now)
    counted = Occurrence.objects.filter(pk__in=[one.pk for one in times])
    number = 1 + (counted.aggregate(most=Max("numbers"))["most"] or 0)
    counted.update(numbers=number)
    registration.number, registration.confirmed_at = number, now
    registration.address = None
    registration.save()
    copy([registration], [one for one in times if one != time])
    settle(time, now=now, new=number)
    registration.refresh_from_db()
    if not registration.seated:
        tell([registration], times, News.WAIT, now=now, number=number)


def copy(line: Iterable[Registration], times: Iterable[Occurrence]) -> None:
    """Have those of a line stand in that of these times of the course, too."""
    line = list(line)
    Registration.objects.bulk_create(
        Registration(
            occurrence=time,
            **{name: getattr(one, name) for name in _OF_THE_COURSE},
        )
        for time in times
        for one in line
    )


# What of a registration is the same for each time of a course.
_OF_THE_COURSE = (
    "person", "name", "phone", "seats", "number", "asked_at", "confirmed_at", "seated",
)  # fmt: skip


def settle(time: Occurrence, *, now: datetime, new: int = 0) -> None:
    """See who has a place by now, and tell whoever gained or lost one. Alone with the line.

    `new` has just come, by that number: their first word is another one, with it.

    Once it has begun nobody moves any more; who comes then still gets what is free.
    """
    mark_stale(queries.keys(time.event), now=now)
    times = queries.alike(time, now=now)
    line = list(Registration.objects.in_line().filter(occurrence=times[0]).order_by("number"))
    has = seated((Entry(row.number or 0, row.seats) for row in line), time.event.capacity)
    up = [row for row in line if row.number in has and not row.seated]
    down = [row for row in line if row.number not in has and row.seated]
    if now >= queries.begins(time):
        up, down = [row for row in up if row.number == new], []
    rows = Registration.objects.in_line().filter(occurrence__in=times)
    rows.filter(number__in=[row.number for row in up]).update(seated=True)
    rows.filter(number__in=[row.number for row in down]).update(seated=False)
    for row in up:
        if row.number == new:
            tell([row], times, News.SEAT, now=now, number=new)
    tell([row for row in up if row.number != new], times, News.UP, now=now)
    tell(down, times, News.DOWN, now=now)


@work.alone(TOPIC)
def cancel(*, registration: int, person: int, now: datetime) -> bool:
    """Somebody comes not, after all; whoever waits moves up. False: there was nothing to cancel.

    Not once it has begun: then it is attendance. A course one leaves with its next time; nobody
    moves up any more then.
    """
    row = Registration.objects.filter(pk=registration, person=person, cancelled_at=None)
    return _cancel(
        row.select_related("occurrence__event__site", "occurrence__event__facility").first(),
        now=now,
    )


@work.alone(TOPIC)
def cancel_by_staff(*, registration: int, by: User, now: datetime) -> bool:
    """Staff cancel for somebody who called. False: there was nothing to cancel."""
    rows = Registration.objects.filter(pk=registration, cancelled_at=None)
    row = rows.select_related("occurrence__event__site", "occurrence__event__facility").first()
    if row and _cancel(row, now=now):
        audit.record(
            "registration.withdrawn", on=f"events.occurrence:{row.occurrence_id}", by=by, now=now,
            number=row.number,
        )  # fmt: skip
        return True
    return False


@work.alone(TOPIC)
def take_back_cancelling(*, registration: int, by: User, now: datetime) -> None:
    """Undo what staff have just cancelled: the same number, so the same place in the line.

    Whoever moved up meanwhile moves back, and is told. Raises SignUpRefused.
    """
    row = Registration.objects.select_related(
        "occurrence__event__site", "occurrence__event__facility"
    ).get(pk=registration)
    rows = _same(row, now=now)
    if row.number is None or row.cancelled_at is None or not rows:
        raise SignUpRefused("もう、元にもどせません。")
    same = Registration.objects.filter(occurrence=row.occurrence, cancelled_at=None)
    if row.person is not None and same.filter(person=row.person).exists():
        raise SignUpRefused("この人は、もう一度申し込んでいます。")
    rows.update(cancelled_at=None)
    settle(row.occurrence, now=now)
    audit.record(
        "registration.returned", on=f"events.occurrence:{row.occurrence_id}", by=by, now=now,
        number=row.number,
    )  # fmt: skip


def _cancel(row: Registration | None, *, now: datetime) -> bool:
    if row is None or not _same(row, now=now).update(cancelled_at=now):
        return False
    if row.person is not None:
        hush(row.person, queries.alike(row.occurrence, now=now), now=now)
    settle(row.occurrence, now=now)
    return True


def _same(row: Registration, *, now: datetime) -> QuerySet[Registration]:
    """A registration, if its time is still to begin; of a course those of all times that are."""
    if row.number is None:
        return Registration.objects.filter(pk=row.pk, occurrence__starts__gt=now)
    times = [one.pk for one in queries.alike(row.occurrence, now=now) if one.starts > now]
    return Registration.objects.filter(occurrence__in=times, number=row.number)


def set_attended(*, registration: int, attended: bool | None, by: User, now: datetime) -> None:
    """Say whether somebody came; None takes it back. One thumb at a door: safe to repeat.

    Not in the audit trail, one by one: the sheet of a time is what staff answer for.
    """
    rows = Registration.objects.in_line().filter(pk=registration)
    rows.filter(occurrence__faded_at=None).update(attended=attended)


def called(*, registration: int, by: User, now: datetime) -> None:
    """Staff told somebody who is reached by telephone alone how they stand now."""
    Registration.objects.filter(pk=registration).update(to_call=False)


def note_taken_along(*, time: int, by: User, now: datetime) -> None:
    """Note that somebody made a file of who is in a line."""
    with transaction.atomic():
        audit.record("registration.taken_along", on=f"events.occurrence:{time}", by=by, now=now)


def note_answers_taken_along(*, time: int, by: User, now: datetime) -> None:
    """Note that somebody made a file of what those who came answered."""
    with transaction.atomic():
        audit.record("answer.taken_along", on=f"events.occurrence:{time}", by=by, now=now)


@work.alone(TOPIC)
def answer(
    *,
    registration: int,
    person: int,
    score: int,
    text: str,
    answers: Sequence[Given] = (),
    now: datetime,
) -> bool:
    """What somebody thought of it, kept without them. False: they said it before, or none asked.

    `answers` are to what the time `asked`, in its order.
    """
    rows = Registration.objects.filter(
        Q(attended=True) | Q(attended=None, seated=True),
        pk=registration, person=person, answered=False, cancelled_at=None,
    ).exclude(occurrence__asked_at=None)  # fmt: skip
    time = rows.values_list("occurrence_id", flat=True).first()
    if time is None or not rows.update(answered=True):
        return False
    # The day alone: a moment would lead to whose press it was.
    Answer.objects.create(
        occurrence_id=time,
        score=score,
        text=text[:1000],
        answers=list(answers),
        on=timezone.localdate(now),
    )
    return True
