"""The Atom feed of one language: what was told, one entry an alert, updated with each message."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext

from policity.design import drills
from policity.fields.alerts.queries import page_of
from policity.foundations.delivery.queries import Thread
from policity.kit import ruby
from policity.kit.languages import Language

# What a feed is as old as while nothing ever happened: its bytes may not depend on the clock.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class _Feed(Atom1Feed):
    """Django's, but an empty feed has no clock in it."""

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=_NEVER)


def feed(threads: Iterable[Thread], language: Language, *, city_name: str) -> bytes:
    """Newest message first. Call it with the feed's language active."""
    base = settings.PUBLIC_URL.rstrip("/")
    here = f"{base}{language.prefix}alerts/"
    atom = _Feed(
        title=_plainly(f"{gettext('避難情報と警報')} · {city_name}", language),
        link=here,
        description="",
        language=language.html,
        feed_url=f"{here}feed.atom",
        author_name=ruby.plain(city_name),
    )
    for thread in threads:
        page = f"{base}{language.prefix}{page_of(thread.newest.thread)}"
        text = thread.newest.texts[language.code]
        atom.add_item(
            title=_plainly(text["title"], language),
            link=page,
            unique_id=page,
            description=ruby.plain(drills.told(text["body"], language.code)),
            pubdate=thread.began_at,
            updateddate=thread.newest.told_at,
        )
    return atom.writeString("utf-8").encode()


def _plainly(title: str, language: Language) -> str:
    return ruby.plain(drills.titled(title, language.code))
