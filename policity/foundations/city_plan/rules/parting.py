"""Figures of a whole's parts: a town's, an age's, a language's; and which are too small to tell.

Where few are counted, their neighbours know whose figure it is. It is withheld then (秘匿), as the
census does in its smallest areas.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

FEWEST = 10
"""Persons, or rows, below which a part's figure is nobody else's business; none at all is told."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an indicator's year. `split` is how the whole is told apart, `name` which part.

    `number` is None where `reason` says why, and where it is withheld. `rows` were counted; None
    where people brought the figure.
    """

    split: str
    name: str
    number: Decimal | None
    reason: str = ""
    rows: int | None = None
    withheld: bool = False


def for_everybody(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts in their order by split and name, without the figures that tell of few."""
    ordered = sorted(parts, key=lambda one: (one.split, one.name))
    return tuple(
        one
        for _, some in groupby(ordered, key=lambda one: one.split)
        for one in _withhold(list(some))
    )


def _withhold(parts: list[Part]) -> Iterator[Part]:
    few = {one.name for one in parts if one.rows is not None and 0 < one.rows < FEWEST}
    if len(few) == 1:
        # The whole is told, and from it and the others the one would be reckoned.
        others = [one for one in parts if one.rows and one.name not in few]
        few |= {min(others, key=lambda one: (one.rows or 0, one.name)).name} if others else set()
    for one in parts:
        yield replace(one, number=None, withheld=True) if one.name in few else one
