"""What happened, as one line of a history, and when it was."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from policity.kit import moments


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a history. `page` is without its language; empty on the page itself."""

    at: datetime
    page: str
    name: str
    change: str
    level: int | None


def moment(at: datetime, code: str) -> str:
    """A moment in the city's time, as the language says it."""
    return moments.full(timezone.localtime(at), code)
