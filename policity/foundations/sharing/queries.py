"""Short links with how often they were opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from policity.foundations.publishing.models import Page
from policity.foundations.sharing.models import DayCount, ShortLink

MOST = 500


def short_url(code: str) -> str:
    """The whole address of a code."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/s/{code}/"


@dataclass(frozen=True, slots=True)
class LinkView:
    """A short link. `week`, `month`, `all`: openings in 7 and 28 days, and ever; today counts."""

    id: int
    code: str
    address: str
    label: str
    by: str
    made_at: datetime
    ended_at: datetime | None
    week: int
    month: int
    all: int

    @property
    def url(self) -> str:
        """The whole address, as it stands on paper."""
        return short_url(self.code)

    @property
    def words(self) -> str:
        """The whole address as people type it."""
        return self.url.partition("://")[2].rstrip("/")


@dataclass(frozen=True, slots=True)
class PageCount:
    """A page that links lead to, or led to, with the openings of all of them, as in `LinkView`."""

    address: str
    links: int
    week: int
    month: int
    all: int


def links(
    *, today: date, number: int | None = None, address: str = "", most: int | None = None
) -> tuple[LinkView, ...]:
    """The latest links, those that lead somewhere first: all, or of a number, or of a page."""
    rows = ShortLink.objects.select_related("made_by")
    if number is not None:
        rows = rows.filter(pk=number)
    if address:
        rows = rows.filter(address=address)
    rows = rows.annotate(week=_since(today, 7), month=_since(today, 28), all=_EVER)
    rows = rows.order_by(F("ended_at").desc(nulls_first=True), "-pk")[:most]
    return tuple(
        LinkView(
            row.pk, row.code, row.address, row.label, row.made_by.display_name, row.made_at,
            row.ended_at, row.week, row.month, row.all,
        )
        for row in rows
    )  # fmt: skip


def pages(*, today: date, most: int | None = None) -> tuple[PageCount, ...]:
    """Every page that a link leads to, the most opened in 28 days first."""
    rows = ShortLink.objects.values("address").annotate(
        links=Count("pk", distinct=True),
        week=_since(today, 7),
        month=_since(today, 28),
        all=_EVER,
    )
    return tuple(PageCount(**row) for row in rows.order_by("-month", "-all", "address")[:most])


_EVER = Coalesce(Sum("days__count"), 0)


def _since(today: date, days: int) -> Coalesce:
    """The openings of so many days, today counted."""
    begin = today - timedelta(days=days - 1)
    return Coalesce(Sum("days__count", filter=Q(days__day__gte=begin)), 0)


def by_day() -> Iterator[tuple[date, str, str, str, int]]:
    """Every day on which a link was opened: day, code, page, label, count; the newest first."""
    rows = DayCount.objects.order_by("-day", "link").values_list(
        "day", "link__code", "link__address", "link__label", "count"
    )
    yield from rows.iterator()


def days(link: int, *, today: date) -> tuple[tuple[date, int], ...]:
    """The openings of each of the last 28 days, today first; a day without any is 0."""
    first = today - timedelta(days=27)
    rows = DayCount.objects.filter(link=link, day__gte=first).values_list("day", "count")
    found = dict(rows)
    listed = [today - timedelta(days=back) for back in range(28)]
    return tuple((day, found.get(day, 0)) for day in listed)


def is_published(address: str) -> bool:
    """Whether a page of this address stands in the published folder."""
    return Page.objects.filter(address=address).exclude(digest="").exists()
