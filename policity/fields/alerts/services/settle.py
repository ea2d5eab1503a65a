"""The end of a backlog: what is in force is told once, what is over is only recorded."""

from datetime import datetime

import structlog

from policity.fields.alerts.models import Action, Event, Telegram, Transition
from policity.fields.alerts.queries.words import responses
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.rules.owed import Standing, owed
from policity.fields.alerts.services.steps import mark_pages, save_step, send_out
from policity.foundations.places import queries as places
from policity.foundations.work import services as work

log = structlog.get_logger("policity.alerts")


def settle(*, source: str, now: datetime) -> tuple[Transition, ...]:
    """Tell what the telegrams that a source gave in a backlog (`ingest` with replay) add up to.

    One message for each event that stands otherwise than people were last told: never told and in
    force, raised, lowered, or ended. The city's rules decide as ever. Safe to repeat.
    """
    with work.alone("alerts"):
        backlog = Telegram.objects.filter(source=source, backlog=True)
        changed = set(backlog.values_list("transitions__event", flat=True))
        backlog.update(backlog=False)
        events = Event.objects.actual().filter(pk__in=changed - {None}).order_by("changed_at", "pk")
        steps = tuple(step for event in events if (step := _told_late(event, now=now)))
        send_out(steps, now=now)
        mark_pages(steps, now=now)
    for step in steps:
        log.info("transition", event_id=step.event_id, change=step.change, settled=source)
    return steps


def _told_late(event: Event, *, now: datetime) -> Transition | None:
    """The step by which people hear of an event now, if they must."""
    steps = list(event.transitions.order_by("pk"))
    last = steps[-1]
    told = _last_told(steps)
    stands = None if event.ended_at else (b.Severity(event.severity), event.level)
    change = owed(told, stands)
    if change is None or (stands is None and not _called_off(last)):
        return None
    if not (last.withdrawal and told) and not responses().publishes(
        b.Phenomenon(event.phenomenon),
        b.Severity(event.severity),
        change,
        places.lineage(event.place),
    ):
        return None
    severity_from, level_from = told or ("", None)
    severity_to, level_to = stands or ("", None)
    # No telegram: a withdrawal of the last one undoes that one's own step, not this.
    step = Transition(
        event=event,
        at=event.changed_at,
        recorded_at=now,
        change=change,
        severity_from=severity_from,
        severity_to=severity_to,
        level_from=level_from,
        level_to=level_to,
        name=event.name,
        office=last.office,
        withdrawal=last.withdrawal,
        action=Action.PUBLISHED,
    )
    return save_step(step, now=now)


def _last_told(steps: list[Transition]) -> Standing | None:
    for step in reversed(steps):
        if step.message_id is not None:
            return (b.Severity(step.severity_to), step.level_to) if step.severity_to else None
    return None


def _called_off(last: Transition) -> bool:
    """Whether somebody said that it is over; what ends by its own time is not told."""
    return last.change == b.Change.CANCELLED and last.telegram_id is not None
