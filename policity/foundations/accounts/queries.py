"""Who holds which role."""

from datetime import date

from policity.foundations.accounts.models import Role, RoleGrant, User


def roles(user: User, *, on: date) -> frozenset[Role]:
    """The roles a person holds on a day; none for someone who has left."""
    if not user.is_active:
        return frozenset()
    held = RoleGrant.objects.filter(user=user).on(on).values_list("role", flat=True)
    return frozenset(Role(role) for role in held)
