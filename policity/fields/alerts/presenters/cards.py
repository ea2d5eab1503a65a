"""What stands above the name on the card of an alert's page (Open Graph): how grave, since when.

Who shows a link elsewhere keeps its card, also when all is over. So it says what was when, with the
year, and stays true; what changes has another card. Call it with the page's language active.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from policity.fields.alerts.presenters.orders import OrderBlock
from policity.fields.alerts.queries import InForce
from policity.fields.alerts.queries.words import order_texts, texts
from policity.fields.alerts.rules.orders import Level
from policity.kit import moments

_JOINT = " · "


def alert_card(event: InForce, code: str) -> str:
    """Of an alert: its level since it has that, that it ended, or that it was an error."""
    if event.withdrawn:
        return gettext("この発表は、取り消されました。")
    if event.ended_at:
        return gettext("%(time)sにおわりました。") % {"time": _dated(event.ended_at, code)}
    if event.level:
        grave = gettext("レベル%(level)s相当") % {"level": event.level}
    else:
        grave = texts().plain_severity(code, event.severity)
    since = max(event.started_at, event.changed_at)
    return f"{grave}{_JOINT}{_since(since, code)}"


def order_card(order: OrderBlock, code: str) -> str:
    """Of the city's own, while it stands."""
    level = order_texts().level(code, Level(order.level))
    return f"{level}{_JOINT}{_since(order.at, code)}"


def over_card(at: datetime, code: str, *, goes_on: bool) -> str:
    """Of the city's own, when it is over: lifted, or another took its place (`goes_on`)."""
    if goes_on:
        # With the hour it would not fit.
        day = moments.day(timezone.localtime(at), code)
        return gettext("%(time)sに、¦新しい避難情報に変わりました。") % {"time": day}
    return gettext("%(time)sに解除しました。") % {"time": _dated(at, code)}


def _since(at: datetime, code: str) -> str:
    return gettext("%(time)sから") % {"time": _dated(at, code)}


def _dated(at: datetime, code: str) -> str:
    return moments.dated(timezone.localtime(at), code)
