"""An older site taken over at the desk: begun, watched, stopped, undone."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.foundations.accounts.models import User
from policity.foundations.work.queries import progress
from policity.public_site import policies, queries
from policity.public_site.forms import TakeoverForm
from policity.public_site.models import TakenOver
from policity.public_site.queries import TakeoverView
from policity.public_site.rules.older import SAID
from policity.public_site.services import importing
from policity.public_site.services.importing import TakeoverRefused
from policity.public_site.views.reports import mine


@require_http_methods(["GET", "POST"])
@never_cache
def takeovers(request: HttpRequest) -> HttpResponse:
    """Those that there were, and a form for the next."""
    user = cast(User, request.user)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = TakeoverForm(*sent, user=user)
    if form.is_valid():
        try:
            row = importing.ask(**form.cleaned_data, by=user, now=timezone.now())
        except TakeoverRefused as error:
            form.add_error("file" if form.cleaned_data["file"] else "address", str(error))
        else:
            return redirect("takeover", row.pk)
    context = {"form": form, "takeovers": queries.takeovers(policies.takeovers(user))}
    return _page(request, "takeovers", context, status=400 if form.errors else 200)


@require_safe
@never_cache
def takeover(request: HttpRequest, number: int) -> HttpResponse:
    """One of them: how far it is, and what it came to."""
    found = _found(request, number)
    context = {
        "one": found,
        "how_far": progress(importing.KIND, importing.key(number)),
        "needs": [(need.value, *SAID[need], count) for need, count in queries.needs(number)],
    }
    return _page(request, "takeover", context)


def _pressed(verb: Callable[..., None], done: str) -> Callable[..., HttpResponse]:
    """A button about one of them: done, said, and back to it."""

    @require_http_methods(["GET", "POST"])
    @never_cache
    def answer(request: HttpRequest, number: int) -> HttpResponse:
        _found(request, number)
        if request.method == "POST":
            try:
                verb(takeover=number, by=cast(User, request.user), now=timezone.now())
            except TakeoverRefused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
        return redirect("takeover", number)

    return answer


stop = _pressed(importing.stop, "止めます。いまのページが終わると、止まります。")
go_on = _pressed(importing.go_on, "続きを進めます。")
undo = _pressed(importing.undo, "取り消しています。だれかが直したページは、残ります。")


@require_http_methods(["GET", "POST"])
@never_cache
def looked(request: HttpRequest, number: int) -> HttpResponse:
    """Somebody looked at a page that came in; pressed again, nobody did."""
    row = get_object_or_404(TakenOver.objects.filter(mine(request.user)), pk=number)
    if request.method == "POST":
        user = cast(User, request.user)
        importing.look_at(row=row, looked=row.looked_at is None, by=user, now=timezone.now())
    narrowed = QueryDict(request.POST.get("narrowed", "")).urlencode()
    return HttpResponseRedirect(f"{reverse('taken_over')}?{narrowed}#taken-{number}")


def _found(request: HttpRequest, number: int) -> TakeoverView:
    """Raises Http404."""
    rows = policies.takeovers(cast(User, request.user)).filter(pk=number)
    found = queries.takeovers(rows)
    if not found:
        raise Http404
    return found[0]


def _page(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    return render(request, f"public_site/{name}.html", context, status=status)
