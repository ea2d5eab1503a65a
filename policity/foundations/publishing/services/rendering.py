"""From stale to written, a hundred pages at a time, in an order that leaves no dead link.

What a page links to stands in an earlier stage and is written before it; what goes is taken away
when nothing is left that still links to it. All state is in the database, so that any process
may do the next step, after any other died.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import takewhile

import structlog
from django.db import transaction
from django.db.models import Max

from policity.foundations.publishing import queries
from policity.foundations.publishing.models import Page, Showing
from policity.foundations.publishing.rules import GONE, KINDS, WAITING, encodings, split_key
from policity.foundations.publishing.services import tree
from policity.foundations.publishing.services.recording import Batch, Outcome, digest, record
from policity.foundations.work import queries as waiting
from policity.foundations.work import services as work
from policity.kit.declare import Lane, PageFamily, Rendered, Stage

log = structlog.get_logger()

BATCH = 100
# Of what is large, or drawn, fewer: whoever has something urgent waits for the pen no longer than
# for these.
SHEETS, CARDS = 8, 4
REMOVALS = 1000
# How long a command leaves its pages to a worker that beats, and how often it looks.
PATIENCE = timedelta(seconds=3)
GLANCE_SECONDS = 0.02
# Only a power cut lets a lease run out: the next holder of the pen ends those of the dead.
LEASE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RenderReport:
    """How many pages were written, found unchanged, removed, or could not be rendered."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0

    def __add__(self, other: "RenderReport") -> "RenderReport":
        return RenderReport(
            self.written + other.written,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
            self.failed + other.failed,
        )


class Clock:
    """The caller's time, going on while we work: what is due meanwhile is done as well."""

    def __init__(self, now: datetime) -> None:
        self._start, self._ticks = now, time.monotonic()

    def __call__(self) -> datetime:
        """The time now."""
        return self._start + timedelta(seconds=time.monotonic() - self._ticks)


def render_due(*, now: datetime, lane: Lane | None = None) -> RenderReport:
    """Write every page that is due, urgent ones first; `lane` URGENT leaves the others for later.

    Waits while another process writes. Call it after the change has been committed: it refuses to
    run inside a transaction. A page that cannot be rendered is tried again later and holds up
    nothing.
    """
    clock = Clock(now)
    total = RenderReport()
    while step := render_step(now=clock(), lane=lane):
        total += step
    return total


def ensure_shown(*, now: datetime) -> None:
    """When this returns, urgent pages are written: by the worker, which is warm, or else by us.

    All but those that cannot be written: they are tried again later, and `failing` names them.
    """
    clock = Clock(now)
    while waiting.worker_beats(now=clock()) and clock() - now < PATIENCE:
        if not _unfinished(clock()):
            return
        time.sleep(GLANCE_SECONDS)
    render_due(now=clock(), lane=Lane.URGENT)


def render_step(*, now: datetime, lane: Lane | None = None) -> RenderReport | None:
    """Do the next batch of `render_due`. None: nothing was due."""
    return _with_pen(now, lambda clock: _step(clock, lane)) if _due(now, lane) else None


def draw_step(*, now: datetime) -> RenderReport | None:
    """Draw some of the cards that pages have come to name, or let go of. None: none was due."""
    kind = KINDS[Stage.CARD]

    def draw(clock: Clock) -> RenderReport | None:
        claims = _claim(kind, Lane.ROUTINE, clock, CARDS)
        return _write(claims, Stage.CARD, clock) if claims else None

    return _with_pen(now, draw) if waiting.due([kind], now=now) else None


def _with_pen(now: datetime, step: Callable[[Clock], RenderReport | None]) -> RenderReport | None:
    with transaction.atomic(durable=True):
        pass  # Whoever waits for the pen must not hold the database: its holder needs it.
    clock = Clock(now)
    with tree.pen():
        work.release([*KINDS.values(), GONE])
        shown = _marked()
        report = step(clock)
        _note_shown(shown, clock)
    if report:
        log.info("pages", **asdict(report), seconds=(clock() - now).total_seconds())
    return report


def _marked() -> int:
    """The newest change whose pages have not all been written, 0 for none."""
    return Showing.objects.filter(shown_at=None).aggregate(newest=Max("pk"))["newest"] or 0


def _note_shown(newest: int, clock: Clock) -> None:
    """Changes up to `newest` are shown when nothing urgent is left: theirs was put with them.

    A page that failed is left, though it is not due for a while: it shows what was before.
    """
    if newest and not _unfinished(clock()):
        Showing.objects.filter(pk__lte=newest, shown_at=None).update(shown_at=clock())


def render(family: PageFamily | None, addresses: Sequence[str]) -> dict[str, Outcome]:
    """What a family makes of its addresses, in one call; one by one where that raises."""
    if family is None:
        return dict.fromkeys(addresses)
    found: dict[str, Outcome] = {}
    try:
        found.update(family.render(addresses))  # keeps what came before a failure
    except Exception as error:  # any family may fail in any way; the others go on
        if len(addresses) == 1:
            return {addresses[0]: error}
        for address in addresses:
            if address not in found:
                found |= render(family, [address])
    silence = LookupError(f"the family {family.name} said nothing of this page")
    return {address: found.get(address, silence) for address in addresses}


def _unfinished(now: datetime) -> bool:
    return waiting.unfinished([*KINDS.values(), GONE], now=now)


def _due(now: datetime, lane: Lane | None) -> dict[tuple[str, Lane], int]:
    due = waiting.due(WAITING, now=now)
    return {
        (kind, lane_): count
        for (kind, lane_), count in due.items()
        if lane_ is Lane.URGENT or lane is not Lane.URGENT
    }


def _step(clock: Clock, lane: Lane | None) -> RenderReport | None:
    due = _due(clock(), lane)
    for lane_ in (Lane.URGENT, Lane.ROUTINE):
        for stage, kind in sorted(KINDS.items()):
            limit = SHEETS if stage is Stage.SHEET else BATCH
            if (kind, lane_) in due and (claims := _claim(kind, lane_, clock, limit)):
                return _write(claims, stage, clock)
        if (GONE, lane_) in due and (claims := _claim(GONE, lane_, clock, REMOVALS)):
            return _remove(claims, clock)
    return None


def _claim(kind: str, lane: Lane, clock: Clock, limit: int) -> tuple[work.Claim, ...]:
    return work.claim(kind, lane=lane, now=clock(), lease=LEASE, limit=limit)


def _write(claims: Iterable[work.Claim], stage: Stage, clock: Clock) -> RenderReport:
    changes = queries.changes()
    held = {split_key(claim.key): claim for claim in claims}
    outcomes = _render(held)
    rows = Page.objects.in_bulk([address for _, address in held], field_name="address")
    bodies = {
        address: outcome.body
        for (_, address), outcome in outcomes.items()
        if isinstance(outcome, Rendered)
    }
    fresh = {address: body for address, body in bodies.items() if _is_news(rows, address, body)}
    report = _write_births(stage, clock)
    for address, refusal in tree.write(fresh).items():
        outcomes |= {pair: refusal for pair in held if pair[1] == address}
    failed = {pair: error for pair, error in outcomes.items() if isinstance(error, Exception)}
    for pair, error in failed.items():
        _retry(held[pair], error, clock())
    ended = {pair: claim for pair, claim in held.items() if pair not in failed}
    record(Batch(ended, outcomes, rows, fresh, changes), clock())
    written = sum(address in fresh for _, address in ended)
    unchanged = sum(outcomes[pair] is not None for pair in ended) - written
    return report + RenderReport(written=written, unchanged=unchanged, failed=len(failed))


def _write_births(stage: Stage, clock: Clock) -> RenderReport:
    """Write what was born since this stage was claimed: its pages may link to it already.

    Whatever a render has seen was committed, and marked, before we look here.
    """
    report = RenderReport()
    for earlier, kind in takewhile(lambda item: item[0] < stage, sorted(KINDS.items())):
        while claims := _claim(kind, Lane.URGENT, clock, BATCH):
            report += _write(claims, earlier, clock)
    return report


def _render(held: dict[tuple[str, str], work.Claim]) -> dict[tuple[str, str], Outcome]:
    families = queries.families()
    by_family: dict[str, list[str]] = defaultdict(list)
    for name, address in held:
        by_family[name].append(address)
    outcomes: dict[tuple[str, str], Outcome] = {}
    for name, addresses in by_family.items():
        for address, outcome in render(families.get(name), addresses).items():
            try:
                encodings(address)
                outcomes[name, address] = outcome
            except ValueError as error:
                outcomes[name, address] = error
    return outcomes


def _is_news(rows: dict[str, Page], address: str, body: bytes) -> bool:
    row = rows.get(address)
    return row is None or row.digest != digest(body) or not tree.holds(address, body)


def _retry(claim: work.Claim, error: Exception, now: datetime) -> None:
    log.error("page_failed", page=claim.key, attempt=claim.attempt, error=repr(error))
    jitter = random.random()  # noqa: S311 - it spreads load, it hides nothing
    work.retry(claim, error=repr(error), now=now, jitter=jitter)


def _remove(claims: Sequence[work.Claim], clock: Clock) -> RenderReport:
    """Take away what is gone, unless it has come back.

    What comes back at this moment is written anew before anything is that links to it.
    """
    pages = dict(split_key(claim.key)[::-1] for claim in claims)
    living = Page.objects.filter(address__in=pages).exclude(digest="")
    kept = set(living.values_list("address", flat=True))
    families = queries.families()
    going = sorted(
        pages.keys() - kept,
        key=lambda address: -families[pages[address]].stage if pages[address] in families else 0,
    )
    try:
        tree.remove(going)
    except OSError as error:
        for claim in claims:
            _retry(claim, error, clock())
        return RenderReport(failed=len(claims))
    with transaction.atomic(durable=True):
        Page.objects.filter(address__in=going, digest="").delete()
        work.done(claims)
    return RenderReport(removed=len(going))
