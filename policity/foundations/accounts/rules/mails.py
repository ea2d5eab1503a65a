"""Which mails staff get about accounts. Pure."""

from enum import StrEnum


class About(StrEnum):
    """What a mail to somebody of the staff is about."""

    LINK = "link"
    """A one-time link that opens their account."""
    GLASS = "glass"
    """The sealed account was opened."""
    KEYS = "keys"
    """Their own keys were changed."""
    DAY = "day"
    """How the system stands, each morning."""
