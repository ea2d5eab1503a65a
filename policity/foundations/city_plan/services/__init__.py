from policity.foundations.city_plan.services.drawing import (
    Entry,
    PlanRefused,
    draw,
    record,
    set_target,
)
from policity.foundations.city_plan.services.evaluating import (
    WORDS,
    act,
    asked,
    asked_by,
    open_year,
)
from policity.foundations.city_plan.services.importing import Taken, look, take_over
from policity.foundations.city_plan.services.metering import keep_next
from policity.foundations.city_plan.services.reminding import remind, set_deadlines

__all__ = [
    "WORDS",
    "Entry",
    "PlanRefused",
    "Taken",
    "act",
    "asked",
    "asked_by",
    "draw",
    "keep_next",
    "look",
    "open_year",
    "record",
    "remind",
    "set_deadlines",
    "set_target",
    "take_over",
]
