"""Who holds which role, and what was done."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date
from pathlib import Path

from policity.foundations.accounts.models import AuditEntry, Role, RoleGrant, User
from policity.foundations.accounts.rules import chain

FETCH = 10_000


def roles(user: User, *, on: date) -> frozenset[Role]:
    """The roles a person holds on a day; none for someone who has left."""
    if not user.is_active:
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


def kept_heads(file: Path) -> Mapping[int, str]:
    """The heads that were kept in a file, the first of each number: who makes a new chain can add
    its heads, but not take away those that were there. Raises OSError.
    """
    found: dict[int, str] = {}
    with file.open() as lines:
        for number, digest in filter(None, map(chain.head, lines)):
            found.setdefault(number, digest)
    return found
