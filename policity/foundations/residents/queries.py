"""Who registered, and whom a message is for. What is personal stays with whom it concerns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import shapely
from django.db.models import F

from policity.foundations.places import queries as places
from policity.foundations.residents.models import (
    Address,
    Channel,
    Departure,
    Label,
    Place,
    Resident,
    Version,
)
from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.audience import Audience, Ring
from policity.foundations.residents.rules.columns import Columns, Found, Row
from policity.kit import geometry
from policity.kit.severity import Severity

FETCH = 50_000

_columns = Columns(choices.unpack)


def find(audience: Audience) -> Found:
    """The residents that an audience means, with their quiet hours.

    Reads what has changed since the last time; the rest is kept in memory. `followers_of` is
    delivery's to know. Raises geometry.BadPolygon for rings that enclose nothing.
    """
    area = surface(audience.rings) if audience.rings else None
    return columns().find(audience, area)


def columns() -> Columns:
    """The columns as of now."""
    number = version()
    if number < _columns.version:
        # Another home, or one that was restored to an earlier state.
        forget()
    if number > _columns.version:
        changed = Place.objects.filter(
            resident__version__gt=_columns.version, resident__version__lte=number
        ).order_by("resident_id")
        rows = changed.values_list(
            "resident_id", "town_id", "lat", "lon",
            "resident__wants", "resident__quiet_from", "resident__quiet_to",
        )  # fmt: skip
        gone = Departure.objects.filter(version__gt=_columns.version, version__lte=number)
        _columns.update(
            [Row(*row) for row in rows.iterator(FETCH)],
            gone.values_list("resident", flat=True),
            version=number,
        )
    return _columns


def forget() -> None:
    """Read everything anew the next time."""
    global _columns
    _columns = Columns(choices.unpack)


def version() -> int:
    """The number of the last change."""
    return Version.objects.values_list("number", flat=True).first() or 0


def surface(rings: Iterable[Ring]) -> geometry.Surface:
    """What outer lines enclose. Raises geometry.BadPolygon."""
    return shapely.union_all([geometry.polygon(ring) for ring in rings])


def within(rings: Sequence[Ring], *, kind: str, severity: Severity) -> Audience:
    """The audience of a drawn area: every town it touches, narrowed by the lines themselves.

    Raises geometry.BadPolygon, places.NoCity.
    """
    towns = places.towns_touched(surface(rings))
    return Audience(kind, severity, frozenset(town.id for town in towns), tuple(rings))


@dataclass(frozen=True, slots=True)
class Reached:
    """How many an audience has, before anything is sent.

    `with_point` are in it by their point or because no line narrows it, `without_point` because
    their point is unknown; `unreachable` of all have no usable address.
    """

    persons: int
    with_point: int
    without_point: int
    unreachable: int


def preview(audience: Audience) -> Reached:
    """Count whom an audience would reach."""
    found = find(audience)
    total = len(found.persons)
    reachable = 0
    for start in range(0, total, FETCH):
        some = found.persons[start : start + FETCH].tolist()
        usable = Address.objects.usable().filter(resident_id__range=(some[0], some[-1]))
        owners = set(usable.values_list("resident_id", flat=True))
        reachable += len(owners.intersection(some))
    return Reached(total, found.with_point, total - found.with_point, total - reachable)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where one resident is reached on one channel, and in which language."""

    resident: int
    language: str
    value: str
    p256dh: str
    auth: str


def recipients(channel: str, persons: Sequence[int], *, confirmed: bool = True) -> list[Recipient]:
    """The addresses of residents on a channel, one query. Those without a usable one are missing.

    `confirmed=False` also gives addresses that await their owner's word, to ask for it.
    """
    if not persons:
        return []
    addresses = Address.objects.filter(channel=channel, retired_at=None, resident_id__in=persons)
    if confirmed:
        addresses = addresses.usable()
    rows = addresses.values_list("resident_id", "resident__language", "value", "p256dh", "auth")
    return [Recipient(*row) for row in rows]


def channels(persons: Sequence[int]) -> list[tuple[int, str]]:
    """(resident, channel) for every usable address of these residents, ordered. One query."""
    usable = Address.objects.usable().filter(resident_id__range=(persons[0], persons[-1]))
    wanted = set(persons)
    rows = usable.order_by("resident_id", "channel").values_list("resident_id", "channel")
    return [row for row in rows if row[0] in wanted]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A watched place, for its owner."""

    id: int
    label: Label
    town: places.TownView


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody registered, for that person's own eyes."""

    id: int
    language: str
    wants: choices.Wants
    quiet: choices.Quiet | None
    places: tuple[PlaceView, ...]
    mail: str
    mail_confirmed_at: datetime | None
    mail_retired: bool
    push: bool


def registration(resident: int) -> Registration | None:
    """What one person registered, None where there is no such person (any more)."""
    row = Resident.objects.filter(pk=resident).first()
    if row is None:
        return None
    towns = {town.id: town for town in places.towns()}
    addresses = {address.channel: address for address in row.addresses.all()}
    mail, push = addresses.get(Channel.MAIL), addresses.get(Channel.PUSH)
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
        push=bool(push and not push.retired_at),
    )


def languages(persons: Sequence[int]) -> dict[int, str]:
    """The language of each of these residents."""
    return dict(Resident.objects.filter(pk__in=persons).values_list("pk", "language"))


@dataclass(frozen=True, slots=True)
class Totals:
    """How many registered, without anybody's particulars."""

    residents: int
    mail: int
    push: int


def totals() -> Totals:
    """For the board."""
    usable = Address.objects.usable()
    return Totals(
        Resident.objects.count(),
        usable.filter(channel=Channel.MAIL).count(),
        usable.filter(channel=Channel.PUSH).count(),
    )
