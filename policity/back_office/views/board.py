"""What staff see first: the board, and what waits for approval on it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from policity.back_office.forms import ChoiceForm
from policity.back_office.presenters.board import board as present_board
from policity.back_office.presenters.frame import clock
from policity.back_office.presenters.live import alike, panes
from policity.back_office.views.frame import held, page, require
from policity.foundations.accounts.policies import Act, here, may
from policity.foundations.delivery import services as delivery


@require_safe
@never_cache
def board(request: HttpRequest) -> HttpResponse:
    """What is in force, whom it reached, what has to be decided, and how fast all that was."""
    now = timezone.now()
    if not here(Act.SEE_BOARD):
        first = "crossings" if may(held(request), Act.SEE_CROSSINGS) else "me"
        return redirect(f"back_office:{first}")
    if not may(held(request), Act.SEE_BOARD) and may(held(request), Act.SEE_PLAN):
        return redirect("back_office:plan")
    require(request, Act.SEE_BOARD)
    chosen = ChoiceForm.read(request.GET)
    try:
        shown = present_board(now=now, message=chosen)
    except LookupError as error:
        raise Http404 from error
    context = {
        "panes": panes(shown, alike(held(request))),
        "chosen": chosen,
        "clock": clock(now),
    }
    return page(request, "board", context)


@require_POST
def approve(request: HttpRequest, message: int) -> HttpResponse:
    """Let a message that waits go out."""
    user = require(request, Act.APPROVE)
    try:
        delivery.approve(message=message, by=user, now=timezone.now())
    except delivery.NotAwaitingError as error:
        messages.error(request, str(error))
    return redirect("back_office:board")
