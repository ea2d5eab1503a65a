"""Photographs that residents sent: looked at, described, published or not, and taken back."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.charm import DeclineForm, PhotographForm
from policity.back_office.presenters import photographs as present
from policity.back_office.views.frame import page, require
from policity.fields.charm import queries, services
from policity.fields.charm.queries import PhotographView
from policity.fields.charm.rules.photographs import name
from policity.foundations.accounts.policies import Act


@require_safe
@never_cache
def photographs(request: HttpRequest) -> HttpResponse:
    """What somebody said something of, what waits, what is shown, and what was declined."""
    require(request, Act.KEEP_CHARM)
    groups = present.groups(queries.to_moderate())
    return page(request, "photographs", {"groups": groups, "page": "charm"})


@require_http_methods(["GET", "POST"])
@never_cache
def photograph(request: HttpRequest, number: int) -> HttpResponse:
    """One photograph: say better what can be seen and where it was, and publish it."""
    user = require(request, Act.KEEP_CHARM)
    view = _found(number)
    sent = request.POST if request.method == "POST" else None
    form = PhotographForm(sent, spots=queries.spots(), initial=present.initial(view))
    faults = [str(error) for errors in form.errors.values() for error in errors]
    if form.is_valid():
        now = timezone.now()
        try:
            services.mend(photograph=number, texts=form.texts, spot=form.place, by=user, now=now)
            if "publish" in request.POST:
                services.publish(photograph=number, by=user, now=now)
        except services.PhotographRefused as error:
            faults = [str(error)]
        else:
            done = "公開しました。市民のページに出ます。"
            messages.success(request, done if "publish" in request.POST else "保存しました。")
            return redirect("back_office:photographs")
    return _page(request, view, form, DeclineForm(), faults)


@require_http_methods(["GET", "POST"])
@never_cache
def decline(request: HttpRequest, number: int) -> HttpResponse:
    """Do not publish it, and say why."""
    user = require(request, Act.KEEP_CHARM)
    view = _found(number)
    if request.method == "GET":
        return redirect("back_office:photograph", number)
    form = DeclineForm(request.POST)
    faults = [str(error) for errors in form.errors.values() for error in errors]
    if form.is_valid():
        try:
            services.decline(photograph=number, **form.said, by=user, now=timezone.now())
        except services.PhotographRefused as error:
            faults = [str(error)]
        else:
            messages.success(request, "公開しないことにしました。7日のあいだは、元にもどせます。")
            return redirect("back_office:photographs")
    about = PhotographForm(spots=queries.spots(), initial=present.initial(view))
    return _page(request, view, about, form, faults)


def _pressed(verb: Callable[..., None], done: str) -> Callable[..., HttpResponse]:
    """A button about a photograph: done, said, and back to all of them."""

    @require_http_methods(["GET", "POST"])
    @never_cache
    @wraps(verb)
    def answer(request: HttpRequest, number: int) -> HttpResponse:
        user = require(request, Act.KEEP_CHARM)
        if request.method == "POST":
            try:
                verb(photograph=number, by=user, now=timezone.now())
            except services.PhotographRefused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
        return redirect("back_office:photographs")

    return answer


take_back = _pressed(services.take_back, "確認待ちにもどしました。市民のページには出ません。")
settle = _pressed(services.settle, "知らせを、見たことにしました。")


@require_safe
@never_cache
def picture(request: HttpRequest, number: int) -> FileResponse:
    """A photograph that nobody else sees. It is what we wrote ourselves, and still no page."""
    require(request, Act.KEEP_CHARM)
    view = _found(number)
    try:
        file = default_storage.open(name(view.file))
    except FileNotFoundError as error:
        raise Http404 from error
    # Shown within a page all the same; opened by itself it is saved.
    response = FileResponse(
        file, as_attachment=True, filename=f"photograph-{number}.jpg", content_type="image/jpeg"
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _page(
    request: HttpRequest,
    view: PhotographView,
    form: PhotographForm,
    declining: DeclineForm,
    faults: list[str],
) -> HttpResponse:
    context: dict[str, Any] = {
        "one": present.row(view),
        "form": form,
        "declining": declining,
        "faults": faults,
        "reports": queries.reports(view.id),
        "page": "charm",
    }
    return page(request, "photograph", context, status=400 if faults else 200)


def _found(number: int) -> PhotographView:
    """A photograph whose file is still there. Raises Http404."""
    found = queries.to_moderate(number)
    if not found:
        raise Http404
    return found[0]
