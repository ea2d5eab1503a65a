"""The index follows the rows: a page's documents are taken out and put in again.

Only the holder of a lock writes. The folder carries the version of the words in its name: after an
upgrade that reads words otherwise, a new one is made beside it and the old one goes.
"""

import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from tantivy import IndexWriter

from policity.foundations.publishing.services import mark_stale
from policity.foundations.search import queries
from policity.foundations.search.formats import finding
from policity.foundations.search.formats.index import HEAP_BYTES, document, open_index
from policity.foundations.search.models import Entry
from policity.foundations.search.rules.static import signs_of
from policity.foundations.search.services.noting import INDEX, SETTLE, SHARDS, shards_key
from policity.foundations.work import services as work
from policity.kit.declare import Lane

log = structlog.get_logger()

# Pages in one commit: a tenth of a second or so.
BATCH = 50
LEASE = timedelta(minutes=1)
_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
_PUT = 1_000


def index_due(*, now: datetime) -> int:
    """Bring the index up to date for some pages, or say which published files are not."""
    claims = work.claim(INDEX, lane=Lane.ROUTINE, now=now, lease=LEASE, limit=BATCH)
    if not claims:
        return _settle(now)
    try:
        _write([claim.key for claim in claims], now)
    except Exception as error:  # the index may be broken in any way; pages go on without it
        log.error("search_index", error=repr(error))
        for claim in claims:
            work.retry(claim, error=repr(error), now=now, jitter=random.random())  # noqa: S311
        return 0
    work.done(claims)
    return len(claims)


def _settle(now: datetime) -> int:
    claims = work.claim(SHARDS, lane=Lane.ROUTINE, now=now, lease=LEASE, limit=BATCH)
    if claims:
        mark_stale([shards_key(claim.key) for claim in claims], now=now)
        work.done(claims)
    return len(claims)


def on_comparing(sender: object, now: datetime, **_: Any) -> None:
    """What waits to settle is told at once: published files are about to be compared."""
    while index_due(now=now):
        pass
    _settle(now + SETTLE)


def look_over() -> int:
    """See that the index knows as many documents as there are; else have all of it made anew."""
    counted = queries.index().searcher().num_docs
    return 0 if counted == Entry.objects.count() else rebuild()


def rebuild() -> int:
    """Have the whole index made anew by the worker; says how many pages wait.

    What is found until then stays as it was.
    """
    with _alone():
        known = set(_everything())
        folder = queries.folder()
        for other in folder.parent.iterdir() if folder.parent.is_dir() else ():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    pages = iter(sorted(known))
    while some := list(islice(pages, _PUT)):
        work.put(INDEX, some, lane=Lane.ROUTINE, due=_AT_ONCE)
    return len(known)


def _everything() -> Iterator[str]:
    """Every page that offers something, or did when it was last indexed."""
    yield from Entry.objects.values_list("page", flat=True).distinct()
    # What the index alone still knows is taken out: it belongs to nobody.
    stray = queries.numbers() - set(Entry.objects.values_list("pk", flat=True))
    if stray:
        with _writer() as writer:
            for number in stray:
                writer.delete_documents_by_query(finding.one(queries.index(), number))


def _write(pages: Sequence[str], now: datetime) -> None:
    by_page: dict[str, list[Entry]] = defaultdict(list)
    for entry in Entry.objects.filter(page__in=pages):
        by_page[entry.page].append(entry)
    with _alone(), _writer() as writer:
        for page in pages:
            writer.delete_documents_by_term("address", page)
            for entry in by_page[page]:
                writer.add_document(document(queries.told(entry)))
    unsigned = [entry for found in by_page.values() for entry in found if not entry.title_signs]
    for entry in unsigned:
        told = queries.told(entry)
        title, text = (signs_of(said, entry.code) for said in (told.title, told.text))
        entry.title_signs = " ".join(sorted(title))
        entry.text_signs = " ".join(sorted(text - title))
    with transaction.atomic():
        Entry.objects.bulk_update(unsigned, ["title_signs", "text_signs"])
        # Whoever wrote the files meanwhile wrote them without these.
        work.put(SHARDS, {one.code for one in unsigned}, lane=Lane.ROUTINE, due=now + SETTLE)


@contextmanager
def _writer() -> Iterator[IndexWriter]:
    writer = open_index(queries.folder()).writer(HEAP_BYTES, 1)
    yield writer
    writer.commit()
    writer.wait_merging_threads()


@contextmanager
def _alone() -> Iterator[None]:
    lock = Path(settings.HOME) / "run" / "search.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with work.locked(lock):
        yield
