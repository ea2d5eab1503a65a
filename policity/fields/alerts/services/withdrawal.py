"""取消 and 訂正: what an office takes back, and how things stood before it."""

from datetime import datetime
from itertools import takewhile

from policity.fields.alerts.models import Event, Outcome, Telegram, Transition
from policity.fields.alerts.rules import bulletin as b
from policity.fields.alerts.rules.owed import owed
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
    """取消: every event stands as it stood before the withdrawn telegram. One step for each.

    Of an earthquake all telegrams of the kind are meant, of everything else the last one together
    with what it corrected.
    """
    meant = _meant(bulletin, place)
    undone = Transition.objects.filter(telegram__in=meant, event__place=place)
    first: dict[int, Transition] = {}
    for step in undone.select_related("event").order_by("pk"):
        first.setdefault(step.event_id, step)
    later = _spoken_of_since(bulletin, first, meant)
    # What ends goes first: what comes back may stand in its place.
    transitions = tuple(
        found
        for before in sorted(first.values(), key=lambda before: bool(before.severity_from))
        if before.event_id not in later
        if (found := _restore(before, bulletin, telegram, now=now))
    )
    for withdrawn in meant:
        withdrawn.withdrawn_for = [*withdrawn.withdrawn_for, place]
    Telegram.objects.bulk_update(meant, ["withdrawn_for"])
    return transitions


def _meant(bulletin: b.Bulletin, place: str) -> list[Telegram]:
    """The telegrams that a withdrawal takes back, newest first."""
    said = Telegram.objects.filter(
        identity=bulletin.identity,
        kind=bulletin.kind,
        status=bulletin.status,
        outcome=Outcome.READ,
        reported_at__lte=bulletin.reported_at,
    ).exclude(info_type=b.InfoType.CANCEL)
    standing = [t for t in said.order_by("-reported_at", "-pk") if place not in t.withdrawn_for]
    if bulletin.kind.startswith(ONE_STORY):
        return standing
    corrections = list(takewhile(lambda t: t.info_type == b.InfoType.CORRECT, standing))
    return standing[: len(corrections) + 1]


def _spoken_of_since(
    bulletin: b.Bulletin, first: dict[int, Transition], meant: list[Telegram]
) -> set[int]:
    """The events of which something was said since, or that have begun anew: that stands."""
    places = {before.event.place for before in first.values()}
    later = {pk for pk, before in first.items() if before.event.reported_at > bulletin.reported_at}
    steps = Transition.objects.filter(event__in=first, telegram__isnull=False)
    for step in steps.exclude(telegram__in=meant).select_related("telegram"):
        stands = step.telegram and places.isdisjoint(step.telegram.withdrawn_for)
        if step.pk > first[step.event_id].pk and stands and not step.withdrawal:
            later.add(step.event_id)
    open_ones = Event.objects.in_force().filter(place__in=places, status=bulletin.status)
    # What the withdrawn telegrams themselves began is over with them.
    undone = {pk for pk, before in first.items() if pk not in later and not before.severity_from}
    begun = {
        (event.phenomenon, event.subject): event.pk for event in open_ones if event.pk not in undone
    }
    for pk, before in first.items():
        if begun.get((before.event.phenomenon, before.event.subject), pk) != pk:
            later.add(pk)
    return later


def _restore(
    before: Transition, bulletin: b.Bulletin, telegram: Telegram, *, now: datetime
) -> Transition | None:
    """The step that puts an event back to where `before` found it. None: there it is."""
    event = before.event
    ran_out = event.ended_at is not None and event.ended_at == event.valid_until
    if not before.severity_from or ran_out:
        if event.ended_at is not None and (event.withdrawn or not ran_out):
            return None
        # What ran out by itself is over; whoever was told of it hears that it was an error.
        return end_event(
            event,
            at=bulletin.reported_at,
            now=now,
            action=told(event, bulletin),
            telegram=telegram,
            withdrawal=True,
        )
    stood = (b.Severity(before.severity_from), before.level_from)
    stands = None if event.ended_at else (b.Severity(event.severity), event.level)
    change = owed(stands, stood)
    step = Transition(
        event=event,
        telegram=telegram,
        at=bulletin.reported_at,
        recorded_at=now,
        change=b.Change.ISSUED if stands is None else change or "",
        severity_from=stands[0] if stands else "",
        severity_to=before.severity_from,
        level_from=stands[1] if stands else None,
        level_to=before.level_from,
        code_from=event.code,
        name_from=event.name,
        name=before.name_from,
        office=telegram.office,
        withdrawal=True,
        action=told(event, bulletin),
    )
    event.severity, event.level = before.severity_from, before.level_from
    event.code, event.name = before.code_from, before.name_from
    event.reported_at = bulletin.reported_at
    event.changed_at = bulletin.reported_at if change else event.changed_at
    event.ended_at = None
    event.withdrawn = False
    event.save()
    return save_step(step, now=now) if change else None


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
