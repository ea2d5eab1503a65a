"""What the clock does: what has ended is over, who comes is reminded, who came is asked."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from policity.foundations.events import queries
from policity.foundations.events.models import Event, Occurrence, Registration
from policity.foundations.events.services.lining import TOPIC
from policity.foundations.events.services.telling import tell
from policity.foundations.events.services.words import News
from policity.foundations.publishing.services import mark_stale
from policity.foundations.work import services as work

PIECE = 100
# Nobody is asked about what is long past, after the city's machine was away.
ASK_WITHIN = timedelta(days=3)
LONGEST_NOTICE = timedelta(days=14)


@work.alone(TOPIC)
def end_what_is_over(*, now: datetime) -> int:
    """Note which times have ended, so that the lists forget them; how many that were."""
    due = Occurrence.objects.select_related("event").filter(over=False, ends__lte=now)
    rows = list(due.order_by("ends", "pk")[:PIECE])
    if rows:
        Occurrence.objects.filter(pk__in=[row.pk for row in rows]).update(over=True)
        mark_stale({key for row in rows for key in queries.keys(row.event)}, now=now)
    return len(rows)


@work.alone(TOPIC)
def remind(*, now: datetime) -> int:
    """Tell those who have a place that it is soon; how many times that were. Each once.

    Whoever signs up after that has just been told when it is.
    """
    rows = _held().filter(
        reminded_at=None, event__reminds__gt=0, starts__gt=now, starts__lte=now + LONGEST_NOTICE
    )
    due = [row for row in rows if row.starts - timedelta(hours=row.event.reminds) <= now][:PIECE]
    for row in due:
        coming = Registration.objects.in_line().filter(occurrence=row, seated=True)
        news = News.REMIND if queries.begins(row) == row.starts else News.REMIND_NEXT
        tell(coming, [row], news, now=now)
    Occurrence.objects.filter(pk__in=[row.pk for row in due]).update(reminded_at=now)
    return len(due)


@work.alone(TOPIC)
def ask_who_came(*, now: datetime) -> int:
    """Ask those who came, or were not marked, what they thought; how many times that were.

    Of a course once, those of its last time. What they are asked stands fast from then on.
    """
    later = Occurrence.objects.filter(
        event=OuterRef("event"), starts__gt=OuterRef("starts"), cancelled_at=None
    )
    rows = _held().filter(
        ~Exists(later) | Q(event__whole=False),
        asked_at=None,
        event__asks=True,
        ends__lte=now,
        ends__gt=now - ASK_WITHIN,
    )
    due = list(rows[:PIECE])
    # First: only what was asked can be answered.
    for row in due:
        row.asked_at, row.asked = now, row.event.questions
    Occurrence.objects.bulk_update(due, ["asked_at", "asked"])
    for row in due:
        came = Registration.objects.in_line().filter(
            Q(attended=True) | Q(attended=None), occurrence=row, seated=True
        )
        tell(came, [row], News.THANKS, now=now)
    return len(due)


def _held() -> QuerySet[Occurrence]:
    """Times that take place, of what is public and of the city's own."""
    rows = Occurrence.objects.select_related("event__site", "event__facility").filter(
        cancelled_at=None, event__stage=Event.Stage.PUBLISHED, event__source=None
    )
    return rows.order_by(F("starts"), "pk")
