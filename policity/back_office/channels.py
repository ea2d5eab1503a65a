"""Mails to staff: one at a time, over the city's mail server, or kept in the home's outbox."""

import os
from email import message_from_bytes
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

SECONDS = 10


def send(*, key: str, to: str, subject: str, text: str) -> None:
    """Hand a mail over. `key` ("1-2") names its file in the outbox.

    Raises OSError, which a mail server's refusal is too.
    """
    mail = EmailMessage(subject, text, settings.EMAIL_FROM, [to])
    if not settings.EMAIL_URL:
        _keep(key, mail)
        return
    where = urlsplit(settings.EMAIL_URL)
    EmailBackend(
        host=where.hostname,
        port=where.port or {"smtp": 25, "smtps": 465}.get(where.scheme, 587),
        username=unquote(where.username or ""),
        password=unquote(where.password or ""),
        use_tls=where.scheme == "smtp+starttls",
        use_ssl=where.scheme == "smtps",
        timeout=SECONDS,
    ).send_messages([mail])


def _keep(key: str, mail: EmailMessage) -> None:
    folder = Path(settings.HOME) / "outbox"
    folder.mkdir(mode=0o700, exist_ok=True)
    part = folder / f"{key}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(message_from_bytes(mail.message().as_bytes()).as_bytes())
    part.rename(folder / f"{key}.eml")
