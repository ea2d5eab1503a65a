"""By when a turn should be taken, and when whoever holds it is reminded. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

from policity.foundations.city_plan.rules.cycle import FORWARD, Turn

AHEAD = (timedelta(days=7), timedelta(days=1))
AGAIN = 7
"""Days between two reminders of what is late; the first is on the day after the last day."""


def is_due(last_day: date, today: date, *, reminded: date | None) -> bool:
    """Whether to remind somebody today of a turn, `reminded` of it on a day or never.

    A week and a day before its last day, on the day after it, and then each week. What an outage
    left out is made up for, once.
    """
    moments = [last_day - ahead for ahead in AHEAD]
    if (late := (today - last_day).days) > 0:
        moments.append(last_day + timedelta(days=1 + (late - 1) // AGAIN * AGAIN))
    passed = [moment for moment in moments if moment <= today]
    return bool(passed) and (reminded is None or reminded < max(passed))


def out_of_order(days: Mapping[Turn, date]) -> tuple[Turn, Turn] | None:
    """The first two turns of which the later one ends before the earlier; None where none do."""
    set_ = [turn for turn in FORWARD if turn in days]
    for before, after in pairwise(set_):
        if days[after] < days[before]:
            return before, after
    return None
