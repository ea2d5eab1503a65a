"""What the watcher reads, how often, and which telegrams are worth fetching."""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from policity.fields.alerts.rules.codes import KINDS

_TELEGRAM = re.compile(r"_(V[A-Z]{3}\d\d)_(\d{6})\.xml$")


@dataclass(frozen=True, slots=True)
class DefaultFeed:
    """A feed that every city begins with. `quiet_hours`: 0 where silence means nothing."""

    address: str
    long: str
    quiet_hours: int


@dataclass(frozen=True, slots=True)
class FeedRules:
    """facts/feeds.toml, read."""

    feeds: tuple[DefaultFeed, ...]
    every: timedelta
    holds: timedelta
    wait: timedelta
    longest_wait: timedelta
    tries: int
    alarm_after: timedelta
    anywhere: frozenset[str]

    def concerns(self, link: str, lineage: tuple[str, ...]) -> bool:
        """Whether the telegram at an address can concern a place (its codes, finest first)."""
        found = _TELEGRAM.search(link)
        if not found:
            return True
        code, office = found.groups()
        kind = next((kind for kind in KINDS.values() if code.startswith(kind.code)), None)
        if kind is None or kind.family in self.anywhere:
            return kind is not None
        # 010000 speaks for the country, 010100 to 011100 for a region. The others begin with the
        # number of the prefecture, as the place's own code does.
        return office.startswith("010") or office[:2] == lineage[0][:2] or office in lineage

    def wait_after(self, failures: int) -> timedelta:
        """How long to leave a source alone after its n-th failure in a row (n ≥ 1)."""
        return min(self.wait * (1 << min(failures - 1, 10)), self.longest_wait)

    def is_gap(
        self, *, answered_at: datetime | None, newest: datetime | None,
        oldest_listed: datetime | None, now: datetime,
    ) -> bool:  # fmt: skip
        """Whether telegrams may have come and gone since the feed was last read to its end.

        A feed read within the time it holds misses nothing, however little it lists.
        """
        if answered_at is None:
            return True
        if now - answered_at <= self.holds:
            return False
        return newest is None or oldest_listed is None or oldest_listed > newest


def parse(text: str) -> FeedRules:
    """Read the file. Raises ValueError that names what is missing."""
    try:
        data = tomllib.loads(text)
        reading, telegrams = data["reading"], data["telegrams"]
        return FeedRules(
            feeds=tuple(
                DefaultFeed(feed["address"], feed["long"], feed["quiet_hours"])
                for feed in data["feed"]
            ),
            every=timedelta(seconds=reading["every_seconds"]),
            holds=timedelta(minutes=reading["holds_minutes"]),
            wait=timedelta(seconds=reading["wait_seconds"]),
            longest_wait=timedelta(seconds=reading["longest_wait_seconds"]),
            tries=reading["tries"],
            alarm_after=timedelta(minutes=reading["alarm_minutes"]),
            anywhere=frozenset(telegrams["anywhere"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"feeds.toml: {error} is missing or of the wrong kind") from error


@cache
def feed_rules() -> FeedRules:
    """The rules that ship."""
    return parse((files("policity.fields.alerts") / "facts" / "feeds.toml").read_text("utf-8"))
