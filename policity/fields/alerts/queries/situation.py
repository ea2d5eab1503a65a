"""How the city stands for the installation inside, and what came of it there."""

from dataclasses import dataclass
from datetime import datetime

from policity.fields.alerts.models import ReceivedSituation
from policity.fields.alerts.queries import orders
from policity.fields.alerts.rules.situation import OpenSite, Situation, TownOrder
from policity.foundations.crossing import formats
from policity.foundations.places import queries as places


def situation() -> Situation | None:
    """What stands where, and which sites are open, by our own tables; None without a city."""
    try:
        city = places.city()
    except places.NoCity:
        return None
    stands, opened = orders.stands(), places.openings()
    return Situation(
        city.code,
        tuple(
            TownOrder(town.name, int(order.level), order.decision.at)
            for town in places.towns()
            if (order := stands.get(town.id)) and order.level
        ),
        tuple(
            OpenSite(
                site.source_id, site.name, site.town.name if site.town else None,
                found.state.value, found.at,
            )
            for site in places.sites()
            if (found := opened.get(site.id)) and found.state.is_open
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Received:
    """What the other side last said, made there at `made_at`."""

    made_at: datetime
    received_at: datetime
    situation: Situation


def received() -> Received | None:
    """The situation as it last came in from the other side; None where it never did. One query."""
    row = ReceivedSituation.objects.first()
    if row is None:
        return None
    return Received(
        row.made_at, row.received_at, formats.unpack(Situation, row.said.encode())
    )  # fmt: skip
