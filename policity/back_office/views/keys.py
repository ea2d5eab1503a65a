"""Setting up one's own keys, and looking after them: one's own page.

Whoever has given a password and has no key yet comes here, and nowhere else, until they have one.
"""

from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policity.back_office.forms import PasswordForm
from policity.back_office.presenters import people as present
from policity.back_office.presenters.frame import city_name
from policity.back_office.views.frame import address, page
from policity.back_office.views.sign_in import come_in, credential
from policity.foundations.accounts.models import User
from policity.foundations.accounts.rules.entering import How, grouped
from policity.foundations.accounts.rules.limits import limits
from policity.foundations.accounts.services import entering, keys, staff

_SECRET, _CODES, _AFTER = "app_secret", "codes", "after_codes"
AGAIN = "確かめのため、もう一度サインインしてください。それから、続けられます。"


class Owner(NamedTuple):
    """Whose keys are looked after; `kept` is set for somebody who is not in yet."""

    user: User
    kept: dict[str, str] | None


def _owner(request: HttpRequest) -> Owner | HttpResponse:
    """Who may change keys here: whoever came in just now, or is about to and has none."""
    now = timezone.now()
    if request.user.is_authenticated:
        note = entering.note_of(request.session)
        if note is not None and note.how is not How.GLASS and note.fresh(now, limits()):
            return Owner(entering.user_of(request), None)
        entering.forget(request)
        messages.info(request, AGAIN)
        return redirect_to_login(reverse("back_office:me"))
    owed = entering.pending(request, now=now)
    if owed is None:
        return redirect("back_office:sign_in")
    if keys.has_keys(owed[0]):
        return redirect("back_office:second_step")
    return Owner(owed[0], dict(owed[1]))


def _frame(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    """With the menu for who is in, without for who is not yet."""
    if request.user.is_authenticated:
        return page(request, name, context)
    return render(request, f"back_office/{name}.html", context)


@login_not_required
@never_cache
@require_safe
def set_up(request: HttpRequest) -> HttpResponse:
    """What a second factor is, and which there are."""
    owner = _owner(request)
    if isinstance(owner, HttpResponse):
        return owner
    return _frame(request, "set_up", {"who": owner.user})


@login_not_required
@never_cache
@require_POST
def ask_new_passkey(request: HttpRequest) -> HttpResponse:
    """What the browser is asked to make, for the script that asks it."""
    owner = _owner(request)
    if isinstance(owner, HttpResponse):
        return JsonResponse({}, status=403)
    return JsonResponse(keys.passkey_wanted(owner.user))


@login_not_required
@never_cache
@require_POST
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Keep the passkey that was made."""
    owner = _owner(request)
    if isinstance(owner, HttpResponse):
        return owner
    name = request.POST.get("name", "")[: keys.LONGEST_NAME]
    try:
        codes = keys.add_passkey(credential(request), name=name, by=owner.user, now=timezone.now())
        return _added(request, owner, codes, how=How.PASSKEY)
    except (keys.KeyRefused, entering.EntryRefused) as error:
        return _frame(request, "set_up", {"who": owner.user, "fault": str(error)})


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def add_app(request: HttpRequest) -> HttpResponse:
    """An application that gives codes: a picture to scan, or a key to type; then its first code."""
    owner = _owner(request)
    if isinstance(owner, HttpResponse):
        return owner
    secret = request.session.get(_SECRET)
    if secret is None or request.method == "GET":
        secret = request.session[_SECRET] = keys.new_secret()
    fault = ""
    if request.method == "POST":
        code = request.POST.get("code", "")[:20]
        try:
            codes = keys.add_codes(secret, code, by=owner.user, now=timezone.now())
            del request.session[_SECRET]
            return _added(request, owner, codes, how=How.CODE)
        except (keys.KeyRefused, entering.EntryRefused) as error:
            fault = str(error)
    scanned = keys.address_of(secret, user=owner.user, city=city_name())
    context = {
        "picture": present.picture(scanned, "認証アプリで読み取るコード"),
        "secret": grouped(secret),
        "fault": fault,
        "who": owner.user,
    }
    return _frame(request, "add_app", context)


def _added(request: HttpRequest, owner: Owner, codes: tuple[str, ...], *, how: How) -> HttpResponse:
    """Somebody who was not in yet comes in; new recovery codes are shown, once."""
    kept = owner.kept
    if kept is not None:
        after = come_in(request, owner.user, how=how, **kept)
        request.session[_AFTER] = after["Location"]
    if codes:
        request.session[_CODES] = keys.Adapter().encrypt(" ".join(codes))
        return redirect("back_office:recovery_codes")
    messages.success(request, "新しいキーを足しました。")
    return redirect("back_office:me")


@never_cache
@require_http_methods(["GET", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Codes to print, shown until whoever has them says so."""
    sealed = request.session.get(_CODES)
    if request.method == "POST" or sealed is None:
        request.session.pop(_CODES, None)
        return redirect(request.session.pop(_AFTER, None) or reverse("back_office:me"))
    codes = keys.Adapter().decrypt(sealed).split()
    context = {"codes": [f"{code[:4]} {code[4:]}" for code in codes], "page": "me"}
    return page(request, "recovery_codes", context)


@never_cache
@require_POST
def new_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; those from before open nothing any more."""
    owner = _owner(request)
    if isinstance(owner, HttpResponse):
        return owner
    if keys.has_keys(owner.user):
        codes = keys.new_recovery_codes(by=owner.user, now=timezone.now())
        request.session[_CODES] = keys.Adapter().encrypt(" ".join(codes))
    return redirect("back_office:recovery_codes")


@never_cache
@require_POST
def remove_key(request: HttpRequest, key: int) -> HttpResponse:
    """Take one away."""
    owner = _owner(request)
    if isinstance(owner, HttpResponse):
        return owner
    user = owner.user
    try:
        must = not entering.may_do_without(user)
        keys.remove_key(key, by=user, must_have=must, now=timezone.now())
        messages.success(request, "キーを消しました。")
    except keys.KeyRefused as error:
        messages.error(request, str(error))
    return redirect("back_office:me")


@never_cache
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """One's own keys, password and sessions."""
    return _me(request)


def _me(request: HttpRequest, *, faults: list[str] | None = None) -> HttpResponse:
    user, now = entering.user_of(request), timezone.now()
    note = entering.note_of(request.session)
    context = {
        "keys": keys.keys_of(user),
        "sessions": present.sessions(user, request.session.session_key, now=now),
        "how": present.HOW[note.how] if note else "",
        "faults": faults or [],
        "has_password": user.has_usable_password(),
    }
    return page(request, "me", context, status=400 if faults else 200)


@never_cache
@sensitive_post_parameters()
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password; other sessions end."""
    user = entering.user_of(request)
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _me(request, faults=form.faults)
    now, said = timezone.now(), form.cleaned_data
    try:
        entering.identify(
            request, username=user.username, password=said["old"], address=address(request), now=now
        )
        staff.set_password(
            said["password"], user=user, by=user, now=now, but=request.session.session_key or ""
        )
    except entering.MustWait as error:
        return _me(request, faults=[str(error)])
    except entering.EntryRefused:
        return _me(request, faults=["いまのパスワードがちがいます。"])
    except ValidationError as error:
        return _me(request, faults=list(error.messages))
    entering.keep(request, user)
    messages.success(request, "パスワードを変えました。ほかの端末では、サインアウトしました。")
    return redirect("back_office:me")


@never_cache
@require_POST
def end_session(request: HttpRequest, session: int) -> HttpResponse:
    """End one of one's own sessions, on another device."""
    user, now = entering.user_of(request), timezone.now()
    if entering.end_sessions(user, by=user, now=now, only=session):
        messages.success(request, "その端末では、サインアウトしました。")
    return redirect("back_office:me")
