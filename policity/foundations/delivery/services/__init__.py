from policity.foundations.delivery.services.answering import (
    NotOpenError,
    close_alarm,
    escalate,
    own_alarm,
    reply,
    tell_more,
)
from policity.foundations.delivery.services.books import to_staff
from policity.foundations.delivery.services.bouncing import bounce
from policity.foundations.delivery.services.counting import count
from policity.foundations.delivery.services.drilling import (
    DrillRefusedError,
    approve_drill,
    marked_as_drill,
    propose_drill,
    withdraw_drill,
)
from policity.foundations.delivery.services.holding import hold_routine, release_routine
from policity.foundations.delivery.services.telling import (
    NotAwaitingError,
    UnsoundDrillError,
    approve,
    send,
    tell,
    told_by_hand,
    withdraw,
    withdraw_person,
    withdraw_thread,
)

__all__ = [
    "DrillRefusedError",
    "NotAwaitingError",
    "NotOpenError",
    "UnsoundDrillError",
    "approve",
    "approve_drill",
    "bounce",
    "close_alarm",
    "count",
    "escalate",
    "hold_routine",
    "marked_as_drill",
    "own_alarm",
    "propose_drill",
    "release_routine",
    "reply",
    "send",
    "tell",
    "tell_more",
    "to_staff",
    "told_by_hand",
    "withdraw",
    "withdraw_drill",
    "withdraw_person",
    "withdraw_thread",
]
