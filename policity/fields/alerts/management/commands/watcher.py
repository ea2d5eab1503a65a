"""`policity watcher run|list|add|remove`: feeds and folders that telegrams come from."""

import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from policity.fields.alerts import queries, services
from policity.fields.alerts.tasks.watcher import Watcher
from policity.kit.fetching import Fetcher


class Command(BaseCommand):
    help = "電文の届くフィードとフォルダーを見張ります。"

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="do", required=True)
        commands.add_parser("run", help="止められるまで見張ります。")
        commands.add_parser("list", help="見張っているものと、その状態を表示します。")
        add = commands.add_parser("add", help="フィードかフォルダーを加えます。")
        add.add_argument("address", metavar="URL|FOLDER")
        add.add_argument("--long", default="", metavar="URL", help="同じフィードの長期版")
        remove = commands.add_parser("remove", help="フィードかフォルダーを外します。")
        remove.add_argument("address", metavar="URL|FOLDER")

    def handle(self, *args: Any, do: str, **options: Any) -> None:
        if not settings.DRILL:
            services.ensure_feeds(now=timezone.now())
        try:
            if do == "run":
                self._run()
            elif do == "list":
                self._list()
            elif do == "add":
                services.add_feed(
                    address=_address(options["address"]),
                    long_address=options["long"],
                    now=timezone.now(),
                )
            else:
                services.remove_feed(address=_address(options["address"]))
        except services.BadAddressError as error:
            raise CommandError(str(error)) from error

    def _run(self) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        fetcher = Fetcher(allow_private=settings.FEEDS_ALLOW_PRIVATE)
        alive = Path(settings.HOME) / "run" / "watcher.alive"
        try:
            Watcher(fetcher, alive=alive, clock=timezone.now).run(stop)
        finally:
            fetcher.close()

    def _list(self) -> None:
        alarms = {alarm.address: alarm.reason for alarm in queries.feed_alarms(timezone.now())}
        for feed in queries.feeds():
            heard = timezone.localtime(feed.answered_at) if feed.answered_at else None
            state = alarms.get(feed.url, "ok" if heard else "new")
            when = heard.isoformat(timespec="seconds") if heard else "-"
            self.stdout.write("\t".join([state, when, feed.url, feed.long_url, feed.last_error]))


def _address(word: str) -> str:
    """A folder may be named from where one stands; it is kept by its full name."""
    return word if "://" in word else str(Path(word).resolve())
