"""Who registered, and whom a message is for. What is personal stays with whom it concerns."""

import base64
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db.models import F

from policity.foundations.places import queries as places
from policity.foundations.residents.models import (
    Address,
    AddressQuerySet,
    Channel,
    Departure,
    Label,
    Place,
    Resident,
    Version,
)
from policity.foundations.residents.rules import choices, links
from policity.foundations.residents.rules.ages import Band
from policity.foundations.residents.rules.audience import Audience, Ring
from policity.foundations.residents.rules.columns import (
    NO_HOME,
    Bits,
    Columns,
    Found,
    Guest,
    Ids,
    Row,
    with_guests,
)
from policity.foundations.residents.rules.links import Purpose
from policity.kit import geometry
from policity.kit.severity import Severity

FETCH = 50_000

_columns = Columns(choices.unpack)
# Two threads that update at once could leave out what only one of them has read.
_updating = Lock()


def find(audience: Audience) -> Found:
    """The residents that an audience means, with their quiet hours.

    Reads what has changed since the last time; the rest is kept in memory. `followers_of` is
    delivery's to know. Raises geometry.BadPolygon for rings that enclose nothing.
    """
    area = surface(audience.rings) if audience.rings else None
    found = columns().find(audience, area)
    if audience.persons is None:
        return found
    return with_guests(found, _guests(set(audience.persons) - set(found.persons.tolist())))


def _guests(persons: Collection[int]) -> list[Guest]:
    """Those of these who watch no place: they are reached by name alone, and stand in no column."""
    rows = Resident.objects.filter(pk__in=persons, version__lte=version(), places=None)
    return [Guest(*row) for row in rows.order_by("pk").values_list("pk", "quiet_from", "quiet_to")]


def columns() -> Columns:
    """The columns as of now."""
    with _updating:
        number = version()
        if number < _columns.version:
            # Another home, or one that was restored to an earlier state.
            forget()
        if number > _columns.version:
            _columns.update(*_changes(_columns.version, number), version=number)
        return _columns


def _changes(since: int, until: int) -> tuple[list[Row], list[int]]:
    """Every place of whoever changed, and who left."""
    changed = Place.objects.filter(resident__version__gt=since, resident__version__lte=until)
    rows = changed.values_list(
        "resident_id", "town_id", "lat", "lon",
        "resident__wants", "resident__quiet_from", "resident__quiet_to", "resident__household",
    )  # fmt: skip
    gone = Departure.objects.filter(version__gt=since, version__lte=until)
    return list(map(Row._make, rows.iterator(FETCH))), list(gone.values_list("resident", flat=True))


def forget() -> None:
    """Read everything anew the next time."""
    global _columns, _totals
    _columns, _totals = Columns(choices.unpack), None


def version() -> int:
    """The number of the last change."""
    return Version.objects.values_list("number", flat=True).first() or 0


def surface(rings: Iterable[Ring]) -> geometry.Surface:
    """What outer lines enclose, the lines with it. Raises geometry.BadPolygon."""
    return geometry.together([geometry.polygon(ring) for ring in rings])


def within(rings: Sequence[Ring], *, kind: str, severity: Severity) -> Audience:
    """The audience of a drawn area: every town it touches, narrowed by the lines themselves.

    Raises geometry.BadPolygon, places.NoCity.
    """
    towns = places.towns_touched(surface(rings))
    return Audience(kind, severity, frozenset(town.id for town in towns), tuple(rings))


@dataclass(frozen=True, slots=True)
class Homes:
    """In how many households they live, by channel; of `unknown` persons nothing is known.

    Whoever came with a list that names households is known; nobody is asked when registering.
    """

    households: int
    mail: int
    push: int
    unreachable: int
    unknown: int


@dataclass(frozen=True, slots=True)
class TownReach:
    """How many an audience has in one town, by channel; `unreachable` have no usable address.

    Somebody who watches two towns counts in both.
    """

    town: int
    persons: int
    mail: int
    push: int
    unreachable: int
    homes: Homes


@dataclass(frozen=True, slots=True)
class Reached:
    """How many an audience has, before anything is sent; everybody once, but for `towns`.

    Of `with_point` a place there is known by its coordinates, of `without_point` by its town
    alone: lines within a town narrow only the former. `unreachable` have no usable address.
    """

    persons: int
    with_point: int
    without_point: int
    mail: int
    push: int
    unreachable: int
    homes: Homes
    towns: tuple[TownReach, ...]


def preview(audience: Audience) -> Reached:
    """Count whom an audience would reach, whole and in each of its towns."""
    everybody, area = columns(), surface(audience.rings) if audience.rings else None
    found = everybody.find(audience, area)
    total = len(found.persons)
    by_mail, by_push = _owners(Channel.MAIL), _owners(Channel.PUSH)
    towns: list[int] = []
    if audience.persons is None:
        wanted = audience.towns
        towns = [town.id for town in places.towns() if wanted is None or town.id in wanted]
    return Reached(
        total,
        found.with_point,
        total - found.with_point,
        *_reach(found, by_mail, by_push),
        tuple(
            TownReach(town, len(there.persons), *_reach(there, by_mail, by_push))
            for town in towns
            for there in [everybody.find(replace(audience, towns=frozenset({town})), area)]
        ),
    )


def _owners(channel: Channel) -> Ids:
    """Whoever has a usable address on a channel, ascending. One query."""
    owners = Address.objects.usable().filter(channel=channel).order_by("resident_id")
    return np.fromiter(owners.values_list("resident_id", flat=True).iterator(FETCH), dtype=np.int64)


def _reach(found: Found, by_mail: Ids, by_push: Ids) -> tuple[int, int, int, Homes]:
    """How many of these persons are reached by mail, by push, and by neither; and the homes."""
    mail, push = np.isin(found.persons, by_mail), np.isin(found.persons, by_push)
    neither = ~(mail | push)
    known = found.household != NO_HOME
    homes = Homes(
        households=_distinct(found.household[known]),
        mail=_distinct(found.household[known & mail]),
        push=_distinct(found.household[known & push]),
        unreachable=_distinct(found.household[known & neither]),
        unknown=_some(~known),
    )
    return _some(mail), _some(push), _some(neither), homes


def _some(which: Bits) -> int:
    return int(np.count_nonzero(which))


def _distinct(households: Ids) -> int:
    return len(np.unique(households))


def homes(year: int) -> str:
    """SQL for counting in one statement: every resident's language, town of the first place, and
    band of ages in a year (the number of `rules.ages.Band`).
    """
    bands = " ".join(
        f'WHEN {year:d} - "born" >= {band:d} THEN {band:d}'
        for band in sorted(Band, reverse=True)
        if band > Band.CHILD
    )
    return f"""
SELECT "id" AS "person", "language", (
    SELECT "town_id" FROM residents_place WHERE "resident_id" = residents_resident."id"
    ORDER BY "id" LIMIT 1
) AS "town",
CASE WHEN "born" IS NULL THEN {Band.UNKNOWN:d} {bands} ELSE {Band.CHILD:d} END AS "band"
FROM residents_resident
"""  # noqa: S608  # numbers of our own


class Recipient(NamedTuple):
    """Where one resident is reached on one channel, in which language; `address` is its number."""

    resident: int
    language: str
    value: str
    p256dh: str
    auth: str
    address: int = 0


def recipients(
    channel: str, persons: Sequence[int], *, unconfirmed: bool = False
) -> list[Recipient]:
    """The usable addresses of residents on a channel, one query. Who has none is missing."""
    addresses = _addresses(unconfirmed=unconfirmed)
    addresses = _of(addresses.filter(channel=channel), persons)
    rows = addresses.values_list(
        "resident_id", "resident__language", "value", "p256dh", "auth", "pk"
    )
    wanted = set(persons)
    return [Recipient(*row) for row in rows if row[0] in wanted]


def _addresses(*, unconfirmed: bool) -> AddressQuerySet:
    if unconfirmed:
        return Address.objects.filter(confirmed_at=None, retired_at=None)
    return Address.objects.usable()


def _of(addresses: AddressQuerySet, persons: Sequence[int]) -> AddressQuerySet:
    """Those of these residents (ascending), and where it is cheaper of some between them."""
    if persons[-1] - persons[0] < 2 * len(persons):
        # They lie side by side, as in an order to everybody.
        return addresses.filter(resident__gte=persons[0], resident__lte=persons[-1])
    return addresses.filter(resident_id__in=persons)


def channels(persons: Sequence[int], *, unconfirmed: bool = False) -> list[tuple[int, str]]:
    """(resident, channel) for every usable address of these residents (ascending). One query.

    `unconfirmed` gives those that await their owner's word instead, to ask for it.
    """
    addresses = _addresses(unconfirmed=unconfirmed)
    addresses = _of(addresses, persons)
    wanted = set(persons)
    rows = addresses.order_by("resident_id", "channel").values_list("resident_id", "channel")
    return [row for row in rows if row[0] in wanted]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A watched place, for its owner."""

    id: int
    label: Label
    town: places.TownView


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody registered, for that person's own eyes.

    `mail_waiting` is the address that is to take the place of `mail` once it is confirmed.
    """

    id: int
    language: str
    wants: choices.Wants
    quiet: choices.Quiet | None
    places: tuple[PlaceView, ...]
    mail: str
    mail_confirmed_at: datetime | None
    mail_retired: bool
    mail_waiting: str
    push: bool
    born: int | None = None


def registration(resident: int) -> Registration | None:
    """What one person registered, None where there is no such person (any more)."""
    row = Resident.objects.filter(pk=resident).first()
    if row is None:
        return None
    towns = {town.id: town for town in places.towns()}
    addresses = list(row.addresses.all())
    confirmed = {address.channel: address for address in addresses if address.confirmed_at}
    waiting = next((address for address in addresses if not address.confirmed_at), None)
    mail, push = confirmed.get(Channel.MAIL, waiting), confirmed.get(Channel.PUSH)
    quiet = None
    if row.quiet_from is not None and row.quiet_to is not None:
        quiet = choices.Quiet(row.quiet_from, row.quiet_to)
    watched = (
        PlaceView(place.pk, Label(place.label), towns[place.town_id])
        for place in row.places.order_by(F("pk"))
        if place.town_id in towns
    )
    return Registration(
        id=row.pk,
        language=row.language,
        wants=choices.unpack(row.wants),
        quiet=quiet,
        places=tuple(watched),
        mail=mail.value if mail else "",
        mail_confirmed_at=mail.confirmed_at if mail else None,
        mail_retired=bool(mail and mail.retired_at),
        mail_waiting=waiting.value if waiting and waiting is not mail else "",
        push=bool(push and not push.retired_at),
        born=row.born,
    )


def signer(purpose: Purpose) -> Callable[[int, int], str]:
    """Writes personal links of one purpose; see `rules.links.signer`."""
    return links.signer(_link_key(), purpose)


def link(purpose: Purpose, resident: int, about: int = 0) -> str:
    """One personal link."""
    return signer(purpose)(resident, about)


def holder(purpose: Purpose, text: str) -> tuple[int, int]:
    """The resident that a link was written for, and what it is about. Raises links.BadLink."""
    return links.read(_link_key(), purpose, text)


def _link_key() -> bytes:
    return settings.SECRET_KEY.encode()


def push_keys(*, since: int) -> Iterator[tuple[str, str]]:
    """The keys (p256dh, auth; base64url) of browsers whose residents changed after a version."""
    browsers = Address.objects.usable().filter(channel=Channel.PUSH, resident__version__gt=since)
    return browsers.values_list("p256dh", "auth").iterator(FETCH)


def push_key_file() -> Path:
    """The file with the city's private key to push services."""
    return Path(settings.PUSH_KEY_FILE or Path(settings.HOME) / "vapid.key")


def push_key() -> str:
    """The city's public key, to which browsers bind a subscription (RFC 8292, 3).

    Empty before the sending side has made the key: notifications cannot be offered yet.
    """
    try:
        secret = push_key_file().read_text().strip()
    except FileNotFoundError:
        return ""
    number = int.from_bytes(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4)), "big")
    point = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Totals:
    """How many registered, without anybody's particulars."""

    residents: int
    mail: int
    push: int


_totals: tuple[int, Totals] | None = None
"""The totals as of the change with this number."""


def totals() -> Totals:
    """For the board, counted once a change. What an import has not finished does not count yet,
    nor does who watches no place: they signed up for an event, and for nothing else.
    """
    global _totals
    made = version()
    if _totals is None or _totals[0] != made:
        _totals = (made, _count(made))
    return _totals[1]


def _count(made: int) -> Totals:
    usable = Address.objects.usable().exclude(resident__version__gt=made)
    guests = Resident.objects.filter(version__lte=made, places=None)
    usable = usable.exclude(resident__in=guests)
    return Totals(
        Resident.objects.filter(version__lte=made).count() - guests.count(),
        usable.filter(channel=Channel.MAIL).count(),
        usable.filter(channel=Channel.PUSH).count(),
    )
