"""Saying which pages are no longer true."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import F

from policity.foundations.publishing import queries
from policity.foundations.publishing.models import Change, Page, PageKey, Showing
from policity.foundations.publishing.rules import KINDS, file_of, key_of
from policity.foundations.publishing.services import tree
from policity.foundations.work import services as work
from policity.kit.declare import Lane, PageFamily, Stage
from policity.kit.languages import split

T = TypeVar("T")

# Far below the number of parameters that a query may have.
CHUNK = 10_000
# So few are put in one transaction that nobody waits for it, and that a batch is of pages which
# stand beside each other.
PUT = 100
# What is stale is due by every clock: a telegram's time may be years away from the worker's, and
# whoever writes a list must find the pages that were born with it.
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)


def mark_stale(keys: Iterable[str], *, now: datetime) -> int | None:
    """Have every page rendered again that was made from one of these keys, or is born of one.

    Call it in the transaction that changes what the keys name. A page waits in its family's
    lane; one that is about to be born goes with the urgent ones, so that no urgent page links
    to what is not there yet: unless none does (`PageFamily.is_linked`). Pages
    that can go may be linked only from pages of their own lane or a more urgent one.

    Gives the id of the `Showing` that will say when the urgent pages among them were written,
    None where there are none.
    """
    wanted = sorted(set(keys))
    families = queries.families()
    stale = {
        (family.name, address)
        for family in families.values()
        for key in wanted
        for address in family.born_of(key)
    }
    with transaction.atomic():
        _count_change()
        for chunk in _chunks(wanted):
            stale |= set(
                PageKey.objects.filter(key__in=chunk)
                .values_list("page__family", "page__address")
                .distinct()
            )
        put_pages(stale)
        if any(_lane(families.get(name)) is Lane.URGENT for name, _ in stale):
            return Showing.objects.create(marked_at=now).pk
    return None


def rebuild() -> int:
    """Have every declared page rendered, and every other one removed; says how many wait.

    Changes go before it: what exists already waits in the routine lane.
    """
    stale = whole()
    # The languages of a page together: what it tells is read once for all of them.
    beside = sorted(stale.items(), key=lambda page: (split(page[0])[1], page[0]))
    for chunk in _chunks(((family, address) for address, family in beside), PUT):
        with transaction.atomic():
            _count_change()
            put_pages(chunk, lane=Lane.ROUTINE)
    return len(stale)


def whole() -> dict[str, str]:
    """Every address that is declared, noted or in the folder, with its family if it has one."""
    found = {address: "" for address in tree.present() if _ours(address)}
    found |= dict(Page.objects.values_list("address", "family"))
    for family in queries.families().values():
        found |= dict.fromkeys(family.addresses(), family.name)
    return found


def put_pages(pages: Iterable[tuple[str, str]], *, lane: Lane | None = None) -> None:
    """Put pages, as family and address, in line; in their family's lane unless another is given."""
    pages = set(pages)
    families = queries.families()
    addresses = [address for _, address in pages]
    living: set[str] = set()
    for chunk in _chunks(addresses):
        living |= set(
            Page.objects.filter(address__in=chunk)
            .exclude(digest="")
            .values_list("address", flat=True)
        )
    batches: dict[tuple[Stage, Lane], list[str]] = defaultdict(list)
    for name, address in pages:
        family = families.get(name)
        born = family is not None and family.is_linked and address not in living
        lane_ = Lane.URGENT if born else lane or _lane(family)
        batches[_stage(family), lane_].append(key_of(name, address))
    for (stage, lane_), keys in sorted(batches.items()):
        work.put(KINDS[stage], keys, lane=lane_, due=AT_ONCE)


def _stage(family: PageFamily | None) -> Stage:
    return family.stage if family else Stage.LEAF


def _lane(family: PageFamily | None) -> Lane:
    return family.lane if family else Lane.ROUTINE


def _ours(address: str) -> bool:
    try:
        file_of(address)
    except ValueError:
        return False
    return True


def _count_change() -> None:
    if not Change.objects.update(number=F("number") + 1):
        Change.objects.bulk_create([Change(pk=1, number=1)], ignore_conflicts=True)


def _chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk
