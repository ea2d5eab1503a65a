"""What the plan counts of short links: days of the city, from one to another."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.sharing.declarations import METRICS
from policity.foundations.sharing.models import DayCount, ShortLink

# Midnights in the city.
APRIL, MAY = datetime(2026, 3, 31, 15, tzinfo=UTC), datetime(2026, 4, 30, 15, tzinfo=UTC)


@pytest.mark.django_db
def test_openings_of_a_month_are_those_of_its_days():
    by = User.objects.create(username="koho")
    link = ShortLink.objects.create(code="bcdfg", address="/", label="", made_by=by, made_at=APRIL)
    for day, count in (((3, 31), 1), ((4, 1), 20), ((4, 30), 300), ((5, 1), 4000)):
        DayCount.objects.create(link=link, day=date(2026, *day), count=count)
    found = METRICS[0].read(APRIL, MAY)
    assert (found.number, found.rows) == (Decimal(320), 2)
    # In the middle of a day that runs.
    assert METRICS[0].read(APRIL, MAY.replace(hour=20)).number == 4320
    assert METRICS[0].read(MAY.replace(month=7), MAY.replace(month=8)).reason
