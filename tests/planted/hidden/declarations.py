"""How many there are in each town may cross; who they are may not."""

from dataclasses import replace

from django.db.models import Count

from tests.planted.counted.declarations import COUNTS
from tests.planted.counted.rules import Counts, TownCount
from tests.planted.hidden.models import Person


def give() -> Counts:
    rows = Person.objects.values_list("town").annotate(count=Count("id")).order_by("town")
    return Counts(tuple(TownCount(town, count) for town, count in rows))


CROSSINGS = (replace(COUNTS, give=give),)
