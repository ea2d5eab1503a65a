from datetime import datetime, timedelta

from policity.kit.declare import Crossing
from policity.kit.sides import Side
from tests.planted.counted.models import Count
from tests.planted.counted.rules import Counts


def take(counts: Counts, made_at: datetime, now: datetime) -> None:
    Count.objects.bulk_create(Count(town=one.town, people=one.people) for one in counts.towns)


COUNTS = Crossing(
    kind="counts",
    name="町ごとの人数",
    to=Side.INTERNET,
    schema=Counts,
    take=take,
    oldest=timedelta(hours=1),
)
CROSSINGS = (COUNTS,)
