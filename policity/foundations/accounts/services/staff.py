"""Opening accounts, giving and ending roles, and the links by which people come to their account.

Nobody changes their own roles: whoever may give roles needs a second one of their kind for that.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from policity.foundations.accounts.models import Role, RoleGrant, User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import GLASS, roles
from policity.foundations.accounts.rules.mails import About
from policity.foundations.accounts.services import audit
from policity.foundations.accounts.services.entering import end_sessions
from policity.foundations.accounts.signals import mail_wanted

LONGEST = timedelta(days=366 * 10)


class StaffRefused(ValueError):  # noqa: N818  # the thing refused
    """It was not done. The text says why and what to do, in Japanese."""


@transaction.atomic
def create_staff(
    *,
    username: str,
    password: str,
    display_name: str,
    roles: Iterable[Role],
    starts: date,
    ends: date | None = None,
    towns: Sequence[str] = (),
    departments: Sequence[str] = (),
    is_sample: bool = False,
) -> User:
    """Open an account with its roles and a password, by a program: for samples and tests.

    Raises ValidationError for a weak password and IntegrityError for a name already in use.
    """
    user = User(username=username, display_name=display_name, is_sample=is_sample)
    validate_password(password, user)
    user.set_password(password)
    user.save()
    RoleGrant.objects.bulk_create(
        RoleGrant(
            user=user,
            role=role,
            towns=list(towns),
            departments=list(departments),
            starts=starts,
            ends=ends,
        )
        for role in roles
    )
    return user


@transaction.atomic
def open_account(
    *, username: str, display_name: str, email: str, by: User | None, now: datetime
) -> User:
    """Open an account without a password or a role; a link (`link`) lets its owner in.

    `by` is None for the command on the server. Raises StaffRefused.
    """
    _require(by, now=now)
    username = User.normalize_username(username.strip())
    user = User(username=username, display_name=display_name.strip(), email=email.strip())
    if not user.display_name:
        raise StaffRefused("名前を入れてください。")
    try:
        User.username_validator(username)
    except ValidationError as error:
        raise StaffRefused("職員IDは、英字、数字、@ . + - _ で、150字までです。") from error
    if not username.isascii() or len(username) > 150:
        raise StaffRefused("職員IDは、英字、数字、@ . + - _ で、150字までです。")
    if username == GLASS or User.objects.filter(username__iexact=username).exists():
        raise StaffRefused("この職員IDは、もう使われています。")
    if user.email:
        _check_email(user.email)
    user.set_unusable_password()
    user.save()
    audit.record("accounts.opened", on=_on(user), by=by, now=now, name=username)
    return user


def _check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise StaffRefused("メールアドレスを確かめてください。") from error
    if User.objects.filter(email__iexact=email).exists():
        raise StaffRefused("このメールアドレスは、ほかの職員のものです。")


@transaction.atomic
def give_role(
    *,
    user: User,
    role: Role,
    towns: Sequence[str],
    departments: Sequence[str] = (),
    starts: date,
    ends: date | None,
    by: User | None,
    now: datetime,
) -> RoleGrant:
    """Give somebody a role for a time, for some towns and departments (none: all there are).

    Raises StaffRefused.
    """
    _require(by, now=now)
    _not_oneself(user, by)
    if ends is not None and ends < starts:
        raise StaffRefused("終わりの日が、始まりの日より前です。")
    if ends is not None and ends < timezone.localdate(now):
        raise StaffRefused("終わりの日が、もう過ぎています。")
    if towns and not role.by_town:
        names = "、".join(one.label for one in Role if one.by_town)
        raise StaffRefused(
            f"「{role.label}」の仕事は市の全体にわたるので、町をかぎれません。"
            f"町をかぎれる役割: {names}"
        )
    made = RoleGrant.objects.create(
        user=user,
        role=role,
        towns=list(towns),
        departments=list(departments),
        starts=starts,
        ends=ends,
    )
    audit.record(
        "accounts.role_given", on=_on(user), by=by, now=now, role=role.value,
        starts=starts.isoformat(), ends=ends.isoformat() if ends else None,
        towns="、".join(towns), departments="、".join(departments),
    )  # fmt: skip
    return made


@transaction.atomic
def end_role(*, grant: int, last_day: date, by: User | None, now: datetime) -> RoleGrant:
    """A role ends with a day, today at the earliest. Raises StaffRefused."""
    _require(by, now=now)
    found = RoleGrant.objects.select_for_update().select_related("user").filter(pk=grant).first()
    if found is None:
        raise StaffRefused("この役割は、もうありません。")
    _not_oneself(found.user, by)
    _end([found], last_day, now=now)
    audit.record(
        "accounts.role_ended", on=_on(found.user), by=by, now=now, role=found.role,
        last_day=last_day.isoformat(),
    )  # fmt: skip
    return found


@transaction.atomic
def end_account(*, user: User, last_day: date, by: User | None, now: datetime) -> None:
    """Somebody leaves: all they hold ends with a day, and nothing begins after it.

    From the day after nothing answers them, and what session they have ends. Raises StaffRefused.
    """
    _require(by, now=now)
    _not_oneself(user, by)
    _end(list(RoleGrant.objects.select_for_update().filter(user=user)), last_day, now=now)
    audit.record("accounts.ended", on=_on(user), by=by, now=now, last_day=last_day.isoformat())


def _end(grants: Sequence[RoleGrant], last_day: date, *, now: datetime) -> None:
    if last_day < timezone.localdate(now) - timedelta(days=1):
        raise StaffRefused("終わりの日は、きのうか、それより後にしてください。")
    for grant in grants:
        if grant.starts > last_day:
            grant.delete()
        elif grant.ends is None or grant.ends > last_day:
            grant.ends = last_day
            grant.save(update_fields=["ends"])
    if any(grant.role == Role.ADMINISTRATOR for grant in grants):
        _administrator_left(last_day + timedelta(days=1))


def _administrator_left(day: date) -> None:
    left = RoleGrant.objects.on(day).filter(role=Role.ADMINISTRATOR, user__is_active=True)
    if not any(
        Role.ADMINISTRATOR in roles(one.user, on=day) for one in left.select_related("user")
    ):
        raise StaffRefused(
            "その日のあと、管理者が一人もいなくなります。先に、ほかの人を管理者にしてください。"
        )


@transaction.atomic
def reset(*, user: User, by: User | None, now: datetime) -> None:
    """All of somebody's keys, their password and their sessions end: a new link lets them in.

    For a telephone that was lost. Raises StaffRefused.
    """
    _require(by, now=now)
    if user.username == GLASS:
        raise StaffRefused("非常用アカウントは、封をし直してください（policity accounts seal）。")
    if by is not None and by.pk == user.pk:
        # They would be out, and nobody in to give them a link.
        raise StaffRefused("自分のリセットは、ほかの管理者に頼んでください。")
    Authenticator.objects.filter(user=user).delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    end_sessions(user, by=by, now=now)
    audit.record("accounts.reset", on=_on(user), by=by, now=now)


# One-time links: good until their owner has set a password, or the days of the setting are over.


def link(user: User, *, by: User | None, now: datetime) -> str:
    """The end of the address that lets somebody set their password. Raises StaffRefused.

    Whoever has keys already is reset first: a link alone never comes to them.
    """
    _require(by, now=now)
    if user.username == GLASS or user.has_usable_password():
        raise StaffRefused("もうパスワードがあります。作り直すときは、リセットしてください。")
    audit.record("accounts.link_made", on=_on(user), by=by, now=now)
    return link_of(user)


def link_of(user: User) -> str:
    """The same, for the mail that was asked for."""
    number = urlsafe_base64_encode(str(user.pk).encode())
    return f"{number}/{default_token_generator.make_token(user)}"


def mail_link(user: User, *, by: User | None, now: datetime) -> None:
    """Send the link to the address of the account. Raises StaffRefused."""
    if not user.email:
        raise StaffRefused("メールアドレスがありません。印刷して渡してください。")
    link(user, by=by, now=now)
    mail_wanted.send(User, user=user.pk, about=About.LINK, on=user.pk, now=now)


def owner_of(number: str, token: str) -> User | None:
    """Whose link it is; None where it is none, was used, or has run out."""
    try:
        pk = int(urlsafe_base64_decode(number).decode())
    except ValueError:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.has_usable_password():
        return None
    return user if default_token_generator.check_token(user, token) else None


@transaction.atomic
def set_password(password: str, *, user: User, by: User, now: datetime, but: str = "") -> None:
    """Somebody's own password; their other sessions (all `but` one) end. Raises ValidationError."""
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sessions(user, by=by, now=now, but=but)
    audit.record("accounts.password_set", on=_on(user), by=by, now=now)
    mail_wanted.send(User, user=user.pk, about=About.KEYS, on=user.pk, now=now)


def _require(by: User | None, *, now: datetime) -> None:
    if by is not None and not may(roles(by, on=timezone.localdate(now)), Act.MANAGE_STAFF):
        raise StaffRefused("この仕事をする権限がありません。管理者に相談してください。")


def _not_oneself(user: User, by: User | None) -> None:
    if by is not None and by.pk == user.pk:
        raise StaffRefused("自分の役割は、自分では変えられません。ほかの管理者に頼んでください。")


def _on(user: User) -> str:
    return f"accounts.user:{user.pk}"
