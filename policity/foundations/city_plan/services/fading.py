"""Who sent a comment is known for a while only."""

from datetime import datetime

from django.db.models import Q, QuerySet

from policity.foundations.city_plan.models import Comment
from policity.foundations.city_plan.services.evaluating import TOPIC
from policity.foundations.work import services as work

PIECE = 200


def due(*, before: datetime) -> int:
    """How many comments still know of somebody, so long after their call has closed."""
    return _known(before).count()


def _known(before: datetime) -> QuerySet[Comment]:
    """What is withheld may name somebody in its own words."""
    known = ~Q(name="") | ~Q(address="") | ~Q(withheld="") & ~Q(text="")
    return Comment.objects.filter(known, call__closed_at__lt=before).order_by("pk")


@work.alone(TOPIC)
def fade(*, before: datetime, now: datetime) -> int:
    """Forget who sent some of them, and the words of those that were withheld; how many."""
    numbers = list(_known(before).values_list("pk", flat=True)[:PIECE])
    rows = Comment.objects.filter(pk__in=numbers)
    rows.exclude(withheld="").update(text="", note="")
    rows.update(name="", address="")
    return len(numbers)
