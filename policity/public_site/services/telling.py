"""What Wagtail notes in its log stands in the city's audit trail, too."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models, transaction
from wagtail.models import PageLogEntry

from policity.foundations.accounts.services import audit

# Wagtail's acts by the words of our trail; what is not here is a change.
ACTS = {
    "wagtail.create": "made",
    "wagtail.delete": "removed",
    "wagtail.publish": "published",
    "wagtail.publish.scheduled": "published",
    "wagtail.publish.schedule": "planned",
    "wagtail.unpublish": "withdrawn",
    "wagtail.unpublish.scheduled": "withdrawn",
    "wagtail.move": "moved",
    "wagtail.workflow.start": "submitted",
    "wagtail.workflow.approve": "approved",
    "wagtail.workflow.reject": "turned_down",
}


_waiting: ContextVar[list[Any] | None] = ContextVar("waiting", default=None)


@contextmanager
def together() -> Iterator[None]:
    """One transaction, at the end of which the trail is written: whoever holds the trail's end
    marks no page stale any more (accounts.services.audit). Within another it is part of that.
    """
    if _waiting.get() is not None:
        yield
        return
    with transaction.atomic():
        lines: list[Any] = []
        token = _waiting.set(lines)
        try:
            yield
        finally:
            _waiting.reset(token)
        for line in lines:
            _record(line)


def logged(sender: type[models.Model], instance: Any, created: bool, **_: Any) -> None:
    """Hears of each line of Wagtail's log, in the transaction in which it is written."""
    waiting = _waiting.get()
    if created and waiting is not None:
        waiting.append(instance)
    elif created:
        _record(instance)


def _record(line: Any) -> None:
    number = line.page_id if isinstance(line, PageLogEntry) else line.object_id
    model = line.content_type.model if line.content_type else "page"
    audit.record(
        f"content.{ACTS.get(line.action, 'changed')}",
        on=f"{model}:{number}"[:100],
        by=line.user,
        now=line.timestamp,
        title=line.label[:200],
        how=line.action,
    )
