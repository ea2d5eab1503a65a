"""Who holds which role, and what was done."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Q, QuerySet

from policity.foundations.accounts.models import (
    AuditEntry,
    AuditHead,
    Department,
    Role,
    RoleGrant,
    Seal,
    User,
)
from policity.foundations.accounts.rules import chain

FETCH = 10_000
SHIPPED = "audit-shipped"
"""The file in the home's run/ that says how far the trail was shipped."""


def roles(user: User, *, on: date) -> frozenset[Role]:
    """The roles a person holds on a day; none for someone who has left.

    Nor for made-up staff outside the demo and drills: a home that was a demo once has them still,
    with passwords in a file.
    """
    return frozenset(role for role, _ in held(user, on=on))


def held(user: User, *, on: date) -> tuple[tuple[Role, frozenset[str]], ...]:
    """The same, each with the towns it is for by name; none: the whole city.

    A role whose work is the whole city's is nobody's where it was given for some towns.
    """
    if not user.is_active or (user.is_sample and not (settings.DEMO or settings.DRILL)):
        return ()
    found = RoleGrant.objects.filter(user=user).on(on).values_list("role", "towns")
    return tuple(
        (Role(role), frozenset(towns)) for role, towns in found if not towns or Role(role).by_town
    )


def offices(user: User, *, on: date) -> tuple[tuple[Role, frozenset[str]], ...]:
    """The roles held on a day, each with the departments it is for by slug; none: all of them."""
    ours = roles(user, on=on)
    found = RoleGrant.objects.filter(user=user).on(on).values_list("role", "departments")
    return tuple((Role(role), frozenset(slugs or ())) for role, slugs in found if role in ours)


def departments() -> tuple[tuple[str, str], ...]:
    """Every department, as slug and name."""
    return tuple(Department.objects.order_by("slug").values_list("slug", "name"))


# Nobody of the staff: whoever opens the envelope acts under this name.
GLASS = "break-glass"
IN_CHARGE = (Role.COMMANDER, Role.DUTY_OFFICER, Role.ADMINISTRATOR)


def in_charge(*, on: date) -> tuple[User, ...]:
    """Who is told at once when the sealed account is opened."""
    return with_mail(IN_CHARGE, on=on)


def with_mail(roles: Collection[Role], *, on: date) -> tuple[User, ...]:
    """Who holds one of these roles on a day and has a mail address. One query."""
    held = RoleGrant.objects.on(on).filter(role__in=roles)
    found = _working().filter(grants__in=held).exclude(email="")
    return tuple(found.distinct().order_by("pk"))


def mailboxes(users: Collection[int]) -> dict[int, str]:
    """The mail address of each of these who works here and has one, by number. One query."""
    return dict(_working().filter(pk__in=users).exclude(email="").values_list("pk", "email"))


def holding(roles: Collection[Role], *, on: date) -> tuple[tuple[int, Role, frozenset[str]], ...]:
    """Who holds one of these roles on a day, by number, and for which departments by slug.

    No departments: for all of them. One query.
    """
    grants = RoleGrant.objects.on(on).filter(role__in=roles, user__in=_working())
    rows = grants.order_by("pk").values_list("user_id", "role", "departments")
    return tuple((user, Role(role), frozenset(slugs or ())) for user, role, slugs in rows)


def _working() -> QuerySet[User]:
    """Accounts that are open; made-up ones in the demo and drills alone."""
    found = User.objects.filter(is_active=True)
    return found if settings.DEMO or settings.DRILL else found.filter(is_sample=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role somebody holds, held or will hold, for towns and departments by name."""

    id: int
    role: Role
    towns: tuple[str, ...]
    departments: tuple[str, ...]
    starts: date
    ends: date | None

    def over(self, on: date) -> bool:
        """Whether it has ended by a day."""
        return self.ends is not None and self.ends < on

    def begins(self, on: date) -> bool:
        """Whether it has not begun by a day."""
        return self.starts > on


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, as the administrator sees them."""

    id: int
    username: str
    name: str
    email: str
    is_sample: bool
    last_login: datetime | None
    has_password: bool
    passkeys: int
    has_code: bool
    grants: tuple[Grant, ...]

    def works(self, on: date) -> bool:
        """Whether they hold a role on a day, or will."""
        return any(not grant.over(on) for grant in self.grants)


def people(words: str = "", *, only: int | None = None) -> tuple[Person, ...]:
    """Everybody with an account whose name, number or address has the words. Four queries."""
    found = User.objects.filter(is_active=True).exclude(username=GLASS).order_by("username")
    if only is not None:
        found = found.filter(pk=only)
    for word in words.split():
        found = found.filter(
            Q(username__icontains=word) | Q(display_name__icontains=word) | Q(email__icontains=word)
        )
    users = list(found.prefetch_related("grants"))
    keys: dict[int, Counter[str]] = {}
    types = Authenticator.objects.filter(user__in=users).values_list("user_id", "type")
    for user, kind in types:
        keys.setdefault(user, Counter())[kind] += 1
    names = dict(departments())
    return tuple(_person(user, keys.get(user.pk, Counter()), names) for user in users)


def _person(user: User, keys: Counter[str], names: Mapping[str, str]) -> Person:
    grants = sorted(user.grants.all(), key=lambda grant: (grant.starts, grant.pk), reverse=True)
    return Person(
        user.pk,
        user.username,
        str(user),
        user.email,
        user.is_sample,
        user.last_login,
        user.has_usable_password(),
        keys["webauthn"],
        keys["totp"] > 0,
        tuple(
            Grant(
                one.pk,
                Role(one.role),
                tuple(one.towns),
                tuple(names.get(slug, slug) for slug in one.departments or ()),
                one.starts,
                one.ends,
            )
            for one in grants
        ),
    )


@dataclass(frozen=True, slots=True)
class Glass:
    """The sealed account: the envelope that was sealed last, and whether it was opened."""

    number: int
    sealed_at: datetime
    opened_at: datetime | None
    until: datetime | None


def glass() -> Glass | None:
    """How the sealed account stands; None where it was never sealed."""
    found = Seal.objects.order_by("-pk").first()
    return Glass(found.pk, found.sealed_at, found.opened_at, found.until) if found else None


def broken(since: datetime, until: datetime) -> tuple[Glass, ...]:
    """The envelopes that were opened in a period."""
    rows = Seal.objects.filter(opened_at__gte=since, opened_at__lt=until).order_by("opened_at")
    return tuple(Glass(row.pk, row.sealed_at, row.opened_at, row.until) for row in rows)


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
