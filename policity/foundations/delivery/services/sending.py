"""The sender: claims batches, lays them on the engines' trays, folds answers into the ledger.

One process for a lane, and one lock file a process: whoever holds it knows that every lease of
the lane belongs to itself, or to a sender that died.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import QuerySet

from policity.foundations.delivery import queries
from policity.foundations.delivery.channels.desk import Tray, logs
from policity.foundations.delivery.formats import handlog, mail
from policity.foundations.delivery.formats.handlog import Key, Line
from policity.foundations.delivery.formats.webpush import Options, from_base64url
from policity.foundations.delivery.models import Dispatch, Leads, LedgerRow
from policity.foundations.delivery.rules.batches import EXPAND, Batch, send_kind
from policity.foundations.delivery.rules.handing import Answer, Item, Result
from policity.foundations.delivery.rules.ledger import IN_DOUBT, State, resends
from policity.foundations.delivery.services import expanding
from policity.foundations.delivery.services.composing import Composer
from policity.foundations.delivery.services.recording import record
from policity.foundations.residents import queries as residents
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
# Items on a tray; below it more batches are claimed, a few a round: answers must not wait long.
ENOUGH = 2000
BATCHES = 2


@dataclass(slots=True)
class Held:
    """A batch in our hands, and how many of its items are not yet answered."""

    claim: work.Claim
    batch: Batch
    left: int = 0
    unfinished: bool = False
    again: bool = False
    addresses: dict[int, str] = field(default_factory=dict)


class Sender:
    """One lane's sender. `trays` has a tray a channel; engines work on them in other threads."""

    def __init__(
        self,
        lane: Lane,
        trays: Mapping[str, Tray],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lane = lane
        self.trays = trays
        self._clock = clock
        self._held: dict[int, Held] = {}
        self._expansion: expanding.Expansion | None = None
        self._unfolded: list[Line] = []
        self._severities: dict[int, int] = {}
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
        for tray in self.trays.values():
            for item in tray.drop(set(self._held)):
                self._gone(item.claim, unfinished=True)
        self._fold(now=now)

    # Answers.

    def _fold(self, *, now: datetime) -> bool:
        late: list[Item] = []
        for tray in self.trays.values():
            answers, over = tray.collect()
            self._unfolded += map(_line, answers)
            late += over
        for item in late:
            self._gone(item.claim, unfinished=True)
        if self._unfolded:
            self._record(now=now)
        ended = [held for held in self._held.values() if held.left == 0]
        self._end(ended, now=now)
        for tray in self.trays.values():
            for file in tray.turn_over():
                file.unlink()
        return bool(ended or late)

    def _record(self, *, now: datetime) -> None:
        lines = self._unfolded
        record(
            lines,
            batches={number: held.batch for number, held in self._held.items()},
            severities=self._severities,
            addresses={
                (line.key.claim, line.key.person): self._held[line.key.claim].addresses.get(
                    line.key.person, ""
                )
                for line in lines
                if line.result is Result.GONE
            },
            now=now,
        )
        # Only now: where the transaction failed they are folded the next time.
        self._unfolded = []
        for line in lines:
            held = self._held[line.key.claim]
            held.left -= 1
            held.again |= line.result in (Result.LATER, Result.DOUBT)

    def _gone(self, claim: int, *, unfinished: bool) -> None:
        held = self._held[claim]
        held.left -= 1
        held.unfinished |= unfinished

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
        messages = {held.batch.message for held in self._held.values()}
        if not messages:
            return
        stage = Dispatch.Stage.WITHDRAWN
        withdrawn = set(
            Dispatch.objects.filter(message__in=messages, stage=stage).values_list(
                "message_id", flat=True
            )
        )
        claims = {n for n, held in self._held.items() if held.batch.message in withdrawn}
        if claims:
            for tray in self.trays.values():
                for item in tray.drop(claims):
                    self._gone(item.claim, unfinished=False)

    # More to send.

    def _gives_way(self, *, now: datetime) -> bool:
        """Routine sending begins nothing while anything urgent is to be sent."""
        if self.lane is not Lane.ROUTINE:
            return False
        due = work_queries.due((EXPAND, *queries.SENDS), now=now)
        urgent = any(lane is Lane.URGENT for _, lane in due)
        for tray in self.trays.values():
            tray.pause(urgent)
        return urgent

    def _lay_out(self, *, now: datetime) -> bool:
        found = False
        for channel, tray in self.trays.items():
            if len(tray) > ENOUGH:
                continue
            claims = work.claim(
                send_kind(channel), lane=self.lane, now=now, lease=LEASE, limit=BATCHES
            )
            deadline = self._clock() + LEASE.total_seconds() * BEGIN_WITHIN
            for claim in claims:
                found = True
                self._load(claim, tray, deadline=deadline, now=now)
        return found

    def _load(self, claim: work.Claim, tray: Tray, *, deadline: float, now: datetime) -> None:
        held = self._held[claim.id] = Held(claim, Batch.read(claim.key))
        batch = held.batch
        persons = list(_rows(batch).values_list("person", flat=True))
        if not persons:
            return
        dispatch = Dispatch.objects.select_related("message").get(message=batch.message)
        composer = self._composer(dispatch)
        unconfirmed = dispatch.leads_to == Leads.CONFIRM
        self._severities[batch.message] = Severity(dispatch.audience["severity"]).rank
        found = residents.recipients(batch.channel, persons, unconfirmed=unconfirmed)
        items, refused = _items(claim, batch, found, composer)
        lost = (
            set(persons) - {item.person for item in items} - {line.key.person for line in refused}
        )
        refused += [_refusal(claim, person, NO_ADDRESS) for person in sorted(lost)]
        self._unfolded += refused
        held.left = len(items) + len(refused)
        held.addresses = {recipient.resident: recipient.value for recipient in found}
        tray.put(items, deadline=deadline, first=dispatch.ahead)

    def _composer(self, dispatch: Dispatch) -> Composer:
        found = self._composers.get(dispatch.message_id)
        if found is None:
            under_way = {held.batch.message for held in self._held.values()}
            self._composers = {m: c for m, c in self._composers.items() if m in under_way}
            found = self._composers[dispatch.message_id] = Composer(dispatch)
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

    # What engines ask about an item on their tray.

    def envelope(self, item: Item) -> str:
        """The envelope sender of a mail: it names message and person, so that bounces do."""
        return bounce_address(self._held[item.claim].batch.message, item.person)

    def options(self, item: Item) -> Options:
        """How a push service shall treat a notification."""
        held = self._held[item.claim]
        composer = self._composers[held.batch.message]
        grave = resends(self._severities[held.batch.message])
        # What is told of the same story later takes its place.
        topic = blake2b(composer.tag.encode(), digest_size=16).hexdigest()
        return Options(TTL, "high" if grave else "normal", topic)

    def file(self, item: Item) -> str:
        """The name of a mail that is kept instead of sent: the same mail has the same name."""
        return f"{self._held[item.claim].batch.message:08}-{item.person}.eml"


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
        done = record(known, batches=batches, severities=severities, addresses={}, now=now)
        log.warning(
            "recovered", lane=lane, answers=len(answers), in_doubt=len(doubts), stale=done.stale
        )
    work.release((EXPAND, *queries.SENDS), lane=lane)
    for file in files:
        file.unlink()


def bounce_address(message: int, person: int) -> str:
    """Where the receiving server complains about one person's copy (VERP)."""
    local, _, domain = settings.EMAIL_FROM.rpartition("@")
    return mail.verp(local, domain, message, person, settings.SECRET_KEY.encode())


PUT_OFF = "相手が受け取れないので、あとでやり直します"
NO_ADDRESS = "アドレスがなくなりました"
TTL = timedelta(hours=12)


def _rows(batch: Batch) -> QuerySet[LedgerRow]:
    return LedgerRow.objects.filter(
        message=batch.message,
        channel=batch.channel,
        hold=batch.hold,
        person__range=(batch.first, batch.last),
        state=State.QUEUED,
    )


def _items(
    claim: work.Claim, batch: Batch, recipients: Sequence[Recipient], composer: Composer
) -> tuple[list[Item], list[Line]]:
    """The items of a batch, and those that cannot even be written."""
    items: list[Item] = []
    refused: list[Line] = []
    for to in recipients:
        try:
            if batch.channel == Channel.MAIL:
                body = composer.mail(to)
                keys: tuple[bytes, ...] = ()
            else:
                body = composer.push(to)
                keys = (from_base64url(to.p256dh), from_base64url(to.auth))
        except ValueError as error:
            refused.append(_refusal(claim, to.resident, str(error)))
        else:
            items.append(Item(claim.id, claim.attempt, to.resident, to.value, body, keys))
    return items, refused


def _refusal(claim: work.Claim, person: int, reason: str) -> Line:
    return Line(Key(claim.id, claim.attempt, person), Result.FAILED, 0, reason)


def _line(answer: Answer) -> Line:
    item = answer.item
    key = Key(item.claim, item.attempt, item.person)
    return Line(key, answer.result, answer.code, answer.text)
