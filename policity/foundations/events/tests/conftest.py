"""An event, people who sign up for it, and what they were told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.delivery.models import Dispatch
from policity.foundations.events import services
from policity.foundations.events.models import Event, Occurrence, Registration
from policity.foundations.events.rules.reasons import Reason
from policity.foundations.residents.models import Address

# Noon in the city.
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
STARTS = NOW + timedelta(days=10)
LASTS = timedelta(hours=2)
TEXTS = {"ja": {"title": "落ち葉のリース作り", "body": "木の実も使います。", "place": "中庭"}}


@pytest.fixture
def staff(db) -> User:
    return User.objects.create(username="koho", display_name="見本 広報")


def written(**other: Any) -> services.Draft:
    fields: dict[str, Any] = {
        "texts": TEXTS, "starts": STARTS, "ends": STARTS + LASTS, "takes": True, "capacity": 2,
    }  # fmt: skip
    return services.Draft(**(fields | other))


@pytest.fixture
def event(staff, city) -> Callable[..., Occurrence]:
    """A published event's first time: `event(capacity=2)`."""

    def event(**other: Any) -> Occurrence:
        row = services.draft(event=written(**other), by=staff, now=NOW)
        services.publish(number=row.pk, by=staff, now=NOW)
        found = row.times.order_by("starts").first()
        assert found is not None
        return found

    return event


class Someone(NamedTuple):
    """A registration, and whose it is."""

    pk: int
    person: int


def mail_of(number: int) -> str:
    return f"p{number}@example.jp"


def sign_up(time: Occurrence, number: int, *, seats: int = 1, now: datetime = NOW) -> None:
    services.sign_up(
        time=time.pk, email=mail_of(number), name=f"見本 {number}", seats=seats, language="ja",
        now=now,
    )  # fmt: skip


def joined(time: Occurrence, number: int, *, seats: int = 1, now: datetime = NOW) -> Someone:
    """Somebody who signed up and opened the link."""
    sign_up(time, number, seats=seats, now=now)
    address = Address.objects.get(value=mail_of(number))
    services.join(person=address.resident_id, address=address.pk, now=now)
    found = Registration.objects.filter(occurrence=time, person=address.resident_id)
    last = found.order_by("-pk").first()
    assert last is not None
    assert last.person is not None
    return Someone(last.pk, last.person)


def told(since: int = 0) -> list[tuple[str, tuple[int, ...]]]:
    """What was put on the road, in order: the Japanese title's first words, and for whom."""
    rows = Dispatch.objects.select_related("message").filter(message__gt=since)
    return [
        (row.message.texts["ja"]["title"].partition("：")[0], tuple(row.audience["persons"]))
        for row in rows.order_by("message_id")
        if row.stage != Dispatch.Stage.WITHDRAWN
    ]


def standing(time: Occurrence) -> list[tuple[int, bool]]:
    """The line: numbers, and who has a place."""
    rows = Registration.objects.in_line().filter(occurrence=time).order_by("number")
    return [(row.number or 0, row.seated) for row in rows]


def event_of(time: Occurrence) -> Event:
    return Event.objects.get(pk=time.event_id)


def off(
    number: int,
    *,
    by: User,
    seen: int = 0,
    time: int | None = None,
    reason: Reason = Reason.WEATHER,
    words: str = "",
    now: datetime = NOW,
) -> None:
    """Call it off, or one time of it."""
    services.call_off(
        number=number, time=time, reason=reason, words=words, seen=seen, by=by, now=now
    )
