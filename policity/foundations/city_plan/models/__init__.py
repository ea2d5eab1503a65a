"""A plan with its figures and each year's sheets, and what residents say of it."""

from policity.foundations.city_plan.models.comments import Call, Comment, CommentGroup
from policity.foundations.city_plan.models.plans import (
    Deadline,
    Facet,
    Indicator,
    Kept,
    KeptQuerySet,
    Measure,
    Plan,
    Reminder,
    Serving,
    Sheet,
    Snapshot,
    Step,
    Target,
    Value,
)

__all__ = [
    "Call",
    "Comment",
    "CommentGroup",
    "Deadline",
    "Facet",
    "Indicator",
    "Kept",
    "KeptQuerySet",
    "Measure",
    "Plan",
    "Reminder",
    "Serving",
    "Sheet",
    "Snapshot",
    "Step",
    "Target",
    "Value",
]
