"""The steps of events: stored, told where the city's rules say so, sent, and shown on the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

import structlog

from policity.fields.alerts.models import Action, Event, Telegram, Transition
from policity.fields.alerts.queries import IN_FORCE, RECENT, event_key
from policity.fields.alerts.queries.words import responses, texts
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.rules.response import Sending
from policity.fields.alerts.rules.telling import tell_texts
from policity.foundations.delivery import services as delivery
from policity.foundations.places import queries as places
from policity.foundations.publishing.services import mark_stale
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.work import services as work

log = structlog.get_logger("policity.alerts")

_ACTIONS = {
    Sending.NOW: Action.SENT,
    Sending.APPROVED: Action.AWAITING_APPROVAL,
    Sending.NONE: Action.PUBLISHED,
}


def save_step(transition: Transition, *, now: datetime) -> Transition:
    """Store a transition, with its message where it is published."""
    event = transition.event
    if transition.telegram and transition.telegram.backlog:
        transition.action = Action.RECORDED
    if transition.action == Action.PUBLISHED:
        transition.message = delivery.tell(
            kind=responses().kind(b.Phenomenon(event.phenomenon)),
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
        transition.action = _action(transition)
    transition.save()
    return transition


def _action(transition: Transition) -> Action:
    """Whether a message goes out, too. Whoever was told of an error hears so in any case."""
    event = transition.event
    if event.place != places.city().jma_code:
        return Action.PUBLISHED
    if transition.withdrawal:
        return Action.SENT
    sending = responses().sends(
        b.Phenomenon(event.phenomenon),
        b.Severity(event.severity),
        b.Change(transition.change),
        places.lineage(event.place),
    )
    return _ACTIONS[sending]


def send_out(
    transitions: Sequence[Transition],
    *,
    now: datetime,
    corrected: bool = False,
    rings: Mapping[int, tuple[b.Ring, ...]] | None = None,
) -> None:
    """Send what steps told, in the caller's transaction: what is alike as one.

    How a story ends, and that it was an error, is for those who were told of it; everything else
    is also for whoever chose to hear. `corrected`: the office corrects what it said. `rings` are
    the outlines of the area of each event that is told by lines, by number.
    """
    told = [t for t in transitions if t.action in (Action.SENT, Action.AWAITING_APPROVAL)]
    for (kind, ends, action), group in groupby(sorted(told, key=_likeness), key=_likeness):
        steps = list(group)
        messages = [step.message for step in steps if step.message]
        corrects = ends or corrected or any(step.withdrawal for step in steps)
        audience = _audience(kind, steps, only_followers=ends, rings=rings or {})
        delivery.send(
            messages=messages,
            audience=audience,
            by=None,
            now=now,
            approved=action == Action.SENT,
            corrects=corrects,
            paths={
                step.message_id: f"alerts/{step.event_id}/" for step in steps if step.message_id
            },
        )


def _likeness(step: Transition) -> tuple[str, bool, str]:
    kind = responses().kind(b.Phenomenon(step.event.phenomenon))
    return kind, step.change == b.Change.CANCELLED, step.action


def _audience(
    kind: str,
    steps: Sequence[Transition],
    *,
    only_followers: bool,
    rings: Mapping[int, tuple[b.Ring, ...]],
) -> Audience:
    severity = max((b.Severity(step.event.severity) for step in steps), key=lambda s: s.rank)
    threads = tuple(event_key(step.event_id) for step in steps)
    lines = [rings.get(step.event_id, ()) for step in steps]
    if only_followers or not all(lines):
        return Audience(kind, severity, followers_of=threads, only_followers=only_followers)
    area = tuple(dict.fromkeys(ring for some in lines for ring in some))
    within = residents.within(area, kind=kind, severity=severity)
    return replace(within, followers_of=threads)


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
    with work.alone("alerts"):
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
