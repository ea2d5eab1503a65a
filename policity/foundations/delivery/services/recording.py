"""From gateways' answers to the ledger, set-wise. A result counts for its own attempt only."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import structlog
from django.db import connection, transaction

from policity.foundations.delivery.formats.handlog import Line
from policity.foundations.delivery.models import LedgerRow
from policity.foundations.delivery.rules.batches import Batch
from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.rules.ledger import (
    GIVEN_UP,
    IN_DOUBT,
    TRIES,
    State,
    befores,
    believable,
    resends,
)
from policity.foundations.delivery.services.counting import moved
from policity.foundations.residents import services as residents
from policity.foundations.work import queries as work
from policity.foundations.work import services as work_services

log = structlog.get_logger("policity.delivery")

LONGEST_REASON = 200


def _update(state: State) -> str:
    before = ", ".join(str(before.value) for before in befores(state))
    return f"""
UPDATE delivery_ledger SET "state" = {state.value}, "changed_at" = %s, "reason" = %s
WHERE "message_id" = %s AND "person" = %s AND "channel" = %s AND "state" IN ({before})
"""  # noqa: S608  # numbers of our own


HANDED, FAILED = _update(State.HANDED), _update(State.FAILED)
LATER = f"""
UPDATE delivery_ledger SET "tries" = "tries" + 1, "changed_at" = %s, "reason" = %s
WHERE "message_id" = %s AND "person" = %s AND "channel" = %s AND "state" = {State.QUEUED.value}
"""  # noqa: S608  # a number of our own


def record(
    answers: Sequence[Line],
    *,
    batches: Mapping[int, Batch],
    severities: Mapping[int, int],
    addresses: Mapping[tuple[int, int], str],
    now: datetime,
) -> int:
    """Write answers into the ledger, in one transaction; how many were no longer anybody's.

    `batches` names the batch of each claim, `severities` how grave each message is (1–4), and
    `addresses` where an item went ((claim, person) → address), so that one that is dead is
    retired only while it is still that person's.
    """
    # Who leaves is forgotten first, and then what waits for them: we go the same way.
    gone = any(line.result is Result.GONE for line in answers)
    with work_services.alone(residents.TOPIC) if gone else transaction.atomic():
        live = work.live({line.key[:2] for line in answers})
        ours = [line for line in answers if line.key[:2] in live]
        moved(batches[line.key.claim].message for line in ours)
        _write(ours, batches, severities, now=now)
        _retire(ours, batches, addresses, now=now)
    return len(answers) - len(ours)


def _write(
    lines: Iterable[Line],
    batches: Mapping[int, Batch],
    severities: Mapping[int, int],
    *,
    now: datetime,
) -> None:
    moment = connection.ops.adapt_datetimefield_value(now)
    values: dict[str, list[tuple[str | int | datetime | None, ...]]] = {}
    tried: dict[int, set[int]] = {}
    for line in lines:
        batch = batches[line.key.claim]
        sql, reason = _meaning(line, severities[batch.message])
        row = (moment, reason, batch.message, line.key.person, batch.channel)
        values.setdefault(sql, []).append(row)
        if sql is LATER:
            tried.setdefault(line.key.claim, set()).add(line.key.person)
    with connection.cursor() as cursor:
        for sql, rows in values.items():
            cursor.executemany(sql, rows)
    for claim, persons in tried.items():
        batch = batches[claim]
        LedgerRow.objects.filter(
            message=batch.message,
            channel=batch.channel,
            person__in=persons,
            state=State.QUEUED,
            tries__gte=TRIES,
        ).update(state=State.FAILED, changed_at=now, reason=GIVEN_UP)


def _meaning(line: Line, severity: int) -> tuple[str, str]:
    """Which statement an answer is, and the reason that staff will read."""
    if line.result is Result.HANDED:
        return HANDED, ""
    said = f"{line.code} {line.text}".strip() if line.code else line.text
    if line.result is Result.DOUBT:
        return (LATER if resends(severity) else FAILED), IN_DOUBT
    if line.result is Result.LATER:
        return LATER, said[:LONGEST_REASON]
    return FAILED, said[:LONGEST_REASON]


def _retire(
    lines: Sequence[Line],
    batches: Mapping[int, Batch],
    addresses: Mapping[tuple[int, int], str],
    *,
    now: datetime,
) -> None:
    gone = [line for line in lines if line.result is Result.GONE]
    if not believable(len(gone), len(lines)):
        log.error("addresses_kept", gone=len(gone), answers=len(lines), reason=gone[0].text)
        return
    dead = [
        residents.Dead(
            resident=line.key.person,
            channel=batches[line.key.claim].channel,
            value=addresses.get((line.key.claim, line.key.person), ""),
            reason=f"{line.code} {line.text}".strip(),
        )
        for line in gone
    ]
    if dead:
        residents.retire(dead, now=now)
