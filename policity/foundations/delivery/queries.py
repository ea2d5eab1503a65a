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


@dataclass(frozen=True, slots=True)
class Thread:
    """One story: what was told of it last, and when it was first told of."""

    newest: MessageView
    began_at: datetime


def threads(kind: str, limit: int) -> tuple[Thread, ...]:
    """The stories of a kind among its last `limit` messages, newest first. One query."""
    found: dict[str, Thread] = {}
    for message in Message.objects.filter(kind=kind)[:limit]:
        newest = found[message.thread].newest if message.thread in found else _view(message)
        found[message.thread] = Thread(newest, message.told_at)
    return tuple(found.values())


def _view(m: Message) -> MessageView:
    return MessageView(m.pk, m.thread, m.severity, m.level, m.told_at, m.created_at, m.texts)
