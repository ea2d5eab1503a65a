"""Taking over others' calendars. Each source has its own events, and touches no other's."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from policity.foundations.accounts.models import Department, User
from policity.foundations.accounts.services import audit
from policity.foundations.events import queries
from policity.foundations.events.formats.reading import Item, Reading
from policity.foundations.events.models import Event, Occurrence, Source
from policity.foundations.events.services.lining import TOPIC
from policity.foundations.publishing.services import mark_stale
from policity.foundations.work import services as work
from policity.kit.web import is_web_address

EVERY = timedelta(hours=1)
MOST_LEFT = 50
"""Entries that could not be taken are named up to so many; all are counted."""


class SourceRefused(ValueError):  # noqa: N818  # the thing refused
    """Such a calendar cannot be read. The message is one Japanese sentence for staff."""


@work.alone(TOPIC)
def add_source(*, name: str, address: str, by: User, now: datetime, department: str = "") -> Source:
    """Read somebody's calendar from now on. Without an address staff bring files. SourceRefused.

    `department` is the slug of who keeps it; empty: the whole city.
    """
    if address and not is_web_address(address):
        raise SourceRefused("アドレスを、https:// から入れてください。")
    if address and Source.objects.filter(address=address, ended_at=None).exists():
        raise SourceRefused("そのカレンダーは、もう登録してあります。")
    source = Source.objects.create(
        name=name,
        address=address,
        created_at=now,
        department=Department.objects.filter(slug=department).first(),
    )
    audit.record("event_source.added", on=f"events.source:{source.pk}", by=by, now=now)
    return source


@work.alone(TOPIC)
def end_source(*, source: int, by: User, now: datetime) -> None:
    """Read it no more; what is from it leaves the public pages. Safe to repeat."""
    if Source.objects.filter(pk=source, ended_at=None).update(ended_at=now):
        _gone(Event.objects.filter(source=source, gone_at=None), now=now)
        audit.record("event_source.ended", on=f"events.source:{source}", by=by, now=now)


def read_again(*, source: int, now: datetime) -> None:
    """Have the worker read an address anew, with its next look."""
    Source.objects.filter(pk=source, ended_at=None).update(read_at=None)


def due(*, now: datetime) -> list[tuple[int, str]]:
    """The sources whose address is to be read again: number and address."""
    rows = Source.objects.filter(ended_at=None).exclude(address="")
    rows = rows.exclude(read_at__gt=now - EVERY)
    return list(rows.order_by("pk").values_list("pk", "address"))


def note_fault(*, source: int, fault: str, now: datetime) -> None:
    """Note why a calendar could not be read. What was read before stays as it is."""
    Source.objects.filter(pk=source).update(read_at=now, fault=fault[:200])


@work.alone(TOPIC)
def take(*, source: int, reading: Reading, now: datetime, by: User | None = None) -> int:
    """Write down what a calendar says now; how many of its entries are others than before.

    What is missing from it, and is not over, is gone: it leaves the pages, and comes back where it
    comes back. Nothing of another source, and nothing of the city's own, is looked at.
    """
    row = Source.objects.filter(pk=source, ended_at=None).first()
    if row is None:
        return 0
    own = {event.uid: event for event in Event.objects.filter(source=row)}
    times: dict[int, list[Occurrence]] = {}
    for time in Occurrence.objects.filter(event__source=row):
        times.setdefault(time.event_id, []).append(time)
    changed = [
        event
        for item in reading.items
        if (event := _write(row, own.get(item.uid), item, times, now=now)) is not None
    ]
    read = {item.uid for item in reading.items}
    missing = Event.objects.filter(source=row, gone_at=None, times__over=False)
    missing = missing.exclude(uid__in=read).distinct()
    gone = _gone(missing, now=now)
    if changed:
        _stale(changed, now=now)
    Source.objects.filter(pk=source).update(
        read_at=now, fault="", skipped=len(reading.left), left=reading.left[:MOST_LEFT]
    )
    if by is not None:
        audit.record(
            "event_source.imported", on=f"events.source:{source}", by=by, now=now,
            count=len(reading.items),
        )  # fmt: skip
    return len(changed) + gone


def _write(
    source: Source,
    event: Event | None,
    item: Item,
    times: dict[int, list[Occurrence]],
    *,
    now: datetime,
) -> int | None:
    """One entry as it is now. Its number where it is another than before, None where it is not."""
    wanted = {
        datetime.fromisoformat(starts): (datetime.fromisoformat(ends), off)
        for starts, ends, off in item.times
    }
    first = min(wanted)
    fields = {
        "stage": Event.Stage.PUBLISHED,
        "texts": {"ja": {"title": item.title, "body": item.body, "place": item.place}},
        "link": item.link,
        "all_day": item.all_day,
    }
    other = event is None or event.gone_at is not None
    if event is None:
        event = Event(
            source=source,
            uid=item.uid,
            department_id=source.department_id,
            starts=first,
            ends=wanted[first][0],
        )
    else:
        other |= any(getattr(event, name) != value for name, value in fields.items())
    have = {time.starts: time for time in times.get(event.pk or 0, [])}
    kept = {at: (time.ends, time.cancelled_at is not None) for at, time in have.items()}
    # What is over is history: its source may have forgotten it.
    lost = [time for at, time in have.items() if at not in wanted and not time.over]
    new = [at for at in wanted if kept.get(at) != wanted[at]]
    if not (other or lost or new):
        return None
    for name, value in fields.items():
        setattr(event, name, value)
    event.starts, event.ends = first, wanted[first][0]
    event.revision, event.changed_at, event.gone_at = event.revision + 1, now, None
    event.save()
    Occurrence.objects.filter(pk__in=[time.pk for time in lost]).delete()
    for at in new:
        ends, off = wanted[at]
        Occurrence.objects.update_or_create(
            event=event, starts=at,
            defaults={"ends": ends, "cancelled_at": now if off else None, "over": ends <= now},
        )  # fmt: skip
    return event.pk


def _gone(events: "QuerySet[Event]", *, now: datetime) -> int:
    numbers = list(events.values_list("pk", flat=True))
    if numbers:
        Event.objects.filter(pk__in=numbers).update(gone_at=now)
        _stale(numbers, now=now)
    return len(numbers)


def _stale(events: list[int], *, now: datetime) -> None:
    mark_stale([queries.TO_COME, *map(queries.event_key, events)], now=now)
