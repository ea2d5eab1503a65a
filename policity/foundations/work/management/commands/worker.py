"""`policity worker run`: does what is due, the most urgent first, until it is told to stop."""

import random
import signal
import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from policity.foundations.work.channels import Ear
from policity.foundations.work.queries import database_away, handlers
from policity.foundations.work.rules import Handler, Order, backoff

log = structlog.get_logger()

# What falls due by the clock alone may wait this long; so may the heartbeat.
BEAT_SECONDS = 1.0
# So soon after the database is back everything goes on, however long it was away.
AWAY = timedelta(seconds=5)


class Command(BaseCommand):
    help = "待っている仕事(ページの作成など)を、急ぐものから順に続けます。"

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("run", help="止められるまで続けます。")

    def handle(self, *_: Any, **__: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        Worker(handlers(), stop).run()


class Worker:
    """The loop. It outlives every failure of its handlers, each of which then rests a while."""

    def __init__(self, handlers: tuple[Handler, ...], stop: threading.Event) -> None:
        self.handlers = handlers
        self.stop = stop
        self.failures: dict[Handler, int] = {}
        self.resting: dict[Handler, datetime] = {}
        self.alive = Path(settings.HOME) / "run" / "worker.alive"

    def run(self) -> None:
        """Work until `stop` is set; the batch in hand is finished first.

        In a cluster one machine's worker works, for pages are files in its home. Another's stands
        by. Raises django.db.Error where that connection breaks: whoever supervises starts us anew.
        """
        self.alive.parent.mkdir(parents=True, exist_ok=True)
        with closing(Ear()) as ear:
            ear.hold("worker", self.stop)
            log.info("worker_started", handlers=len(self.handlers))
            while not self.stop.is_set():
                self.alive.touch()
                ear.still()
                if not self._work():
                    ear.wait(BEAT_SECONDS, self.stop)
        connection.close()
        log.info("worker_stopped")

    def _work(self) -> bool:
        """Do one batch of everything that is equally urgent, then look again from the top."""
        for order in Order:
            ended = 0
            for handler in self.handlers:
                if handler.order is order and not self.stop.is_set():
                    ended += self._one(handler)
            if ended:
                return True
        return False

    def _one(self, handler: Handler) -> int:
        now = timezone.now()
        if self.resting.get(handler, now) > now:
            return 0
        try:
            ended = handler.run(now)
        except Exception as error:  # a locked database, a full disk, a bug: the others go on
            self._rest(handler, error, now)
            return 0
        self.failures.pop(handler, None)
        return ended

    def _rest(self, handler: Handler, error: Exception, now: datetime) -> None:
        failures = self.failures[handler] = self.failures.get(handler, 0) + 1
        jitter = random.random()  # noqa: S311 - it spreads load, it hides nothing
        wait = backoff(failures, jitter=jitter)
        if database_away(error):
            wait = min(wait, AWAY)
        self.resting[handler] = now + wait
        log.error(
            "batch_failed",
            kind=handler.kind,
            order=handler.order.name.lower(),
            error=repr(error),
            again_in=wait.total_seconds(),
        )
        # A connection that broke is opened anew by the next query.
        connection.close_if_unusable_or_obsolete()
