"""What stands at the head of every staff page."""

from policity.foundations.places import queries as places


def city_name() -> str:
    """The city's name for the head of every page."""
    try:
        return places.city().name
    except places.NoCity:
        return "市が読み込まれていません"
