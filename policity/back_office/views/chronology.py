"""The chronology: read, filtered, printed, taken along; and the lines that staff write into it."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms import ChronologyForm, NoteForm
from policity.back_office.presenters import chronology as present
from policity.back_office.presenters.chronology import Line
from policity.back_office.presenters.frame import city_name
from policity.back_office.views.frame import page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.fields.alerts.queries import records
from policity.fields.alerts.services.records import RecordError, write_note
from policity.foundations.accounts.policies import Act

RESTORED = "サインインし直しました。書いた内容は残っています。まだ記録していません。"
MINUTE = "%Y-%m-%dT%H:%M"


@require_safe
@never_cache
def chronology(request: HttpRequest) -> HttpResponse:
    """The lines that were asked for, day by day."""
    require(request, Act.READ_CHRONOLOGY)
    wanted, lines = _lines(request)
    shown = lines[: present.MOST]
    context = {
        "days": present.days(shown),
        "count": len(lines),
        "left_out": len(lines) - len(shown),
        "most": present.MOST,
        "kinds": present.KINDS,
        "asked": wanted,
        "query": request.GET.urlencode(),
        "now": timezone.now(),
        "typed": {"at": _minute(timezone.now())},
    }
    return page(request, "chronology", context)


@require_safe
@never_cache
def as_csv(request: HttpRequest) -> HttpResponse:
    """The same lines, all of them, for a spreadsheet."""
    require(request, Act.READ_CHRONOLOGY)
    _, lines = _lines(request)
    return _file(present.table(lines), "text/csv", "chronology.csv")


@require_safe
@never_cache
def as_text(request: HttpRequest) -> HttpResponse:
    """The same lines, all of them, as text."""
    require(request, Act.READ_CHRONOLOGY)
    wanted, lines = _lines(request)
    head = f"{city_name()}　クロノロジー　{wanted['since']} 〜 {wanted['until']}"
    return _file(present.plain_text(lines, head=head), "text/plain", "chronology.txt")


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def note(request: HttpRequest) -> HttpResponse:
    """Write a line, of now or of earlier, or one that corrects another."""
    user = require(request, Act.KEEP_CHRONOLOGY)
    if request.method == "GET":
        if (typed := typed_before(request)) is not None:
            messages.success(request, RESTORED)
            return _note_page(request, typed)
        return _note_page(request, _to_correct(request))
    form = NoteForm(request.POST)
    if not form.is_valid():
        faults = [str(error) for errors in form.errors.values() for error in errors]
        return _note_page(request, request.POST, fault="".join(faults), status=400)
    said, now = form.cleaned_data, timezone.now()
    try:
        write_note(
            text=said["text"],
            at=said["at"] or now,
            corrects=said["corrects"],
            by=user,
            now=now,
        )
    except RecordError as error:
        return _note_page(request, request.POST, fault=str(error), status=400)
    messages.success(request, "記録しました。")
    return redirect("back_office:chronology")


def _to_correct(request: HttpRequest) -> QueryDict:
    """The form as the note that is to be corrected fills it in; empty, and now, without one."""
    typed = QueryDict(mutable=True)
    typed["at"] = _minute(timezone.now())
    if number := request.GET.get("corrects", ""):
        wrong = records.note(int(number)) if number.isdecimal() and len(number) < 18 else None
        if wrong is None:
            raise Http404
        typed.update({"at": _minute(wrong.at), "text": wrong.text, "corrects": number})
    return typed


def _note_page(
    request: HttpRequest, typed: QueryDict, *, fault: str = "", status: int = 200
) -> HttpResponse:
    number = typed.get("corrects", "")
    wrong = records.note(int(number)) if number.isdecimal() and len(number) < 18 else None
    context = {"typed": typed, "fault": fault, "wrong": wrong}
    return page(request, "note", context, status=status)


def _lines(request: HttpRequest) -> tuple[dict[str, object], tuple[Line, ...]]:
    """What was asked for, and every line of it."""
    wanted = ChronologyForm(request.GET).wanted(timezone.localdate())
    since = timezone.make_aware(datetime.combine(wanted["since"], time.min))
    until = timezone.make_aware(datetime.combine(wanted["until"] + timedelta(days=1), time.min))
    every = present.minutes(present.read(since, until), since, until)
    lines = present.chosen(every, kind=wanted["kind"], words=wanted["words"])
    return wanted, lines if wanted["oldest_first"] else lines[::-1]


def _file(text: str, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _minute(at: datetime) -> str:
    return timezone.localtime(at).strftime(MINUTE)
