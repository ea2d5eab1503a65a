"""Which feeds and folders are read, and how each of them fares."""

from datetime import datetime, timedelta
from pathlib import Path

from policity.fields.alerts.models import Feed
from policity.fields.alerts.rules.feeds import feed_rules
from policity.foundations.work import services as work
from policity.kit.web import is_web_address

# Never the rest: staff may remove a feed while it is being read.
_PLACE = (
    "newest", "etag", "last_modified", "checked_at", "answered_at", "next_at", "failures",
    "last_error",
)  # fmt: skip


class BadAddressError(ValueError):
    """An address that cannot be watched. The message is for staff."""


def ensure_feeds(*, now: datetime) -> None:
    """Put the feeds we ship (facts/feeds.toml) into a table that never had any."""
    with work.alone("alerts"):
        if Feed.objects.exists():
            return
        Feed.objects.bulk_create(
            Feed(
                kind=Feed.Kind.ATOM,
                url=feed.address,
                long_url=feed.long,
                quiet_hours=feed.quiet_hours,
                added_at=now,
            )
            for feed in feed_rules().feeds
        )


def add_feed(*, address: str, long_address: str = "", now: datetime) -> Feed:
    """Watch a feed (http, https) or a folder (an absolute path). Raises BadAddressError.

    One that was removed begins anew.
    """
    if is_web_address(address):
        kind = Feed.Kind.ATOM
        if long_address and not is_web_address(long_address):
            raise BadAddressError(f"{long_address}: http(s)のアドレスではありません")
    elif "://" in address:
        raise BadAddressError(f"{address}: http(s)のアドレスではありません")
    else:
        kind = Feed.Kind.FOLDER
        if long_address:
            raise BadAddressError("フォルダーには長期フィードがありません")
        if not Path(address).is_absolute() or not Path(address).is_dir():
            raise BadAddressError(f"{address}: フォルダーが見つかりません")
    with work.alone("alerts"):
        old = Feed.objects.filter(url=address).first()
        if old and old.active:
            raise BadAddressError(f"{address}: すでに登録されています")
        if old:
            old.delete()
        return Feed.objects.create(
            kind=kind, url=address, long_url=long_address, added_at=now, active=True
        )


def remove_feed(*, address: str) -> None:
    """Watch a feed or folder no more. Raises BadAddressError where there is none."""
    if not Feed.objects.filter(url=address, active=True).update(active=False):
        raise BadAddressError(f"{address}: 登録されていません")


def found_gap(*, feed: Feed, until: datetime) -> None:
    """Telegrams before `until` may be missing: remembered until the long feed has told them."""
    feed.gap_until = until
    feed.save(update_fields=["gap_until"])


def closed_gap(*, feed: Feed) -> None:
    """The long feed has told everything that was missing."""
    feed.gap_until = None
    feed.save(update_fields=["gap_until"])


def answered(
    *,
    feed: Feed,
    newest: datetime | None = None,
    etag: str = "",
    last_modified: str = "",
    now: datetime,
) -> None:
    """A feed was read to its end: keep the place, and what to ask with the next time.

    `newest` in the future is a clock that is wrong somewhere: it counts as now.
    """
    if newest:
        feed.newest = max(min(newest, now), feed.newest or min(newest, now))
    feed.etag, feed.last_modified = etag, last_modified
    feed.checked_at = feed.answered_at = now
    feed.next_at = now + feed_rules().every
    feed.failures, feed.last_error = 0, ""
    feed.save(update_fields=_PLACE)


def failed(*, feed: Feed, error: str, wait: timedelta, now: datetime) -> None:
    """A feed could not be read to its end: leave it alone for a while. `error` is for staff."""
    feed.checked_at = now
    feed.next_at = now + wait
    feed.failures += 1
    feed.last_error = error[:300]
    feed.save(update_fields=_PLACE)
