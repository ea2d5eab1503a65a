"""Mails that were kept in the home, ready to be read."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail in the outbox."""

    name: str
    subject: str
    to: str
    at: datetime
    text: str


def kept_mails(limit: int = 100) -> tuple[KeptMail, ...]:
    """The newest mails that were kept in the home."""
    folder = Path(settings.HOME) / "outbox"
    files = sorted(folder.glob("*.eml"), key=lambda file: -file.stat().st_mtime)[:limit]
    return tuple(_mail(file) for file in files)


def read_mail(name: str) -> KeptMail:
    """One of them. Raises LookupError."""
    file = Path(settings.HOME) / "outbox" / name
    if not _MAIL_NAME.fullmatch(name) or not file.is_file():
        raise LookupError(name)
    return _mail(file)


_MAIL_NAME = re.compile(r"[0-9]+-[0-9]+\.eml")


def _mail(file: Path) -> KeptMail:
    read = message_from_bytes(file.read_bytes(), policy=policy.default)
    return KeptMail(
        name=file.name,
        subject=str(read["subject"]),
        to=str(read["to"]),
        at=datetime.fromtimestamp(file.stat().st_mtime, tz=UTC),
        text=str(read.get_content()),
    )
