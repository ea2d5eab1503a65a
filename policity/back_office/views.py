"""What staff see first: the board."""

from collections.abc import Mapping
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from policity.back_office.forms import OutcomeForm, SignInForm
from policity.back_office.presenters import alarms as present_alarms
from policity.back_office.presenters import board as present_board
from policity.back_office.presenters import city_name, kept_mails, read_mail
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.delivery import services as delivery


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Sign-in for staff. Who is signed in already goes on to the board."""

    template_name = "back_office/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Sign-out, by POST."""


@require_safe
@never_cache
def board(request: HttpRequest) -> HttpResponse:
    """What is in force, whom it reached, what has to be decided, and how fast all that was."""
    now = timezone.now()
    _require(request, Act.SEE_BOARD)
    return _page(request, "board", {"board": present_board(now=now)})


@require_safe
@never_cache
def alarms(request: HttpRequest) -> HttpResponse:
    """Who needs help and is not yet seen to."""
    _require(request, Act.SEE_TO_ALARMS)
    return _page(request, "alarms", {"alarms": present_alarms(now=timezone.now())})


@require_POST
def take_alarm(request: HttpRequest, alarm: int) -> HttpResponse:
    """The one who presses it sees to it."""
    _require(request, Act.SEE_TO_ALARMS)
    try:
        delivery.own_alarm(alarm=alarm, by=cast(User, request.user), now=timezone.now())
    except delivery.NotOpenError as error:
        messages.error(request, str(error))
    return redirect("back_office:alarms")


@require_POST
def close_alarm(request: HttpRequest, alarm: int) -> HttpResponse:
    """It is seen to; how, in a few words."""
    _require(request, Act.SEE_TO_ALARMS)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "どうなったかを、短く入れてください。")
        return redirect("back_office:alarms")
    try:
        delivery.close_alarm(
            alarm=alarm,
            outcome=form.cleaned_data["outcome"],
            by=cast(User, request.user),
            now=timezone.now(),
        )
    except delivery.NotOpenError as error:
        messages.error(request, str(error))
    return redirect("back_office:alarms")


@require_POST
def approve(request: HttpRequest, message: int) -> HttpResponse:
    """Let a message that waits go out."""
    _require(request, Act.APPROVE)
    try:
        delivery.approve(message=message, by=cast(User, request.user), now=timezone.now())
    except delivery.NotAwaitingError as error:
        messages.error(request, str(error))
    return redirect("back_office:board")


@require_safe
@never_cache
def outbox(request: HttpRequest) -> HttpResponse:
    """Mails that were kept in the home, because no mail server is set."""
    _require(request, Act.SEE_OUTBOX)
    return _page(request, "outbox", {"outbox": kept_mails()})


@require_safe
@never_cache
def kept_mail(request: HttpRequest, name: str) -> HttpResponse:
    """One of them, as its reader would see it."""
    _require(request, Act.SEE_OUTBOX)
    try:
        mail = read_mail(name)
    except LookupError as error:
        raise Http404 from error
    return _page(request, "mail", {"mail": mail})


def _page(request: HttpRequest, name: str, context: Mapping[str, object]) -> HttpResponse:
    """A page with the menu of what this person may see."""
    held = _roles(request)
    menu = {
        "page": name,
        "may": frozenset(act.value for act in Act if may(held, act)),
        "city_name": city_name(),
    }
    return render(request, f"back_office/{name}.html", {**menu, **context})


def _roles(request: HttpRequest) -> frozenset[Role]:
    return roles(cast(User, request.user), on=timezone.localdate())


def _require(request: HttpRequest, act: Act) -> None:
    if not may(_roles(request), act):
        raise PermissionDenied
