"""What the city's plan counts of short links: how often they were opened."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from policity.foundations.sharing.models import DayCount
from policity.kit.declare import Metric, Reading


def _opened(since: datetime, until: datetime) -> Reading:
    last = timezone.localdate(until - timedelta(microseconds=1))
    days = DayCount.objects.filter(day__gte=timezone.localdate(since), day__lte=last)
    total = days.aggregate(total=Sum("count"))["total"]
    if total is None:
        return Reading(None, 0, "この期間に開かれた短いアドレスは、ありませんでした。")
    return Reading(Decimal(total), days.count())


METRICS = (
    Metric(
        name="sharing.opened",
        title="ちらしやポスターから開かれた回数",
        unit="回",
        counts="短いアドレスが開かれた回数。同じ人が2回開けば2回です。"
        "名乗っている機械と、先読みは数えません。",
        version=1,
        read=_opened,
        adds_up=True,
    ),
)
