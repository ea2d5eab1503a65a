"""取消 and 訂正: what an office takes back, and how things stood before it."""

from datetime import datetime

from policity.fields.alerts.models import Event, Outcome, Telegram, Transition
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.services.steps import end_event, save_step, told

# An earthquake's EventID is its own; other kinds keep theirs for years (a river's, an office's).
ONE_STORY = ("VXSE", "VTSE")


def call_off(
    bulletin: b.Bulletin, telegram: Telegram, *, place: str, now: datetime
) -> tuple[Transition, ...]:
    """CAP's Cancel: the whole chain of alerts that it belongs to is over."""
    events = Event.objects.in_force().filter(
        place=place,
        status=bulletin.status,
        kind=bulletin.kind,
        subject=telegram.root,
        reported_at__lte=bulletin.reported_at,
    )
    return tuple(
        end_event(
            event, at=bulletin.reported_at, now=now, action=told(event, bulletin), telegram=telegram
        )
        for event in events
    )


def withdraw(
    bulletin: b.Bulletin, telegram: Telegram, *, place: str, now: datetime
) -> tuple[Transition, ...]:
    """取消: what the withdrawn telegram changed here is undone, newest first.

    Of an earthquake all telegrams of the kind are meant, of everything else the last one.
    """
    meant = Telegram.objects.filter(
        identity=bulletin.identity,
        kind=bulletin.kind,
        status=bulletin.status,
        outcome=Outcome.READ,
        reported_at__lte=bulletin.reported_at,
    ).exclude(info_type=b.InfoType.CANCEL)
    ordered = [t for t in meant.order_by("-reported_at", "-pk") if place not in t.withdrawn_for]
    if not bulletin.kind.startswith(ONE_STORY):
        ordered = ordered[:1]
    undone = Transition.objects.filter(telegram__in=ordered, event__place=place)
    events: dict[int, Event] = {}
    transitions: list[Transition] = []
    for step in undone.select_related("event").order_by("-pk"):
        # Each step undoes what the one after it left, so they share one event.
        step.event = events.setdefault(step.event_id, step.event)
        if step.event.reported_at > bulletin.reported_at:
            # It arrived late: what was said since then stands.
            continue
        if (step.event.ended_at is None) == (step.change != b.Change.CANCELLED):
            transitions.append(_undo(step, bulletin, telegram, now=now))
    for withdrawn in ordered:
        withdrawn.withdrawn_for = [*withdrawn.withdrawn_for, place]
    Telegram.objects.bulk_update(ordered, ["withdrawn_for"])
    return tuple(transitions)


def _undo(
    step: Transition, bulletin: b.Bulletin, telegram: Telegram, *, now: datetime
) -> Transition:
    """Take back one step: its event stands as it stood before."""
    event = step.event
    action = told(event, bulletin)
    if not step.severity_from:
        return end_event(
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


def drop_corrected(
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
        reported_at__lte=bulletin.reported_at,
        transitions__telegram__root=telegram.root,
        transitions__telegram__kind=bulletin.kind,
    )
    return [
        end_event(
            event,
            at=bulletin.reported_at,
            now=now,
            action=told(event, bulletin),
            telegram=telegram,
            withdrawal=True,
        )
        for event in begun.distinct()
        if (b.Phenomenon(event.phenomenon), event.subject) not in named
    ]
