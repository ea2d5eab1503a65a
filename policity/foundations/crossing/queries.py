"""What may cross, and what did."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.apps import apps
from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import module_has_submodule

from policity.foundations.crossing import formats
from policity.foundations.crossing.models import Crossing
from policity.kit import declare
from policity.kit.sides import Role, Side, other, own_sides

TRUSTED = "crossing-trusted.txt"
"""The file in the home with the public keys of the other side, one a line."""


@cache
def declared() -> dict[str, declare.Crossing]:
    """The `CROSSINGS` in the `declarations` module of every installed app, by kind.

    Of those that rest here, too: what another side works on is taken here.
    """
    found: dict[str, declare.Crossing] = {}
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "declarations"):
            continue
        for one in getattr(import_module(f"{app.name}.declarations"), "CROSSINGS", ()):
            found[one.kind] = _joined(found[one.kind], one) if one.kind in found else one
    return found


def _joined(some: declare.Crossing, more: declare.Crossing) -> declare.Crossing:
    """One kind of which one slice says who takes it and another who gives it."""
    give, take = more.give or some.give, more.take or some.take
    whole = replace(some, give=give, take=take)
    if whole != replace(more, give=give, take=take) or not (
        some.give in (give, None) and some.take in (take, None)
    ):
        raise ValueError(f"a kind of crossing is taken: {some.kind}")
    return whole


def sides() -> tuple[Side, ...]:
    """The sides that this installation is."""
    return own_sides(Role(settings.ROLE))


def going() -> tuple[declare.Crossing, ...]:
    """What this installation sends."""
    return tuple(one for one in declared().values() if one.give and other(one.to) in sides())


def trusted() -> tuple[tuple[Side, Ed25519PublicKey], ...]:
    """The keys that files from the other side are checked with. Raises ValueError, OSError."""
    file = Path(settings.HOME) / TRUSTED
    lines = file.read_text("utf-8").splitlines() if file.exists() else ()
    return tuple(formats.read_key(line) for line in lines if line.strip())


def last_sent(kind: str) -> int:
    """The number of the last file of a kind that went; 0 where none did."""
    sent = Crossing.objects.filter(kind=kind, course=Crossing.Course.SENT)
    return sent.aggregate(last=Max("number"))["last"] or 0


def last_digest(kind: str) -> str:
    """The digest of what was last sent of a kind; empty where nothing was."""
    sent = Crossing.objects.filter(kind=kind, course=Crossing.Course.SENT).order_by("-number")
    return sent.values_list("digest", flat=True).first() or ""


def last_taken(kind: str) -> int:
    """The number of the last file of a kind that is done with here; 0 where none came."""
    return Crossing.objects.taken().filter(kind=kind).aggregate(last=Max("number"))["last"] or 0


@dataclass(frozen=True, slots=True)
class Crossed:
    """One file that went, came or was refused."""

    course: Crossing.Course
    kind: str
    sender: str
    number: int | None
    made_at: datetime | None
    at: datetime
    size: int
    digest: str
    by: str
    refusal: str
    missed: int


def crossed(limit: int) -> tuple[Crossed, ...]:
    """What went, came and was refused, the newest first. One query."""
    return tuple(
        Crossed(
            Crossing.Course(row.course), row.kind, row.sender, row.number, row.made_at, row.at,
            row.size, row.digest, row.by, row.refusal, row.missed,
        )
        for row in Crossing.objects.order_by("-pk")[:limit]
    )  # fmt: skip
