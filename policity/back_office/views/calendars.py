"""Others' calendars: whose are read, and how that went."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.events import CalendarFileForm, CalendarForm
from policity.back_office.presenters import events as present
from policity.back_office.views.events import allow, slug
from policity.back_office.views.frame import page, require, whose
from policity.foundations.accounts.policies import Act
from policity.foundations.events import queries, services
from policity.foundations.events.formats.reading import BadCalendar
from policity.foundations.events.models import Source
from policity.foundations.events.policies import Deed, may
from policity.foundations.events.sources import read


@require_safe
@never_cache
def calendars(request: HttpRequest) -> HttpResponse:
    """Whose calendars are read."""
    require(request, Act.KEEP_EVENTS)
    return _page(request, CalendarForm(departments=_own(request)))


@require_http_methods(["GET", "POST"])
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    """One more, by its address; or without one, for files."""
    user = require(request, Act.KEEP_EVENTS)
    if request.method == "GET":
        return redirect("back_office:calendars")
    form = CalendarForm(request.POST, departments=_own(request))
    if form.is_valid():
        try:
            services.add_source(by=user, now=timezone.now(), **form.cleaned_data)
        except services.SourceRefused as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, "登録しました。アドレスは、1分ほどで読みます。")
            return redirect("back_office:calendars")
    return _page(request, form, status=400)


@require_http_methods(["GET", "POST"])
@never_cache
def take(request: HttpRequest, source: int) -> HttpResponse:
    """Read a file that somebody brought. It is read once and not kept."""
    user = require(request, Act.KEEP_EVENTS)
    row = _source(request, source)
    if request.method == "POST":
        form = CalendarFileForm(request.POST, request.FILES)
        now = timezone.now()
        try:
            reading = read(form.data_sent, now=now)
        except BadCalendar as error:
            messages.error(request, f"{error}前に読んだ予定は、そのままです。")
        else:
            changed = services.take(source=row.pk, reading=reading, now=now, by=user)
            left = f"入れなかった予定が{len(reading.left)}件あります。" if reading.left else ""
            messages.success(
                request, f"{len(reading.items)}件を読み、{changed}件が変わりました。{left}"
            )
    return redirect("back_office:calendars")


@require_http_methods(["GET", "POST"])
@never_cache
def again(request: HttpRequest, source: int) -> HttpResponse:
    """Have an address read anew."""
    require(request, Act.KEEP_EVENTS)
    if request.method == "POST":
        services.read_again(source=_source(request, source).pk, now=timezone.now())
        messages.success(request, "1分ほどで、もう一度読みます。")
    return redirect("back_office:calendars")


@require_http_methods(["GET", "POST"])
@never_cache
def end(request: HttpRequest, source: int) -> HttpResponse:
    """Read it no more."""
    user = require(request, Act.KEEP_EVENTS)
    if request.method == "POST":
        services.end_source(source=_source(request, source).pk, by=user, now=timezone.now())
        messages.success(request, "読むのをやめました。そこからの予定は、ページから消えます。")
    return redirect("back_office:calendars")


def _page(request: HttpRequest, form: CalendarForm, *, status: int = 200) -> HttpResponse:
    own = whose(request, Act.KEEP_EVENTS)
    sources = [(one, may(own, Deed.KEEP, slug(one.department))) for one in queries.sources()]
    context = {"sources": sources, "form": form, "page": "events"}
    return page(request, "calendars", context, status=status)


def _own(request: HttpRequest) -> list[tuple[str, str]]:
    return present.departments(whose(request, Act.KEEP_EVENTS))


def _source(request: HttpRequest, number: int) -> Source:
    row = Source.objects.select_related("department").filter(pk=number, ended_at=None).first()
    if row is None:
        raise Http404
    allow(request, Deed.KEEP, row.department)
    return row
