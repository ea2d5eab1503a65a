"""What published pages offer is noted in the transaction that notes the pages."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from policity.foundations.publishing.services import mark_stale
from policity.foundations.search.models import Entry
from policity.foundations.search.rules.static import CHUNK
from policity.foundations.work import services as work
from policity.kit.declare import Document, Lane
from policity.kit.languages import split

# Work: pages whose documents have changed, and languages whose published index has.
INDEX, SHARDS = "search:index", "search:shards"
# What is new is in the published index after this long: one writing for many changes.
SETTLE = timedelta(seconds=30)
_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD = ("kind", "section", "title", "text", "day", "now", "listed")


def titles_key(code: str, number: int) -> str:
    """Names the file of titles that a document is in."""
    return f"search:titles:{code}:{number // CHUNK}"


def shards_key(code: str) -> str:
    """Names the files of signs of a language."""
    return f"search:signs:{code}"


def map_key(code: str) -> str:
    """Names the site map of a language."""
    return f"search:map:{code}"


@dataclass(slots=True)
class _Changes:
    made: list[Entry]
    changed: list[Entry]
    gone: list[Entry]


def on_written(
    sender: object, documents: Mapping[str, tuple[Document, ...]], now: datetime, **_: Any
) -> None:
    """Note what these pages offer now. What a page no longer offers is found no more, at once."""
    found = _compare(documents)
    touched = [*found.made, *found.changed, *found.gone]
    if not touched:
        return
    Entry.objects.bulk_create(found.made)
    Entry.objects.bulk_update(found.changed, [*_TOLD, "title_signs", "text_signs"])
    stale = {titles_key(entry.code, entry.pk) for entry in touched}
    stale |= {map_key(entry.code) for entry in touched if entry.listed}
    Entry.objects.filter(pk__in=[entry.pk for entry in found.gone]).delete()
    mark_stale(stale, now=now)
    pages = {entry.page for entry in touched}
    work.put(INDEX, pages, lane=Lane.ROUTINE, due=_AT_ONCE)
    codes = {entry.code for entry in touched}
    work.put(SHARDS, codes, lane=Lane.ROUTINE, due=now + SETTLE)


def _compare(documents: Mapping[str, tuple[Document, ...]]) -> _Changes:
    before: dict[str, dict[str, Entry]] = defaultdict(dict)
    for known in Entry.objects.filter(page__in=documents):
        before[known.page][known.address] = known
    found = _Changes([], [], [])
    for page, offered in documents.items():
        there = before[page]
        for document in offered:
            address = _address(page, document)
            told = {name: getattr(document, name) for name in _TOLD}
            entry = there.pop(address) if address in there else None
            if entry is None:
                code = split(page)[0].code
                found.made.append(Entry(page=page, address=address, code=code, **told))
            elif told != {name: getattr(entry, name) for name in _TOLD}:
                for name, value in {**told, "title_signs": "", "text_signs": ""}.items():
                    setattr(entry, name, value)
                found.changed.append(entry)
        found.gone += there.values()
    return found


def _address(page: str, document: Document) -> str:
    return page + document.address if document.address[:1] in ("", "#") else document.address
