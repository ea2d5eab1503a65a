"""Comparing the published folder with what it ought to be."""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from policity.foundations.publishing import queries, signals
from policity.foundations.publishing.models import Page
from policity.foundations.publishing.services import tree
from policity.foundations.publishing.services.rendering import (
    BATCH,
    draw_step,
    render,
    render_due,
)
from policity.kit.declare import PageFamily, Rendered

# Pages that change while we look are looked at again, this often at most.
LOOKS = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """A published address that is not as it ought to be.

    `unrendered`: its family cannot render it now.
    """

    address: str
    problem: Literal["missing", "extra", "different", "unrendered"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and what differed."""

    checked: int
    differences: tuple[Difference, ...]


def verify(*, now: datetime) -> Verification:
    """Render what is due, cards too, then every declared address into memory; compare all bytes.

    The page, and its brotli and gzip files unpacked, must all be what is rendered now. Changes may
    go on meanwhile: what differs is rendered and compared again before it is reported.
    """
    began = time.monotonic()
    _render_what_waits(now)
    checked, differences = _compare(None)
    for _ in range(LOOKS - 1):
        if differences:
            # A worker beside us may have put things off from its own moment on, which is later.
            _render_what_waits(now + timedelta(seconds=time.monotonic() - began))
            differences = _compare({difference.address for difference in differences})[1]
    return Verification(checked, tuple(sorted(differences, key=lambda one: one.address)))


def _render_what_waits(now: datetime) -> None:
    signals.comparing.send(Page, now=now)
    render_due(now=now)
    while draw_step(now=now):
        pass
    render_due(now=now)  # What nobody names any more goes.


def _compare(only: Collection[str] | None) -> tuple[int, list[Difference]]:
    declared: dict[str, PageFamily] = {}
    for family in queries.families().values():
        declared |= dict.fromkeys(family.addresses(), family)
    looked_at = declared.keys() if only is None else declared.keys() & only
    differences = [
        Difference(address, "extra")
        for address in tree.present() - declared.keys()
        if only is None or address in only
    ]
    for family in queries.families().values():
        addresses = iter([one for one in looked_at if declared[one] is family])
        while chunk := list(islice(addresses, BATCH)):
            # Nothing is written between rendering and looking.
            with tree.pen():
                differences += _compare_chunk(family, chunk)
    return len(looked_at), differences


def _compare_chunk(family: PageFamily, addresses: list[str]) -> Iterator[Difference]:
    for address, outcome in render(family, addresses).items():
        present = tree.read(address) is not None
        if isinstance(outcome, Exception):
            yield Difference(address, "unrendered")
        elif not isinstance(outcome, Rendered):
            if present:
                yield Difference(address, "extra")
        elif not present:
            yield Difference(address, "missing")
        elif not tree.holds(address, outcome.body):
            yield Difference(address, "different")
