"""What an engine that speaks to a gateway is given, and what it says of it. Pure.

An engine (SMTP, web push) works on one message at a time for many people. It never sees the
database: it takes items from a desk, notes what it begins and every answer there, and goes on.
What was begun and has no answer when a process dies is in doubt, and nothing else is.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from policity.foundations.delivery.formats.webpush import Options


class Result(IntEnum):
    """What a gateway's answer means for one item.

    HANDED: the gateway took it. LATER: a temporary failure, to be tried again. FAILED: final.
    GONE: final, and the address will never work again. DOUBT: it was sent, and no answer came.
    """

    HANDED = 1
    LATER = 2
    FAILED = 3
    GONE = 4
    DOUBT = 5


class Item(NamedTuple):
    """One message for one person on one channel.

    `claim` and `attempt` name the batch in our hands, `person` the person in it: together they
    are what an answer is about. `to` is the address (mail) or the endpoint (push). `pieces` are
    the whole message, ready for the channel; what many items share is one object in all of them,
    and so travels once. What a channel needs besides: `message` (mail: who
    complains about it names it), `keys` (push: the subscription's p256dh and auth, as bytes) and
    `options` (push: how the service shall treat it). `mark` is what the counterfoil knows it by.
    """

    claim: int
    attempt: int
    person: int
    to: str
    pieces: tuple[bytes, ...]
    message: int = 0
    keys: tuple[bytes, ...] = ()
    options: "Options | None" = None
    mark: str = ""


class Answer(NamedTuple):
    """What a gateway said of one item. `code` is SMTP's or HTTP's (0: none came), `text` a line."""

    item: Item
    result: Result
    code: int = 0
    text: str = ""


class Desk(Protocol):
    """Between an engine and the rest."""

    def take(self, limit: int) -> Sequence[Item]:
        """Up to `limit` items to begin now, none when there is nothing or it is time to stop."""
        ...

    def note(self, answers: Sequence[Answer], begun: Sequence[Item]) -> None:
        """Append answers and beginnings to the hand log, in this order, with one write.

        When it returns they outlive this process. To be called before anything of `begun` is
        sent, and before a connection whose answer this is gets its next item.
        """
        ...

    def wait(self, seconds: float) -> bool:
        """Rest until there may be something to take. False: the engine shall end."""
        ...
