"""Taking in what arrives. Transition, message and stale pages commit together or not at all."""

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Action, Event, Outcome, Telegram, Transition
from policity.fields.alerts.queries import IN_FORCE, RECENT, event_key
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.rules import state
from policity.fields.alerts.rules.areas import select, spoken
from policity.fields.alerts.rules.response import Responses, responses
from policity.fields.alerts.rules.telling import tell_texts
from policity.fields.alerts.rules.texts import texts
from policity.foundations.delivery import services as delivery
from policity.foundations.places import queries as places
from policity.foundations.publishing.services import mark_stale
from policity.kit.geometry import BadPolygon, polygon

log = structlog.get_logger("policity.alerts")

# Kinds whose residents' choice is "weather"; the rest choose by name.
KIND = "alert"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an arrival did: the telegram as recorded, and the steps it took, in order."""

    telegram: Telegram
    transitions: tuple[Transition, ...]
    again: bool = False


def ingest(
    data: bytes,
    *,
    source: str,
    now: datetime,
    place: str = "",
    entry: str = "",
    replay: bool = False,
) -> Ingested:
    """Take in the bytes of one telegram or alert for a place (the city, where none is named).

    Never raises for bad bytes: they are recorded as refused, with the reason. The same bytes a
    second time change nothing. `entry` is the feed's name for them, so that it is fetched once.
    With `replay` the steps are only recorded: what they add up to is told by `settle`.
    """
    place = place or places.city().jma_code
    digest = hashlib.sha256(data).hexdigest()
    telegram = Telegram.objects.filter(digest=digest).first()
    if telegram and (telegram.outcome != Outcome.READ or place in telegram.places):
        return Ingested(telegram, (), again=True)
    telegram = telegram or Telegram(
        digest=digest,
        entry=entry,
        source=source,
        received_at=now,
        body=gzip.compress(data, mtime=0),
        backlog=replay,
    )
    try:
        bulletin = read(data)
    except b.Refused as reason:
        telegram.outcome = Outcome.IGNORED if isinstance(reason, b.Ignored) else Outcome.REFUSED
        telegram.reason = str(reason)[:500]
        telegram.save()
        log.info("telegram", outcome=telegram.outcome, reason=telegram.reason, digest=digest[:12])
        return Ingested(telegram, ())

    expire(now=now)
    lineage = places.lineage(place)
    with transaction.atomic():
        _describe(telegram, bulletin)
        telegram.places = [*telegram.places, place]
        telegram.save()
        if bulletin.info_type is b.InfoType.CANCEL:
            transitions = _withdraw(bulletin, telegram, place=place, now=now)
        else:
            transitions = _apply(bulletin, telegram, place=place, lineage=lineage, now=now)
        mark_pages(transitions, now=now)
    _log(telegram, transitions)
    return Ingested(telegram, transitions)


def expire(*, now: datetime) -> tuple[Transition, ...]:
    """End what nobody will call off, when its time has come."""
    with transaction.atomic():
        ended = Event.objects.in_force().filter(valid_until__lte=now)
        transitions = tuple(
            _end(event, at=event.valid_until or now, now=now, action=Action.RECORDED)
            for event in ended
        )
        mark_pages(transitions, now=now)
    for transition in transitions:
        log.info("transition", event_id=transition.event_id, change="expired")
    return transitions


def _describe(telegram: Telegram, bulletin: b.Bulletin) -> None:
    telegram.outcome = Outcome.READ
    telegram.format = bulletin.format
    telegram.kind = bulletin.kind
    telegram.title = bulletin.title[:300]
    telegram.status = bulletin.status
    telegram.info_type = bulletin.info_type
    telegram.reported_at = bulletin.reported_at
    telegram.identity = bulletin.identity[:300]
    telegram.office = bulletin.office[:300]
    telegram.headline = bulletin.headline


def _apply(
    bulletin: b.Bulletin,
    telegram: Telegram,
    *,
    place: str,
    lineage: tuple[str, ...],
    now: datetime,
) -> tuple[Transition, ...]:
    rules = responses()
    events = _here(bulletin, lineage)
    rows = {
        (b.Phenomenon(row.phenomenon), row.subject): row
        for row in Event.objects.filter(
            place=place,
            status=bulletin.status,
            phenomenon__in={e.phenomenon for e in events} | bulletin.scope,
        ).order_by("pk")
    }
    held = {key: _held(row) for key, row in rows.items()}
    found = state.steps(
        bulletin,
        events,
        stated=spoken(bulletin, lineage) in bulletin.stated,
        held=held,
        newer_rules=rules.newer_rules,
    )
    for event in state.confirmations(bulletin, events, held=held, newer_rules=rules.newer_rules):
        _confirm(rows[event.phenomenon, event.subject], bulletin, rules, now=now)
    transitions = [
        _take(
            step,
            rows.get((step.phenomenon, step.subject)),
            bulletin,
            telegram,
            place=place,
            lineage=lineage,
            now=now,
            rules=rules,
        )
        for step in found
    ]
    if bulletin.info_type is b.InfoType.CORRECT and not bulletin.scope:
        named = {(e.phenomenon, e.subject) for e in events}
        transitions += _drop_corrected(bulletin, telegram, named, place=place, now=now)
    return tuple(transitions)


def _drop_corrected(
    bulletin: b.Bulletin,
    telegram: Telegram,
    named: set[tuple[b.Phenomenon, str]],
    *,
    place: str,
    now: datetime,
) -> list[Transition]:
    """訂正: what the corrected telegram had said of the place and the correction leaves out."""
    begun = Event.objects.in_force().filter(
        place=place,
        status=bulletin.status,
        transitions__telegram__identity__in=bulletin.references or (bulletin.identity,),
        transitions__telegram__kind=bulletin.kind,
    )
    return [
        _end(
            event,
            at=bulletin.reported_at,
            now=now,
            action=_told(event, bulletin),
            telegram=telegram,
            withdrawal=True,
        )
        for event in begun.distinct()
        if (b.Phenomenon(event.phenomenon), event.subject) not in named
    ]


def _told(event: Event, bulletin: b.Bulletin) -> Action:
    """Who was told of an event is told that it was an error; others are not."""
    told = event.transitions.filter(message__isnull=False).exists()
    return Action.PUBLISHED if told and bulletin.status is b.Status.ACTUAL else Action.RECORDED


def _here(bulletin: b.Bulletin, lineage: tuple[str, ...]) -> tuple[b.Event, ...]:
    """The bulletin's events for the place: by code, or because a polygon touches the city."""
    found = select(bulletin, lineage)
    if found or not bulletin.polygons:
        return found
    for ring in bulletin.polygons:
        try:
            touched = places.towns_touched(polygon(ring))
        except BadPolygon as error:
            log.warning("polygon", error=str(error), identity=bulletin.identity)
            continue
        if touched:
            return bulletin.events
    return ()


def _held(row: Event) -> state.Held:
    return state.Held(
        phenomenon=b.Phenomenon(row.phenomenon),
        subject=row.subject,
        severity=b.Severity(row.severity),
        level=row.level,
        code=row.code,
        name=row.name,
        generation=b.Generation(row.generation),
        reported_at=row.reported_at,
        open=row.ended_at is None,
    )


def _confirm(row: Event, bulletin: b.Bulletin, rules: Responses, *, now: datetime) -> None:
    """What is in force was said again: nobody is told, but it stands as of now, and for longer."""
    row.reported_at = bulletin.reported_at
    row.headline = bulletin.headline
    row.valid_until = _valid_until(bulletin, b.Phenomenon(row.phenomenon), rules)
    row.save()
    if row.status == b.Status.ACTUAL:
        mark_stale({IN_FORCE, event_key(row.pk)}, now=now)


def _valid_until(
    bulletin: b.Bulletin, phenomenon: b.Phenomenon, rules: Responses
) -> datetime | None:
    if bulletin.valid_until is None and phenomenon in rules.lasts:
        return bulletin.reported_at + rules.lasts[phenomenon]
    return bulletin.valid_until


def _take(
    step: state.Step,
    row: Event | None,
    bulletin: b.Bulletin,
    telegram: Telegram,
    *,
    place: str,
    lineage: tuple[str, ...],
    now: datetime,
    rules: Responses,
) -> Transition:
    """Write one step: the event as it now stands, the transition, and the message if any."""
    said = step.event
    begins = row is None or row.ended_at is not None
    if row is None or (begins and not row.subject):
        row = Event(
            place=place,
            phenomenon=step.phenomenon,
            subject=step.subject,
            status=bulletin.status,
            started_at=bulletin.reported_at,
        )
    before = ("", "") if begins else (row.code, row.name)
    if said is not None:
        row.severity, row.level = said.severity, said.level
        row.code, row.name, row.area_name = said.code[:100], said.name[:200], said.area_name[:200]
        row.generation = bulletin.generation
        row.kind, row.office = bulletin.kind, bulletin.office[:300]
        row.headline = bulletin.headline
        row.valid_until = _valid_until(bulletin, step.phenomenon, rules)
    row.changed_at = row.reported_at = bulletin.reported_at
    row.withdrawn = False
    over = step.change is b.Change.CANCELLED
    late = not over and row.valid_until is not None and row.valid_until <= now
    if over or (begins and bulletin.everywhere):
        row.ended_at = bulletin.reported_at
    else:
        row.ended_at = row.valid_until if late else None
    row.save()
    never_told = over and (begins or not row.transitions.filter(message__isnull=False).exists())
    publish = (
        bulletin.status is b.Status.ACTUAL
        and (over or row.ended_at is None)
        and not never_told
        and rules.publishes(step.phenomenon, step.severity, step.change, lineage)
    )
    transition = Transition(
        event=row,
        telegram=telegram,
        at=bulletin.reported_at,
        recorded_at=now,
        change=step.change,
        severity_from=step.severity_from or "",
        severity_to=step.severity_to or "",
        level_from=step.level_from,
        level_to=step.level_to,
        code_from=before[0],
        name_from=before[1],
        name=row.name,
        office=bulletin.office[:300],
        action=Action.PUBLISHED if publish else Action.RECORDED,
    )
    return save_step(transition, now=now)


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
                withdrawal=transition.withdrawal and event.ended_at is not None,
            ),
            told_at=transition.at,
            now=now,
        )
    transition.save()
    return transition


def _end(
    event: Event,
    *,
    at: datetime,
    now: datetime,
    action: Action,
    telegram: Telegram | None = None,
    withdrawal: bool = False,
) -> Transition:
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


def _withdraw(
    bulletin: b.Bulletin, telegram: Telegram, *, place: str, now: datetime
) -> tuple[Transition, ...]:
    """取消: what the withdrawn telegrams changed here is undone, newest first.

    A warning's telegrams share one identity over the years: only the last one is meant. An
    earthquake's or a CAP alert's identity is its own: all that carry it are.
    """
    meant = Telegram.objects.filter(
        identity__in=bulletin.references or (bulletin.identity,),
        status=bulletin.status,
        outcome=Outcome.READ,
        withdrawn_at__isnull=True,
        reported_at__lte=bulletin.reported_at,
    ).exclude(pk=telegram.pk)
    if bulletin.format is b.Format.JMX:
        meant = meant.filter(kind=bulletin.kind)
    ordered = list(meant.order_by("-reported_at", "-pk"))
    if bulletin.scope:
        ordered = ordered[:1]
    undone = Transition.objects.filter(telegram__in=ordered, event__place=place)
    transitions = tuple(
        _undo(step, bulletin, telegram, now=now)
        for step in undone.select_related("event").order_by("-pk")
        if (step.event.ended_at is None) == (step.change != b.Change.CANCELLED)
    )
    Telegram.objects.filter(pk__in=[t.pk for t in ordered]).update(withdrawn_at=now)
    return transitions


def _undo(
    step: Transition, bulletin: b.Bulletin, telegram: Telegram, *, now: datetime
) -> Transition:
    """Take back one step: its event stands as it stood before."""
    event = step.event
    action = _told(event, bulletin)
    if not step.severity_from:
        return _end(
            event,
            at=bulletin.reported_at,
            now=now,
            action=action,
            telegram=telegram,
            withdrawal=True,
        )
    back = (b.Severity(step.severity_from).rank, step.level_from or 0)
    was = (b.Severity(event.severity).rank, event.level or 0)
    undoing = Transition(
        event=event,
        telegram=telegram,
        at=bulletin.reported_at,
        recorded_at=now,
        change=_back(event, back > was),
        severity_from="" if event.ended_at else event.severity,
        severity_to=step.severity_from,
        level_from=None if event.ended_at else event.level,
        level_to=step.level_from,
        code_from=event.code,
        name_from=event.name,
        name=step.name_from,
        office=telegram.office,
        withdrawal=True,
        action=action,
    )
    event.severity, event.level = step.severity_from, step.level_from
    event.code, event.name = step.code_from, step.name_from
    event.changed_at = event.reported_at = bulletin.reported_at
    event.ended_at = None
    event.save()
    return save_step(undoing, now=now)


def _back(event: Event, raised: bool) -> b.Change:
    if event.ended_at is not None:
        return b.Change.ISSUED
    return b.Change.RAISED if raised else b.Change.LOWERED


def mark_pages(transitions: Sequence[Transition], *, now: datetime) -> None:
    """Pages that show what changed are stale. Drills show on none."""
    real = [t for t in transitions if t.event.status == b.Status.ACTUAL]
    if real:
        keys = {IN_FORCE, RECENT, *(event_key(t.event_id) for t in real)}
        showing = mark_stale(keys, now=now)
        Transition.objects.filter(pk__in=[t.pk for t in real]).update(showing=showing)


def _log(telegram: Telegram, transitions: Iterable[Transition]) -> None:
    log.info("telegram", outcome="read", kind=telegram.kind, digest=telegram.digest[:12])
    for t in transitions:
        log.info(
            "transition",
            event_id=t.event_id,
            phenomenon=t.event.phenomenon,
            change=t.change,
            level_from=t.level_from,
            level_to=t.level_to,
            action=t.action,
            message=t.message_id,
        )
