"""Once a day what is known of persons fades, in pieces, and how much went is noted."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from policity.foundations.accounts.services import audit
from policity.foundations.continuity import queries
from policity.foundations.continuity.rules.retention import periods
from policity.foundations.continuity.services.noting import note
from policity.foundations.delivery.services import fading as delivery

FADED = queries.FADED


def fade_piece(*, now: datetime) -> tuple[str, int]:
    """Let a piece of the first kind that is due fade: which, and how many. ("", 0): nothing is."""
    for kind, period in periods().items():
        if count := _FADES[kind](period.before(now), now):
            return kind, count
    return "", 0


def note_faded(counts: dict[str, int], *, now: datetime) -> None:
    """Note what a day came to; where something went, in the audit trail too."""
    note(Path(settings.HOME), FADED, {"at": now.isoformat(), "counts": counts})
    if counts:
        with transaction.atomic():
            audit.record("data.faded", on="", by=None, now=now, **counts)


def _files(folder: str) -> Callable[[datetime, datetime], int]:
    def fade(before: datetime, _now: datetime) -> int:
        old = queries.old_files(Path(settings.HOME) / folder, before)
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    return fade


_FADES: dict[str, Callable[[datetime, datetime], int]] = {
    "ledger": lambda before, now: delivery.fade_ledger(before=before, now=now),
    "calls": lambda before, now: delivery.fade_calls(before=before, now=now),
    "outbox": _files("outbox"),
    "upgrades": _files("upgrades"),
}


def to_fade(*, now: datetime) -> dict[str, int]:
    """How many of each kind are older than they are kept: persons, calls, files."""
    home, edges = Path(settings.HOME), {kind: one.before(now) for kind, one in periods().items()}
    return {
        "ledger": delivery.persons_due(before=edges["ledger"]),
        "calls": delivery.calls_due(before=edges["calls"]),
        "outbox": len(queries.old_files(home / "outbox", edges["outbox"])),
        "upgrades": len(queries.old_files(home / "upgrades", edges["upgrades"])),
    }
