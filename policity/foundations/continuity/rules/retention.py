"""How long what is known of persons is kept. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

# Whoever sets less has mistyped: a night's drill and a holiday lie between.
SHORTEST_DAYS = 7
KINDS = (
    "ledger", "calls", "events", "declined_photographs", "photographs", "comments", "outbox",
    "upgrades",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """How long one kind is kept. `what` and `why` are Japanese, for staff and residents."""

    kind: str
    keeps: timedelta
    what: str
    why: str

    def before(self, now: datetime) -> datetime:
        """What is older than this is to fade."""
        return now - self.keeps


def parse(text: str) -> Mapping[str, Period]:
    """Read the setting's file. Raises ValueError that names what is missing or too short."""
    data = tomllib.loads(text)
    if wrong := data.keys() ^ set(KINDS):
        raise ValueError(f"retention.toml: {', '.join(sorted(wrong))}: missing or unknown")
    found = {}
    for kind, said in data.items():
        days = said.get("days")
        if type(days) is not int or days < SHORTEST_DAYS:
            raise ValueError(f"[{kind}] days: a whole number from {SHORTEST_DAYS}, not {days!r}")
        found[kind] = Period(kind, timedelta(days=days), str(said["what"]), str(said["why"]))
    return found


@cache
def periods() -> Mapping[str, Period]:
    """The setting that ships."""
    path = files("policity.foundations.continuity") / "facts/retention.toml"
    return parse(path.read_text("utf-8"))
