"""Reading one watched folder."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog
from django.db import OperationalError

from policity.fields.alerts import services
from policity.fields.alerts.formats import LIMIT
from policity.fields.alerts.models import Feed
from policity.fields.alerts.rules.feeds import feed_rules
from policity.fields.alerts.sources.folder import File, Folder, read
from policity.fields.alerts.tasks.feeds import Reading

log = structlog.get_logger("policity.watcher")


class FolderReader:
    """One folder, and what was seen in it while the process lives."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime]) -> None:
        self._folder = Folder(path)
        self._clock = clock

    def read(self, feed: Feed) -> Reading[None]:
        """Take in every complete file, oldest first. What goes wrong is kept with the feed."""
        try:
            files = self._folder.complete()
        except OSError as error:
            self._failed(feed, error)
            return
        if files:
            yield from self._take(feed, files)
        now = self._clock()
        # Looked into every second, written down every minute.
        if files or feed.failures or feed.next_at is None or feed.next_at <= now:
            newest = files[-1].written_at if files else None
            services.answered(feed=feed, newest=newest, now=now)

    def _take(self, feed: Feed, files: list[File]) -> Reading[None]:
        # What lay there while we were away is a backlog, as after a gap in a feed.
        replay = self._clock() - files[0].written_at > feed_rules().holds
        taken = transitions = 0
        for file in files:
            try:
                data = read(file.path, limit=LIMIT)
                done = services.ingest(data, source=feed.url, replay=replay, now=self._clock())
            except OperationalError:
                raise
            except Exception as error:
                report = log.warning if isinstance(error, OSError) else log.exception
                report("file_failed", file=file.path.name, error=str(error))
            else:
                taken += not done.again
                transitions += len(done.transitions)
            self._folder.taken(file)
            yield None
        if replay:
            services.settle(source=feed.url, now=self._clock())
        if taken:
            log.info(
                "batch", source=feed.url, listed=len(files), taken=taken,
                transitions=transitions, replay=replay,
            )  # fmt: skip

    def _failed(self, feed: Feed, error: OSError) -> None:
        reason = "フォルダーを読めません"
        now = self._clock()
        if feed.last_error != reason or feed.next_at is None or feed.next_at <= now:
            services.failed(feed=feed, error=reason, wait=feed_rules().every, now=now)
            log.warning("feed_failed", feed=feed.url, error=reason, detail=str(error))
