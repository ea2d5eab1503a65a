"""Writing events, showing them, calling them off."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.events import CallOffForm, EventForm, SeenForm, initial
from policity.back_office.presenters import events as present
from policity.back_office.views.frame import page, require, whose
from policity.foundations.accounts.models import Department, User
from policity.foundations.accounts.policies import Act
from policity.foundations.events import queries, services
from policity.foundations.events.models import Event
from policity.foundations.events.policies import Deed, may
from policity.foundations.events.rules import asking
from policity.kit.languages import LANGUAGES


@require_safe
@never_cache
def events(request: HttpRequest) -> HttpResponse:
    """What is to come, or what is over."""
    require(request, Act.KEEP_EVENTS)
    past = request.GET.get("past") == "1"
    found = queries.listed(past=past, now=timezone.now())
    return page(request, "events", {"events": found, "past": past, "sources": queries.sources()})


@require_safe
@never_cache
def event(request: HttpRequest, event: int) -> HttpResponse:
    """One event: its times, and what can be done."""
    require(request, Act.KEEP_EVENTS)
    row, own = kept(request, event, Deed.LOOK), whose(request, Act.KEEP_EVENTS)
    times = present.times(row, now=timezone.now())
    context = {"event": row, "title": row.texts["ja"]["title"], "times": times, "page": "events"}
    context["keeps"] = may(own, Deed.KEEP, slug(row.department))
    return page(request, "event", context)


@require_http_methods(["GET", "POST"])
@never_cache
def write(request: HttpRequest, event: int = 0) -> HttpResponse:
    """Write a new event, or change one."""
    user = require(request, Act.KEEP_EVENTS)
    row = kept(request, event, Deed.KEEP) if event else None
    own = present.departments(whose(request, Act.KEEP_EVENTS))
    sent = request.POST if request.method == "POST" else None
    form = EventForm(
        sent,
        venues=present.venues(),
        questions=asking.read(row.questions if row else ()),
        departments=own,
        initial=dict(initial(row, own)),
    )
    faults = form.faults
    if form.is_valid():
        try:
            number = _save(form, row, request, user)
        except services.EventRefused as error:
            faults = [str(error)]
        else:
            return redirect("back_office:event", number)
    texts = [
        (one, form[f"title_{one.code}"], form[f"body_{one.code}"], form[f"place_{one.code}"])
        for one in LANGUAGES
    ]
    seen = request.POST.get("seen", "") if sent else (row.revision if row else 0)
    context = {
        "form": form,
        "faults": faults,
        "event": row,
        "texts": texts,
        "seen": seen,
        "page": "events",
    }
    return page(request, "event_form", context, status=400 if faults else 200)


def _save(form: EventForm, row: Event | None, request: HttpRequest, user: User) -> int:
    now = timezone.now()
    if row is None:
        made = services.draft(event=form.draft, by=user, now=now)
        messages.success(request, "下書きにしました。まだ、だれにも見えません。")
        return made.pk
    services.change(
        number=row.pk, event=form.draft, seen=SeenForm.read(request.POST), by=user, now=now
    )
    messages.success(request, "変えました。申し込んだ人に関わることは、知らせました。")
    return row.pk


def _pressed(
    done: str, to: str = "back_office:event"
) -> Callable[..., Callable[..., HttpResponse]]:
    """A button about an event: done, said, and back to its page."""

    def decorate(verb: Callable[..., None]) -> Callable[..., HttpResponse]:
        @require_http_methods(["GET", "POST"])
        @never_cache
        @wraps(verb)
        def answer(request: HttpRequest, event: int) -> HttpResponse:
            user = require(request, Act.KEEP_EVENTS)
            kept(request, event, Deed.KEEP)
            if request.method == "POST":
                try:
                    verb(number=event, by=user, now=timezone.now())
                except services.EventRefused as error:
                    messages.error(request, str(error))
                    return redirect("back_office:event", event)
                messages.success(request, done)
                return redirect(to, event) if to.endswith(":event") else redirect(to)
            return redirect("back_office:event", event)

        return answer

    return decorate


publish = _pressed("公開しました。市民のページに出ます。")(services.publish)
unpublish = _pressed("下書きにもどしました。市民のページから消えます。")(services.unpublish)
discard = _pressed("消しました。", "back_office:events")(services.discard)


@require_http_methods(["GET", "POST"])
@never_cache
def call_off(request: HttpRequest, event: int, time: int = 0) -> HttpResponse:
    """Call off an event, or one time of it, after a look at whom that tells."""
    user = require(request, Act.KEEP_EVENTS)
    row = kept(request, event, Deed.KEEP)
    form = CallOffForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.call_off(
                number=event,
                time=time or None,
                seen=SeenForm.read(request.POST),
                by=user,
                now=timezone.now(),
                **form.cleaned_data,
            )
        except services.EventRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, "中止にしました。申し込んだ人に、わけといっしょに知らせます。"
            )
            return redirect("back_office:event", event)
    now = timezone.now()
    times = [
        one
        for one in present.times(row, now=now)
        if not one.over and not one.called_off and time in (0, one.id)
    ]
    told = queries.told([one.id for one in times])
    context = {
        "event": row,
        "title": row.texts["ja"]["title"],
        "times": times,
        "told": told,
        "seen": told.messages + told.calls,
        "form": form,
        "page": "events",
    }
    return page(request, "call_off_event", context, status=400 if form.errors else 200)


def kept(request: HttpRequest, number: int, deed: Deed) -> Event:
    """An event with which whoever asks may do this. Raises Http404, PermissionDenied."""
    row = Event.objects.select_related("source", "department").filter(pk=number).first()
    if row is None:
        raise Http404
    allow(request, deed, row.department)
    return row


def allow(request: HttpRequest, deed: Deed, department: Department | None) -> None:
    """Go on, if whoever asks may do this with what is a department's. Raises PermissionDenied."""
    if not may(whose(request, Act.KEEP_EVENTS), deed, slug(department)):
        raise PermissionDenied


def slug(department: Department | None) -> str:
    """A department as policies name it; empty for the whole city."""
    return department.slug if department else ""
