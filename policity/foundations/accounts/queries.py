"""Who holds which role, and what was done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from policity.foundations.accounts.models import AuditEntry, AuditHead, Role, RoleGrant, User
from policity.foundations.accounts.rules import chain

FETCH = 10_000
SHIPPED = "audit-shipped"
"""The file in the home's run/ that says how far the trail was shipped."""


def roles(user: User, *, on: date) -> frozenset[Role]:
    """The roles a person holds on a day; none for someone who has left.

    Nor for made-up staff outside the demo and drills: a home that was a demo once has them still,
    with passwords in a file.
    """
    if not user.is_active or (user.is_sample and not (settings.DEMO or settings.DRILL)):
        return frozenset()
    held = RoleGrant.objects.filter(user=user).on(on).values_list("role", flat=True)
    return frozenset(Role(role) for role in held)


def entry_of(row: AuditEntry) -> chain.Entry:
    """A row of the audit trail, as it was digested."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return chain.Entry(row.number, at, row.by, row.act, row.on, row.detail)


def faults(heads: Mapping[int, str]) -> Iterator[chain.Fault]:
    """By what the audit trail differs from what was once written, with the heads kept elsewhere."""
    rows = AuditEntry.objects.order_by("number").iterator(FETCH)
    return chain.check((chain.Link(entry_of(row), row.digest) for row in rows), heads)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the audit trail to read; what is empty does not narrow it.

    `about` is the first part of an act, `since` and `until` are days in the city's time.
    """

    by: str = ""
    about: str = ""
    on: str = ""
    since: date | None = None
    until: date | None = None


def trail(asked: Asked, *, before: int = 0) -> QuerySet[AuditEntry]:
    """Entries that were asked for, the newest first, from one before a number on. One query."""
    found = AuditEntry.objects.order_by("-number")
    if before:
        found = found.filter(number__lt=before)
    if asked.by:
        found = found.filter(by=asked.by)
    if asked.about:
        found = found.filter(act__startswith=f"{asked.about}.")
    if asked.on:
        found = found.filter(on=asked.on)
    if asked.since:
        found = found.filter(at__date__gte=asked.since)
    if asked.until:
        found = found.filter(at__date__lte=asked.until)
    return found


def shipped() -> int:
    """Up to which entry the trail was taken to where it is kept."""
    try:
        text = (Path(settings.HOME) / "run" / SHIPPED).read_text().strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdecimal() else 0


def not_shipped() -> int:
    """How many entries wait to be taken to where they are kept; 0 where nothing was set up."""
    if not settings.AUDIT_HEADS and not settings.SYSLOG:
        return 0
    last = AuditHead.objects.values_list("number", flat=True).first() or 0
    return max(last - shipped(), 0)


def kept_heads(file: Path) -> Mapping[int, str]:
    """The heads that were kept in a file, the first of each number: who makes a new chain can add
    its heads, but not take away those that were there. Raises OSError.
    """
    found: dict[int, str] = {}
    with file.open() as lines:
        for number, digest in filter(None, map(chain.head, lines)):
            found.setdefault(number, digest)
    return found
