"""Short links for a spreadsheet and for a printer."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import segno
from django.utils import timezone

from policity.back_office.presenters.chronology import safe
from policity.back_office.presenters.exports import BOM
from policity.foundations.sharing import queries
from policity.foundations.sharing.queries import LinkView, short_url

_COUNTED = ("7日", "28日", "全部")


def by_link() -> str:
    """Every link, as CSV."""
    found = queries.links(today=timezone.localdate())
    return _table(
        ("短いアドレス", "ページ", "どこに出したか", *_COUNTED, "作った日", "終わりにした日"),
        (
            (one.url, one.address, safe(one.label), one.week, one.month, one.all,
             _day(one.made_at), one.ended_at and _day(one.ended_at))
            for one in found
        ),
    )  # fmt: skip


def by_page() -> str:
    """Every page that links lead to, as CSV."""
    found = queries.pages(today=timezone.localdate())
    rows = ((one.address, one.links, one.week, one.month, one.all) for one in found)
    return _table(("ページ", "短いアドレスの数", *_COUNTED), rows)


def by_day() -> str:
    """Every day of every link, as CSV."""
    rows = (
        (day.isoformat(), short_url(code), address, safe(label), count)
        for day, code, address, label, count in queries.by_day()
    )
    return _table(("日", "短いアドレス", "ページ", "どこに出したか", "回数"), rows)


TABLES = {"links": by_link, "pages": by_page, "days": by_day}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV for a spreadsheet; nothing in it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return BOM + text.getvalue()


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Day:
    """A day's openings, and how long its bar is: 100 for the most of the days shown."""

    day: date
    count: int
    bar: float


def days(number: int) -> list[Day]:
    """The last 28 days of a link, today first."""
    found = queries.days(number, today=timezone.localdate())
    most = max(count for _, count in found) or 1
    return [Day(day, count, 100 * count / most) for day, count in found]


def drawing(link: LinkView) -> bytes:
    """The code to scan as an SVG file, for whoever sets a leaflet."""
    out = io.BytesIO()
    segno.make(link.url, error="m").save(out, kind="svg", scale=10, border=4, title=link.words)
    return out.getvalue()
