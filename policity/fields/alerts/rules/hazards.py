"""Which hazards a phenomenon brings, for which a site must be designated, and who may go there."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from policity.fields.alerts.rules.bulletin import Phenomenon, Severity
from policity.fields.alerts.rules.orders import OTHER, Level
from policity.fields.alerts.rules.texts import Plan


def hazards_of(phenomena: Iterable[Phenomenon], reasons: Iterable[str] = ()) -> tuple[str, ...]:
    """The hazards, each once, in the order in which they are brought. Empty: no site is asked.

    `reasons` are those of the city's own orders: hazards themselves, but for "other".
    """
    table = _table()
    brought = (hazard for name in phenomena for hazard in table.get(name, ()))
    return tuple(dict.fromkeys((*(one for one in reasons if one != OTHER), *brought)))


def may_go(
    plan: Plan,
    events: Iterable[tuple[Phenomenon, Severity, int | None]],
    orders: Iterable[Level] = (),
) -> bool:
    """Whether a page may send people to a site, with all this in force (its level beside it).

    Not while a step of anything in force keeps them inside, and not while the city's own level 5
    stands anywhere (`orders`). Where the city orders people to leave, wind alone does not hold
    them back: who ordered it knew of the storm, and the same page must not say both.
    """
    table = _table()
    away = table["get_away"]["phenomena"]
    ordered = set(orders)
    if Level.SECURE in ordered:
        return False
    for phenomenon, severity, level in events:
        rank = plan.deeds(phenomenon, severity, level).rank
        if rank >= Severity.EXTREME.rank and phenomenon not in away:
            return False
        least = table["stay_inside"].get(phenomenon)
        if not ordered and least and rank >= Severity(least).rank:
            return False
    return True


@cache
def _table() -> dict[str, Any]:
    path = files("policity.fields.alerts") / "facts" / "hazards.toml"
    return tomllib.loads(path.read_text("utf-8"))
