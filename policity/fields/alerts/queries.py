"""What is in force, what was, and how the city stands. Everything here is real, never a drill."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from policity.fields.alerts.models import Event, Transition
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity
from policity.fields.alerts.rules.response import FrontState, responses

IN_FORCE = "alerts:in-force"
RECENT = "alerts:recent"


def event_key(event_id: int) -> str:
    """The dependency key of one event."""
    return f"alerts:event:{event_id}"


@dataclass(frozen=True, slots=True)
class InForce:
    """An event as it stands. `level` is the 警戒レベル相当, where there is one."""

    id: int
    phenomenon: Phenomenon
    severity: Severity
    level: int | None
    code: str
    name: str
    area_name: str
    subject: str
    started_at: datetime
    changed_at: datetime
    reported_at: datetime
    office: str
    headline: str
    generation: int
    valid_until: datetime | None
    ended_at: datetime | None
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One step of an event's history. `withdrawal`: it was issued in error and taken back."""

    at: datetime
    change: Change
    level_from: int | None
    level_to: int | None
    severity_from: Severity | None
    severity_to: Severity | None
    name: str
    office: str
    withdrawal: bool
    message_id: int | None


@dataclass(frozen=True, slots=True)
class EventHistory:
    """An event with its steps, oldest first."""

    event: InForce
    steps: tuple[HistoryStep, ...]


def in_force() -> tuple[InForce, ...]:
    """What is in force now, worst first, then newest first."""
    events = [_view(event) for event in Event.objects.actual().in_force()]
    events.sort(key=lambda e: (-e.severity.rank, -(e.level or 0), -e.changed_at.timestamp(), e.id))
    return tuple(events)


def front_state(events: Iterable[InForce]) -> FrontState:
    """The state of the front page for what is in force. JMA's word alone never says "evacuate"."""
    rules = responses()
    return max((rules.front(e.phenomenon, e.severity) for e in events), default=FrontState.CALM)


def histories(ids: Iterable[int] | None = None) -> dict[int, EventHistory]:
    """Events with their steps, by id; all of them without `ids`. Two queries."""
    events = Event.objects.actual().prefetch_related("transitions")
    if ids is not None:
        events = events.filter(pk__in=list(ids))
    return {
        event.pk: EventHistory(_view(event), tuple(_step(t) for t in event.transitions.all()))
        for event in events
    }


def event(event_id: int) -> EventHistory | None:
    """One event with its steps, or None where it does not exist or is not real."""
    return histories([event_id]).get(event_id)


def event_ids() -> tuple[int, ...]:
    """Every event that has a page."""
    return tuple(Event.objects.actual().order_by("pk").values_list("pk", flat=True))


def recent(limit: int) -> tuple[EventHistory, ...]:
    """What ended last and was published, newest first."""
    ids = (
        Event.objects.actual()
        .filter(ended_at__isnull=False, transitions__message__isnull=False)
        .order_by("-ended_at", "-pk")
        .distinct()
        .values_list("pk", flat=True)[:limit]
    )
    found = histories(ids)
    return tuple(found[pk] for pk in ids)


def _view(event: Event) -> InForce:
    return InForce(
        id=event.pk,
        phenomenon=Phenomenon(event.phenomenon),
        severity=Severity(event.severity),
        level=event.level,
        code=event.code,
        name=event.name,
        area_name=event.area_name,
        subject=event.subject,
        started_at=event.started_at,
        changed_at=event.changed_at,
        reported_at=event.reported_at,
        office=event.office,
        headline=event.headline,
        generation=event.generation,
        valid_until=event.valid_until,
        ended_at=event.ended_at,
        withdrawn=event.withdrawn,
    )


def _step(transition: Transition) -> HistoryStep:
    return HistoryStep(
        at=transition.at,
        change=Change(transition.change),
        level_from=transition.level_from,
        level_to=transition.level_to,
        severity_from=Severity(transition.severity_from) if transition.severity_from else None,
        severity_to=Severity(transition.severity_to) if transition.severity_to else None,
        name=transition.name,
        office=transition.office,
        withdrawal=transition.withdrawal,
        message_id=transition.message_id,
    )
