"""What is in force, what was, and how the city stands. Everything here is real, never a drill."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policity.fields.alerts.models import Event, Feed, Outcome, Telegram, Transition
from policity.fields.alerts.queries.words import responses
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity, Status
from policity.fields.alerts.rules.feeds import feed_rules
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.response import FrontState

IN_FORCE = "alerts:in-force"
RECENT = "alerts:recent"


def event_key(event_id: int) -> str:
    """The dependency key of one event."""
    return f"alerts:event:{event_id}"


@dataclass(frozen=True, slots=True)
class InForce:
    """An event as it stands. `level` is the 警戒レベル相当, where there is one.

    `place` is the code it was taken in for: the city's, or one that was asked for by hand. `kind`
    is that of the telegram that said so last: JMA's code, or `CAP`.
    """

    id: int
    place: str
    phenomenon: Phenomenon
    severity: Severity
    level: int | None
    kind: str
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


def front_state(events: Iterable[InForce], orders: Iterable[Level] = ()) -> FrontState:
    """The state of the front page for what is in force, and for the city's own `orders`.

    JMA's word alone never says "evacuate".
    """
    rules = responses()
    states = [rules.front(e.phenomenon, e.severity) for e in events]
    states += [rules.order_front(level) for level in orders]
    return max(states, key=lambda state: state.rank, default=FrontState.CALM)


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


@dataclass(frozen=True, slots=True)
class Drill:
    """An exercise or a test that has begun and not ended. Staff see it, residents never do."""

    name: str
    area_name: str
    changed_at: datetime
    status: Status


def drills() -> tuple[Drill, ...]:
    """Exercises and tests that have not ended, newest first."""
    open_ones = Event.objects.in_force().exclude(status=Status.ACTUAL).order_by("-changed_at")
    return tuple(Drill(e.name, e.area_name, e.changed_at, Status(e.status)) for e in open_ones)


@dataclass(frozen=True, slots=True)
class Told:
    """One message: when the telegram said it, when we took it in, when the last page showed it."""

    event_id: int
    title: str
    at: datetime
    recorded_at: datetime
    shown_at: datetime | None


def told(limit: int) -> tuple[Told, ...]:
    """The newest messages with how fast they were shown."""
    steps = (
        Transition.objects.filter(message__isnull=False)
        .select_related("message", "showing")
        .order_by("-pk")[:limit]
    )
    return tuple(
        Told(
            event_id=step.event_id,
            title=step.message.texts["ja"]["title"] if step.message else "",
            at=step.at,
            recorded_at=step.recorded_at,
            shown_at=step.showing.shown_at if step.showing else None,
        )
        for step in steps
    )


def unreadable(*, since: datetime) -> int:
    """How many arrivals could not be read."""
    return Telegram.objects.filter(outcome=Outcome.REFUSED, received_at__gte=since).count()


class AlarmReason(StrEnum):
    """Why a source of telegrams gives cause for alarm."""

    UNANSWERED = "unanswered"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class FeedAlarm:
    """A source that has fallen silent: it gives no answer, or it answers and has nothing new.

    `since` is when it last answered, or its newest entry; `error` what is known, for staff.
    """

    address: str
    reason: AlarmReason
    since: datetime
    error: str


def feeds() -> tuple[Feed, ...]:
    """What is watched, in the order it was added."""
    return tuple(Feed.objects.filter(active=True).order_by("pk"))


def feed_alarms(now: datetime) -> tuple[FeedAlarm, ...]:
    """The sources that have fallen silent, for the board and the watcher's log."""
    return tuple(alarm for feed in feeds() if (alarm := _alarm(feed, now)))


def _alarm(feed: Feed, now: datetime) -> FeedAlarm | None:
    heard = feed.answered_at or feed.added_at
    if now - heard > feed_rules().alarm_after:
        return FeedAlarm(feed.url, AlarmReason.UNANSWERED, heard, feed.last_error)
    if feed.quiet_hours and feed.newest and now - feed.newest > timedelta(hours=feed.quiet_hours):
        return FeedAlarm(feed.url, AlarmReason.QUIET, feed.newest, "")
    return None


def known_entries(names: Iterable[str]) -> set[str]:
    """Those of a feed's entries that were taken in before."""
    listed = list(names)
    found: set[str] = set()
    for start in range(0, len(listed), 500):
        some = Telegram.objects.filter(entry__in=listed[start : start + 500])
        found.update(some.values_list("entry", flat=True))
    return found


def ends_by_itself(now: datetime) -> bool:
    """Whether something's time is over, so that `expire` has work to do."""
    return Event.objects.in_force().filter(valid_until__lte=now).exists()


def _view(event: Event) -> InForce:
    return InForce(
        id=event.pk,
        place=event.place,
        phenomenon=Phenomenon(event.phenomenon),
        severity=Severity(event.severity),
        level=event.level,
        kind=event.kind,
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
