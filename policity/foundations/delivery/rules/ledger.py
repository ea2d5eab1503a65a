"""The reach ledger: what is known of one person on one channel, and of a person over all. Pure."""

from collections.abc import Mapping
from enum import IntEnum


class State(IntEnum):
    """How far a message came with a person. The larger, the further.

    Of a person over several channels the furthest counts: what one channel could not do another
    did. WITHDRAWN was taken back before it was handed over; UNREACHABLE has no usable channel.
    """

    UNREACHABLE = 0
    WITHDRAWN = 1
    FAILED = 2
    QUEUED = 3
    HANDED = 4
    DELIVERED = 5
    SEEN = 6
    CONFIRMED = 7

    @property
    def word(self) -> str:
        """As commands and the board's data name it."""
        return self.name.lower()


NO_CHANNEL = "none"
"""The channel of a person who has none: so that everybody has a row, and sums hold."""

PROVES: Mapping[str, Mapping[State, str]] = {
    "mail": {
        State.HANDED: "250 of the receiving server (RFC 5321)",
        State.DELIVERED: "a delivery status notification that says delivered (RFC 3464)",
        State.FAILED: "5xx, or a delivery status notification that says failed",
        State.SEEN: "its reader pressed the button; never a picture that was loaded",
        State.CONFIRMED: "its reader answered",
    },
    "push": {
        State.HANDED: "201 of the push service (RFC 8030)",
        State.FAILED: "404 or 410 (gone), or another refusal",
        State.SEEN: "its reader pressed the button",
        State.CONFIRMED: "its reader answered",
    },
    NO_CHANNEL: {},
}
"""Which channel can prove which state, and by what. Nothing else may claim it."""

# What each state may become. A gateway's "taken" is a fact even where the row was withdrawn
# meanwhile, so that the correction goes there too; an answer of a person is never undone.
_NEXT: Mapping[State, frozenset[State]] = {
    State.UNREACHABLE: frozenset(),
    State.WITHDRAWN: frozenset({State.HANDED, State.SEEN, State.CONFIRMED}),
    State.FAILED: frozenset({State.SEEN, State.CONFIRMED}),
    State.QUEUED: frozenset(State) - {State.QUEUED},
    State.HANDED: frozenset({State.DELIVERED, State.FAILED, State.SEEN, State.CONFIRMED}),
    State.DELIVERED: frozenset({State.SEEN, State.CONFIRMED}),
    State.SEEN: frozenset({State.CONFIRMED}),
    State.CONFIRMED: frozenset(),
}


def befores(state: State) -> tuple[State, ...]:
    """The states that may become this one."""
    return tuple(before for before, after in _NEXT.items() if state in after)


IN_DOUBT = "送信の途中で止まり、届いたか分かりません"
GIVEN_UP = "相手のサーバーが受け取れないままです"
NO_ADDRESS = "アドレスがなくなりました"
TRIES = 24


def resends(severity_rank: int) -> bool:
    """Whether what is in doubt is sent once more: from severe up two are better than none."""
    return severity_rank >= 3


# Up to so many dead addresses at once are nothing strange, whatever their share.
FEW_DEAD = 20


def believable(dead: int, answers: int) -> bool:
    """Whether so many dead addresses among so many answers are the addresses' fault.

    A gateway that is set up wrongly refuses everybody, and often in the words that others keep
    for users that do not exist ("550 relay not permitted"). A whole city must not be forgotten
    for it.
    """
    return dead <= FEW_DEAD or dead * 2 <= answers
