"""How the city's system stands as numbers, for Prometheus. Of nobody anything.

Read when asked, from the database and the files in run/: several processes have no counter in
common. What only the database knows is missing while it is away, and `policity_state` says so.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import Error
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from policity.back_office.presenters.health import lines
from policity.fields.alerts import queries as alerts
from policity.foundations.continuity import queries
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.rules.ledger import State as Reached
from policity.foundations.publishing import queries as publishing
from policity.foundations.work import queries as work

# The newest dispatches, whose numbers still move.
SENT = 20


def metrics(*, now: datetime) -> bytes:
    """All of it, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_City(now))
    return generate_latest(registry)


class _City(Collector):
    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge(
            "state", "How a thing stands: 0 good, 1 not known, 2 weak, 3 broken", ["thing"],
            (((line.key,), int(line.state)) for line in lines(now=self.now)),
        )  # fmt: skip
        yield from _from_files(Path(settings.HOME), self.now)
        try:
            # All or nothing: half of the numbers would be taken for all.
            yield from list(_from_database(self.now))
        except Error:
            return


def _gauge(
    name: str, means: str, labels: list[str], values: Iterator[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"policity_{name}", means, labels=labels)
    for words, value in values:
        family.add_metric(words, value)
    return family


def _one(name: str, means: str, value: float) -> GaugeMetricFamily:
    return _gauge(name, means, [], iter([((), value)]))


def _from_files(home: Path, now: datetime) -> Iterator[GaugeMetricFamily]:
    disk = queries.disk(home)
    yield _one("disk_free_bytes", "What is free on the home's disk", disk.free)
    yield _one("database_bytes", "The database's own", disk.database)
    beats = ((name, home / "run" / f"{name}.alive") for name in queries.CHILDREN)
    yield _gauge(
        "heartbeat_age_seconds", "Since a process last showed that it lives", ["process"],
        (((name,), time.time() - file.stat().st_mtime) for name, file in beats if file.exists()),
    )  # fmt: skip
    kept = {"waiting": queries.spooled(home), "refused": queries.set_aside(home)}
    yield _gauge(
        "kept_forms", "What residents sent while the database was away", ["state", "call"],
        (
            ((state, str(call).lower()), sum(one.call is call for one in found))
            for state, found in kept.items()
            for call in (True, False)
        ),
    )  # fmt: skip
    if copied := queries.synced(home):
        age = (now - copied.at).total_seconds()
        yield _one("copy_age_seconds", "How far the copy is behind", age)


def _from_database(now: datetime) -> Iterator[GaugeMetricFamily]:
    queues = list(work.queues(now=now))
    yield _gauge(
        "work_due", "What is due and not done", ["kind", "lane"],
        (((one.kind, one.lane), one.due) for one in queues),
    )  # fmt: skip
    yield _gauge(
        "work_oldest_seconds", "How long the oldest of it has waited", ["kind", "lane"],
        (((one.kind, one.lane), (now - one.oldest).total_seconds()) for one in queues),
    )  # fmt: skip
    answered = [(feed.url, feed.answered_at) for feed in alerts.feeds() if feed.answered_at]
    yield _gauge(
        "feed_age_seconds", "Since a feed last answered", ["feed"],
        (((url,), (now - at).total_seconds()) for url, at in answered),
    )  # fmt: skip
    calls = delivery.open_alarms()
    yield _one("calls_open", "Calls for help that nobody has seen to", len(calls))
    untaken = sum(call.taken_at is None for call in calls)
    yield _one("calls_untaken", "Calls for help that nobody has taken", untaken)
    failing = len(publishing.failing())
    yield _one("pages_failing", "Pages that cannot be written", failing)
    sent = delivery.sent(SENT, now=now)
    yield _gauge(
        "persons", f"Persons by how far a message came, of the last {SENT} messages",
        ["message", "state"],
        (
            ((str(one.count.message), state.word), one.count.split.states[state])
            for one in sent
            for state in Reached
        ),
    )  # fmt: skip
