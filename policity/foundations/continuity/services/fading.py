"""Once a day what is known of persons fades, in pieces, and how much went is noted."""

from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from policity.foundations.accounts.services import audit
from policity.foundations.continuity import queries
from policity.foundations.continuity.rules.retention import periods
from policity.foundations.continuity.services.noting import note
from policity.foundations.delivery.services import fading as delivery
from policity.foundations.events.services import leaving as events
from policity.kit.declare import Fading

FADED = queries.FADED


def fade_piece(*, now: datetime) -> tuple[str, int]:
    """Let a piece of the first kind that is due fade: which, and how many. ("", 0): nothing is."""
    fadings = {one.kind: one for one in all_fadings()}
    for kind, period in periods().items():
        if count := fadings[kind].fade(period.before(now), now):
            return kind, count
    return "", 0


def note_faded(counts: dict[str, int], *, now: datetime) -> None:
    """Note what a day came to; where something went, in the audit trail too."""
    note(Path(settings.HOME), FADED, {"at": now.isoformat(), "counts": counts})
    if counts:
        with transaction.atomic():
            audit.record("data.faded", on="", by=None, now=now, **counts)


def _files(folder: str) -> Fading:
    def old(before: datetime) -> list[Path]:
        return queries.old_files(Path(settings.HOME) / folder, before)

    def fade(before: datetime, _now: datetime) -> int:
        found = old(before)
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    return Fading(folder, lambda before: len(old(before)), fade)


_OURS = (
    Fading(
        "ledger",
        lambda before: delivery.persons_due(before=before),
        lambda before, now: delivery.fade_ledger(before=before, now=now),
    ),
    Fading(
        "calls",
        lambda before: delivery.calls_due(before=before),
        lambda before, now: delivery.fade_calls(before=before, now=now),
    ),
    Fading(
        "events",
        lambda before: events.persons_due(before=before),
        lambda before, now: events.fade(before=before, now=now),
    ),
    _files("outbox"),
    _files("upgrades"),
)


@cache
def all_fadings() -> tuple[Fading, ...]:
    """What fades: of the rooms below, and the `FADES` in the `declarations` of those above."""
    found = list(_OURS)
    for app in apps.get_app_configs():
        if app.module is not None and module_has_submodule(app.module, "declarations"):
            found += getattr(import_module(f"{app.name}.declarations"), "FADES", ())
    return tuple(found)


def to_fade(*, now: datetime) -> dict[str, int]:
    """How many of each kind are older than they are kept: persons, calls, files."""
    edges = {kind: one.before(now) for kind, one in periods().items()}
    return {one.kind: one.due(edges[one.kind]) for one in all_fadings()}
