"""Telling those who signed up: by the road that all that is told takes, message to ledger."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Leads
from policity.foundations.events.models import Occurrence, Registration
from policity.foundations.events.services.words import News, texts
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT, EVENT
from policity.kit.severity import Severity


def thread(times: Sequence[Occurrence]) -> str:
    """The story to which all that is told of one time belongs, or of a course as a whole."""
    if len(times) > 1:
        return f"events:course:{times[0].event_id}"
    return f"events:time:{times[0].pk}"


def tell(
    people: Iterable[Registration],
    times: Sequence[Occurrence],
    news: News,
    *,
    now: datetime,
    number: int = 0,
) -> None:
    """Tell these people of a time, or of those of a course, in the caller's transaction.

    Those without an address staff tell.
    """
    people = list(people)
    to_call = [one.pk for one in people if one.person is None]
    if to_call and news not in _NEVER_BY_PHONE:
        Registration.objects.filter(pk__in=to_call).update(to_call=True)
    persons = tuple(sorted(one.person for one in people if one.person is not None))
    if persons:
        _send(persons, times, news, EVENT, Leads.EVENTS, number=number, now=now)


def hush(person: int, times: Iterable[Occurrence], *, now: datetime) -> None:
    """What still waits (quiet hours) for somebody who comes no more is not sent."""
    threads = {name for time in times for name in (thread([time]), thread([time, time]))}
    delivery.withdraw_person(resident=person, threads=threads, now=now)


def ask(person: int, times: Sequence[Occurrence], *, confirmed: bool, now: datetime) -> None:
    """Ask the owner of a mail address whether it was them who signed up."""
    leads = Leads.JOIN if confirmed else Leads.JOIN_NEW
    _send((person,), times, News.ASK, ACCOUNT, leads, number=0, now=now)


def _send(
    persons: tuple[int, ...],
    times: Sequence[Occurrence],
    news: News,
    kind: str,
    leads: Leads,
    *,
    number: int,
    now: datetime,
) -> None:
    event = times[0].event
    message = delivery.tell(
        kind=kind,
        thread=thread(times),
        severity=Severity.MINOR,
        level=None,
        texts=texts(event, times, news, number=number),
        told_at=now,
        now=now,
    )
    if news in _REPLACES:
        for story in {message.thread, thread(times[:1])}:
            delivery.withdraw_thread(thread=story, before=message, now=now)
    delivery.send(
        messages=[message],
        audience=Audience(kind, Severity.MINOR, persons=persons),
        by=None,
        now=now,
        paths={} if news is News.ASK else {message.pk: f"events/{event.pk}/"},
        leads_to=leads,
    )


# Whom staff write down hears how they stand at once, from whoever does so.
_NEVER_BY_PHONE = frozenset({News.SEAT, News.WAIT, News.REMIND, News.REMIND_NEXT, News.THANKS})
# What still waits (quiet hours) of what was told before is no longer true.
_REPLACES = frozenset({News.OFF})
