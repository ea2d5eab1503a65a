"""Writing an event, showing it, changing it, and calling it off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Max
from django.utils import timezone

from policity.foundations.accounts.models import Department, User
from policity.foundations.accounts.services import audit
from policity.foundations.events import queries
from policity.foundations.events.models import Event, Occurrence, Registration
from policity.foundations.events.rules import asking, repeating
from policity.foundations.events.rules.reasons import Reason, problem
from policity.foundations.events.rules.repeating import BadRepeat
from policity.foundations.events.services.lining import TOPIC, copy, settle
from policity.foundations.events.services.telling import tell
from policity.foundations.events.services.words import News
from policity.foundations.publishing.services import mark_stale
from policity.foundations.work import services as work

LONGEST_COURSE = 50
"""Times: each has a line of its own to keep like the others'."""


class EventRefused(ValueError):  # noqa: N818  # the thing refused
    """It cannot be so. The message is one Japanese sentence for staff."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event as somebody writes it: moments in the city's time, see `models.Event`."""

    texts: Mapping[str, Mapping[str, str]]
    starts: datetime
    ends: datetime
    every: repeating.Every = repeating.Every.ONCE
    until: date | None = None
    skips: tuple[date, ...] = ()
    facility: int | None = None
    site: int | None = None
    contact: str = ""
    link: str = ""
    takes: bool = False
    capacity: int | None = None
    waits: bool = True
    most: int = 1
    whole: bool = False
    opens: datetime | None = None
    closes: int = 0
    reminds: int = 24
    asks: bool = False
    questions: tuple[asking.Question, ...] = ()
    department: str = ""
    all_day: bool = field(default=False)


@work.alone(TOPIC)
def draft(*, event: Draft, by: User, now: datetime) -> Event:
    """Write down a new event, which nobody sees yet. Raises EventRefused."""
    times, rule = _times(event)
    row = Event(changed_at=now, **_fields(event, rule))
    row.save()
    Occurrence.objects.bulk_create(
        Occurrence(event=row, starts=starts, ends=ends, over=ends <= now) for starts, ends in times
    )
    audit.record("event.composed", on=f"events.event:{row.pk}", by=by, now=now)
    return row


@work.alone(TOPIC)
def change(*, number: int, event: Draft, seen: int, by: User, now: datetime) -> Event:
    """Write it anew; whoever signed up is told where day, hour or place are others.

    `seen` is the revision that was changed: what somebody else wrote meanwhile is not written over.
    A time for which somebody signed up is not lost by the way: it is called off first, with a
    reason. More or less room moves the line. Raises EventRefused.
    """
    row = _own(number)
    if row.revision != seen:
        raise EventRefused("ほかの人が、先に変えました。いまの内容を見て、もう一度変えてください。")
    if row.stage == Event.Stage.CANCELLED:
        raise EventRefused("中止にしたイベントは、変えられません。")
    times, rule = _times(event)
    _hold_the_largest(row, event.capacity, now=now)
    if row.whole != event.whole and Registration.objects.filter(occurrence__event=row).exists():
        raise EventRefused("申込みがあるので、全部の回をまとめて受けるかどうかは、変えられません。")
    before, facility = _where(row), row.facility_id
    for name, value in _fields(event, rule).items():
        setattr(row, name, value)
    row.revision, row.changed_at = seen + 1, now
    row.save()
    moved = before != _where(row)
    _rewrite_times(row, times, moved=moved, now=now)
    mark_stale(queries.keys(row, facility), now=now)
    audit.record("event.changed", on=f"events.event:{number}", by=by, now=now)
    return row


def _where(event: Event) -> tuple[object, ...]:
    return (event.facility_id, event.site_id, event.texts["ja"].get("place", ""))


def _hold_the_largest(event: Event, capacity: int | None, *, now: datetime) -> None:
    """Whoever could never have a place would keep all behind them waiting for ever."""
    line = Registration.objects.in_line().filter(
        occurrence__event=event, occurrence__starts__gt=now
    )
    largest = line.aggregate(most=Max("seats"))["most"] or 0
    if capacity is not None and capacity < largest:
        raise EventRefused(
            f"{largest}人で申し込んだ人がいます。定員を{largest}人より少なくするには、"
            "その人に伝えて、取り消してからにしてください。"
        )


def _rewrite_times(
    event: Event, times: tuple[tuple[datetime, datetime], ...], *, moved: bool, now: datetime
) -> None:
    """Each time before becomes one of now, or goes. What has begun stays as it is."""
    rows = {_wall(row.starts): row for row in event.times.filter(starts__gt=now, cancelled_at=None)}
    past = {_wall(row.starts) for row in event.times.exclude(pk__in=[r.pk for r in rows.values()])}
    wanted = {_wall(starts): (starts, ends) for starts, ends in times if starts > now}
    ahead = [at for at in wanted if at not in past]
    found = repeating.match(list(rows), ahead, whole=event.whole)
    line = _line(rows[min(rows)]) if event.whole and rows else []
    counted = max((row.numbers for row in rows.values()), default=0) if line else 0
    # A time that goes makes room first; of those that move each other's way, the far one first.
    gone = [rows[at] for at in found.gone]
    if line and not ahead:
        raise EventRefused("申込みがあります。これからの回をなくすときは、中止にしてください。")
    _drop(gone, event)
    shifted: list[Occurrence] = []
    kept: list[Occurrence] = []
    for old, new in sorted(found.kept):
        row, (starts, ends) = rows[old], wanted[new]
        if moved or (row.starts, row.ends) != (starts, ends):
            shifted.append(row)
        if row.starts != starts:
            row.reminded_at = None
        row.starts, row.ends, row.event = starts, ends, event
        kept.append(row)
    _save_apart(kept)
    added = Occurrence.objects.bulk_create(
        Occurrence(event=event, starts=wanted[at][0], ends=wanted[at][1], numbers=counted)
        for at in found.added
    )
    copy(line, added)
    if event.whole and (course := sorted([*kept, *added], key=lambda row: row.starts)):
        if gone or added or shifted:
            _tell_changed(course, now=now)
        kept = course[:1]
    for row in kept:
        if row in shifted and not event.whole:
            _tell_changed([row], now=now)
        if event.takes:
            settle(row, now=now)


def _line(time: Occurrence) -> list[Registration]:
    return list(Registration.objects.in_line().filter(occurrence=time).order_by("number"))


def _drop(times: list[Occurrence], event: Event) -> None:
    """These times are no more. Whoever signed up for a course has its other times."""
    people = Registration.objects.filter(occurrence__in=times)
    if not event.whole and (one := people.order_by("occurrence__starts").first()):
        day = timezone.localdate(one.occurrence.starts)
        raise EventRefused(
            f"{day.month}月{day.day}日には、申込みがあります。"
            "なくすときは、先に、その回を中止にしてください。"
        )
    people.delete()
    Occurrence.objects.filter(pk__in=[time.pk for time in times]).delete()


def _save_apart(rows: list[Occurrence]) -> None:
    """Save times whose new moments may be another's old ones: no two ever stand at one moment."""
    Occurrence.objects.bulk_update(rows, ["ends", "reminded_at"])
    wanted = {row.pk: row.starts for row in rows}
    stored = {row.pk: row.starts for row in Occurrence.objects.filter(pk__in=wanted)}
    waiting = [pk for pk in wanted if wanted[pk] != stored[pk]]
    while waiting:
        taken = set(stored.values())
        free = next((pk for pk in waiting if wanted[pk] not in taken), None)
        if free is None:
            raise EventRefused("日時が重なります。二回に分けて、変えてください。")
        Occurrence.objects.filter(pk=free).update(starts=wanted[free])
        stored[free] = wanted[free]
        waiting.remove(free)


def _tell_changed(times: Sequence[Occurrence], *, now: datetime) -> None:
    line = _line(times[0])
    tell([row for row in line if row.seated], times, News.CHANGED_SEAT, now=now)
    tell([row for row in line if not row.seated], times, News.CHANGED_WAIT, now=now)


@work.alone(TOPIC)
def publish(*, number: int, by: User, now: datetime) -> None:
    """Show it to everybody. Raises EventRefused."""
    row = _own(number)
    if row.stage != Event.Stage.DRAFT:
        raise EventRefused("下書きだけを、公開できます。")
    if not row.times.filter(ends__gt=now).exists():
        raise EventRefused("もう終わっています。日時を変えてから、公開してください。")
    row.stage, row.changed_at = Event.Stage.PUBLISHED, now
    row.save(update_fields=["stage", "changed_at"])
    _stale(row, now=now)
    audit.record("event.issued", on=f"events.event:{number}", by=by, now=now)


@work.alone(TOPIC)
def unpublish(*, number: int, by: User, now: datetime) -> None:
    """Take it back to a draft, as long as nobody has signed up. Raises EventRefused."""
    row = _own(number)
    if row.stage != Event.Stage.PUBLISHED:
        raise EventRefused("公開しているイベントだけを、下書きにもどせます。")
    if Registration.objects.filter(occurrence__event=row).exists():
        raise EventRefused("申し込んだ人がいます。やめるときは、中止にしてください。")
    row.stage, row.changed_at = Event.Stage.DRAFT, now
    row.save(update_fields=["stage", "changed_at"])
    _stale(row, now=now)
    audit.record("event.returned", on=f"events.event:{number}", by=by, now=now)


@work.alone(TOPIC)
def call_off(
    *,
    number: int,
    time: int | None,
    reason: Reason,
    words: str,
    seen: int,
    by: User,
    now: datetime,
) -> None:
    """Call off a whole event, or one time of it, and tell everybody in its lines why.

    `seen` is how many the look before it named: if somebody signed up meanwhile, look again.
    Raises EventRefused.
    """
    row = _own(number)
    if wrong := problem(reason, words):
        raise EventRefused(wrong)
    if row.stage != Event.Stage.PUBLISHED:
        raise EventRefused("公開しているイベントだけを、中止にできます。")
    times = row.times.select_related("event__site", "event__facility").filter(
        ends__gt=now, cancelled_at=None
    )
    if time is not None:
        times = times.filter(pk=time)
    found = list(times.order_by("starts"))
    if not found:
        raise EventRefused("もう終わったか、中止になっています。")
    told = queries.told([one.pk for one in found])
    if told.messages + told.calls != seen:
        raise EventRefused("申し込んだ人の数が変わりました。もう一度、確かめてください。")
    for one in found:
        one.cancelled_at, one.reason, one.reason_words = now, reason, words.strip()
        one.save(update_fields=["cancelled_at", "reason", "reason_words"])
    for times_ in [found] if row.whole else [[one] for one in found]:
        tell(_line(times_[0]), times_, News.OFF, now=now)
    if time is None or not row.times.filter(ends__gt=now, cancelled_at=None).exists():
        row.stage = Event.Stage.CANCELLED
    row.revision, row.changed_at = row.revision + 1, now
    row.save(update_fields=["stage", "revision", "changed_at"])
    _stale(row, now=now)
    audit.record("event.withdrawn", on=f"events.event:{number}", by=by, now=now, count=seen)


@work.alone(TOPIC)
def discard(*, number: int, by: User, now: datetime) -> None:
    """Throw away a draft that nobody has seen. Raises EventRefused."""
    row = _own(number)
    if (
        row.stage != Event.Stage.DRAFT
        or Registration.objects.filter(occurrence__event=row).exists()
    ):
        raise EventRefused("下書きだけを、消せます。")
    row.times.all().delete()
    row.delete()
    audit.record("event.discarded", on=f"events.event:{number}", by=by, now=now)


def _own(number: int) -> Event:
    """An event of the city's own: what is from elsewhere is changed there."""
    row = Event.objects.select_related("site", "facility").filter(pk=number).first()
    if row is None:
        raise EventRefused("そのイベントは、ありません。")
    if row.source_id is not None:
        raise EventRefused("ほかのカレンダーのイベントは、そちらで変えてください。")
    return row


def _times(event: Draft) -> tuple[tuple[tuple[datetime, datetime], ...], str]:
    if event.ends < event.starts:
        raise EventRefused("終わりを、始まりより後にしてください。")
    try:
        starts, ends = _wall(event.starts), _wall(event.ends)
        rule = repeating.rule(event.every, starts, event.until)
        found = repeating.expand(starts, ends, rule, event.skips)
    except BadRepeat as error:
        raise EventRefused(str(error)) from error
    if event.whole and len(found) > LONGEST_COURSE:
        raise EventRefused(f"まとめて申し込む講座は、{LONGEST_COURSE}回までです。")
    return tuple((timezone.make_aware(a), timezone.make_aware(b)) for a, b in found), rule


def _wall(at: datetime) -> datetime:
    return timezone.localtime(at).replace(tzinfo=None)


def _fields(event: Draft, rule: str) -> dict[str, object]:
    if event.takes and event.capacity == 0:
        raise EventRefused("定員は、1人からです。決めないときは、空にしてください。")
    if event.capacity is not None and event.most > event.capacity:
        raise EventRefused("一度に申し込める人数は、定員までです。")
    if event.whole and not (event.takes and rule):
        raise EventRefused("まとめて申し込めるのは、くり返しがあって、申込みを受けるものだけです。")
    _hold_what_can_be_asked(event)
    return {
        "texts": {code: dict(text) for code, text in event.texts.items()},
        "starts": event.starts,
        "ends": event.ends,
        "rule": rule,
        "skips": [day.isoformat() for day in event.skips],
        "facility_id": event.facility,
        "site_id": event.site,
        "contact": event.contact,
        "link": event.link,
        "takes": event.takes,
        "capacity": event.capacity,
        "waits": event.waits,
        "most": event.most,
        "whole": event.whole,
        "opens": event.opens,
        "closes": event.closes,
        "reminds": event.reminds,
        "asks": event.asks,
        "questions": [one.stored for one in event.questions],
        "all_day": event.all_day,
        "department": Department.objects.filter(slug=event.department).first(),
    }


def _hold_what_can_be_asked(event: Draft) -> None:
    for number, question in enumerate(event.questions, 1):
        if wrong := asking.problem(question):
            raise EventRefused(f"質問{number}：{wrong}")
    if len(event.questions) > asking.MOST_QUESTIONS:
        raise EventRefused(f"質問は、{asking.MOST_QUESTIONS}までです。")
    if event.questions and not event.asks:
        raise EventRefused("質問は、「終わったあとに、感想を聞く」を選ぶと聞きます。")


def _stale(event: Event, *, now: datetime) -> None:
    mark_stale(queries.keys(event), now=now)
