"""Events as staff see them: the list, the line of a time, the sheet for the door."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from policity.back_office.presenters.chronology import safe
from policity.back_office.presenters.exports import BOM
from policity.foundations.accounts import queries as accounts
from policity.foundations.events import queries
from policity.foundations.events.models import Event, Occurrence
from policity.foundations.events.services.words import reason
from policity.foundations.places import queries as places
from policity.foundations.places.queries.facilities import facilities
from policity.kit import moments

HEAD = ("受付番号", "名前", "電話番号", "人数", "席", "出欠", "申し込んだ日時")
CAME = {True: "来た", False: "来ない", None: ""}


# Where nothing takes place.
NO_VENUES = frozenset({"toilet", "aed", "parking"})


def venues() -> list[tuple[str, list[tuple[str, str]]]]:
    """The city's own places to choose from: its facilities, then the sites of its disaster plan."""
    halls = [one for one in facilities() if one.kind not in NO_VENUES]
    groups = [
        ("施設", [(f"facility-{one.id}", one.name) for one in halls]),
        ("避難場所・避難所", [(f"site-{one.id}", one.name) for one in places.sites()]),
    ]
    return [(name, some) for name, some in groups if some]


def departments(own: frozenset[str] | None) -> list[tuple[str, str]]:
    """Whose something new may be, as slug and name; None: whose ever, or the whole city's."""
    known = accounts.departments()
    if own is None:
        return [("", "市の全体"), *known]
    return [(slug, name) for slug, name in known if slug in own]


@dataclass(frozen=True, slots=True)
class TimeLine:
    """One time of an event, as a line: how full it is."""

    id: int
    when: str
    had: int
    waits: int
    called_off: bool
    why: str
    over: bool
    faded: bool


def times(event: Event, *, now: datetime) -> list[TimeLine]:
    """Every time of an event, the next first. Two queries."""
    rows = list(event.times.order_by("starts"))
    people = queries.seats([row.pk for row in rows])
    return [
        TimeLine(
            row.pk,
            when(row, all_day=event.all_day),
            row.had if row.faded_at else people.get(row.pk, (0, 0))[0],
            row.waited if row.faded_at else people.get(row.pk, (0, 0))[1],
            row.cancelled_at is not None,
            " ".join(reason(row.reason, row.reason_words)),
            row.ends <= now,
            row.faded_at is not None,
        )
        for row in rows
    ]


def when(time: Occurrence, *, all_day: bool) -> str:
    """When it begins, with the year."""
    at = timezone.localtime(time.starts)
    return f"{at.year}年{moments.date(at, 'ja')}" if all_day else moments.dated(at, "ja")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The line of one time, and how many that is."""

    people: tuple[queries.Person, ...]
    had: int
    waits: int
    came: int
    to_call: int


def sheet(time: int) -> Sheet:
    """Everybody in the line of a time."""
    people = queries.people(time)
    return Sheet(
        people,
        sum(one.seats for one in people if one.seated),
        sum(one.seats for one in people if not one.seated),
        sum(one.seats for one in people if one.attended),
        sum(one.to_call for one in people),
    )


def table(people: Sequence[queries.Person]) -> str:
    """CSV for a spreadsheet; nothing in it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    for one in people:
        at = timezone.localtime(one.confirmed_at) if one.confirmed_at else None
        writer.writerow(
            (
                one.number,
                safe(one.name),
                safe(one.phone),
                one.seats,
                "席あり" if one.seated else "キャンセル待ち",
                CAME[one.attended],
                f"{at:%Y-%m-%d %H:%M}" if at else "",
            )
        )
    return BOM + text.getvalue()
