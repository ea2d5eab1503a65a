"""Where published pages lead, and whether there is something."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from wagtail.models import Page

from policity.foundations.publishing.models import CityDocument
from policity.public_site.formats import Mentioned, mentioned
from policity.public_site.models import PageLink, TreePage
from policity.public_site.queries import stored
from policity.public_site.rules import BROKEN_AFTER, next_question

# So many pages are looked through before others have their turn.
AT_ONCE = 40
LONGEST = 500


@transaction.atomic
def gather(*, after: int, now: datetime) -> int:
    """Note where the next published pages lead; gives the last one's number, 0 after the last.

    What leads to a page or a file of ours is judged at once, from the tree: nobody is asked.
    """
    if not after:
        PageLink.objects.filter(page__live=False).delete()
    pages = list(Page.objects.live().filter(pk__gt=after).order_by("pk")[:AT_ONCE].specific())
    found = {page.pk: mentioned(stored(page)) for page in pages if isinstance(page, TreePage)}
    wanted = {(number, end) for number, one in found.items() for end in _ends(one)}
    kept = {(row.page_id, row.address): row for row in PageLink.objects.filter(page__in=found)}
    left = [row.pk for key, row in kept.items() if key not in wanted]
    PageLink.objects.filter(pk__in=left).delete()
    PageLink.objects.bulk_create(
        PageLink(page_id=number, address=end) for number, end in sorted(wanted - kept.keys())
    )
    _judge_ours(found, now=now)
    return pages[-1].pk if len(pages) == AT_ONCE else 0


def _ends(found: Mentioned) -> set[str]:
    ours = {f"page:{number}" for number in found.pages} | {f"file:{one}" for one in found.files}
    return ours | {site for site in found.sites if len(site) <= LONGEST}


def _judge_ours(found: dict[int, Mentioned], *, now: datetime) -> None:
    """One of ours is there or not: no second night is waited for."""
    numbers = {number for one in found.values() for number in one.pages}
    files = {number for one in found.values() for number in one.files}
    pages = Page.objects.live().filter(pk__in=numbers).values_list("pk", flat=True)
    there = {f"page:{number}" for number in pages}
    there |= {f"file:{one}" for one in
              CityDocument.objects.filter(pk__in=files).values_list("pk", flat=True)}  # fmt: skip
    ours = PageLink.objects.filter(page__in=found).filter(
        Q(address__startswith="page:") | Q(address__startswith="file:")
    )
    ours.filter(address__in=there).update(failed=0, since=None, fault="", checked_at=now)
    gone = ours.exclude(address__in=there)
    gone.filter(since=None).update(since=timezone.localdate(now))
    fault = "こちらのページかファイルが、公開されていません"
    gone.update(failed=BROKEN_AFTER, fault=fault, checked_at=now)


def due(*, now: datetime) -> str:
    """The next address of another site to ask; empty: none is due."""
    rows = PageLink.objects.filter(address__startswith="http").order_by(
        F("checked_at").asc(nulls_first=True), "pk"
    )
    for row in (rows.first(), rows.filter(failed__gt=0).first()):
        if row is not None:
            at = next_question(failed=row.failed, checked=row.checked_at)
            if at is None or at <= now:
                return row.address
    return ""


def note(address: str, *, fault: str, now: datetime) -> None:
    """What an address answered, for every page that leads there. A day counts once."""
    today = timezone.localdate(now)
    rows = PageLink.objects.filter(address=address)
    if not fault:
        rows.update(failed=0, since=None, last_failed=None, fault="", checked_at=now)
        return
    with transaction.atomic():
        rows.filter(since=None).update(since=today)
        rows.filter(Q(last_failed=None) | Q(last_failed__lt=today)).update(
            failed=F("failed") + 1, last_failed=today
        )
        rows.update(fault=fault[:200], checked_at=now)
