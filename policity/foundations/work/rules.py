"""When to try again, and what a slice offers to the worker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=5)


class Order(IntEnum):
    """What the worker does first. Idle work runs only when nothing else is there to do."""

    URGENT = 0
    ROUTINE = 1
    IDLE = 2


@dataclass(frozen=True, slots=True)
class Handler:
    """What a slice's `tasks.HANDLERS` offers to the worker.

    `run(now)` does one batch of its kind, well under a second long, and says how many items it
    ended (0: nothing was due).
    """

    kind: str
    order: Order
    run: Callable[[datetime], int]


def backoff(attempt: int, *, jitter: float) -> timedelta:
    """How long to wait after the `attempt`-th failure (from 1): doubling, to five minutes.

    `jitter` from 0 to 1 takes up to half of it away, so that what failed together does not come
    back together.
    """
    wait = min(FIRST_WAIT * (1 << min(attempt - 1, 20)), LONGEST_WAIT)
    return wait * (1 - jitter / 2)
