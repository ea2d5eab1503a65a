"""When something is worth the way."""

from collections.abc import Collection
from enum import StrEnum

MONTHS = range(1, 13)


class Verb(StrEnum):
    """What one does there; lists are told apart by it, and not by kinds of things."""

    WALK = "walk"
    SEE = "see"
    EAT = "eat"


def in_season(months: Collection[int], month: int) -> bool:
    """Whether it is worth the way in a month. What names no month is all year."""
    return not months or month in months


def spans(months: Collection[int]) -> tuple[tuple[int, int], ...]:
    """Months as runs, first and last, across the turn of the year: {12, 1, 4} → (4, 4), (12, 1).

    All twelve, and none, are no run: that is all year.
    """
    wanted = sorted(set(months))
    if not wanted or len(wanted) == len(MONTHS):
        return ()
    runs: list[tuple[int, int]] = []
    for month in wanted:
        if runs and runs[-1][1] == month - 1:
            runs[-1] = (runs[-1][0], month)
        else:
            runs.append((month, month))
    if len(runs) > 1 and runs[0][0] == 1 and runs[-1][1] == 12:
        runs[-1] = (runs[-1][0], runs.pop(0)[1])
    return tuple(runs)
