"""What the plan counts of events: places that were taken, of those there were."""

from datetime import timedelta
from decimal import Decimal

from policity.foundations.events.declarations import METRICS
from policity.foundations.events.models import Event, Occurrence
from policity.foundations.events.tests.conftest import LASTS, NOW, STARTS

SPAN = (STARTS, STARTS + timedelta(days=1))


def read():
    return METRICS[0].read(*SPAN)


def test_places_taken_of_all_there_were(event):
    half, full = event(capacity=4), event(capacity=2)
    for number, time in enumerate((half, half, full, full, full), 1):
        time.registrations.create(
            person=number, name="x", number=number, seats=1, asked_at=NOW, confirmed_at=NOW,
            seated=number != 5,
        )  # fmt: skip
    half.registrations.create(person=9, number=9, asked_at=NOW, seated=True, cancelled_at=NOW)
    found = read()
    assert (found.number, found.rows) == (Decimal(400) / 6, 2)


def test_what_faded_keeps_its_number(event):
    time = event(capacity=10)
    Occurrence.objects.filter(pk=time.pk).update(faded_at=NOW, had=7)
    assert read().number == 70


def test_what_is_left_out_is_said(event):
    event(capacity=None)
    off = event(capacity=3)
    Occurrence.objects.filter(pk=off.pk).update(cancelled_at=NOW)
    draft = event(capacity=5)
    Event.objects.filter(pk=draft.event_id).update(takes=False)
    found = read()
    assert (found.number, found.rows) == (None, 0)
    assert found.left_out == {"中止になった回": 1, "定員のない回": 1}


def test_what_ends_later_is_not_counted_yet(event):
    event(capacity=3)
    found = METRICS[0].read(STARTS - timedelta(days=1), STARTS + LASTS)
    assert found.rows == 0
