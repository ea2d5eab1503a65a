"""Who stands behind a message's persons: residents, or for one kind members of staff.

Both stand in one ledger, so their numbers are apart: staff's begin where residents' never come.
"""

from collections.abc import Collection, Sequence

from policity.foundations.accounts import queries as accounts
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Channel
from policity.foundations.residents.queries import Recipient
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import STAFF
from policity.kit.severity import Severity

STAFF_FROM = 1 << 40
LANGUAGE = "ja"


def to_staff(users: Collection[int]) -> Audience:
    """The audience of some of the staff, by the numbers of their accounts."""
    persons = tuple(sorted(STAFF_FROM + user for user in users))
    return Audience(STAFF, Severity.MINOR, persons=persons)


def channels(
    persons: Sequence[int], *, kind: str, unconfirmed: bool = False
) -> list[tuple[int, str]]:
    """(person, channel) of every usable address of these, ascending; see `residents.channels`."""
    if kind == STAFF:
        return [(person, Channel.MAIL.value) for person in sorted(_mailboxes(persons))]
    return residents.channels(persons, unconfirmed=unconfirmed)


def recipients(
    channel: str, persons: Sequence[int], *, kind: str, unconfirmed: bool = False
) -> list[Recipient]:
    """Where these are reached on a channel. Who has no address is missing. One query."""
    if kind == STAFF:
        found = _mailboxes(persons) if channel == Channel.MAIL else {}
        return [Recipient(one, LANGUAGE, found[one], "", "") for one in sorted(found)]
    return residents.recipients(channel, persons, unconfirmed=unconfirmed)


def _mailboxes(persons: Sequence[int]) -> dict[int, str]:
    found = accounts.mailboxes([person - STAFF_FROM for person in persons])
    return {STAFF_FROM + user: address for user, address in found.items()}
