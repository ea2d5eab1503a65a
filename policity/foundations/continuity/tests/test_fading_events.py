"""Who signed up for an event fades with all else."""

from datetime import timedelta

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.continuity.services.fading import fade_piece, to_fade
from policity.foundations.events import services
from policity.foundations.events.tests.conftest import LASTS, NOW, STARTS, joined, written

pytestmark = pytest.mark.usefixtures("city")


def test_it_fades_when_the_citys_own_days_are_over():
    staff = User.objects.create(username="koho")
    event = services.draft(event=written(), by=staff, now=NOW)
    services.publish(number=event.pk, by=staff, now=NOW)
    joined(event.times.get(), 1)
    ends = STARTS + LASTS
    assert to_fade(now=ends + timedelta(days=89))["events"] == 0
    late = ends + timedelta(days=91)
    assert to_fade(now=late)["events"] == 1
    assert fade_piece(now=late) == ("events", 1)
