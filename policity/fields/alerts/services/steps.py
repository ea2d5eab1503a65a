"""The steps of events: stored, told where the city's rules say so, and shown on the pages."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from policity.fields.alerts.models import Action, Event, Telegram, Transition
from policity.fields.alerts.queries import IN_FORCE, RECENT, event_key
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.rules.telling import tell_texts
from policity.fields.alerts.rules.texts import texts
from policity.foundations.delivery import services as delivery
from policity.foundations.publishing.services import mark_stale

log = structlog.get_logger("policity.alerts")

# What residents choose by: every alert, whatever the phenomenon.
KIND = "alert"


def save_step(transition: Transition, *, now: datetime) -> Transition:
    """Store a transition, with its message where it is published."""
    event = transition.event
    if transition.telegram and transition.telegram.backlog:
        transition.action = Action.RECORDED
    if transition.action == Action.PUBLISHED:
        transition.message = delivery.tell(
            kind=KIND,
            thread=event_key(event.pk),
            severity=event.severity,
            level=event.level,
            texts=tell_texts(
                texts(),
                phenomenon=b.Phenomenon(event.phenomenon),
                severity=b.Severity(event.severity),
                level=event.level,
                change=b.Change(transition.change),
                name=transition.name,
                kind=event.kind,
                withdrawal=transition.withdrawal and event.ended_at is not None,
            ),
            told_at=transition.at,
            now=now,
        )
    transition.save()
    return transition


def end_event(
    event: Event,
    *,
    at: datetime,
    now: datetime,
    action: Action,
    telegram: Telegram | None = None,
    withdrawal: bool = False,
) -> Transition:
    """End an event. `withdrawal`: it should never have begun."""
    event.ended_at = event.changed_at = at
    event.withdrawn = withdrawal
    event.save()
    return save_step(
        Transition(
            event=event,
            telegram=telegram,
            at=at,
            recorded_at=now,
            change=b.Change.CANCELLED,
            severity_from=event.severity,
            level_from=event.level,
            code_from=event.code,
            name_from=event.name,
            name=event.name,
            office=telegram.office if telegram else "",
            withdrawal=withdrawal,
            action=action,
        ),
        now=now,
    )


def expire(*, now: datetime) -> tuple[Transition, ...]:
    """End what nobody will call off, when its time has come."""
    with transaction.atomic():
        ended = Event.objects.in_force().filter(valid_until__lte=now)
        transitions = tuple(
            end_event(event, at=event.valid_until or now, now=now, action=Action.RECORDED)
            for event in ended
        )
        mark_pages(transitions, now=now)
    for transition in transitions:
        log.info("transition", event_id=transition.event_id, change="expired")
    return transitions


def told(event: Event, bulletin: b.Bulletin) -> Action:
    """Who was told of an event is told that it was an error; others are not."""
    told = event.transitions.filter(message__isnull=False).exists()
    return Action.PUBLISHED if told and bulletin.status is b.Status.ACTUAL else Action.RECORDED


def mark_pages(
    transitions: Sequence[Transition], *, now: datetime, confirmed: Sequence[Event] = ()
) -> None:
    """Pages that show what changed, or was said again, are stale. Drills show on none."""
    real = [t for t in transitions if t.event.status == b.Status.ACTUAL]
    events = {t.event_id for t in real}
    events |= {event.pk for event in confirmed if event.status == b.Status.ACTUAL}
    if events:
        keys = {IN_FORCE, RECENT, *map(event_key, events)}
        showing = mark_stale(keys, now=now)
        Transition.objects.filter(pk__in=[t.pk for t in real]).update(showing=showing)
