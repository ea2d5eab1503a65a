"""Which stories go on, for who keeps what is known of persons."""

from typing import Any

from policity.fields.alerts.models import Event
from policity.fields.alerts.queries.events import event_key
from policity.fields.alerts.queries.orders import order_key, stands


def on_open_stories(**_: Any) -> set[str]:
    """The threads of what is in force, drills among it, and of orders that stand in any town."""
    events = Event.objects.in_force().values_list("pk", flat=True)
    orders = {one.story for one in stands().values() if one.level is not None and one.story}
    return {*map(event_key, events), *map(order_key, orders)}
