"""The audit trail: who did what to what, in the transaction that does it; its heads go elsewhere.

An entry that was committed is shipped right after: its head (number and digest) is appended to a
file outside the home, the entry itself goes to syslog. What could not be shipped is with the next.
"""

import fcntl
import json
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import SYSLOG_UDP_PORT, SysLogHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from policity.foundations.accounts.models import AuditEntry, AuditHead, User
from policity.foundations.accounts.queries import SHIPPED, entry_of
from policity.foundations.accounts.rules import chain

log = structlog.get_logger("policity.audit")

# More in one go would keep whoever did one thing waiting for what others left behind.
AT_ONCE = 1000


def record(
    act: str, *, on: str = "", by: User | None, now: datetime, **detail: str | int | bool | None
) -> None:
    """Note in the caller's transaction what somebody does. `detail` names no resident.

    Last in it: until it ends nobody else can note anything, and who marks pages stale after this
    may wait for somebody who waits for us.
    """
    with transaction.atomic(savepoint=False):
        head = _head()
        entry = chain.Entry(
            head.number + 1,
            now.astimezone(UTC).isoformat(timespec="microseconds"),
            by.username if by else "",
            act,
            on,
            json.dumps(detail, ensure_ascii=False, sort_keys=True),
        )
        digest = chain.digest(entry, head.digest)
        AuditEntry.objects.create(
            number=entry.number, at=now, by=entry.by, act=act, on=on, detail=entry.detail,
            digest=digest,
        )  # fmt: skip
        AuditHead.objects.filter(pk=head.pk).update(number=entry.number, digest=digest)
        transaction.on_commit(_ship_soon, robust=True)


def signed_in(sender: object, user: User, **_: Any) -> None:
    """Hears of a sign-in from Django."""
    record("staff.signed_in", on=f"accounts.user:{user.pk}", by=user, now=timezone.now())


def signed_out(sender: object, user: User | None, **_: Any) -> None:
    """Hears of a sign-out from Django; there is nobody to name where the session had ended."""
    if user is not None:
        record("staff.signed_out", on=f"accounts.user:{user.pk}", by=user, now=timezone.now())


def sign_in_failed(sender: object, credentials: Mapping[str, Any], **_: Any) -> None:
    """Hears of a failure from Django. A name that is none of ours may be a password: not kept."""
    found = User.objects.filter(username=credentials.get("username") or "").first()
    on = f"accounts.user:{found.pk}" if found else ""
    record("staff.refused", on=on, by=None, now=timezone.now())


def _head() -> AuditHead:
    """The end of the trail, ours until the transaction ends."""
    found = AuditHead.objects.select_for_update().filter(pk=1).first()
    if found is None:
        AuditHead.objects.get_or_create(pk=1, defaults={"number": 0, "digest": chain.BEGINNING})
        found = AuditHead.objects.select_for_update().get(pk=1)
    return found


def _ship_soon() -> None:
    """What was done stays done, whatever happens to a disk or a network elsewhere."""
    try:
        ship()
    except OSError as error:
        log.error("audit_not_shipped", error=type(error).__name__)


def ship() -> int:
    """Take what was not yet shipped to where it is kept, in order; says how many. Raises OSError.

    One process at a time; entries of others that committed meanwhile are taken along.
    """
    if not settings.AUDIT_HEADS and not settings.SYSLOG:
        return 0
    with _cursor() as (sent, advance):
        found = AuditEntry.objects.filter(number__gt=sent).order_by("number")[:AT_ONCE]
        rows = list(found)
        if rows and settings.SYSLOG:
            _to_syslog(rows)
        if rows and settings.AUDIT_HEADS:
            _to_file(Path(settings.AUDIT_HEADS), rows)
        if rows:
            advance(rows[-1].number)
    return len(rows)


@contextmanager
def _cursor() -> Iterator[tuple[int, Any]]:
    """How far was shipped, in a file of the home, held by us."""
    file = Path(settings.HOME) / "run" / SHIPPED
    with file.open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        text = handle.read().strip()

        def advance(number: int) -> None:
            handle.seek(0)
            handle.truncate()
            handle.write(f"{number}\n")

        yield int(text) if text.isdecimal() else 0, advance


def _to_file(file: Path, rows: list[AuditEntry]) -> None:
    """Appended and on the disk; a line that is there twice says the same twice."""
    lines = "".join(f"{row.number} {row.digest} {entry_of(row).at}\n" for row in rows)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    with os.fdopen(handle, "w") as out:
        out.write(lines)
        out.flush()
        os.fsync(out.fileno())


class _Syslog(SysLogHandler):
    """The standard library's, but for one thing: what could not be sent is said."""

    append_nul = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Raise what `emit` caught."""
        raise  # called from its except clause


def _to_syslog(rows: list[AuditEntry]) -> None:
    """Each entry as one message (RFC 5424, over TCP framed as in RFC 6587, 3.4.2)."""
    where = urlsplit(settings.SYSLOG)
    tcp = where.scheme == "tcp"
    address: Any = where.path
    if where.hostname:
        address = (where.hostname, where.port or SYSLOG_UDP_PORT)
    handler = _Syslog(
        address,
        facility=SysLogHandler.LOG_AUTHPRIV,
        socktype=socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM,
    )
    try:
        for row in rows:
            handler.emit(_said(row, end="\n" if tcp else ""))
    finally:
        handler.close()


def _said(row: AuditEntry, *, end: str) -> logging.LogRecord:
    entry = entry_of(row)
    text = json.dumps(entry._asdict() | {"digest": row.digest}, ensure_ascii=False)
    head = f"1 {entry.at} {socket.gethostname()} policity {os.getpid()} audit - "
    return logging.makeLogRecord({"msg": "%s", "args": (head + text + end,), "levelname": "INFO"})
