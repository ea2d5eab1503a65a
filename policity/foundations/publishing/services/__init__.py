"""The public site as a folder: mark stale, render, verify."""

from policity.foundations.publishing.services.checking import Difference, Verification, verify
from policity.foundations.publishing.services.dense import deepen
from policity.foundations.publishing.services.looking_over import LookOver
from policity.foundations.publishing.services.rendering import (
    RenderReport,
    draw_step,
    ensure_shown,
    render_due,
    render_step,
)
from policity.foundations.publishing.services.stale import mark_stale, rebuild

__all__ = [
    "Difference",
    "LookOver",
    "RenderReport",
    "Verification",
    "deepen",
    "draw_step",
    "ensure_shown",
    "mark_stale",
    "rebuild",
    "render_due",
    "render_step",
    "verify",
]
