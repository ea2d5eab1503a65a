"""Which hazards a phenomenon brings, and so for which an emergency site must be designated."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from policity.fields.alerts.rules.bulletin import Phenomenon


def hazards_of(phenomena: Iterable[Phenomenon]) -> tuple[str, ...]:
    """The hazards, each once, in the order in which they are brought. Empty: no site is asked."""
    table = _table()
    return tuple(dict.fromkeys(hazard for name in phenomena for hazard in table[name]))


@cache
def _table() -> dict[Phenomenon, tuple[str, ...]]:
    path = files("policity.fields.alerts") / "facts" / "hazards.toml"
    found = tomllib.loads(path.read_text("utf-8"))
    return {phenomenon: tuple(found.get(phenomenon, ())) for phenomenon in Phenomenon}
