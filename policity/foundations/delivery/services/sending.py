"""The sender: claims batches, orders engines to send them, folds their answers into the ledger.

One process for a lane, and one lock file a process: whoever holds it knows that every lease of
the lane belongs to itself, or to a sender that died.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.db.models import QuerySet

from policity.foundations.delivery import queries
from policity.foundations.delivery.channels.desk import Hatch, TwoHatches, logs
from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.formats.handlog import Key, Known, Line
from policity.foundations.delivery.formats.webpush import from_base64url
from policity.foundations.delivery.models import Dispatch, LedgerRow
from policity.foundations.delivery.rules.batches import EXPAND, Batch, send_kind
from policity.foundations.delivery.rules.handing import Item, Result
from policity.foundations.delivery.rules.ledger import IN_DOUBT, NO_ADDRESS, State, resends
from policity.foundations.delivery.services import books, expanding
from policity.foundations.delivery.services.composing import Composer
from policity.foundations.delivery.services.recording import record
from policity.foundations.residents.models import Channel
from policity.foundations.residents.queries import Recipient
from policity.foundations.work import queries as work_queries
from policity.foundations.work import services as work
from policity.kit.declare import Lane
from policity.kit.severity import Severity

log = structlog.get_logger("policity.delivery")

LEASE = timedelta(seconds=60)
# Beyond this part of its lease nothing of a batch is begun any more.
BEGIN_WITHIN = 2 / 3
# Items in an engine's hands; below it more are claimed, a few a round: answers must not wait long.
ENOUGH = 3000
BATCHES = 2


@dataclass(slots=True)
class Held:
    """A batch in our hands, and how many of its items are not yet answered."""

    claim: work.Claim
    batch: Batch
    left: int = 0
    unfinished: bool = False
    withdrawn: bool = False
    again: bool = False
    cleared: bool = False
    recipients: Sequence[Recipient] = ()


class Sender:
    """One lane's sender. `hatches` has one for each channel; engines work behind them.

    `known` is how far a lost machine had come that our copy knows nothing of, by marks.
    """

    def __init__(
        self,
        lane: Lane,
        hatches: Mapping[str, Hatch | TwoHatches],
        *,
        known: dict[str, Known] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lane = lane
        self._known = known or {}
        self._hatches = hatches
        self._clock = clock
        self._held: dict[int, Held] = {}
        self._expansion: expanding.Expansion | None = None
        self._unfolded: list[Line] = []
        self._composers: dict[int, Composer] = {}

    def turn(self, *, now: datetime) -> bool:
        """One round of everything. False: there was nothing to do."""
        moved = self._fold(now=now)
        self._take_back()
        if self._gives_way(now=now):
            return moved
        moved |= self._lay_out(now=now)
        moved |= self._expand(now=now)
        return moved

    @property
    def busy(self) -> bool:
        """Whether anything is in our hands."""
        return bool(self._held) or self._expansion is not None

    def leave_off(self, *, now: datetime) -> None:
        """Fold what was heard, and give back what nobody has begun. The engines have ended.

        What was begun and has no answer stays in the log, for `recover`.
        """
        self._fold(now=now)

    # Answers.

    def _fold(self, *, now: datetime) -> bool:
        unbegun: list[Key] = []
        for hatch in self._hatches.values():
            answers, back = hatch.collect()
            self._unfolded += answers
            unbegun += back
        for key in unbegun:
            held = self._held[key.claim]
            held.left -= 1
            # What was withdrawn waits for nobody.
            held.unfinished |= not held.withdrawn
        if self._unfolded:
            self._record(now=now)
        ended = [held for held in self._held.values() if held.left == 0]
        if ended:
            self._end(ended, now=now)
        for hatch in self._hatches.values():
            hatch.forget()
        return bool(ended or unbegun)

    def _record(self, *, now: datetime) -> None:
        lines = self._unfolded
        record(
            lines,
            batches={number: held.batch for number, held in self._held.items()},
            severities={m: composer.severity for m, composer in self._composers.items()},
            addresses=self._addresses(line.key for line in lines if line.result is Result.GONE),
            now=now,
        )
        # Only now: where the transaction failed they are folded the next time.
        self._unfolded = []
        for line in lines:
            held = self._held[line.key.claim]
            held.left -= 1
            held.again |= line.result in (Result.LATER, Result.DOUBT)

    def _addresses(self, keys: Iterable[Key]) -> dict[tuple[int, int], str]:
        """Where items went, by claim and person."""
        asked = {(key.claim, key.person) for key in keys}
        return {
            (claim, to.resident): to.value
            for claim in {claim for claim, _ in asked}
            for to in self._held[claim].recipients
            if (claim, to.resident) in asked
        }

    def _end(self, ended: Sequence[Held], *, now: datetime) -> None:
        done = []
        for held in ended:
            if held.again and _rows(held.batch).exists():
                jitter = random.random()  # noqa: S311 - it spreads load, it hides nothing
                work.retry(held.claim, error=PUT_OFF, now=now, jitter=jitter)
            elif held.unfinished:
                work.give_back(held.claim, due=now)
            else:
                done.append(held.claim)
        if done:
            work.done(done)
        for held in ended:
            del self._held[held.claim.id]

    # What was withdrawn.

    def _take_back(self) -> None:
        messages = {held.batch.message for held in self._held.values() if not held.withdrawn}
        if not messages:
            return
        stage = Dispatch.Stage.WITHDRAWN
        withdrawn = set(
            Dispatch.objects.filter(message__in=messages, stage=stage).values_list(
                "message_id", flat=True
            )
        )
        for channel, hatch in self._hatches.items():
            mine = {n: held for n, held in self._held.items() if held.batch.channel == channel}
            claims = {n for n, held in mine.items() if held.batch.message in withdrawn}
            if claims:
                hatch.drop(claims)
        for held in self._held.values():
            held.withdrawn |= held.batch.message in withdrawn

    # More to send.

    def _gives_way(self, *, now: datetime) -> bool:
        """Routine sending begins nothing while anything urgent is to be sent, or it is held."""
        if self.lane is not Lane.ROUTINE:
            return False
        due = work_queries.due((EXPAND, *queries.SENDS), now=now)
        waits = any(lane is Lane.URGENT for _, lane in due) or queries.held(self.lane)
        for hatch in self._hatches.values():
            hatch.pause(waits)
        if waits:
            self._clear_trays()
        return waits

    def _clear_trays(self) -> None:
        """What nobody has begun goes back: while it lay here its lease would run out.

        We would claim it a second time then, and send it twice.
        """
        for channel, hatch in self._hatches.items():
            mine = {
                number
                for number, held in self._held.items()
                if held.batch.channel == channel and not held.cleared
            }
            if mine:
                hatch.drop(mine)
        for held in self._held.values():
            held.cleared = True

    def _lay_out(self, *, now: datetime) -> bool:
        found = False
        for channel, hatch in self._hatches.items():
            mine = (held for held in self._held.values() if held.batch.channel == channel)
            if sum(held.left for held in mine) > ENOUGH:
                continue
            claims = work.claim(
                send_kind(channel), lane=self.lane, now=now, lease=LEASE, limit=BATCHES
            )
            deadline = self._clock() + LEASE.total_seconds() * BEGIN_WITHIN
            for claim in claims:
                found = True
                self._load(claim, hatch, deadline=deadline)
        return found

    def _load(self, claim: work.Claim, hatch: Hatch | TwoHatches, *, deadline: float) -> None:
        held = self._held[claim.id] = Held(claim, Batch.read(claim.key))
        batch = held.batch
        persons = list(_rows(batch).values_list("person", flat=True))
        if not persons:
            return
        composer = self._composer(batch.message)
        found = books.recipients(
            batch.channel, persons, kind=composer.kind, unconfirmed=composer.unconfirmed
        )
        marked = [(composer.mark(batch.channel, to), to) for to in found]
        told, left = self._told_before(claim, marked, composer.severity)
        items, refused = _items(claim, batch, left, composer)
        refused += told
        if len(found) < len(persons):
            lost = set(persons).difference(to.resident for to in found)
            refused += [_refusal(claim, person, NO_ADDRESS) for person in sorted(lost)]
        self._unfolded += refused
        held.left = len(items) + len(refused)
        held.recipients = found
        hatch.put(items, deadline=deadline, first=composer.ahead)

    def _told_before(
        self, claim: work.Claim, marked: Sequence[tuple[str, Recipient]], severity: int
    ) -> tuple[list[Line], list[tuple[str, Recipient]]]:
        """What a lost machine has to say of them, as answers; and whom it leaves to us."""
        told: list[Line] = []
        left: list[tuple[str, Recipient]] = []
        for mark, to in marked:
            known = self._known.pop(mark, None)
            if known is None or (known.result is Result.DOUBT and resends(severity)):
                left.append((mark, to))
            else:
                text = IN_DOUBT if known.result is Result.DOUBT else ""
                key = Key(claim.id, claim.attempt, to.resident)
                told.append(Line(key, known.result, known.code, text))
        return told, left

    def _composer(self, message: int) -> Composer:
        found = self._composers.get(message)
        if found is None:
            under_way = {held.batch.message for held in self._held.values()}
            self._composers = {m: c for m, c in self._composers.items() if m in under_way}
            dispatch = Dispatch.objects.select_related("message").get(message=message)
            found = self._composers[message] = Composer(dispatch)
        return found

    # Whom a dispatch is for.

    def _expand(self, *, now: datetime) -> bool:
        if self._expansion is None:
            self._expansion = expanding.begin(lane=self.lane, now=now)
        if self._expansion is None:
            return False
        if not expanding.step(self._expansion, now=now):
            self._expansion = None
        return True


def recover(lane: Lane, folders: Sequence[Path], *, now: datetime) -> None:
    """After a sender that died: what it had heard goes into the ledger, what is in doubt is judged.

    Only for who holds the lane's lock. In doubt is what was begun and has no answer: from severe
    up it is sent once more, everything else is listed. Then every lease of the lane ends.
    """
    files = [file for folder in folders for file in logs(folder)]
    found = [handlog.read(file.read_bytes()) for file in files]
    answers = [line for one in found for line in one.answers]
    answered = {line.key for line in answers}
    # A log begins with what the one before it left open.
    doubts = {key: None for one in found for key in one.open if key not in answered}
    lines = [*answers, *(Line(key, Result.DOUBT, 0, IN_DOUBT) for key in doubts)]
    batches = {
        number: Batch.read(key)
        for number, key in work_queries.named({line.key.claim for line in lines}).items()
    }
    messages = {batch.message for batch in batches.values()}
    severities = {
        dispatch.message_id: Severity(dispatch.audience["severity"]).rank
        for dispatch in Dispatch.objects.filter(message__in=messages)
    }
    known = [line for line in lines if line.key.claim in batches]
    if known:
        stale = record(known, batches=batches, severities=severities, addresses={}, now=now)
        log.warning("recovered", lane=lane, answers=len(answers), in_doubt=len(doubts), stale=stale)
    work.release((EXPAND, *queries.SENDS), lane=lane)
    for file in files:
        file.unlink()


PUT_OFF = "相手が受け取れないので、あとでやり直します"


def _rows(batch: Batch) -> QuerySet[LedgerRow]:
    return LedgerRow.objects.filter(
        message=batch.message,
        channel=batch.channel,
        hold=batch.hold,
        person__range=(batch.first, batch.last),
        state=State.QUEUED,
    )


def _items(
    claim: work.Claim,
    batch: Batch,
    recipients: Sequence[tuple[str, Recipient]],
    composer: Composer,
) -> tuple[list[Item], list[Line]]:
    """The items of a batch, and those that cannot even be written. `recipients` by their marks."""
    items: list[Item] = []
    refused: list[Line] = []
    by_mail = batch.channel == Channel.MAIL
    pieces_for = composer.mail if by_mail else composer.push
    options = None if by_mail else composer.options
    keys: tuple[bytes, ...] = ()
    for mark, to in recipients:
        try:
            pieces = pieces_for(to)
            if not by_mail:
                keys = (from_base64url(to.p256dh), from_base64url(to.auth))
        except ValueError as error:
            refused.append(_refusal(claim, to.resident, str(error)))
        else:
            items.append(
                Item(
                    claim.id, claim.attempt, to.resident, to.value, pieces, batch.message, keys,
                    options, mark,
                )
            )  # fmt: skip
    return items, refused


def _refusal(claim: work.Claim, person: int, reason: str) -> Line:
    return Line(Key(claim.id, claim.attempt, person), Result.FAILED, 0, reason)
