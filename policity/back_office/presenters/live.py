"""The board in panes, each rendered alone: the page has all, a tick those that have changed."""

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from policity.back_office.presenters.board import Board
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.policies import Act, may

# In the order of the page. A pane with nothing to say is empty.
PANES = (
    "headline", "troubles", "decide", "force", "sending", "map", "towns", "ways", "curve", "ages",
    "rest", "earlier", "drills", "told",
)  # fmt: skip
# What makes the board of one person differ from that of another: nothing else does.
MATTERS = frozenset(
    {Act.SEE_TO_ALARMS, Act.APPROVE, Act.READ_CHRONOLOGY, Act.RUN_DRILLS, Act.SEE_OUTBOX}
)


def panes(board: Board, acts: frozenset[str]) -> Mapping[str, SafeString]:
    """HTML by the name of the pane, for everybody who may do the same."""
    context = {"board": board, "reach": board.reach, "may": acts}
    return {name: render_to_string(f"back_office/board/{name}.html", context) for name in PANES}


def alike(held: frozenset[Role]) -> frozenset[str]:
    """Of what these roles may do, what their board depends on."""
    return frozenset(act.value for act in MATTERS if may(held, act))
