"""Saying something."""

from collections.abc import Mapping
from datetime import datetime

from policity.foundations.delivery.models import Message
from policity.kit.languages import LANGUAGES


def tell(
    *,
    kind: str,
    thread: str,
    severity: str,
    level: int | None,
    texts: Mapping[str, Mapping[str, str]],
    told_at: datetime,
    now: datetime,
) -> Message:
    """Put a message on the road, in the caller's transaction.

    Raises ValueError where a language is missing: nobody is told less than others.
    """
    missing = [language.code for language in LANGUAGES if not texts.get(language.code)]
    if missing:
        raise ValueError(f"no text in {', '.join(missing)} for {thread}")
    return Message.objects.create(
        kind=kind,
        thread=thread,
        severity=severity,
        level=level,
        told_at=told_at,
        created_at=now,
        texts={code: dict(text) for code, text in texts.items()},
    )
