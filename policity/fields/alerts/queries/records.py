"""What staff wrote down for the record, and whether the city is in a state of emergency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from policity.fields.alerts.models import Action, Emergency, HandOver, Note, Transition
from policity.fields.alerts.rules.bulletin import Status

EMERGENCY = "alerts:emergency"
"""The dependency key of the state of emergency."""


@dataclass(frozen=True, slots=True)
class EmergencyView:
    """That the city has, or had, its disaster headquarters."""

    id: int
    began_at: datetime
    began_by: str
    why: str
    ended_at: datetime | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """A note. `corrects` is when the note that it corrects says it was, `corrected`: one does."""

    id: int
    at: datetime
    written_at: datetime
    by: str
    text: str
    corrects: datetime | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class HandOverView:
    """A hand-over. `received_by` is empty until somebody has taken over."""

    id: int
    at: datetime
    by: str
    by_id: int
    text: str
    summary: Sequence[Mapping[str, Any]]
    received_by: str
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublishedStep:
    """A step of an event that residents were told of. `at` is when the city knew of it.

    `told_at` is the time in the telegram, `sending` what the city's rules made of it.
    """

    at: datetime
    told_at: datetime
    title: str
    office: str
    withdrawal: bool
    sending: Action


def emergency() -> EmergencyView | None:
    """The state of emergency that has not ended. One query."""
    row = Emergency.objects.filter(ended_at=None).select_related("began_by").first()
    return _emergency(row) if row else None


def emergencies(since: datetime, until: datetime) -> tuple[EmergencyView, ...]:
    """Those that began or ended from a moment on and before another. One query."""
    touched = _within("began_at", since, until) | _within("ended_at", since, until)
    rows = Emergency.objects.filter(touched).select_related("began_by", "ended_by")
    return tuple(map(_emergency, rows.order_by("began_at")))


def notes(since: datetime, until: datetime) -> tuple[NoteView, ...]:
    """What happened in a period, as staff wrote it down; corrected notes among it. One query."""
    rows = Note.objects.filter(_within("at", since, until))
    return tuple(map(_note, rows.select_related("by", "corrects", "corrected_by").order_by("at")))


def note(number: int) -> NoteView | None:
    """One note."""
    row = Note.objects.filter(pk=number).select_related("by", "corrects", "corrected_by").first()
    return _note(row) if row else None


def hand_overs(since: datetime, until: datetime) -> tuple[HandOverView, ...]:
    """Those that were written or received in a period. One query."""
    touched = _within("at", since, until) | _within("received_at", since, until)
    return _hand_overs(HandOver.objects.filter(touched).order_by("at", "pk"))


def last_hand_overs(limit: int) -> tuple[HandOverView, ...]:
    """The newest first."""
    return _hand_overs(HandOver.objects.order_by("-pk")[:limit])


def hand_over(number: int) -> HandOverView | None:
    """One of them."""
    found = _hand_overs(HandOver.objects.filter(pk=number))
    return found[0] if found else None


def published(since: datetime, until: datetime) -> tuple[PublishedStep, ...]:
    """What residents were told of telegrams in a period. One query."""
    rows = Transition.objects.filter(
        _within("recorded_at", since, until),
        message__isnull=False,
        event__status=Status.ACTUAL,
    )
    return tuple(
        PublishedStep(
            at=row.recorded_at,
            told_at=row.at,
            title=row.message.texts["ja"]["title"] if row.message else "",
            office=row.office,
            withdrawal=row.withdrawal,
            sending=Action(row.action),
        )
        for row in rows.select_related("message").order_by("recorded_at", "pk")
    )


def _within(field: str, since: datetime, until: datetime) -> Q:
    return Q(**{f"{field}__gte": since, f"{field}__lt": until})


def _emergency(row: Emergency) -> EmergencyView:
    return EmergencyView(
        id=row.pk,
        began_at=row.began_at,
        began_by=str(row.began_by),
        why=row.why,
        ended_at=row.ended_at,
        ended_by=str(row.ended_by) if row.ended_by else "",
    )


def _note(row: Note) -> NoteView:
    return NoteView(
        id=row.pk,
        at=row.at,
        written_at=row.written_at,
        by=str(row.by),
        text=row.text,
        corrects=row.corrects.at if row.corrects else None,
        corrected=getattr(row, "corrected_by", None) is not None,
    )


def _hand_overs(rows: Any) -> tuple[HandOverView, ...]:
    return tuple(
        HandOverView(
            id=row.pk,
            at=row.at,
            by=str(row.by),
            by_id=row.by_id,
            text=row.text,
            summary=row.summary,
            received_by=str(row.received_by) if row.received_by else "",
            received_at=row.received_at,
        )
        for row in rows.select_related("by", "received_by")
    )
