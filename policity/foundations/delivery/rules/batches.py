"""What the work of a dispatch is called: expansion, and batches of rows for a channel. Pure."""

from dataclasses import dataclass

EXPAND = "expand"
CHUNK = 4000
"""Persons whose rows are written in one transaction: under 50 ms beside readers."""
SIZE = 1000
"""Rows in a batch: what one claim covers, and one query loads."""


def send_kind(channel: str) -> str:
    """The kind of a channel's batches."""
    return f"send-{channel}"


def prefix(message: int) -> str:
    """How the key of every work item of a message begins."""
    return f"{message}:"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a message on a channel, from one person to another, that are held alike.

    `hold` is the minute of the day at which their quiet hours end, 0 where they have none.
    """

    message: int
    channel: str
    hold: int
    first: int
    last: int

    @property
    def key(self) -> str:
        """The work item's key."""
        return f"{self.message}:{self.channel}:{self.hold}:{self.first}:{self.last}"

    @classmethod
    def read(cls, key: str) -> "Batch":
        """What `key` gave."""
        message, channel, hold, first, last = key.split(":")
        return cls(int(message), channel, int(hold), int(first), int(last))
