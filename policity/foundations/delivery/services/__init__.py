from policity.foundations.delivery.services.answering import (
    NotOpenError,
    close_alarm,
    escalate,
    own_alarm,
    reply,
    tell_more,
)
from policity.foundations.delivery.services.bouncing import bounce
from policity.foundations.delivery.services.counting import count
from policity.foundations.delivery.services.holding import hold_routine, release_routine
from policity.foundations.delivery.services.telling import (
    NotAwaitingError,
    approve,
    send,
    tell,
    told_by_hand,
    withdraw,
    withdraw_thread,
)

__all__ = [
    "NotAwaitingError",
    "NotOpenError",
    "approve",
    "bounce",
    "close_alarm",
    "count",
    "escalate",
    "hold_routine",
    "own_alarm",
    "release_routine",
    "reply",
    "send",
    "tell",
    "tell_more",
    "told_by_hand",
    "withdraw",
    "withdraw_thread",
]
