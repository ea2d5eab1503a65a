"""From a frozen audience to rows of the ledger, chunk by chunk; a crash goes on where it was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from django.db import connection, transaction
from django.utils import timezone

from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Dispatch, Leads
from policity.foundations.delivery.rules.batches import (
    CHUNK,
    EXPAND,
    SIZE,
    Batch,
    send_kind,
)
from policity.foundations.delivery.rules.ledger import NO_CHANNEL, State
from policity.foundations.delivery.services import books
from policity.foundations.delivery.services.counting import moved
from policity.foundations.delivery.services.telling import AHEAD_OF_ALL
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Channel
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT, DAY, STAFF, Quiet
from policity.foundations.residents.rules.choices import kind as kind_of
from policity.foundations.work import services as work
from policity.kit.declare import Lane

log = structlog.get_logger("policity.delivery")

LEASE = timedelta(minutes=1)
# A correction waits for what is on its way: whoever is handed that hears the correction too.
HOLD_BACK = timedelta(milliseconds=50)

TARGETS = 'delivery_target ("message_id", "person")'
ROWS = (
    'delivery_ledger ("message_id", "person", "channel", "state", "hold", "tries", "changed_at",'
    ' "reason")'
)


@dataclass(slots=True)
class Expansion:
    """A dispatch that is being expanded: whom it is for was found once, ascending."""

    claim: work.Claim
    message: int
    persons: Sequence[int]
    holds: Sequence[int]
    at: int = 0


def begin(*, lane: Lane, now: datetime) -> Expansion | None:
    """Claim a dispatch to expand, and find whom it is for. None: there is none."""
    claims = work.claim(EXPAND, lane=lane, now=now, lease=LEASE, limit=1)
    if not claims:
        return None
    held = claims[0]
    dispatch = Dispatch.objects.select_related("message").get(message=int(held.key.rstrip(":")))
    audience = Audience.thaw(dispatch.audience)
    if dispatch.ahead:
        earlier = queries.leads(audience.followers_of) - {dispatch.message_id}
        if queries.in_hand(earlier):
            work.give_back(held, due=now + HOLD_BACK)
            return None
    persons, holds = _whom(audience, dispatch, now=now)
    return Expansion(held, dispatch.message_id, persons, holds)


def _whom(audience: Audience, dispatch: Dispatch, *, now: datetime) -> tuple[list[int], list[int]]:
    """Persons beyond the cursor, ascending, with the minute until which each is not disturbed."""
    quiet: dict[int, Quiet] = {}
    persons: list[int] = []
    if audience.kind == STAFF:
        persons = sorted(audience.persons or ())
    elif not audience.only_followers:
        found = residents.find(audience)
        persons = found.persons.tolist()
        hours = zip(persons, found.quiet_from.tolist(), found.quiet_to.tolist(), strict=True)
        quiet = {person: Quiet(starts, ends) for person, starts, ends in hours if starts >= 0}
    if audience.followers_of:
        others = queries.followers(audience.followers_of, before=dispatch.message_id)
        persons = sorted({*persons, *others})
    persons = [person for person in persons if person > dispatch.cursor]
    wakes = kind_of(audience.kind).wakes
    if audience.severity.rank >= wakes.rank or audience.only_followers or dispatch.ahead:
        return persons, [0] * len(persons)
    local = timezone.localtime(now)
    minute = local.hour * 60 + local.minute
    return persons, [_hold(quiet.get(person), minute) for person in persons]


def _hold(quiet: Quiet | None, minute: int) -> int:
    if quiet is None or not quiet.holds(minute):
        return 0
    return quiet.ends or DAY


def step(expansion: Expansion, *, now: datetime) -> bool:
    """Write the rows of the next persons, with their batches. False: that was all."""
    persons = expansion.persons[expansion.at : expansion.at + CHUNK]
    holds = expansion.holds[expansion.at : expansion.at + CHUNK]
    last = expansion.at + CHUNK >= len(expansion.persons)
    with transaction.atomic():
        # Who withdraws it meanwhile waits, and withdraws these rows too.
        dispatch = Dispatch.objects.select_for_update().get(message=expansion.message)
        if dispatch.stage != Dispatch.Stage.ACCEPTED:
            work.done([expansion.claim])
            return False
        if not work.progress(expansion.claim, {}, now=now, lease=LEASE):
            return False
        moved([expansion.message])
        if persons:
            _write(dispatch, persons, holds, now=now)
        dispatch.targets += len(persons)
        if last:
            dispatch.expanded_at = now
            work.done([expansion.claim])
        dispatch.save(update_fields=["targets", "cursor", "expanded_at"])
    expansion.at += CHUNK
    if last:
        log.info("expanded", message=expansion.message, targets=dispatch.targets)
    return not last


def _write(
    dispatch: Dispatch, persons: Sequence[int], holds: Sequence[int], *, now: datetime
) -> None:
    message = dispatch.message_id
    kind = dispatch.audience["kind"]
    usable = books.channels(
        persons,
        kind=kind,
        unconfirmed=Leads(dispatch.leads_to).unconfirmed if dispatch.leads_to else False,
    )
    if kind == ACCOUNT:
        # Whether a mail address is somebody's own is asked there and nowhere else.
        usable = [pair for pair in usable if pair[1] == Channel.MAIL]
    hold_of = dict(zip(persons, holds, strict=True))
    rows = [(person, channel, hold_of[person]) for person, channel in usable]
    lost = set(persons).difference(person for person, _, _ in rows)
    moment = connection.ops.adapt_datetimefield_value(now)
    queued, unreachable = State.QUEUED.value, State.UNREACHABLE.value
    values = [(message, p, channel, queued, hold, 0, moment, "") for p, channel, hold in rows]
    values += [(message, p, NO_CHANNEL, unreachable, 0, 0, moment, "") for p in lost]
    _insert(TARGETS, [(message, person) for person in persons])
    _insert(ROWS, sorted(values))
    dispatch.cursor = persons[-1]
    lane = Lane(dispatch.lane)
    for channel in Channel.values:
        mine = sorted((hold, person) for person, used, hold in rows if used == channel)
        for hold, group in groupby(mine, key=lambda pair: pair[0]):
            keys = [b.key for b in _batches(message, channel, hold, [p for _, p in group])]
            work.put(send_kind(channel), keys, lane=lane, due=_due(dispatch, hold, now=now))


def _insert(into: str, rows: Sequence[tuple[int | str | datetime | None, ...]]) -> None:
    """`into` is a table with its columns. PostgreSQL takes many rows fastest by COPY."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {into} FROM STDIN") as lines:
                for row in rows:
                    lines.write_row(row)
        elif rows:
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608


def _batches(message: int, channel: str, hold: int, persons: Sequence[int]) -> Iterator[Batch]:
    for start in range(0, len(persons), SIZE):
        some = persons[start : start + SIZE]
        yield Batch(message, channel, hold, some[0], some[-1])


def _due(dispatch: Dispatch, hold: int, *, now: datetime) -> datetime:
    if dispatch.ahead:
        return AHEAD_OF_ALL
    if not hold:
        return now
    local = timezone.localtime(now)
    wait = (hold - local.hour * 60 - local.minute) % DAY or DAY
    return (local + timedelta(minutes=wait)).replace(second=0, microsecond=0)
