"""The page of one story of the city's own orders, from the first to the last."""

from collections.abc import Mapping, Sequence
from typing import Any

from policity.fields.alerts.presenters import orders as own
from policity.fields.alerts.presenters.cards import order_card, over_card
from policity.fields.alerts.presenters.entries import moment
from policity.fields.alerts.presenters.going import going
from policity.fields.alerts.presenters.ordered import ordered
from policity.fields.alerts.presenters.views import Standing, summary
from policity.fields.alerts.queries.orders import page
from policity.foundations.places import presenters as places
from policity.foundations.places.queries import CityView, OpeningView, SiteView


def story(
    standing: Standing,
    number: int,
    code: str,
    *,
    city: CityView,
    sites: Sequence[SiteView],
    openings: Mapping[int, OpeningView],
) -> dict[str, Any]:
    """What its page says. Call it with the page's language active.

    While it stands: `order` and what else `ordered` gives. When it is over: `ended`, the moment,
    with what to `mind` where it was lifted, and with `next`, the page that went on, where it was
    not. `mistake`: the last thing said was an error. `card`: what stands on its card.
    """
    orders = standing.orders
    open_now = going(standing, sites, openings, city=city, code=code)
    stands = ordered(standing, code, city=city, sites=open_now.points, story=number)
    worst = next((entry for entry in own.over(orders, code) if entry.page == page(number)), None)
    end, gone = orders.ended_by(number), own.lifted(orders, number, code)
    went_on = page(end.story or end.id) if end and end.level and end.story != number else ""
    over = {
        "levels": own.by_level(own.blocks(orders, code, city=city), code),
        "name": gone[0] if gone else worst.name if worst else "",
        "ended": moment(worst.at, code) if worst and end else "",
        "card": over_card(worst.at, code, goes_on=bool(went_on)) if worst and end else "",
        "mind": gone[1] if gone else "",
        "next": went_on,
    }
    return {
        "city_name": places.city_name(city, code),
        "state": standing.state.value,
        "summary": summary(standing, code),
        "open": open_now,
        "mistake": own.mistake(orders, number, code),
        "past": own.own_entries(orders, number, code),
        **({"card": order_card(stands["order"], code), **stands} if stands else over),
    }
