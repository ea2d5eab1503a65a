"""What staff see first: the board."""

from typing import cast

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.forms import SignInForm
from policity.back_office.presenters import board as present_board
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles


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
    """What is in force, what was published and how fast. Read-only."""
    now = timezone.now()
    user = cast(User, request.user)
    if not may(roles(user, on=timezone.localdate(now)), Act.SEE_BOARD):
        raise PermissionDenied
    return render(request, "back_office/board.html", {"board": present_board(now=now)})
