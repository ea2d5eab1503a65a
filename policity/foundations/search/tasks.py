"""What the worker does for searching: the index follows the pages."""

import threading
from datetime import datetime

from policity.foundations.search import services
from policity.foundations.work.rules import Handler, Order

_looked_over = threading.Event()


def routine(now: datetime) -> int:
    """Put what changed into the index."""
    return services.index_due(now=now)


def look_over(now: datetime) -> int:
    """Once in a worker's life: see that the index knows every document."""
    if _looked_over.is_set():
        return 0
    count = services.look_over()
    _looked_over.set()
    return count


HANDLERS = (
    Handler("search", Order.ROUTINE, routine),
    Handler("whole-search", Order.IDLE, look_over),
)
