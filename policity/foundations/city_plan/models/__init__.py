"""A plan with its figures and each year's sheets, and what residents say of it."""

from policity.foundations.city_plan.models.comments import Call, Comment, CommentGroup
from policity.foundations.city_plan.models.plans import (
    Facet,
    Indicator,
    Kept,
    KeptQuerySet,
    Measure,
    Plan,
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
    "Facet",
    "Indicator",
    "Kept",
    "KeptQuerySet",
    "Measure",
    "Plan",
    "Serving",
    "Sheet",
    "Snapshot",
    "Step",
    "Target",
    "Value",
]
