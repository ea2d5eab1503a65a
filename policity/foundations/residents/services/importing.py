"""Taking over a list of residents: all of it or nothing, and again without harm.

New rows get a version that lies far ahead, and are nobody's to see until the count of changes
jumps there: one short write makes all of them residents.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from typing import Any, NamedTuple, TypeVar

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from policity.foundations.accounts.services import audit
from policity.foundations.places import queries as places
from policity.foundations.residents.formats import Listed, Refused, read
from policity.foundations.residents.models import Address, Channel, Label, Place, Resident
from policity.foundations.residents.queries import version as published
from policity.foundations.residents.rules.addresses import Subscription
from policity.foundations.residents.services.versions import TOPIC, jump, next_version
from policity.foundations.work import services as work

__all__ = ["Imported", "OtherImportError", "Refused", "import_list"]

Item = TypeVar("Item")
Report = Callable[[int, int], None]

# Short transactions: an alert that comes in meanwhile is not kept waiting.
CHUNK = 500
# Seconds in which somebody else gets their turn; whoever waits for it asks that often.
PAUSE = 0.01
AT_ONCE = 10_000
# So many changes do not happen while a list is being taken over.
AHEAD = 2**32

INSERT_RESIDENT = """
INSERT INTO residents_resident
    ("external_id", "language", "wants", "quiet_from", "quiet_to", "born", "household",
    "registered_at", "version")
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
UPDATE_RESIDENT = """
UPDATE residents_resident
SET "language" = %s, "wants" = %s, "quiet_from" = %s, "quiet_to" = %s, "born" = %s,
    "household" = %s, "version" = %s
WHERE "id" = %s
"""
INSERT_PLACE = """
INSERT INTO residents_place ("resident_id", "label", "town_id", "lat", "lon")
VALUES (%s, %s, %s, %s, %s)
"""
INSERT_ADDRESS = """
INSERT INTO residents_address
    ("resident_id", "channel", "value", "p256dh", "auth", "added_at", "confirmed_at", "retired_for")
VALUES (%s, %s, %s, %s, %s, %s, %s, '')
"""


class OtherImportError(Exception):
    """Another list was taken over at the same time. Nothing of this one was."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a list changed; `refused` lines were left out, with their reasons."""

    added: int
    changed: int
    unchanged: int
    refused: tuple[Refused, ...]


class _Known(NamedTuple):
    """Somebody an earlier list brought, as a line of one; None where no line says so much."""

    resident: int
    line: Listed | None
    born: int | None
    household: int | None


class _Change(NamedTuple):
    """What a list says now of somebody it brought; `was` is None where no line would say it."""

    resident: int
    was: Listed | None
    row: Listed


def import_list(
    data: bytes, *, skip_refused: bool = False, now: datetime, report: Report | None = None
) -> Imported:
    """Take over a list by `external_id`; its addresses count as confirmed.

    Where a line cannot be taken nothing is, unless `skip_refused`. Whoever is not in the list
    stays. `report` hears how many new lines are written, and of how many. Raises formats.BadList,
    places.NoCity, OtherImportError.
    """
    towns = places.towns()
    named = {town.name: town.id for town in towns} | {t.code: t.id for t in towns if t.code}
    found = read(data, named, year=timezone.localdate(now).year)
    rows, refused = found.lines, found.refused
    if refused and not skip_refused:
        return Imported(0, 0, 0, tuple(refused))
    _sweep()
    known = _known()
    new = [row for row in rows if row.external_id not in known]
    old = [
        _Change(
            who.resident,
            who.line,
            found.kept(row, born=who.born, household=who.household),
        )
        for row in rows
        if (who := known.get(row.external_id))
    ]
    changed = [change for change in old if change.was != change.row]
    version = published() + AHEAD
    for at, some in _chunks(new, CHUNK):
        _stage(some, version=version, now=now)
        sleep(PAUSE)
        if report:
            report(at + len(some), len(new))
    if new or changed:
        _publish(changed, version=version, staged=len(new), now=now)
        audit.record("residents.imported", by=None, now=now, added=len(new), changed=len(changed))
    return Imported(len(new), len(changed), len(old) - len(changed), tuple(refused))


def _sweep() -> None:
    """What an import left that was killed half way."""
    left = list(Resident.objects.filter(version__gt=published()).values_list("pk", flat=True))
    for _, some in _chunks(left, CHUNK):
        with transaction.atomic():
            Place.objects.filter(resident__in=some).delete()
            Address.objects.filter(resident__in=some).delete()
            Resident.objects.filter(pk__in=some).delete()


def _known() -> dict[str, _Known]:
    """Everybody an earlier list brought, by `external_id`."""
    homes: dict[int, list[tuple[Any, ...]]] = {}
    listed = Place.objects.filter(label=Label.HOME, resident__external_id__isnull=False)
    for number, *home in listed.values_list("resident_id", "town_id", "lat", "lon").iterator():
        homes.setdefault(number, []).append(tuple(home))
    usable = Address.objects.usable().filter(resident__external_id__isnull=False)
    mails = dict(usable.filter(channel=Channel.MAIL).values_list("resident_id", "value"))
    keys = ("resident_id", "value", "p256dh", "auth")
    pushes = {
        number: Subscription(*push)
        for number, *push in usable.filter(channel=Channel.PUSH).values_list(*keys)
    }
    # An address that somebody has yet to confirm is no matter of the list's.
    retired = Address.objects.filter(resident__external_id__isnull=False, retired_at__isnull=False)
    dead = set(retired.values_list("resident_id", flat=True))
    found: dict[str, _Known] = {}
    people = Resident.objects.filter(external_id__isnull=False).values_list(
        "pk", "external_id", "language", "wants", "quiet_from", "quiet_to", "born", "household"
    )
    for number, external_id, *said in people.iterator():
        chosen: list[Any] = said
        line = None
        if len(homes.get(number, ())) == 1 and number not in dead:
            mail, push = mails.get(number, ""), pushes.get(number)
            line = Listed(str(external_id), mail, push, *homes[number][0], *chosen)
        found[str(external_id)] = _Known(number, line, *chosen[-2:])
    return found


def _stage(rows: Sequence[Listed], *, version: int, now: datetime) -> None:
    moment = connection.ops.adapt_datetimefield_value(now)
    people = [
        (
            row.external_id,
            row.language,
            row.wants,
            row.quiet_from,
            row.quiet_to,
            row.born,
            row.household,
            moment,
            version,
        )
        for row in rows
    ]
    names = [row.external_id for row in rows]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if published() >= version:
                raise OtherImportError
            cursor.executemany(INSERT_RESIDENT, people)
            made = Resident.objects.filter(external_id__in=names)
            numbers = dict(made.values_list("external_id", "pk"))
            _write_homes((numbers[row.external_id], row) for row in rows)
            _write_addresses(((numbers[row.external_id], row) for row in rows), now=now)
    except IntegrityError as error:
        raise OtherImportError from error


def _publish(changed: Sequence[_Change], *, version: int, staged: int, now: datetime) -> None:
    """New rows become residents and old ones what the list says, all at once.

    But for more changes than can be written at once while alerts may come in: then the rest
    follows, each person's at once, and the next import takes up what a killed one left.
    """
    for at, some in _chunks(changed, AT_ONCE) if changed else [(0, changed)]:
        with work.alone(TOPIC):
            number = next_version()
            if at == 0 and staged:
                if Resident.objects.filter(version__gt=number).count() != staged:
                    raise OtherImportError
                jump(version)
                number = version
            _rewrite(some, version=number, now=now)


def _rewrite(changed: Sequence[_Change], *, version: int, now: datetime) -> None:
    """What differs is replaced. Places that somebody added to their home stay."""
    with connection.cursor() as cursor:
        cursor.executemany(
            UPDATE_RESIDENT,
            [
                (
                    row.language,
                    row.wants,
                    row.quiet_from,
                    row.quiet_to,
                    row.born,
                    row.household,
                    version,
                    resident,
                )
                for resident, _, row in changed
            ],
        )
    moved = [(one.resident, one.row) for one in changed if _home(one.was) != _home(one.row)]
    homes = Place.objects.filter(label=Label.HOME, resident__in=[number for number, _ in moved])
    homes.delete()
    _write_homes(moved)
    switched = [(c.resident, c.row) for c in changed if _reached(c.was) != _reached(c.row)]
    Address.objects.filter(resident__in=[number for number, _ in switched]).delete()
    _write_addresses(switched, now=now)


def _home(row: Listed | None) -> tuple[Any, ...] | None:
    return row and (row.town, row.lat, row.lon)


def _reached(row: Listed | None) -> tuple[Any, ...] | None:
    return row and (row.email, row.push)


def _write_homes(people: Iterable[tuple[int, Listed]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            INSERT_PLACE,
            [(number, Label.HOME.value, row.town, row.lat, row.lon) for number, row in people],
        )


def _write_addresses(people: Iterable[tuple[int, Listed]], *, now: datetime) -> None:
    moment = connection.ops.adapt_datetimefield_value(now)
    values = []
    for number, row in people:
        if row.email:
            values.append((number, Channel.MAIL.value, row.email, "", "", moment, moment))
        if row.push:
            values.append(
                (
                    number,
                    Channel.PUSH.value,
                    row.push.endpoint,
                    row.push.p256dh,
                    row.push.auth,
                    moment,
                    moment,
                )
            )
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_ADDRESS, values)


def _chunks(rows: Sequence[Item], size: int) -> Iterator[tuple[int, Sequence[Item]]]:
    for start in range(0, len(rows), size):
        yield start, rows[start : start + size]
