"""What is known of the pages in the folder, noted when they have been written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from policity.foundations.publishing import queries
from policity.foundations.publishing.formats import cards
from policity.foundations.publishing.models import Page, PageKey
from policity.foundations.publishing.rules import CARDS, GONE, encodings, split_key
from policity.foundations.publishing.services import tree
from policity.foundations.publishing.services.stale import AT_ONCE, put_pages
from policity.foundations.publishing.signals import written
from policity.foundations.work import services as work
from policity.kit.declare import Document, Rendered

Outcome = Rendered | Exception | None
# Family and address.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages of one stage that were rendered, none of which failed.

    `rows` are as they were before, `fresh` is what had to be written, `changes` is the count of
    changes (`queries.changes`) before the render.
    """

    held: dict[Pair, work.Claim]
    outcomes: dict[Pair, Outcome]
    rows: dict[str, Page]
    fresh: dict[str, bytes]
    changes: int


def digest(body: bytes) -> str:
    """The digest by which a page's bytes are known again."""
    return sha256(body).hexdigest()


def record(batch: Batch, now: datetime) -> None:
    """Note what stands in the folder now, and end the work, in one transaction."""
    pages: dict[str, Page] = {}
    keys: dict[str, frozenset[str]] = {}
    again: list[tuple[work.Claim, datetime]] = []
    gone: list[work.Claim] = []
    documents: dict[str, tuple[Document, ...]] = {}
    named: set[str] = set()
    for (name, address), claim in batch.held.items():
        outcome = batch.outcomes[name, address]
        row = batch.rows.get(address)
        if isinstance(outcome, Rendered):
            known = row is not None and address not in batch.fresh
            pages[address] = Page(
                address=address,
                family=name,
                digest=digest(outcome.body),
                rendered_at=now,
                valid_until=outcome.valid_until,
                dense=row.dense if row and known else not encodings(address),
            )
            keys[address] = outcome.keys
            if card := cards.address_in(outcome.body):
                keys[address] |= {card}
                named.add(card)
            documents[address] = outcome.documents
            if outcome.valid_until and outcome.valid_until > now:
                again.append((claim, outcome.valid_until))
        elif row.family == name if row else tree.exists(address):
            gone.append(claim)
            documents[address] = ()
    with transaction.atomic(durable=True):
        moved = queries.changes(hold=True) != batch.changes
        work.done(list(batch.held.values()))
        _record_gone(gone)
        before = _cards(batch.rows.values())
        newly_keyed = _record_pages(pages, keys)
        _put_cards(named, before)
        written.send(Page, documents=documents, now=now)
        if moved:
            again += [
                (batch.held[pages[address].family, address], AT_ONCE) for address in newly_keyed
            ]
        for claim, due in again:
            lane = queries.families()[split_key(claim.key)[0]].lane
            work.put(claim.kind, [claim.key], lane=lane, due=due)


def _record_pages(pages: dict[str, Page], keys: dict[str, frozenset[str]]) -> frozenset[str]:
    """Record pages with their keys; says which have keys they did not have before."""
    stored = Page.objects.bulk_create(
        pages.values(),
        update_conflicts=True,
        unique_fields=["address"],
        update_fields=["family", "digest", "rendered_at", "valid_until", "dense"],
    )
    wanted = {(page.pk, key) for page in stored for key in keys[page.address]}
    known = {
        (page, key): id_
        for id_, page, key in PageKey.objects.filter(
            page__in=[page.pk for page in stored]
        ).values_list("id", "page_id", "key")
    }
    PageKey.objects.filter(id__in=[known[pair] for pair in known.keys() - wanted]).delete()
    new = sorted(wanted - known.keys())
    PageKey.objects.bulk_create(PageKey(page_id=page, key=key) for page, key in new)
    newly_keyed = {page for page, _ in new}
    return frozenset(page.address for page in stored if page.pk in newly_keyed)


def _cards(pages: Iterable[Page]) -> set[str]:
    """The cards that pages have named so far."""
    keys = PageKey.objects.filter(page__in=[page.pk for page in pages])
    found = keys.filter(key__startswith=cards.FOLDER)
    return set(found.values_list("key", flat=True))


def _put_cards(named: set[str], before: set[str]) -> None:
    """Have cards drawn that pages name and nobody has drawn; and see to those let go of."""
    living = Page.objects.filter(address__in=named).exclude(digest="")
    drawn = set(living.values_list("address", flat=True))
    put_pages((CARDS, one) for one in named - drawn | before - named)


def _record_gone(claims: Sequence[work.Claim]) -> None:
    addresses = [split_key(claim.key)[1] for claim in claims]
    Page.objects.filter(address__in=addresses).update(digest="")
    for claim in claims:
        work.put(GONE, [claim.key], lane=claim.lane, due=AT_ONCE)
