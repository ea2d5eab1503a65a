"""Taking in what arrives. Transition, message and stale pages commit together or not at all."""

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from policity.fields.alerts.formats import read
from policity.fields.alerts.models import Action, Event, Outcome, Telegram, Transition
from policity.fields.alerts.queries.here import here, surface
from policity.fields.alerts.queries.words import responses
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.rules import state
from policity.fields.alerts.rules.areas import spoken
from policity.fields.alerts.rules.response import Responses
from policity.fields.alerts.services.steps import expire, mark_pages, save_step, send_out
from policity.fields.alerts.services.withdrawal import call_off, drop_corrected, withdraw
from policity.foundations.places import queries as places
from policity.foundations.work import services as work
from policity.kit.geometry import outline

log = structlog.get_logger("policity.alerts")

# Clocks differ; by more than this they are not believed.
AHEAD = timedelta(hours=1)


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
    try:
        read_or_not: b.Bulletin | b.Refused = _in_our_time(read(data), now)
    except b.Refused as reason:
        read_or_not = reason
    expire(now=now)
    lineage = places.lineage(place)
    digest = hashlib.sha256(data).hexdigest()
    with work.alone("alerts"):
        telegram, created = Telegram.objects.get_or_create(
            digest=digest,
            defaults={
                "entry": entry,
                "source": source,
                "received_at": now,
                "body": gzip.compress(data, mtime=0),
            },
        )
        if not created and (telegram.outcome != Outcome.READ or place in telegram.places):
            return Ingested(telegram, (), again=True)
        if isinstance(read_or_not, b.Refused):
            _put_aside(telegram, read_or_not)
            return Ingested(telegram, ())
        bulletin = _as_its_tests(read_or_not)
        _describe(telegram, bulletin)
        telegram.places = [*telegram.places, place]
        telegram.backlog = telegram.backlog or replay
        telegram.root = _root(bulletin)[:300]
        telegram.save()
        confirmed: tuple[Event, ...] = ()
        if bulletin.info_type is not b.InfoType.CANCEL:
            transitions, confirmed = _apply(
                bulletin, telegram, place=place, lineage=lineage, now=now
            )
        elif bulletin.format is b.Format.CAP:
            transitions = call_off(bulletin, telegram, place=place, now=now)
        else:
            transitions = withdraw(bulletin, telegram, place=place, now=now)
        send_out(
            transitions,
            now=now,
            corrected=bulletin.info_type is b.InfoType.CORRECT,
            rings=_rings(bulletin, transitions),
        )
        mark_pages(transitions, now=now, confirmed=confirmed)
    _log(telegram, transitions)
    return Ingested(telegram, transitions)


def _in_our_time(bulletin: b.Bulletin, now: datetime) -> b.Bulletin:
    """What is dated in the future counts as said now.

    Else it would be newer than everything until then; and if it is our clock that is slow, a
    warning must still be heard.
    """
    if bulletin.reported_at - now <= AHEAD:
        return bulletin
    log.warning("future", identity=bulletin.identity, reported_at=bulletin.reported_at.isoformat())
    return replace(bulletin, reported_at=now)


def _as_its_tests(bulletin: b.Bulletin) -> b.Bulletin:
    """A CAP Cancel of tests is a test, even where it does not repeat their code."""
    if bulletin.format is b.Format.JMX or bulletin.info_type is not b.InfoType.CANCEL:
        return bulletin
    known = Telegram.objects.filter(identity__in=bulletin.references, outcome=Outcome.READ)
    tests = set(known.values_list("status", flat=True)) == {b.Status.TEST.value}
    return replace(bulletin, status=b.Status.TEST) if tests else bulletin


def _put_aside(telegram: Telegram, reason: b.Refused) -> None:
    telegram.outcome = Outcome.IGNORED if isinstance(reason, b.Ignored) else Outcome.REFUSED
    telegram.reason = str(reason)[:500]
    telegram.save()
    log.info(
        "telegram",
        outcome=telegram.outcome,
        reason=telegram.reason,
        digest=telegram.digest[:12],
    )


def _root(bulletin: b.Bulletin) -> str:
    """The first alert of a chain of CAP updates, as far as we have them."""
    if bulletin.format is b.Format.JMX or not bulletin.references:
        return bulletin.identity
    known = Telegram.objects.filter(
        identity__in=bulletin.references, status=bulletin.status, outcome=Outcome.READ
    )
    first = known.order_by("reported_at", "pk").first()
    return first.root if first else bulletin.references[0]


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
) -> tuple[tuple[Transition, ...], tuple[Event, ...]]:
    """The steps the bulletin takes here, and the events that it only says again."""
    rules = responses()
    events = here(bulletin, lineage, root=telegram.root)
    known = Event.objects.filter(
        place=place,
        status=bulletin.status,
        phenomenon__in={e.phenomenon for e in events} | bulletin.scope,
    )
    # The one in force, else the last: a withdrawal may have brought an earlier one back.
    rows = {
        (b.Phenomenon(row.phenomenon), row.subject): row
        for row in sorted(known, key=lambda row: (row.ended_at is None, row.pk))
    }
    held = {key: _held(row) for key, row in rows.items()}
    found = state.steps(
        bulletin,
        events,
        stated=spoken(bulletin, lineage) in bulletin.stated,
        held=held,
        newer_rules=rules.newer_rules,
    )
    again = state.confirmations(bulletin, events, held=held, newer_rules=rules.newer_rules)
    confirmed = tuple(rows[event.phenomenon, event.subject] for event in again)
    for row in confirmed:
        _confirm(row, bulletin, rules)
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
        transitions += drop_corrected(bulletin, telegram, named, place=place, now=now)
    return tuple(transitions), confirmed


def _rings(
    bulletin: b.Bulletin, transitions: Iterable[Transition]
) -> dict[int, tuple[b.Ring, ...]]:
    """The lines around what a CAP alert tells, where it gives no code for the place."""
    if any(event.area for event in bulletin.events):
        return {}
    lines = tuple(dict.fromkeys(ring for event in bulletin.events for ring in event.rings))
    return {t.event_id: tuple(outline(surface(ring)) for ring in lines) for t in transitions}


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


def _confirm(row: Event, bulletin: b.Bulletin, rules: Responses) -> None:
    """What is in force was said again: nobody is told, but it stands as of now, and for longer."""
    row.reported_at = bulletin.reported_at
    row.headline = bulletin.headline
    row.valid_until = _valid_until(bulletin, b.Phenomenon(row.phenomenon), rules)
    row.save()


def _valid_until(
    bulletin: b.Bulletin, phenomenon: b.Phenomenon, rules: Responses
) -> datetime | None:
    if bulletin.valid_until is None and bulletin.format is b.Format.CAP:
        return bulletin.reported_at + rules.cap_lasts
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
    if row is None or (begins and step.phenomenon is not b.Phenomenon.EARTHQUAKE):
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
