"""Who publishes what, and what is known of it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.utils.module_loading import module_has_submodule

from policity.foundations.publishing.models import Change
from policity.foundations.publishing.rules import GONE, KINDS, WAITING, split_key
from policity.foundations.work.queries import due, failures
from policity.kit.declare import Beside, PageFamily
from policity.kit.sides import Side, works


@cache
def families() -> dict[str, PageFamily]:
    """The `PAGES` in the `declarations` module of every installed app, by name.

    Of an installation inside, only what staff's pages need. What is internal is published nowhere.
    """
    found: dict[str, PageFamily] = {}
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "declarations"):
            continue
        for family in getattr(import_module(f"{app.name}.declarations"), "PAGES", ()):
            if family.name in found or "/" in family.name:
                raise ValueError(f"a page family's name is taken or has a slash: {family.name}")
            if getattr(app.module, "SIDE", Side.BOTH) is Side.INTERNAL:
                raise ValueError(f"{app.label} is internal and has pages for everybody")
            if not works(family.side, settings.ROLE):
                continue
            found[family.name] = family
    return found


@cache
def beside(family: str) -> tuple[Beside, ...]:
    """The `BESIDE` in the `declarations` modules that rooms show on the pages of a family."""
    found: list[Beside] = []
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "declarations"):
            continue
        if works(getattr(app.module, "SIDE", Side.BOTH), settings.ROLE):
            found += getattr(import_module(f"{app.name}.declarations"), "BESIDE", ())
    return tuple(one for one in found if one.family == family)


def changes(*, hold: bool = False) -> int:
    """How often anything was marked stale. With `hold`, until the transaction ends nobody marks."""
    rows = Change.objects.select_for_update() if hold else Change.objects.all()
    return rows.values_list("number", flat=True).first() or 0


def waiting(*, now: datetime) -> int:
    """How many pages are due to be rendered or removed."""
    return sum(due(WAITING, now=now).values())


@dataclass(frozen=True, slots=True)
class Failing:
    """A page that could not be rendered when it was last tried."""

    address: str
    attempts: int


def failing() -> tuple[Failing, ...]:
    """The pages that cannot be rendered at the moment."""
    return tuple(
        Failing(split_key(key)[1], attempts) for key, attempts in failures([*KINDS.values(), GONE])
    )
