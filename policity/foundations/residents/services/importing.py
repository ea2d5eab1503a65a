"""Taking over a list of residents: all of it or nothing, and again without harm."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from policity.foundations.places import queries as places
from policity.foundations.residents.formats import Listed, Refused, read
from policity.foundations.residents.models import Address, Channel, Label, Place, Resident
from policity.foundations.residents.rules.addresses import Subscription
from policity.foundations.residents.services.versions import next_version

__all__ = ["Imported", "Refused", "import_list"]

Item = TypeVar("Item")

# Short transactions: an alert that comes in meanwhile is not kept waiting.
CHUNK = 1000
# New rows are nobody's to see until the last of them is written.
STAGED = 2**62


@dataclass(frozen=True, slots=True)
class Imported:
    """What a list changed; `refused` lines were left out, with their reasons."""

    added: int
    changed: int
    unchanged: int
    refused: tuple[Refused, ...]


def import_list(data: bytes, *, skip_refused: bool = False, now: datetime) -> Imported:
    """Take over a list by `external_id`; its addresses count as confirmed.

    Where a line cannot be taken nothing is, unless `skip_refused`. Whoever is not in the list
    stays. Raises formats.BadList, places.NoCity.
    """
    towns = places.towns()
    named = {town.name: town.id for town in towns} | {t.code: t.id for t in towns if t.code}
    rows, refused = read(data, named)
    if refused and not skip_refused:
        return Imported(0, 0, 0, tuple(refused))
    _sweep()
    known = _known()
    new = [row for row in rows if row.external_id not in known]
    changed = [
        (known[row.external_id][0], row)
        for row in rows
        if row.external_id in known and known[row.external_id][1] != row
    ]
    for some in _chunks(new):
        with transaction.atomic():
            _write(_residents(some, now=now), some, now=now)
    with transaction.atomic():
        version = next_version()
        Resident.objects.filter(version=STAGED).update(version=version)
        _rewrite(changed, version=version, now=now)
    return Imported(len(new), len(changed), len(rows) - len(new) - len(changed), tuple(refused))


def _sweep() -> None:
    """What an import left that was killed half way."""
    for some in _chunks(list(Resident.objects.filter(version=STAGED).values_list("pk", flat=True))):
        Resident.objects.filter(pk__in=some).delete()


def _known() -> dict[str, tuple[int, Listed | None]]:
    """Everybody an earlier list brought, as a line of a list; None where no line says so much."""
    homes: dict[int, list[Place]] = {}
    for place in Place.objects.filter(resident__external_id__isnull=False).order_by("pk"):
        homes.setdefault(place.resident_id, []).append(place)
    addresses: dict[int, dict[str, Address]] = {}
    for address in Address.objects.filter(resident__external_id__isnull=False):
        addresses.setdefault(address.resident_id, {})[address.channel] = address
    rows = Resident.objects.filter(external_id__isnull=False)
    return {
        row.external_id: (row.pk, _line(row, homes.get(row.pk, []), addresses.get(row.pk, {})))
        for row in rows.iterator()
        if row.external_id
    }


def _line(row: Resident, homes: Sequence[Place], held: dict[str, Address]) -> Listed | None:
    mail, push = held.get(Channel.MAIL), held.get(Channel.PUSH)
    if not homes or any(a.retired_at or not a.confirmed_at for a in held.values()):
        return None
    return Listed(
        external_id=row.external_id or "",
        email=mail.value if mail else "",
        push=Subscription(push.value, push.p256dh, push.auth) if push else None,
        town=homes[0].town_id,
        lat=homes[0].lat,
        lon=homes[0].lon,
        language=row.language,
        wants=row.wants,
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
    )


def _residents(rows: Sequence[Listed], *, now: datetime) -> list[Resident]:
    return Resident.objects.bulk_create(
        Resident(
            external_id=row.external_id,
            language=row.language,
            wants=row.wants,
            quiet_from=row.quiet_from,
            quiet_to=row.quiet_to,
            registered_at=now,
            version=STAGED,
        )
        for row in rows
    )


def _write(residents: Sequence[Resident], rows: Sequence[Listed], *, now: datetime) -> None:
    """Homes and addresses of residents who have none."""
    pairs = list(zip(residents, rows, strict=True))
    Place.objects.bulk_create(
        Place(resident=one, label=Label.HOME, town_id=row.town, lat=row.lat, lon=row.lon)
        for one, row in pairs
    )
    Address.objects.bulk_create(
        address for one, row in pairs for address in _addresses(one, row, now=now)
    )


def _addresses(resident: Resident, row: Listed, *, now: datetime) -> Iterator[Address]:
    if row.email:
        yield Address(
            resident=resident,
            channel=Channel.MAIL,
            value=row.email,
            added_at=now,
            confirmed_at=now,
        )
    if row.push:
        yield Address(
            resident=resident,
            channel=Channel.PUSH,
            value=row.push.endpoint,
            p256dh=row.push.p256dh,
            auth=row.push.auth,
            added_at=now,
            confirmed_at=now,
        )


def _rewrite(changed: Iterable[tuple[int, Listed]], *, version: int, now: datetime) -> None:
    """What the list says now. Places that somebody added to their home stay."""
    pairs = list(changed)
    for some in _chunks(pairs):
        keys = [pk for pk, _ in some]
        residents = [
            Resident(
                pk=pk,
                language=row.language,
                wants=row.wants,
                quiet_from=row.quiet_from,
                quiet_to=row.quiet_to,
                version=version,
            )
            for pk, row in some
        ]
        fields = ["language", "wants", "quiet_from", "quiet_to", "version"]
        Resident.objects.bulk_update(residents, fields)
        Place.objects.filter(resident__in=keys, label=Label.HOME).delete()
        Address.objects.filter(resident__in=keys).delete()
        _write(residents, [row for _, row in some], now=now)


def _chunks(rows: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
