"""Opening sites, saying how full they are, closing them: by one thumb."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms import CloseAllForm, FindSitesForm, OpeningForm
from policity.back_office.presenters.sites import BUTTONS, open_lines
from policity.back_office.presenters.sites import sites as present_sites
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, where
from policity.foundations.places import services as places

# Who was sent to sign in with a change in hand comes back by GET, to the same address.
SIGNED_IN_AGAIN = (
    "サインインし直したので、さきほどの操作は記録していません。もう一度押してください。"
)


@require_safe
@never_cache
def sites(request: HttpRequest) -> HttpResponse:
    """Every site, or those that were asked for, with how it stands."""
    return _page(request, require(request, Act.OPEN_SITES))


@require_http_methods(["GET", "POST"])
@never_cache
def set_site(request: HttpRequest, site: int) -> HttpResponse:
    """Say how a site stands."""
    user = require(request, Act.OPEN_SITES)
    if request.method == "GET":
        return _page(request, user, fault=(site, SIGNED_IN_AGAIN))
    form = OpeningForm(request.POST)
    if not form.is_valid():
        return _page(request, user, fault=(site, form.fault), status=400)
    try:
        said = places.set_opening(site=site, by=user, now=timezone.now(), **form.said)
    except places.OpeningRefused as error:
        return _page(request, user, fault=(site, str(error)), status=409)
    return _back(request, done=said.pk)


@require_http_methods(["GET", "POST"])
@never_cache
def take_back(request: HttpRequest, site: int, opening: int) -> HttpResponse:
    """Undo what was just said of a site."""
    user = require(request, Act.OPEN_SITES)
    if request.method == "GET":
        return _page(request, user, fault=(site, SIGNED_IN_AGAIN))
    try:
        places.take_back(opening=opening, by=user, now=timezone.now())
    except places.OpeningRefused as error:
        return _page(request, user, fault=(site, str(error)), status=409)
    return _back(request)


@require_http_methods(["GET", "POST"])
@never_cache
def close_sites(request: HttpRequest) -> HttpResponse:
    """Close every site, after a look at which they are."""
    user = require(request, Act.OPEN_SITES)
    if request.method == "POST":
        form = CloseAllForm(request.POST)
        try:
            count = places.close_all(seen=form.seen, by=user, now=timezone.now())
        except places.OpeningRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{count}か所を、すべて閉じました。")
            return redirect("back_office:sites")
    return page(request, "close_sites", {"lines": open_lines(_towns(user)), "page": "sites"})


def _towns(user: User) -> frozenset[str] | None:
    return where(user, Act.OPEN_SITES, on=timezone.localdate())


def _page(
    request: HttpRequest, user: User, *, fault: tuple[int, str] = (0, ""), status: int = 200
) -> HttpResponse:
    site, words = fault
    asked = FindSitesForm(request.GET)
    found = present_sites(**asked.wanted, by=user.pk, keep=site, towns=_towns(user))
    if words and site not in found.ids:
        messages.error(request, words)
    context = {"found": found, "asked": asked, "buttons": BUTTONS, "back": _query(request)}
    context |= {"fault_site": site, "fault": words, "typed": request.POST}
    return page(request, "sites", context, status=status)


def _back(request: HttpRequest, *, done: int = 0) -> HttpResponse:
    """To the list as it was asked for; the browser keeps the place in it."""
    query = _query(request, done=done)
    return redirect(reverse("back_office:sites") + (f"?{query}" if query else ""))


def _query(request: HttpRequest, *, done: int = 0) -> str:
    """What was asked for, so that a change loses neither the search nor the filter."""
    asked = {name: request.GET[name] for name in ("q", "open") if request.GET.get(name)}
    return urlencode(asked | ({"done": str(done)} if done else {}))
