"""Whose turn on a sheet somebody may take."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.queries import holding, offices
from policity.foundations.city_plan.models import Measure, Sheet, Step
from policity.foundations.city_plan.rules.cycle import FORWARD, Act, Turn

TAKERS: Mapping[Act, frozenset[Role]] = {
    # Of the departments that a grant names.
    Act.RATE: frozenset({Role.EDITOR, Role.PUBLISHER}),
    Act.CHECK: frozenset({Role.PLANNER}),
    Act.RETURN: frozenset({Role.PLANNER}),
    Act.REVIEW: frozenset({Role.ASSESSOR}),
    Act.HEAR: frozenset({Role.PLANNER}),
    Act.DECIDE: frozenset({Role.STEERING}),
    Act.PUBLISH: frozenset({Role.PLANNER}),
}
# Nobody judges what they rated themselves.
JUDGING = frozenset({Act.CHECK, Act.REVIEW, Act.DECIDE})


def takes(role: Role, departments: frozenset[str], act: Act, slug: str) -> bool:
    """Whether a role, held for departments by slug (none: all), takes an act of one's sheets."""
    if role not in TAKERS[act]:
        return False
    return act is not Act.RATE or not departments or slug in departments


def may(user: User, act: Act, sheet: Sheet, *, on: date) -> bool:
    """Whether somebody may do this with a sheet on a day."""
    if act in JUDGING and sheet.steps.filter(act=Act.RATE, by=user).exists():
        return False
    slug = slug_of(sheet.measure)
    return any(takes(role, slugs, act, slug) for role, slugs in offices(user, on=on))


def holders(sheets: Sequence[Sheet], *, on: date) -> dict[int, frozenset[int]]:
    """Who may lead each sheet on, on a day: users by the sheet's number. Two queries.

    The sheets come with their measures and departments.
    """
    held = holding(frozenset[Role]().union(*TAKERS.values()), on=on)
    raters: dict[int, set[int]] = defaultdict(set)
    steps = Step.objects.filter(sheet__in=sheets, act=Act.RATE)
    for sheet, user in steps.values_list("sheet_id", "by_id"):
        raters[sheet].add(user)
    found: dict[int, frozenset[int]] = {}
    for one in sheets:
        act, slug = FORWARD.get(Turn(one.turn)), slug_of(one.measure)
        users = {user for user, role, slugs in held if act and takes(role, slugs, act, slug)}
        found[one.pk] = frozenset(users - raters[one.pk] if act in JUDGING else users)
    return found


def may_record(user: User, measure: Measure, sheet: Sheet | None, *, on: date) -> bool:
    """Whether somebody may bring figures of a year: the planner, or whose turn it is to rate."""
    held = offices(user, on=on)
    if any(role is Role.PLANNER for role, _ in held):
        return True
    if sheet is None or sheet.turn != Turn.DEPARTMENT:
        return False
    return any(takes(role, slugs, Act.RATE, slug_of(measure)) for role, slugs in held)


def slug_of(measure: Measure) -> str:
    """A measure's department as grants name it; empty where it is the whole city's."""
    return measure.department.slug if measure.department else ""
