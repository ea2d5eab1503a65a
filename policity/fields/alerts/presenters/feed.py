"""The Atom feed of one language: what is in force and what ended last, each alert one entry."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext

from policity.fields.alerts.presenters.views import own_entries
from policity.fields.alerts.queries import EventHistory
from policity.fields.alerts.rules.texts import texts
from policity.kit import ruby
from policity.kit.languages import Language

# What a feed is as old as while nothing ever happened: its bytes may not depend on the clock.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class _Feed(Atom1Feed):
    """Django's, but an empty feed has no clock in it."""

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=_NEVER)


def feed(histories: Iterable[EventHistory], language: Language, *, city_name: str) -> bytes:
    """Newest change first. Call it with the feed's language active."""
    base = settings.WAGTAILADMIN_BASE_URL.rstrip("/")
    here = f"{base}{language.prefix}alerts/"
    atom = _Feed(
        title=f"{ruby.plain(gettext('警報と注意報'))} · {ruby.plain(city_name)}",
        link=here,
        description="",
        language=language.html,
        feed_url=f"{here}feed.atom",
        author_name=ruby.plain(city_name),
    )
    for history in sorted(histories, key=_newest, reverse=True):
        event = history.event
        text = texts().say(language.code, event.phenomenon, event.severity, event.level)
        page = f"{here}{event.id}/"
        latest = own_entries(history, language.code)[0]
        atom.add_item(
            title=ruby.plain(f"{text.name} – {latest.change}"),
            link=page,
            unique_id=page,
            description=ruby.plain(_said(text.headline, text.steps, ended=event.ended_at)),
            pubdate=event.started_at,
            updateddate=latest.at,
        )
    return atom.writeString("utf-8").encode()


def _said(headline: str, steps: Iterable[object], *, ended: datetime | None) -> str:
    if ended:
        return ""
    return headline


def _newest(history: EventHistory) -> tuple[datetime, int]:
    return history.steps[-1].at, history.event.id
