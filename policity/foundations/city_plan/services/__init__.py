from policity.foundations.city_plan.services.drawing import (
    Entry,
    PlanRefused,
    draw,
    record,
    set_target,
)
from policity.foundations.city_plan.services.evaluating import act, asked, open_year
from policity.foundations.city_plan.services.importing import Taken, look, take_over
from policity.foundations.city_plan.services.metering import keep_next

__all__ = [
    "Entry",
    "PlanRefused",
    "Taken",
    "act",
    "asked",
    "draw",
    "keep_next",
    "look",
    "open_year",
    "record",
    "set_target",
    "take_over",
]
