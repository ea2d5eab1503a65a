"""Who may do what in the back office."""

from enum import StrEnum

from policity.foundations.accounts.models import Role


class Act(StrEnum):
    """What a member of staff may or may not do."""

    SEE_BOARD = "see_board"


MAY: dict[Act, frozenset[Role]] = {
    Act.SEE_BOARD: frozenset({Role.ADMINISTRATOR, Role.DUTY_OFFICER, Role.EDITOR}),
}


def may(roles: frozenset[Role], act: Act) -> bool:
    """Whether one of the roles allows the act."""
    return not roles.isdisjoint(MAY[act])
