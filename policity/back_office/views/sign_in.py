"""How staff come in and go. Nothing that somebody typed is lost to a session that ended."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.decorators import method_decorator

from policity.back_office.forms import SignInForm

_View = Callable[..., HttpResponse]
_KEPT = "kept"
# More than any of our forms; what a stranger sends is not carried along without end.
_LONGEST = 50_000


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Sign-in for staff. Who is signed in already goes on to the board."""

    template_name = "back_office/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A wrong password loses nothing either."""
        return super().get_context_data(**kwargs) | {_KEPT: self._kept()}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """What was typed waits for the page that it belongs to."""
        answer = super().form_valid(form)
        if kept := self._kept():
            self.request.session[_KEPT] = (self.get_success_url(), kept)
        return answer

    def _kept(self) -> str:
        return self.request.POST.get(_KEPT, "")[:_LONGEST]


class SignOut(LogoutView):
    """Sign-out, by POST."""


def keeps_typing(view: _View) -> _View:
    """A form's view: whose session has ended signs in, and finds there what they had typed.

    The view asks `typed_before` for it. Nothing is done by it: the form is only filled in again.
    """

    @login_not_required
    @wraps(view)
    def keep(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        here = request.get_full_path()
        if request.method != "POST":
            return redirect_to_login(here)
        typed = request.POST.copy()
        typed.pop("csrfmiddlewaretoken", None)
        context = {"form": SignInForm(request), "next": here, _KEPT: typed.urlencode()[:_LONGEST]}
        return render(request, "back_office/sign_in.html", context)

    return keep


def typed_before(request: HttpRequest) -> QueryDict | None:
    """What somebody had typed into this page's form when their session ended, given once."""
    kept = request.session.get(_KEPT)
    if not kept or kept[0] != request.get_full_path():
        return None
    del request.session[_KEPT]
    return QueryDict(kept[1])
