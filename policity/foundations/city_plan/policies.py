"""Whose turn on a sheet somebody may take."""

from collections.abc import Collection
from datetime import date

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.queries import offices
from policity.foundations.city_plan.models import Sheet
from policity.foundations.city_plan.rules.cycle import Act

# A department's people rate what is theirs. What committees and headquarters decide is recorded by
# whoever keeps the plan: the planning office has the administrator's role until it has its own.
RATERS = frozenset({Role.EDITOR, Role.PUBLISHER})
KEEPERS = frozenset({Role.ADMINISTRATOR})


def may(user: User, act: Act, sheet: Sheet, *, on: date) -> bool:
    """Whether somebody may do this with a sheet on a day.

    Who rated a sheet does not check it.
    """
    held = offices(user, on=on)
    if act is Act.RATE:
        department = sheet.measure.department
        slug = department.slug if department else ""
        return any(role in RATERS and (not slugs or slug in slugs) for role, slugs in held)
    if act is Act.CHECK and sheet.steps.filter(act=Act.RATE, by=user).exists():
        return False
    return any(role in KEEPERS for role, _ in held)


def keeps(roles: Collection[Role]) -> bool:
    """Whether one of the roles may keep plans, and read what residents say of them."""
    return not KEEPERS.isdisjoint(roles)


def may_keep(user: User, *, on: date) -> bool:
    """Whether somebody may write plans, targets and figures."""
    return keeps([role for role, _ in offices(user, on=on)])
