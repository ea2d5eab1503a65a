"""Whether a drill may be sent to real people now."""

from policity.fields.alerts.queries.events import in_force
from policity.fields.alerts.queries.orders import stands
from policity.fields.alerts.queries.records import emergency
from policity.fields.alerts.rules import drilling


def obstacle() -> str:
    """What is real and forbids a drill, in Japanese; empty for nothing."""
    return drilling.obstacle(
        emergency=emergency() is not None,
        orders=any(view.level is not None for view in stands().values()),
        in_force=((event.name, event.severity) for event in in_force()),
    )
