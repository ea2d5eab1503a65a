"""Who may do what in the back office."""

from enum import StrEnum

from policity.foundations.accounts.models import Role


class Act(StrEnum):
    """What a member of staff may or may not do."""

    SEE_BOARD = "see_board"
    SEE_TO_ALARMS = "see_to_alarms"
    APPROVE = "approve"
    SEE_OUTBOX = "see_outbox"


MAY: dict[Act, frozenset[Role]] = {
    Act.SEE_BOARD: frozenset({Role.ADMINISTRATOR, Role.DUTY_OFFICER, Role.EDITOR}),
    # Who called for help, and where they are called back, is for those on duty alone.
    Act.SEE_TO_ALARMS: frozenset({Role.DUTY_OFFICER}),
    Act.APPROVE: frozenset({Role.DUTY_OFFICER}),
    # Mails that were kept instead of sent hold addresses and personal links.
    Act.SEE_OUTBOX: frozenset({Role.ADMINISTRATOR}),
}


def may(roles: frozenset[Role], act: Act) -> bool:
    """Whether one of the roles allows the act."""
    return not roles.isdisjoint(MAY[act])
