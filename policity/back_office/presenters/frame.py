"""What stands at the head of every staff page."""

from datetime import datetime

from django.utils import timezone

from policity.foundations.places import queries as places


def city_name() -> str:
    """The city's name for the head of every page."""
    try:
        return places.city().name
    except places.NoCity:
        return "市が読み込まれていません"


def clock(at: datetime) -> str:
    """To the second, in the city's time: "20:52:10"."""
    return f"{timezone.localtime(at):%H:%M:%S}"
