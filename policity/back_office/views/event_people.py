"""Who is in the line of a time: at a desk, on paper, and by one thumb at the door."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.events import ATTENDED, CallerForm
from policity.back_office.presenters import events as present
from policity.back_office.views.events import allow
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.events import queries, services
from policity.foundations.events.models import Occurrence, Registration
from policity.foundations.events.policies import Deed


@require_safe
@never_cache
def people(request: HttpRequest, time: int) -> HttpResponse:
    """The line of a time."""
    require(request, Act.KEEP_EVENTS)
    return _page(request, _time(request, time), CallerForm())


@require_http_methods(["GET", "POST"])
@never_cache
def add(request: HttpRequest, time: int) -> HttpResponse:
    """Write down somebody who called or came."""
    user = require(request, Act.KEEP_EVENTS)
    row = _time(request, time)
    if request.method == "GET":
        return redirect("back_office:event_people", time)
    form = CallerForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form, status=400)
    said = form.cleaned_data | {"seats": form.cleaned_data["seats"] or 1}
    try:
        added = services.add_by_staff(time=time, by=user, now=timezone.now(), **said)
    except services.SignUpRefused as error:
        messages.error(request, str(error))
    else:
        stands = "席があります" if added.seated else "キャンセル待ちです"
        messages.success(request, f"受付番号{added.number}です。{stands}。")
    return redirect("back_office:event_people", time)


@require_http_methods(["GET", "POST"])
@never_cache
def attended(request: HttpRequest, time: int, person: int) -> HttpResponse:
    """Say whether somebody came; the page comes back at the same person."""
    user = require(request, Act.KEEP_EVENTS)
    said = request.POST.get("came", "")
    if request.method == "POST" and said in ATTENDED:
        services.set_attended(
            registration=_of(request, time, person),
            attended=ATTENDED[said],
            by=user,
            now=timezone.now(),
        )
    return redirect(reverse("back_office:event_people", args=[time]) + f"#p-{person}")


@require_http_methods(["GET", "POST"])
@never_cache
def cancel(request: HttpRequest, time: int, person: int) -> HttpResponse:
    """Cancel for somebody who called; what was pressed by mistake is taken back."""
    user = require(request, Act.KEEP_EVENTS)
    number, now = _of(request, time, person), timezone.now()
    if request.method == "POST":
        if services.cancel_by_staff(registration=number, by=user, now=now):
            return redirect(
                reverse("back_office:event_people", args=[time]) + f"?cancelled={number}"
            )
        messages.error(request, "もう始まったか、取り消してあります。")
    return redirect("back_office:event_people", time)


@require_http_methods(["GET", "POST"])
@never_cache
def take_back(request: HttpRequest, time: int, person: int) -> HttpResponse:
    """Undo a cancelling: the same place in the line."""
    user = require(request, Act.KEEP_EVENTS)
    number = _of(request, time, person)
    if request.method == "POST":
        try:
            services.take_back_cancelling(registration=number, by=user, now=timezone.now())
            messages.success(request, "元にもどしました。")
        except services.SignUpRefused as error:
            messages.error(request, str(error))
    return redirect("back_office:event_people", time)


@require_http_methods(["GET", "POST"])
@never_cache
def called(request: HttpRequest, time: int, person: int) -> HttpResponse:
    """Somebody without a mail address was told by telephone."""
    user = require(request, Act.KEEP_EVENTS)
    if request.method == "POST":
        services.called(registration=_of(request, time, person), by=user, now=timezone.now())
    return redirect(reverse("back_office:event_people", args=[time]) + f"#p-{person}")


@require_safe
@never_cache
def as_csv(request: HttpRequest, time: int) -> HttpResponse:
    """The line for a spreadsheet."""
    user = require(request, Act.KEEP_EVENTS)
    row = _time(request, time)
    services.note_taken_along(time=row.pk, by=user, now=timezone.now())
    return _file(present.table(queries.people(row.pk)), f"event-{row.pk}")


@require_safe
@never_cache
def answers(request: HttpRequest, time: int) -> HttpResponse:
    """What those who came answered, for a spreadsheet."""
    user = require(request, Act.KEEP_EVENTS)
    row = _time(request, time)
    services.note_answers_taken_along(time=row.pk, by=user, now=timezone.now())
    return _file(present.answers_table(queries.opinion(row.pk)), f"event-{row.pk}-answers")


def _file(text: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _page(
    request: HttpRequest, row: Occurrence, form: CallerForm, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    undo = request.GET.get("cancelled", "")
    undone = None
    if undo.isdecimal() and len(undo) < 19:
        gone = Registration.objects.filter(occurrence=row, pk=int(undo))
        undone = gone.exclude(cancelled_at=None).first()
    context = {
        "time": row,
        "event": row.event,
        "title": row.event.texts["ja"]["title"],
        "when": present.when(row, all_day=row.event.all_day),
        "sheet": present.sheet(row.pk),
        "opinion": present.opinion(row.pk),
        "begun": now >= row.starts,
        "over": now >= row.ends,
        "form": form,
        "undone": undone,
        "page": "events",
    }
    return page(request, "event_people", context, status=status)


def _time(request: HttpRequest, number: int) -> Occurrence:
    rows = Occurrence.objects.select_related("event__site", "event__department")
    row = rows.filter(pk=number).first()
    if row is None:
        raise Http404
    allow(request, Deed.SEE_PEOPLE, row.event.department)
    return row


def _of(request: HttpRequest, time: int, person: int) -> int:
    """A registration, if it is in the line of this time."""
    _time(request, time)
    if not Registration.objects.filter(pk=person, occurrence=time).exists():
        raise Http404
    return person
