"""What is waiting, and who can do it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Count, Min, Q
from django.utils.module_loading import module_has_submodule

from policity.foundations.work.models import Item
from policity.foundations.work.rules import Handler
from policity.kit.declare import Lane
from policity.kit.sides import Side, works

# A worker beats every second, and after each batch.
FRESH_SECONDS = 3.0


def database_away(error: BaseException) -> bool:
    """Whether an error is the database's own and not the statement's: away, locked, full, broken.

    A full disk is SQLite's OperationalError, a file that is none a plain DatabaseError.
    """
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError


def due(kinds: Collection[str], *, now: datetime) -> dict[tuple[str, Lane], int]:
    """How many items of these kinds are due in each lane, those being worked on included."""
    rows = (
        Item.objects.filter(kind__in=kinds, due__lte=now)
        .values_list("kind", "lane")
        .annotate(count=Count("id"))
    )
    return {(kind, Lane(lane)): count for kind, lane, count in rows}


@dataclass(frozen=True, slots=True)
class Queue:
    """What is due of a kind in a lane, and since when the oldest of it is."""

    kind: str
    lane: Lane
    due: int
    oldest: datetime


def queues(*, now: datetime) -> Iterator[Queue]:
    """Everything that is due, of any kind. One query."""
    rows = Item.objects.filter(due__lte=now).values_list("kind", "lane").order_by("kind", "lane")
    for kind, lane, count, oldest in rows.annotate(count=Count("id"), oldest=Min("due")):
        yield Queue(kind, Lane(lane), count, oldest)


def urgent(*, now: datetime) -> bool:
    """Is anything urgent due, of any kind?"""
    return Item.objects.filter(lane=Lane.URGENT, due__lte=now).exists()


def unfinished(kinds: Collection[str], *, now: datetime) -> bool:
    """Is anything urgent of these kinds due, or failed and to be tried again later?"""
    urgent = Item.objects.filter(kind__in=kinds, lane=Lane.URGENT)
    return urgent.filter(Q(due__lte=now) | ~Q(last_error="")).exists()


def failures(kinds: Collection[str]) -> tuple[tuple[str, int], ...]:
    """Keys of these kinds whose last attempt failed, with how many attempts there were."""
    rows = Item.objects.filter(kind__in=kinds).exclude(last_error="").order_by("key")
    return tuple(rows.values_list("key", "attempt"))


def in_hand(kinds: Collection[str], *, prefix: str) -> bool:
    """Whether somebody holds a lease on an item of these kinds whose key begins so."""
    items = Item.objects.filter(kind__in=kinds, key__startswith=prefix)
    return items.filter(leased_until__isnull=False).exists()


def live(claims: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of these (item, attempt) that are still the item's latest claim. One query."""
    asked = set(claims)
    attempts = Item.objects.filter(id__in={item for item, _ in asked}).values_list("id", "attempt")
    return asked.intersection(attempts)


def progress(kind: str, key: str) -> dict[str, Any]:
    """How far an item has come, as whoever has it in hand noted; empty where there is no such."""
    return Item.objects.filter(kind=kind, key=key).values_list("progress", flat=True).first() or {}


def named(items: Collection[int]) -> dict[int, str]:
    """The keys of items by their numbers; those that are done are missing."""
    return dict(Item.objects.filter(id__in=items).values_list("id", "key"))


def keys(kinds: Collection[str]) -> tuple[str, ...]:
    """The keys of every item of these kinds, whether due or not."""
    return tuple(Item.objects.filter(kind__in=kinds).values_list("key", flat=True))


def worker_beats(*, now: datetime) -> bool:
    """Whether a worker in this home has shown a sign of life just now."""
    try:
        beat = (Path(settings.HOME) / "run" / "worker.alive").stat().st_mtime
    except FileNotFoundError:
        return False
    return now.timestamp() - beat < FRESH_SECONDS


@cache
def handlers() -> tuple[Handler, ...]:
    """The `HANDLERS` in the `tasks` module of every app that works here, the most urgent first."""
    found: list[Handler] = []
    for app in apps.get_app_configs():
        if not works(getattr(app.module, "SIDE", Side.BOTH), settings.ROLE):
            continue
        if app.module is not None and module_has_submodule(app.module, "tasks"):
            found += getattr(import_module(f"{app.name}.tasks"), "HANDLERS", ())
    return tuple(sorted(found, key=lambda handler: handler.order))
