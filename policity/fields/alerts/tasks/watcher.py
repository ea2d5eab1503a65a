"""The watcher's loop: every source in its time, and what ends by itself."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, connection

from policity.fields.alerts import queries, services
from policity.fields.alerts.models import Feed
from policity.fields.alerts.rules.feeds import feed_rules
from policity.fields.alerts.tasks.feeds import FeedReader, Reading
from policity.fields.alerts.tasks.folders import FolderReader
from policity.foundations.places import queries as places
from policity.kit.fetching import Answer, Fetching

log = structlog.get_logger("policity.watcher")

# Seconds: between two looks at the table and the folders, between two at the city, and the
# longest single pause.
LOOK = 1.0
CITY = 60.0
PAUSE = 0.2

# A locked database opens again soon; anything unexpected gets more time.
AFTER_LOCK = timedelta(seconds=5)


class Watcher:
    """Reads feeds and folders side by side, in one thread that alone writes.

    `alive` is touched once a second while the loop turns. `clock` gives the time.
    """

    def __init__(self, fetcher: Fetching, *, alive: Path, clock: Callable[[], datetime]) -> None:
        self._fetcher = fetcher
        self._alive = alive
        self._clock = clock
        self._began = clock()
        self._looked = 0.0
        self._readers: dict[int, FeedReader | FolderReader] = {}
        self._under_way: dict[int, tuple[Reading[None], Future[Answer] | None]] = {}
        self._not_before: dict[int, datetime] = {}
        self._alarms: dict[str, queries.AlarmReason] = {}
        self._city_missing = False
        self._lineage: tuple[str, ...] = ()
        self._lineage_until = 0.0

    def run(self, stop: Flag) -> None:
        """Turn until told to stop; then leave what is under way for the next start."""
        log.info("watcher_started")
        try:
            while not stop.is_set():
                self.turn(stop)
        finally:
            for reading, future in self._under_way.values():
                if future:
                    future.cancel()
                reading.close()
            log.info("watcher_stopped")

    def turn(self, stop: Flag) -> None:
        """Do what is due now; wait a moment where nothing is."""
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            self._safely("alive", self._alive.touch)
            self._safely("expire", self._expire)
            self._safely("look", self._look)
        for key in list(self._under_way):
            if not stop.is_set():
                self._advance(key)
        waiting = [future for _, future in self._under_way.values()]
        if not waiting:
            stop.wait(PAUSE)
        elif None not in waiting:
            wait([f for f in waiting if f], timeout=PAUSE, return_when="FIRST_COMPLETED")

    def _expire(self) -> None:
        now = self._clock()
        if queries.ends_by_itself(now):
            services.expire(now=now)

    def _look(self) -> None:
        """What is due: feeds, folders, alarms. A drill hears of nothing but its own scenario."""
        if settings.DRILL or not self._knows_city():
            return
        now = self._clock()
        feeds = {feed.pk: feed for feed in queries.feeds()}
        for gone in self._readers.keys() - feeds.keys():
            del self._readers[gone]
        for feed in feeds.values():
            if feed.pk not in self._under_way and self._is_due(feed, now):
                self._begin(feed)
        self._watch_alarms(now)

    def _knows_city(self) -> bool:
        """Whether there is a city to watch for. Its codes are looked up once a minute."""
        if time.monotonic() < self._lineage_until:
            return bool(self._lineage)
        self._lineage_until = time.monotonic() + CITY
        try:
            self._lineage = places.city().lineage
        except places.NoCity:
            self._lineage, self._lineage_until = (), 0.0
            if not self._city_missing:
                log.warning("no_city", hint="policity places load FOLDER")
            self._city_missing = True
        return bool(self._lineage)

    def _is_due(self, feed: Feed, now: datetime) -> bool:
        if now < self._not_before.get(feed.pk, now):
            return False
        if feed.kind == Feed.Kind.FOLDER or feed.next_at is None:
            return True
        # A clock that was set back must not silence a feed.
        return feed.next_at <= now or feed.next_at > now + feed_rules().longest_wait

    def _begin(self, feed: Feed) -> None:
        reader = self._readers.get(feed.pk)
        if feed.kind == Feed.Kind.FOLDER:
            if not isinstance(reader, FolderReader):
                reader = FolderReader(Path(feed.url), clock=self._clock)
            reading = reader.read(feed)
        else:
            if not isinstance(reader, FeedReader):
                reader = FeedReader(self._fetcher, clock=self._clock)
            reading = reader.read(feed, self._lineage)
        self._readers[feed.pk] = reader
        self._under_way[feed.pk] = (reading, None)

    def _advance(self, key: int) -> None:
        """Let one reading go on, if what it waits for is there."""
        reading, future = self._under_way[key]
        if future and not future.done():
            return
        del self._under_way[key]
        ended = self._safely(key, lambda: self._resume(key, reading, future))
        if not ended:
            reading.close()

    def _resume(self, key: int, reading: Reading[None], future: "Future[Answer] | None") -> None:
        try:
            if future is None:
                then = next(reading)
            elif error := future.exception():
                then = reading.throw(error)
            else:
                then = reading.send(future.result())
        except StopIteration:
            return
        self._under_way[key] = (reading, then)

    def _safely(self, what: int | str, work: Callable[[], Any]) -> bool:
        """Do something; whatever it raises, the loop goes on. Whether it went well."""
        try:
            work()
        except OperationalError as error:
            log.warning("database_busy", error=str(error))
            self._put_off(what, AFTER_LOCK)
            self._reconnect()
        except Exception:
            log.exception("watcher_failed", at=what)
            self._put_off(what, feed_rules().wait)
            self._reconnect()
        else:
            return True
        return False

    def _put_off(self, what: int | str, delay: timedelta) -> None:
        if isinstance(what, int):
            self._not_before[what] = self._clock() + delay

    def _reconnect(self) -> None:
        """After an error the next look begins with a new connection, unless one is in use."""
        if not connection.in_atomic_block:
            connection.close()

    def _watch_alarms(self, now: datetime) -> None:
        """One line when a source falls silent, one when it speaks again."""
        tried = {f.url for f in queries.feeds() if f.checked_at and f.checked_at >= self._began}
        alarms = {a.address: a for a in queries.feed_alarms(now) if a.address in tried}
        for address, alarm in alarms.items():
            if self._alarms.get(address) != alarm.reason:
                log.error(
                    "feed_alarm", feed=address, reason=alarm.reason, since=alarm.since.isoformat(),
                    error=alarm.error,
                )  # fmt: skip
        for address in self._alarms.keys() - alarms.keys():
            log.info("feed_alarm_over", feed=address)
        self._alarms = {address: alarm.reason for address, alarm in alarms.items()}
