"""Reading one Atom feed: what is new, in order, and what a gap has swallowed."""

import random
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import OperationalError

from policity.fields.alerts import services
from policity.fields.alerts.formats import LIMIT
from policity.fields.alerts.models import Feed
from policity.fields.alerts.queries import known_entries
from policity.fields.alerts.rules.feeds import feed_rules
from policity.fields.alerts.sources import atom
from policity.foundations.continuity.services import heard_time
from policity.kit.fetching import AT_ONCE, Answer, FetchError, Fetching, Unreachable
from policity.kit.web import same_host

log = structlog.get_logger("policity.watcher")

# Bytes. The agency's long feeds have a few megabytes.
FEED_LIMIT = 16 * 1024 * 1024

# So many requests in a row without any answer: the server is down, not the telegram.
PATIENCE = 3

T = TypeVar("T")
Reading = Generator["Future[Answer] | None", Answer | None, T]
"""Work that pauses: at a future until that is done, at None until the others had their turn."""


class FeedReader:
    """One feed, and what is remembered of it while the process lives."""

    def __init__(self, fetcher: Fetching, *, clock: Callable[[], datetime]) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._tries: Counter[str] = Counter()
        self._done: set[str] = set()
        self._long_failures = 0
        self._long_at: datetime | None = None

    def read(self, feed: Feed, lineage: tuple[str, ...]) -> Reading[None]:
        """Read a feed to its end, for a place. What goes wrong is kept with the feed."""
        try:
            yield from self._read(feed, lineage)
        except (FetchError, atom.BadFeed) as error:
            wait = feed_rules().wait_after(feed.failures + 1) * random.uniform(0.75, 1)  # noqa: S311
            services.failed(feed=feed, error=str(error), wait=wait, now=self._clock())
            log.warning(
                "feed_failed",
                feed=feed.url,
                error=str(error),
                detail=getattr(error, "detail", ""),
                failures=feed.failures,
                wait=round(wait.total_seconds()),
            )

    def _read(self, feed: Feed, lineage: tuple[str, ...]) -> Reading[None]:
        answer = yield from _fetch(
            self._fetcher.get(
                feed.url, limit=FEED_LIMIT, etag=feed.etag, last_modified=feed.last_modified
            )
        )
        if answer.ahead is not None:
            heard_time(settings.HOME, feed.url, ahead=answer.ahead, now=self._clock())
        if answer.unchanged:
            listing, gap = atom.Listing((), None), False
            etag, last_modified = feed.etag, feed.last_modified
        else:
            listing = atom.read(answer.body, base=feed.url)
            gap = self._finds_gap(feed, listing)
            etag, last_modified = answer.etag, answer.last_modified
        long = (yield from self._read_long(feed)) if feed.gap_until else None

        # What only the long feed lists, and all after a gap, has happened while we were away.
        listed = {entry.name for entry in listing.entries}
        older = [e for e in long.entries if e.name not in listed] if long else []
        late = self._new(feed, [*older, *(listing.entries if gap else ())], lineage)
        live = self._new(feed, () if gap else listing.entries, lineage)
        missed = 0
        if late:
            missed += yield from self._take(feed, late, replay=True)
        if late or gap:
            services.settle(source=feed.url, now=self._clock())
        missed += yield from self._take(feed, live, replay=False)
        self._forget(listed | {entry.name for entry in older})
        if missed:
            # No etag, no place: the next reading must list them again.
            services.failed(
                feed=feed,
                error=f"{missed}件の電文を取得できませんでした",
                wait=feed_rules().every,
                now=self._clock(),
            )
            return
        if long and feed.gap_until and long.until and long.until >= feed.gap_until:
            services.closed_gap(feed=feed)
            log.info("gap_filled", feed=feed.url)
        services.answered(
            feed=feed,
            newest=listing.entries[-1].updated if listing.entries else None,
            etag=etag,
            last_modified=last_modified,
            now=self._clock(),
        )

    def _finds_gap(self, feed: Feed, listing: atom.Listing) -> bool:
        oldest = listing.entries[0].updated if listing.entries else None
        now = self._clock()
        if not feed_rules().is_gap(
            answered_at=feed.answered_at, newest=feed.newest, oldest_listed=oldest, now=now
        ):
            return False
        until = oldest or now
        log.info(
            "gap",
            feed=feed.url,
            since=feed.newest and feed.newest.isoformat(),
            until=until.isoformat(),
        )
        if feed.long_url:
            services.found_gap(feed=feed, until=until)
            self._long_at = None
        return True

    def _read_long(self, feed: Feed) -> Reading[atom.Listing | None]:
        """The long feed, unless it was read or failed a moment ago. It never holds up the short."""
        rules, now = feed_rules(), self._clock()
        if self._long_at and now < self._long_at:
            return None
        try:
            answer = yield from _fetch(self._fetcher.get(feed.long_url, limit=FEED_LIMIT))
            listing = atom.read(answer.body, base=feed.long_url)
        except (FetchError, atom.BadFeed) as error:
            self._long_failures += 1
            self._long_at = now + rules.wait_after(self._long_failures)
            log.warning("feed_failed", feed=feed.long_url, error=str(error))
            return None
        # It is renewed once an hour: what is missing may not stand in it yet.
        self._long_failures, self._long_at = 0, now + rules.holds
        return listing

    def _new(
        self, feed: Feed, entries: Iterable[atom.Entry], lineage: tuple[str, ...]
    ) -> list[atom.Entry]:
        """What is worth fetching and was not taken in before, oldest first."""
        rules = feed_rules()
        wanted = {
            entry.name: entry
            for entry in entries
            if entry.name not in self._done and rules.concerns(entry.link, lineage)
        }
        for name in known_entries(wanted):
            del wanted[name]
        for entry in [e for e in wanted.values() if not same_host(feed.url, e.link)]:
            log.warning("foreign_link", feed=feed.url, link=entry.link[:200])
            self._done.add(entry.name)
            del wanted[entry.name]
        return sorted(wanted.values(), key=lambda entry: entry.updated)

    def _take(self, feed: Feed, entries: Sequence[atom.Entry], *, replay: bool) -> Reading[int]:
        """Fetch and take in, in order, a few requests ahead; gives how many are still missing."""
        ahead: deque[tuple[atom.Entry, Future[Answer]]] = deque()
        waiting = deque(entries)
        taken = transitions = missed = in_a_row = 0
        while (waiting or ahead) and in_a_row < PATIENCE:
            while waiting and len(ahead) < AT_ONCE:
                entry = waiting.popleft()
                ahead.append((entry, self._fetcher.get(entry.link, limit=LIMIT)))
            entry, future = ahead.popleft()
            try:
                answer = yield from _fetch(future)
                done = services.ingest(
                    answer.body,
                    source=feed.url,
                    entry=entry.name,
                    replay=replay,
                    now=self._clock(),
                )
            except OperationalError:
                raise
            except Exception as error:
                # One telegram that cannot be had or taken in never holds up the ones after it.
                in_a_row = in_a_row + 1 if isinstance(error, Unreachable) else 0
                missed += self._try_again(entry, error)
            else:
                in_a_row = 0
                taken += 1
                transitions += len(done.transitions)
                self._done.add(entry.name)
        for _, future in ahead:
            future.cancel()
        missed += len(ahead) + len(waiting)
        if entries:
            log.info(
                "batch", source=feed.url, listed=len(entries), taken=taken, missed=missed,
                transitions=transitions, replay=replay,
            )  # fmt: skip
        return missed

    def _try_again(self, entry: atom.Entry, error: Exception) -> bool:
        """Whether a telegram that did not come is worth another try."""
        self._tries[entry.name] += 1
        tries = self._tries[entry.name]
        again = tries < feed_rules().tries
        if not again:
            self._done.add(entry.name)
        report = log.warning if isinstance(error, FetchError) else log.exception
        report("telegram_failed", link=entry.link[:200], error=str(error), tries=tries, again=again)
        return again

    def _forget(self, listed: set[str]) -> None:
        """What is listed no more need not be remembered."""
        self._done &= listed
        self._tries = Counter({n: tries for n, tries in self._tries.items() if n in listed})


def _fetch(future: "Future[Answer]") -> Reading[Answer]:
    """Pause until an answer is there. Raises FetchError."""
    answer = yield future
    assert answer is not None  # noqa: S101  # whoever advances us sends what the future gave
    return answer
