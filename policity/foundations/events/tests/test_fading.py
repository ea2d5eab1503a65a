"""In time nobody is known any more; how many they were stays."""

from datetime import timedelta

import pytest

from policity.foundations.events import services
from policity.foundations.events.models import Occurrence, Registration
from policity.foundations.events.services.leaving import fade, persons_due
from policity.foundations.events.tests.conftest import LASTS, NOW, STARTS, joined, mail_of, sign_up
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Address, Place, Resident

pytestmark = pytest.mark.usefixtures("city")
ENDS = STARTS + LASTS


def test_who_was_there_is_forgotten_and_how_many_stays(event, staff):
    time = event(capacity=3, most=2)
    first, second = joined(time, 1, seats=2), joined(time, 2)
    joined(time, 3)
    services.cancel(registration=second.pk, person=second.person, now=NOW)
    joined(time, 4, seats=2)
    services.set_attended(registration=first.pk, attended=True, by=staff, now=STARTS)
    assert fade(before=ENDS, now=ENDS) == 0
    later = ENDS + timedelta(seconds=1)
    assert persons_due(before=later) == 4
    assert fade(before=later, now=later) == 4
    row = Occurrence.objects.get()
    assert (row.had, row.waited, row.came, row.cancelled) == (3, 2, 2, 1)
    assert row.faded_at == later
    assert not Registration.objects.exists()
    assert not Address.objects.exists()
    assert not Resident.objects.exists()
    assert fade(before=later, now=later) == 0


def test_who_registered_for_something_else_stays(event):
    time = event()
    resident = joined(time, 1).person
    Place.objects.create(resident_id=resident, town=Town.objects.here()[0])
    coming = event(starts=STARTS + timedelta(days=200), ends=STARTS + timedelta(days=201))
    joined(time, 2)
    sign_up(coming, 2)
    fade(before=ENDS + timedelta(seconds=1), now=ENDS)
    assert set(Address.objects.values_list("value", flat=True)) == {mail_of(1), mail_of(2)}
