"""From what a telegram says and what we hold to what has changed. Pure.

A telegram says "continued" or "issued" against what its office said before. We compare with our
own state, because we may have been away: the same announcement in a second telegram is nothing
new, and "continued" of something we never heard of is first knowledge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from policity.fields.alerts.rules.bulletin import (
    Bulletin,
    Change,
    Event,
    Generation,
    Phenomenon,
    Severity,
)


@dataclass(frozen=True, slots=True)
class Held:
    """What we last knew of a phenomenon (and subject) in the place, in force or ended."""

    phenomenon: Phenomenon
    subject: str
    severity: Severity
    level: int | None
    code: str
    name: str
    generation: Generation
    reported_at: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One change against what we held. `event` is what the telegram said, None where it was
    silent about something it would have named (the end of it, then).

    The `_from` values are None where we held nothing, the `_to` values where it ended.
    """

    phenomenon: Phenomenon
    subject: str
    change: Change
    severity_from: Severity | None
    severity_to: Severity | None
    level_from: int | None
    level_to: int | None
    event: Event | None

    @property
    def severity(self) -> Severity:
        """The severity by which the city's rules judge the step: of what is, or of what ended."""
        found = self.severity_to or self.severity_from
        assert found is not None  # noqa: S101  # a step goes from something or to something
        return found


def steps(
    bulletin: Bulletin,
    events: Iterable[Event],
    *,
    stated: bool,
    held: Mapping[tuple[Phenomenon, str], Held],
    newer_rules: timedelta,
) -> tuple[Step, ...]:
    """What a bulletin changes in one place.

    `events` are the bulletin's events for the place, `stated` whether it states everything of its
    scope there, `held` the last knowledge of each phenomenon and subject, `newer_rules` for how
    long the newer generation silences the older one. Telegrams older than what we hold change
    nothing.
    """
    found: list[Step] = []
    named = _worst(events)
    for key, event in named.items():
        last = held.get(key)
        if last and not _may_change(bulletin, last, newer_rules):
            continue
        step = _compare(event, last)
        if step:
            found.append(step)
    if stated:
        for key, last in held.items():
            if (
                last.open
                and not last.subject
                and key not in named
                and last.phenomenon in bulletin.scope
                and _may_change(bulletin, last, newer_rules)
            ):
                found.append(_ended(last, None))
    return tuple(found)


def confirmations(
    bulletin: Bulletin,
    events: Iterable[Event],
    *,
    held: Mapping[tuple[Phenomenon, str], Held],
    newer_rules: timedelta,
) -> tuple[Event, ...]:
    """What is in force and the bulletin says again, unchanged."""
    return tuple(
        event
        for key, event in _worst(events).items()
        if (last := held.get(key))
        and last.open
        and _may_change(bulletin, last, newer_rules)
        and not _tells_no_intensity(event)
        and _compare(event, last) is None
    )


def _worst(events: Iterable[Event]) -> dict[tuple[Phenomenon, str], Event]:
    """One event a phenomenon and subject: what is in force before what ended, worst first."""
    found: dict[tuple[Phenomenon, str], Event] = {}
    for event in events:
        key = (event.phenomenon, event.subject)
        other = found.get(key)
        if other is None or _weight(event) > _weight(other):
            found[key] = event
    return found


def _weight(event: Event) -> tuple[bool, int, int]:
    return event.change is not Change.CANCELLED, event.severity.rank, event.level or 0


def _may_change(bulletin: Bulletin, last: Held, newer_rules: timedelta) -> bool:
    if last.subject:
        # A river, an earthquake, a sender: one kind of telegram tells its whole story.
        return bulletin.reported_at >= last.reported_at
    if bulletin.generation < last.generation:
        return bulletin.reported_at - last.reported_at > newer_rules
    return bulletin.reported_at >= last.reported_at


def _tells_no_intensity(event: Event) -> bool:
    """An epicentre alone does not say how hard it shook here."""
    return event.phenomenon is Phenomenon.EARTHQUAKE and not event.code


def _compare(event: Event, last: Held | None) -> Step | None:
    if event.change is Change.CANCELLED:
        if last is None:
            # What is over before we heard of it is recorded.
            return Step(
                event.phenomenon, event.subject, Change.CANCELLED,
                event.severity, None, event.level, None, event,
            )  # fmt: skip
        return _ended(last, event) if last.open else None
    if last is None or not last.open:
        return Step(
            event.phenomenon, event.subject, event.change,
            None, event.severity, None, event.level, event,
        )  # fmt: skip
    if _tells_no_intensity(event):
        return None
    before = (last.severity.rank, last.level or 0)
    now = (event.severity.rank, event.level or 0)
    if before == now:
        return None
    return Step(
        event.phenomenon,
        event.subject,
        Change.RAISED if now > before else Change.LOWERED,
        last.severity,
        event.severity,
        last.level,
        event.level,
        event,
    )


def _ended(last: Held, event: Event | None) -> Step:
    return Step(
        last.phenomenon, last.subject, Change.CANCELLED,
        last.severity, None, last.level, None, event,
    )  # fmt: skip
