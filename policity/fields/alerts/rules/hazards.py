"""Which hazards a phenomenon brings, for which a site must be designated, and who may go there."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from policity.fields.alerts.rules.bulletin import Phenomenon, Severity
from policity.fields.alerts.rules.texts import Plan


def hazards_of(phenomena: Iterable[Phenomenon]) -> tuple[str, ...]:
    """The hazards, each once, in the order in which they are brought. Empty: no site is asked."""
    table = _table()
    return tuple(dict.fromkeys(hazard for name in phenomena for hazard in table.get(name, ())))


def may_go(plan: Plan, events: Iterable[tuple[Phenomenon, Severity, int | None]]) -> bool:
    """Whether a page may send people to a site, with all this in force (its level beside it).

    Not while a step of anything in force keeps them inside.
    """
    table = _table()
    away = table["get_away"]["phenomena"]
    for phenomenon, severity, level in events:
        rank = plan.deeds(phenomenon, severity, level).rank
        if rank >= Severity.EXTREME.rank and phenomenon not in away:
            return False
        least = table["stay_inside"].get(phenomenon)
        if least and rank >= Severity(least).rank:
            return False
    return True


@cache
def _table() -> dict[str, Any]:
    path = files("policity.fields.alerts") / "facts" / "hazards.toml"
    return tomllib.loads(path.read_text("utf-8"))
