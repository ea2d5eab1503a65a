"""A page while the city's own orders stand: the order that leads it, and where each level is."""

from collections.abc import Iterable
from typing import Any

from policity.fields.alerts.presenters.order_map import order_map
from policity.fields.alerts.presenters.orders import blocks, by_level
from policity.fields.alerts.presenters.views import Standing
from policity.foundations.places.queries import CityView
from policity.kit.geometry import Point


def ordered(
    standing: Standing,
    code: str,
    *,
    city: CityView,
    sites: Iterable[Point] = (),
    story: int | None = None,
) -> dict[str, Any]:
    """What the templates need; nothing where no order stands, or none of the story.

    `order` leads, the worst and newest: its steps are what to do now. `rows` are all of its level:
    one place is not more important than another. `levels` are always those of the whole city.
    """
    every = blocks(standing.orders, code, city=city)
    mine = [block for block in every if story in (None, block.story)]
    if not mine:
        return {}
    return {
        "order": mine[0],
        "rows": [block for block in mine if block.level == mine[0].level],
        "levels": by_level(every, code),
        "map": order_map(standing.orders, city, code, sites=sites),
    }
