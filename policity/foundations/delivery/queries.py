"""What was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policity.foundations.delivery.models import Message


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its texts by language code: {"title", "body"}, furigana as markup."""

    id: int
    thread: str
    severity: str
    level: int | None
    told_at: datetime
    created_at: datetime
    texts: Mapping[str, Mapping[str, str]]


def latest(kind: str, limit: int) -> tuple[MessageView, ...]:
    """The newest messages of a kind, newest first."""
    return tuple(
        MessageView(m.pk, m.thread, m.severity, m.level, m.told_at, m.created_at, m.texts)
        for m in Message.objects.filter(kind=kind)[:limit]
    )
