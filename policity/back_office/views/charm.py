"""Writing spots and courses, showing them, taking them back."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.charm import CourseForm, SpotForm, initial
from policity.back_office.forms.events import SeenForm
from policity.back_office.views.frame import page, require
from policity.fields.charm import queries, services
from policity.fields.charm.models import Course, Spot
from policity.foundations.accounts.policies import Act


@require_safe
@never_cache
def charm(request: HttpRequest) -> HttpResponse:
    """Every spot and every course."""
    require(request, Act.KEEP_CHARM)
    waiting, reported = queries.waiting()
    context = {
        "spots": queries.spots(),
        "courses": queries.courses(),
        "waiting": waiting,
        "reported": reported,
    }
    return page(request, "charm", context)


@require_http_methods(["GET", "POST"])
@never_cache
def write_spot(request: HttpRequest, spot: int = 0) -> HttpResponse:
    """Write a new spot, or change one."""
    user = require(request, Act.KEEP_CHARM)
    row = _found(Spot, spot) if spot else None
    sent = request.POST if request.method == "POST" else None
    form = SpotForm(sent, pictures=queries.pictures(), initial=dict(initial(row)))

    def save() -> None:
        now = timezone.now()
        if row is None:
            services.draft_spot(spot=form.draft, by=user, now=now)
        else:
            seen = SeenForm.read(request.POST)
            services.change_spot(number=row.pk, spot=form.draft, seen=seen, by=user, now=now)

    return _written(request, "spot_form", form, row, save)


@require_http_methods(["GET", "POST"])
@never_cache
def write_course(request: HttpRequest, course: int = 0) -> HttpResponse:
    """Write a new course, or change one."""
    user = require(request, Act.KEEP_CHARM)
    row = _found(Course, course) if course else None
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = CourseForm(*sent, initial=dict(initial(row)))

    def save() -> None:
        now = timezone.now()
        if row is None:
            services.draft_course(course=form.draft, by=user, now=now)
        else:
            seen = SeenForm.read(request.POST)
            services.change_course(number=row.pk, course=form.draft, seen=seen, by=user, now=now)

    return _written(request, "course_form", form, row, save, spots=queries.spots())


def _written(
    request: HttpRequest,
    name: str,
    form: SpotForm | CourseForm,
    row: Spot | Course | None,
    save: Callable[[], None],
    **more: Any,
) -> HttpResponse:
    """The form again with what is wrong; or, once it is written, the list."""
    faults = form.faults
    if form.is_valid():
        try:
            save()
        except services.CharmRefused as error:
            faults = [str(error)]
        else:
            new = "下書きにしました。まだ、だれにも見えません。"
            messages.success(request, "変えました。" if row else new)
            return redirect("back_office:charm")
    seen = request.POST.get("seen", "") if request.method == "POST" else row.revision if row else 0
    context = {"form": form, "faults": faults, "row": row, "seen": seen, "page": "charm", **more}
    return page(request, name, context, status=400 if faults else 200)


def _pressed(verb: Callable[..., None], done: str) -> Callable[..., HttpResponse]:
    """A button about a spot or a course: done, said, and back to the list."""

    @require_http_methods(["GET", "POST"])
    @never_cache
    @wraps(verb)
    def answer(request: HttpRequest, number: int) -> HttpResponse:
        user = require(request, Act.KEEP_CHARM)
        if request.method == "POST":
            try:
                verb(number=number, by=user, now=timezone.now())
            except services.CharmRefused as error:
                messages.error(request, str(error))
            else:
                messages.success(request, done)
        return redirect("back_office:charm")

    return answer


_SHOWN, _HIDDEN = (
    "公開しました。市民のページに出ます。",
    "取り下げました。市民のページから消えます。",
)
publish_spot = _pressed(services.publish_spot, _SHOWN)
withdraw_spot = _pressed(services.withdraw_spot, _HIDDEN)
publish_course = _pressed(services.publish_course, _SHOWN)
withdraw_course = _pressed(services.withdraw_course, _HIDDEN)


def _found(model: type[Spot] | type[Course], number: int) -> Any:
    row = model.objects.filter(pk=number).first()
    if row is None:
        raise Http404
    return row
