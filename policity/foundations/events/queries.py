"""What takes place, how full it is, and what somebody signed up for."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from policity.foundations.events.models import Answer, Event, Occurrence, Registration, Source
from policity.foundations.events.rules import asking
from policity.foundations.events.rules.line import Entry, ahead, room
from policity.foundations.events.rules.registering import Door, Terms, door

TO_COME = "events:to-come"
"""What is still to come: every list is made from it."""


def event_key(event: int) -> str:
    """What the pages of one event are made from."""
    return f"events:event:{event}"


def at_key(facility: int) -> str:
    """What takes place at one facility."""
    return f"events:at:{facility}"


def keys(event: Event, *facilities: int | None) -> set[str]:
    """What is made anew when an event changes; with the facilities where it was before."""
    at = {one for one in (event.facility_id, *facilities) if one is not None}
    return {TO_COME, event_key(event.pk), *map(at_key, at)}


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as pages need it. `source` names whose calendar it is from, empty for the city's.

    `facility` is that of a page; `venue` the name of the city's own place, empty where texts say;
    `lat` and `lon` where that lies, None where nobody knows.
    """

    id: int
    texts: Mapping[str, Mapping[str, str]]
    facility: int | None
    venue: str
    address: str
    lat: float | None
    lon: float | None
    department: str
    contact: str
    link: str
    all_day: bool
    cancelled: bool
    whole: bool
    source: str
    terms: Terms
    revision: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class TimeView:
    """One time of an event. `room` is how many seats are left (`line.room`), None: no limit.

    Of a course `course` is when each of its times begins that takes place, `under_way` whether one
    of them is over; empty and false for a time that one signs up for by itself.
    """

    id: int
    event: EventView
    starts: datetime
    ends: datetime
    called_off: bool
    reason: str
    reason_words: str
    over: bool
    room: int | None
    course: tuple[datetime, ...]
    under_way: bool

    @property
    def line(self) -> tuple[str, int]:
        """Whose line it has: the course's, or its own."""
        return ("course", self.event.id) if self.event.whole else ("time", self.id)

    @property
    def begins(self) -> datetime:
        """When that begins for which one signs up."""
        return self.course[0] if self.course else self.starts

    @property
    def cancelled(self) -> bool:
        """Whether it does not take place: this time, or all of it."""
        return self.called_off or self.event.cancelled

    def door(self, now: datetime) -> Door:
        """How signing up stands."""
        return door(
            self.event.terms,
            starts=self.begins,
            ends=self.ends,
            cancelled=self.cancelled,
            room=self.room,
            now=now,
        )


def to_come() -> tuple[TimeView, ...]:
    """Every time that is not over, of what everybody may read, the next first. Three queries."""
    return _views(Occurrence.objects.filter(over=False))


def times_of(events: Collection[int]) -> dict[int, tuple[TimeView, ...]]:
    """Every time of these events, over or not, of what everybody may read. Three queries."""
    found: dict[int, list[TimeView]] = defaultdict(list)
    for view in _views(Occurrence.objects.filter(event__in=events)):
        found[view.event.id].append(view)
    return {event: tuple(views) for event, views in found.items()}


def at(facilities: Collection[int]) -> dict[int, tuple[TimeView, ...]]:
    """Of what is to come at each of these facilities, each event's next time. Three queries."""
    found: dict[int, dict[int, TimeView]] = defaultdict(dict)
    for view in _views(Occurrence.objects.filter(over=False, event__facility__in=facilities)):
        if view.event.facility is not None:
            found[view.event.facility].setdefault(view.event.id, view)
    return {facility: tuple(views.values()) for facility, views in found.items()}


def time(number: int) -> TimeView | None:
    """One time of what everybody may read. None: there is none."""
    return next(iter(_views(Occurrence.objects.filter(pk=number))), None)


def _views(times: QuerySet[Occurrence]) -> tuple[TimeView, ...]:
    public = Event.objects.public()
    rows = times.filter(event__in=public).select_related(
        "event__site", "event__facility", "event__source", "event__department"
    )
    rows = rows.order_by("starts", "pk")
    lines = entries(rows.filter(event__takes=True).values_list("pk", flat=True))
    events: dict[int, EventView] = {}
    courses = _courses({row.event_id for row in rows if row.event.whole})
    return tuple(
        TimeView(
            row.pk,
            events.setdefault(row.event_id, event_view(row.event)),
            row.starts,
            row.ends,
            row.cancelled_at is not None,
            row.reason,
            row.reason_words,
            row.over,
            room(lines.get(row.pk, ()), row.event.capacity),
            *courses.get(row.event_id, ((), False)),
        )
        for row in rows
    )


def _courses(events: Collection[int]) -> dict[int, tuple[tuple[datetime, ...], bool]]:
    """When the times of these courses begin, and whether they are under way. None: no query."""
    if not events:
        return {}
    found: dict[int, tuple[tuple[datetime, ...], bool]] = {}
    rows = Occurrence.objects.filter(event__in=events, cancelled_at=None).order_by("starts")
    for event, starts, over in rows.values_list("event_id", "starts", "over"):
        begins, under_way = found.get(event, ((), False))
        found[event] = ((*begins, starts), under_way or over)
    return found


def alike(time: Occurrence, *, now: datetime) -> list[Occurrence]:
    """The times that have one line with this one, the next first: it alone, or its course's.

    Of a course those that are still to begin and take place; and this one, at the end of them,
    where it does no longer. One query for a course, else none.
    """
    if not time.event.whole:
        return [time]
    rows = Occurrence.objects.select_related("event__site", "event__facility").filter(
        event=time.event_id, starts__gt=now, cancelled_at=None
    )
    found = list(rows.order_by("starts"))
    return found if time in found else [*found, time]


def begins(time: Occurrence) -> datetime:
    """When that begins for which one signs up. One query for a course, else none."""
    found = _courses({time.event_id} if time.event.whole else ())
    return found[time.event_id][0][0] if found else time.starts


def event_view(event: Event) -> EventView:
    """An event whose site and source were read with it."""
    venue, source = event.venue, event.source
    facility = event.facility
    return EventView(
        id=event.pk,
        texts=event.texts,
        facility=facility.pk if facility and facility.closed_at is None else None,
        venue=venue.name if venue else "",
        address=venue.address if venue else "",
        lat=venue.lat if venue else None,
        lon=venue.lon if venue else None,
        department=event.department.name if event.department else "",
        contact=event.contact,
        link=event.link,
        all_day=event.all_day,
        cancelled=event.stage == Event.Stage.CANCELLED,
        whole=event.whole,
        source=source.name if source else "",
        terms=terms(event),
        revision=event.revision,
        changed_at=event.changed_at,
    )


def terms(event: Event) -> Terms:
    """How one signs up for it."""
    return Terms(
        takes=event.takes,
        capacity=event.capacity,
        waits=event.waits,
        opens=event.opens,
        closes=event.closes,
        most=event.most,
    )


def entries(times: Iterable[int]) -> dict[int, list[Entry]]:
    """The line of each of these times. One query."""
    found: dict[int, list[Entry]] = defaultdict(list)
    rows = Registration.objects.in_line().filter(occurrence__in=times).order_by("number")
    for time, number, seats in rows.values_list("occurrence_id", "number", "seats"):
        assert number is not None  # noqa: S101  # for the types
        found[time].append(Entry(number, seats))
    return found


@dataclass(frozen=True, slots=True)
class Mine:
    """What somebody signed up for, for that person's own eyes: what they were told.

    `ahead`: so many wait before them.
    """

    id: int
    time: TimeView
    number: int
    seats: int
    name: str
    seated: bool
    ahead: int
    may_answer: bool


def mine(person: int) -> tuple[Mine, ...]:
    """What a person signed up for and did not cancel, the next first. Five queries.

    A course stands there once: with what is asked of it, or with its next time, or its last.
    """
    own = Registration.objects.in_line().filter(person=person)
    rows = list(own.select_related("occurrence").order_by("occurrence__starts"))
    numbers = [row.occurrence_id for row in rows]
    times = {view.id: view for view in _views(Occurrence.objects.filter(pk__in=numbers))}
    lines = entries(times)
    found: dict[tuple[str, int], Mine] = {}
    for row in rows:
        view = times.get(row.occurrence_id)
        # Of a course: what does not take place is not how they stand.
        if view is None or row.number is None or (view.course and view.called_off):
            continue
        line, capacity = lines[view.id], view.event.terms.capacity
        asks = row.occurrence.asked_at is not None and not row.answered
        before = ahead(line, capacity, row.number)
        one = Mine(
            row.pk, view, row.number, row.seats, row.name, row.seated, before, may_answer=asks
        )
        other = found.get(view.line)
        if other is None or asks or (other.time.over and not other.may_answer):
            found[view.line] = one
    return tuple(sorted(found.values(), key=lambda one: one.time.starts))


def awaiting(person: int, address: int) -> tuple[TimeView, ...]:
    """The times for which somebody at a mail address has still to give their word."""
    rows = Registration.objects.filter(
        person=person, address=address, number=None, cancelled_at=None
    )
    return _views(Occurrence.objects.filter(pk__in=rows.values_list("occurrence_id", flat=True)))


@dataclass(frozen=True, slots=True)
class Listed:
    """An event in the staff's list, with its next time, or its last where none is to come."""

    id: int
    title: str
    stage: Event.Stage
    source: str
    department: str
    gone: bool
    starts: datetime
    times: int
    had: int
    capacity: int | None
    takes: bool


def listed(*, past: bool, now: datetime, limit: int = 200) -> tuple[Listed, ...]:
    """The staff's list: what is to come or not yet public, or what is over. Three queries."""
    rows = Event.objects.select_related("source", "department").prefetch_related("times")
    ahead_ = Q(times__ends__gte=now)
    rows = rows.filter(ahead_).distinct() if not past else rows.exclude(ahead_).distinct()
    chosen: list[tuple[Event, Occurrence | None, int]] = []
    for row in rows:
        times = sorted(row.times.all(), key=lambda time: time.starts)
        coming = [time for time in times if time.ends >= now]
        chosen.append((row, (coming[0] if coming else times[-1] if times else None), len(times)))
    chosen.sort(key=lambda one: one[1].starts if one[1] else one[0].starts, reverse=past)
    del chosen[limit:]
    had: dict[int, int] = defaultdict(int)
    seats = Registration.objects.in_line().filter(
        occurrence__in=[time.pk for _, time, _ in chosen if time], seated=True
    )
    for time, some in seats.values_list("occurrence_id", "seats"):
        had[time] += some
    return tuple(
        Listed(
            row.pk,
            row.texts["ja"]["title"],
            Event.Stage(row.stage),
            row.source.name if row.source else "",
            row.department.name if row.department else "",
            row.gone_at is not None,
            time.starts if time else row.starts,
            count,
            (had[time.pk] or time.had) if time else 0,
            row.capacity,
            row.takes,
        )
        for row, time, count in chosen
    )


def seats(times: Collection[int]) -> dict[int, tuple[int, int]]:
    """How many persons have a place, and how many wait, by time. One query."""
    found: dict[int, tuple[int, int]] = {}
    rows = Registration.objects.in_line().filter(occurrence__in=times)
    for time, seated_, some in rows.values_list("occurrence_id", "seated", "seats"):
        had, waits = found.get(time, (0, 0))
        found[time] = (had + some, waits) if seated_ else (had, waits + some)
    return found


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the line of a time, for staff."""

    id: int
    number: int
    name: str
    phone: str
    seats: int
    seated: bool
    attended: bool | None
    to_call: bool
    by_staff: bool
    confirmed_at: datetime | None


def people(time: int) -> tuple[Person, ...]:
    """Everybody in the line of a time, in their order."""
    rows = Registration.objects.in_line().filter(occurrence=time).order_by("number")
    return tuple(
        Person(
            row.pk,
            row.number or 0,
            row.name,
            row.phone,
            row.seats,
            row.seated,
            row.attended,
            row.to_call,
            row.person is None,
            row.confirmed_at,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Whom calling something off tells: by a message, and by staff themselves."""

    messages: int
    calls: int


def told(times: Collection[int]) -> Told:
    """Who would have to be told that these times of an event do not take place. Two queries."""
    rows = Registration.objects.in_line().filter(occurrence__in=times)
    persons = rows.exclude(person=None).values("person").distinct().count()
    calls = rows.filter(person=None).values_list("occurrence__event__whole", "occurrence", "number")
    return Told(persons, len({number if whole else (on, number) for whole, on, number in calls}))


@dataclass(frozen=True, slots=True)
class Opinion:
    """What those who came thought: each with a score (1 to 5), their words, and their answers.

    `questions` are those that they were asked; each row of `answers` is in their order.
    """

    questions: tuple[asking.Question, ...]
    scores: tuple[int, ...]
    texts: tuple[str, ...]
    answers: tuple[tuple[asking.Given, ...], ...]

    @property
    def mean(self) -> float | None:
        """Of the scores; None where nobody answered."""
        return sum(self.scores) / len(self.scores) if self.scores else None


def asked(time: int) -> tuple[asking.Question, ...]:
    """The questions of their own that those who came to a time were asked."""
    return asking.read(Occurrence.objects.filter(pk=time).values_list("asked", flat=True).first())


def opinion(time: int) -> Opinion:
    """The answers of one time. Two queries."""
    questions = asked(time)
    rows = list(Answer.objects.filter(occurrence=time).order_by("pk"))
    none = [None] * len(questions)
    return Opinion(
        questions,
        tuple(row.score for row in rows),
        tuple(row.text for row in rows),
        tuple(tuple(row.answers or none) for row in rows),
    )


def sources() -> tuple[Source, ...]:
    """Others' calendars that are read."""
    return tuple(
        Source.objects.filter(ended_at=None).select_related("department").order_by("name", "pk")
    )
