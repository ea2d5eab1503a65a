"""Opening accounts and giving roles."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from policity.foundations.accounts.models import Role, RoleGrant, User


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
    is_sample: bool = False,
) -> User:
    """Open an account with its roles.

    Raises ValidationError for a weak password and IntegrityError for a name already in use.
    """
    user = User(username=username, display_name=display_name, is_sample=is_sample)
    validate_password(password, user)
    user.set_password(password)
    user.save()
    RoleGrant.objects.bulk_create(
        RoleGrant(user=user, role=role, towns=list(towns), starts=starts, ends=ends)
        for role in roles
    )
    return user
