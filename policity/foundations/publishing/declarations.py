"""The pictures that pages are shared with, and what the city's plan counts of the public site."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from policity.foundations.publishing.formats import cards
from policity.foundations.publishing.models import Page, PageKey
from policity.foundations.publishing.rules import CARDS
from policity.foundations.publishing.services import tree
from policity.foundations.publishing.services.recording import digest
from policity.kit.declare import Lane, Metric, PageFamily, Reading, Rendered, Stage
from policity.kit.languages import BY_CODE, LANGUAGES, split


def _addresses() -> Iterator[str]:
    named = PageKey.objects.filter(key__startswith=cards.FOLDER).exclude(page__digest="")
    yield from named.order_by("key").values_list("key", flat=True).distinct()


def _render(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    """What a card shows is in its address: what was drawn before is drawn no second time."""
    naming = PageKey.objects.filter(key__in=addresses).exclude(page__digest="")
    named = dict(naming.values_list("key", "page__address"))
    drawn = dict(Page.objects.filter(address__in=addresses).values_list("address", "digest"))
    for address in addresses:
        page = tree.read(named[address]) if address in named else None
        body = tree.read(address)
        if page is None or cards.address_in(page) != address:
            yield address, None
        elif body is not None and digest(body) == drawn.get(address):
            yield address, Rendered(body, frozenset())
        else:
            yield address, Rendered(cards.draw(cards.read(page)), frozenset())


def _in_easy_japanese(since: datetime, until: datetime) -> Reading:
    """Pages that stand in Japanese and in Easy Japanese, of all that stand in Japanese."""
    pages = Page.objects.exclude(digest="").filter(address__endswith="/")
    found: dict[str, set[str]] = {language.code: set() for language in LANGUAGES}
    for address in pages.values_list("address", flat=True):
        language, rest = split(address)
        found[language.code].add(rest)
    japanese, easy = found[BY_CODE["ja"].code], found[BY_CODE["ja-easy"].code]
    if not japanese:
        return Reading(None, 0, "公開しているページが、まだありません。")
    files = Page.objects.exclude(digest="").exclude(address__endswith="/").count()
    left_out = {"ページではないファイル": files} if files else {}
    return Reading(Decimal(100 * len(japanese & easy)) / len(japanese), len(japanese), "", left_out)


PAGES = (
    PageFamily(
        name=CARDS,
        lane=Lane.ROUTINE,
        stage=Stage.CARD,
        addresses=_addresses,
        born_of=lambda key: (),
        render=_render,
        is_linked=False,
    ),
)

METRICS = (
    Metric(
        name="publishing.easy_japanese",
        title="やさしい日本語でも読めるページの割合",
        unit="%",
        counts="公開している日本語のページのうち、同じページがやさしい日本語にもあるもの。"
        "機械が作った一覧のページも、1ページと数えます。",
        version=1,
        read=_in_easy_japanese,
        is_state=True,
    ),
)
