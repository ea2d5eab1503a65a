"""Calls for comments on a plan: written, opened, closed, extended, answered."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.comments import CallForm, ExtendForm, ReasonForm
from policity.back_office.presenters import comments as present
from policity.back_office.views.comments import desk_of
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act
from policity.foundations.city_plan import services
from policity.foundations.city_plan.models import Plan
from policity.foundations.city_plan.queries import comments as queries
from policity.foundations.city_plan.rules.commenting import Stage


@require_safe
@never_cache
def calls(request: HttpRequest) -> HttpResponse:
    """Every call, the newest first."""
    require(request, Act.KEEP_PLAN)
    rows = [present.call(view) for view in queries.calls(public=False)]
    return page(request, "calls", {"calls": rows})


@require_http_methods(["GET", "POST"])
@never_cache
def write(request: HttpRequest, call: int | None = None) -> HttpResponse:
    """A new call, or one that there is; of one that has a page its texts alone."""
    user = require(request, Act.KEEP_PLAN)
    view = _found(call) if call else None
    initial = CallForm.initial_of(view) if view else {}
    is_draft = view is None or view.stage is Stage.DRAFT
    sent = request.POST.copy() if request.method == "POST" else None
    if sent is not None and not is_draft:
        sent.update({name: str(initial[name]) for name in ("about", "first_day", "last_day")})
    form = CallForm(sent, plans=list(Plan.objects.order_by("-first_year", "pk")), initial=initial)
    faults, seen = form.faults, request.POST.get("seen", view.revision if view else 0)
    if form.is_valid():
        try:
            number = _kept(form, view, user, timezone.now())
        except services.PlanRefused as error:
            faults = str(error).split("\n")
            seen = view.revision if view and isinstance(error, services.MovedOn) else seen
        else:
            messages.success(request, "保存しました。")
            return redirect("back_office:call", number)
    context = {
        "form": form, "faults": faults, "view": view, "is_draft": is_draft,
        "seen": seen, "page": "calls",
    }  # fmt: skip
    return page(request, "call_form", context, status=400 if faults else 200)


def _kept(form: CallForm, view: queries.CallView | None, user: User, now: datetime) -> int:
    if view is None:
        return services.draft_call(draft=form.draft, by=user, now=now).pk
    seen = form.cleaned_data["seen"] or 0
    services.change_call(call=view.id, draft=form.draft, seen=seen, by=user, now=now)
    return view.id


def _pressed(
    verb: Callable[..., None], done: str, asks: type[ReasonForm] | None = None
) -> Callable[..., HttpResponse]:
    """A button about a call, with what it asks for: done, said, and back to the call.

    What is wrong is said there, with what was typed.
    """

    @require_http_methods(["GET", "POST"])
    @never_cache
    @wraps(verb)
    def answer(request: HttpRequest, call: int) -> HttpResponse:
        user, faults = require(request, Act.KEEP_PLAN), list[str]()
        _found(call)
        if request.method == "GET":
            return redirect("back_office:call", call)
        form = asks(request.POST) if asks else None
        said: dict[str, Any] = {}
        if form and form.is_valid():
            said = form.cleaned_data
        elif form:
            faults = form.faults
        if not faults:
            try:
                verb(call=call, **said, by=user, now=timezone.now())
            except services.PlanRefused as error:
                faults = str(error).split("\n")
        if not faults:
            messages.success(request, done)
            return redirect("back_office:call", call)
        return desk_of(request, call, faults, typed=request.POST)

    return answer


announce = _pressed(services.announce, "公開しました。市民のページに出ます。")
close = _pressed(services.close, "受け付けを終わりにしました。", ReasonForm)
extend = _pressed(services.extend, "終わりの日を変えました。", ExtendForm)
publish = _pressed(services.publish_answers, "結果を公開しました。市民のページに出ます。")
take_back = _pressed(services.take_answers_back, "結果の公開をやめました。", ReasonForm)


def _found(call: int) -> queries.CallView:
    """The call of a number. Raises Http404."""
    view = queries.call(call, public=False)
    if view is None:
        raise Http404
    return view
