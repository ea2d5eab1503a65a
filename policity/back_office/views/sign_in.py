"""How staff come in and go. Nothing that somebody typed is lost to a session that ended.

Nobody is signed in between the first factor and the second: the session only remembers who has
given one (`entering.begin`), with where they go and what they had typed.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from policity.back_office.forms import SignInForm, WelcomeForm
from policity.back_office.views.frame import address
from policity.foundations.accounts import sources
from policity.foundations.accounts.models import User
from policity.foundations.accounts.rules.entering import How
from policity.foundations.accounts.services import entering, glass, keys, staff

_View = Callable[..., HttpResponse]
_KEPT = "kept"
# More than any of our forms; what a stranger sends is not carried along without end.
_LONGEST = 50_000
BOARD = "back_office:board"


def gate(
    request: HttpRequest,
    *,
    goes_to: str,
    kept: str = "",
    name: str = "",
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page that asks to sign in."""
    context = {
        "next": goes_to,
        "kept": kept[:_LONGEST],
        "name": name,
        "fault": fault,
        "demo": settings.DEMO or settings.DRILL,
        "provider": bool(settings.OIDC),
    }
    return render(request, "back_office/sign_in.html", context, status=status)


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Name and password, which lead to the second step. Who is signed in already goes on."""
    if request.user.is_authenticated:
        return redirect(_goes_to(request))
    goes_to, kept = _goes_to(request), _kept(request)
    if request.method == "GET":
        return gate(request, goes_to=goes_to)
    form = SignInForm(request.POST)
    name = request.POST.get("username", "")[:150]
    if not form.is_valid():
        fault = "職員IDとパスワードの両方を入れてください。"
        return gate(request, goes_to=goes_to, kept=kept, name=name, fault=fault)
    now = timezone.now()
    try:
        user = entering.identify(request, address=address(request), now=now, **form.cleaned_data)
        return go_on(request, user, goes_to=goes_to, kept=kept)
    except entering.EntryRefused as error:
        return gate(request, goes_to=goes_to, kept=kept, name=name, fault=str(error))


@login_not_required
@never_cache
@require_POST
def by_passkey(request: HttpRequest) -> HttpResponse:
    """A passkey alone: it stands for both factors, and stays open to who must wait elsewhere."""
    goes_to, kept, now = _goes_to(request), _kept(request), timezone.now()
    try:
        user = keys.prove_passkey(credential(request), user=None, now=now)
        return come_in(request, user, how=How.PASSKEY, goes_to=goes_to, kept=kept)
    except (entering.EntryRefused, keys.KeyRefused) as error:
        return gate(request, goes_to=goes_to, kept=kept, fault=str(error))


@login_not_required
@never_cache
@require_POST
def ask_passkey(request: HttpRequest) -> HttpResponse:
    """What a browser is asked to prove, for the script that asks it."""
    owed = entering.pending(request, now=timezone.now()) if "second" in request.POST else None
    return JsonResponse(keys.passkey_asked(owed[0] if owed else None))


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """The second factor of whoever has given the first."""
    now = timezone.now()
    owed = entering.pending(request, now=now)
    if owed is None:
        return redirect("back_office:sign_in")
    user, kept = owed
    if not keys.has_keys(user):
        return redirect("back_office:set_up")
    fault = ""
    if request.method == "POST":
        try:
            if "credential" in request.POST:
                keys.prove_passkey(credential(request), user=user, now=now)
                how = How.PASSKEY
            else:
                code = request.POST.get("code", "")[:50]
                how = entering.prove_code(code, user=user, address=address(request), now=now)
            return come_in(request, user, how=how, **kept)
        except (entering.EntryRefused, keys.KeyRefused) as error:
            fault = str(error)
    context = {"keys": keys.keys_of(user), "fault": fault, "kept": kept.get("kept"), "who": user}
    return render(request, "back_office/second_step.html", context)


def go_on(request: HttpRequest, user: User, *, goes_to: str, kept: str) -> HttpResponse:
    """Lead somebody with one factor to the second, or to setting one up. Raises EntryRefused."""
    if keys.has_keys(user):
        step = "back_office:second_step"
    elif entering.may_do_without(user):
        return come_in(request, user, how=How.SAMPLE, goes_to=goes_to, kept=kept)
    else:
        step = "back_office:set_up"
    entering.begin(request, user, now=timezone.now(), goes_to=goes_to, kept=kept)
    return redirect(step)


def come_in(request: HttpRequest, user: User, *, how: How, goes_to: str, kept: str) -> HttpResponse:
    """Let somebody in. What they had typed waits for its page. Raises EntryRefused."""
    entering.enter(request, user, how=how, address=address(request), now=timezone.now())
    if kept:
        request.session[_KEPT] = (goes_to, kept)
    return redirect(goes_to)


def credential(request: HttpRequest) -> Mapping[str, Any]:
    """What the browser's key answered. Raises KeyRefused."""
    try:
        said = json.loads(request.POST.get("credential", ""))
    except ValueError as error:
        raise keys.KeyRefused(keys.NOT_READ) from error
    if not isinstance(said, dict):
        raise keys.KeyRefused(keys.NOT_READ)
    return said


# The city's own sign-in (OpenID Connect).


@login_not_required
@never_cache
@require_POST
def to_provider(request: HttpRequest) -> HttpResponse:
    """Off to the city's provider, which sends people back to `from_provider`."""
    if not settings.OIDC:
        raise Http404
    back = request.build_absolute_uri(reverse("back_office:from_provider"))
    request.session["provider"] = {"goes_to": _goes_to(request), "kept": _kept(request)}
    try:
        there = sources.begin(request, back=back)
        # A page, not a redirect: our forms may lead nowhere else (CSP, form-action).
        return render(request, "back_office/going.html", {"there": there})
    except sources.ProviderFailed as error:
        return gate(request, fault=str(error), **request.session.pop("provider"))


@login_not_required
@never_cache
@require_http_methods(["GET"])
def from_provider(request: HttpRequest) -> HttpResponse:
    """Back from it: an account of ours, and the second factor where the provider asked for none."""
    if not settings.OIDC:
        raise Http404
    went = request.session.pop("provider", None) or {"goes_to": reverse(BOARD), "kept": ""}
    try:
        claims = sources.finish(request)
        user = sources.owner(claims)
        if sources.has_second_factor(claims):
            return come_in(request, user, how=How.PROVIDER, **went)
        return go_on(request, user, **went)
    except (sources.ProviderFailed, entering.EntryRefused) as error:
        return gate(request, fault=str(error), **went)


# A link that opens an account, and the envelope.


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """Whoever was given the link sets their password; then their second factor."""
    user = staff.owner_of(number, token)
    if user is None:
        return render(request, "back_office/welcome.html", {"who": None}, status=404)
    form = WelcomeForm(request.POST if request.method == "POST" else None)
    faults: list[str] = []
    if request.method == "POST" and not form.is_valid():
        faults = form.faults
    elif request.method == "POST":
        now = timezone.now()
        try:
            staff.set_password(form.cleaned_data["password"], user=user, by=user, now=now)
        except ValidationError as error:
            faults = list(error.messages)
        else:
            return go_on(request, user, goes_to=reverse(BOARD), kept="")
    return render(request, "back_office/welcome.html", {"who": user, "faults": faults})


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def break_glass(request: HttpRequest) -> HttpResponse:
    """The sealed account: a long code, for a few hours, and everybody in charge is told."""
    fault = ""
    if request.method == "POST":
        now = timezone.now()
        try:
            user, until = glass.break_seal(request.POST.get("code", "")[:100], now=now)
            entering.enter(
                request, user, how=How.GLASS, address=address(request), now=now, until=until
            )
        except entering.EntryRefused as error:
            fault = str(error)
        else:
            messages.success(
                request,
                f"非常用アカウントで入りました。{timezone.localtime(until):%H:%M}まで使えます。"
                "本部と管理者に知らせました。",
            )
            return redirect(BOARD)
    return render(request, "back_office/break_glass.html", {"fault": fault})


class SignOut(LogoutView):
    """Sign-out, by POST."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The session is forgotten where sessions are listed, too."""
        entering.unlist(request.session.session_key)
        return super().post(request, *args, **kwargs)


# What was typed.


def _goes_to(request: HttpRequest) -> str:
    """Where somebody wanted to go, within the staff's pages."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        asked, {request.get_host()}, require_https=request.is_secure()
    )
    return asked if ours and asked.startswith("/") else reverse(BOARD)


def _kept(request: HttpRequest) -> str:
    return request.POST.get(_KEPT, "")[:_LONGEST]


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
        return gate(request, goes_to=here, kept=typed.urlencode())

    return keep


def typed_before(request: HttpRequest) -> QueryDict | None:
    """What somebody had typed into this page's form when their session ended, given once."""
    kept = request.session.get(_KEPT)
    if not kept or kept[0] != request.get_full_path():
        return None
    del request.session[_KEPT]
    return QueryDict(kept[1])
