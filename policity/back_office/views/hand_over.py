"""The hand-over to the next shift, written by one and received by the next."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from policity.back_office.forms import HandOverForm
from policity.back_office.presenters.hand_over import standing
from policity.back_office.views.chronology import RESTORED
from policity.back_office.views.frame import held, page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.fields.alerts.queries import records
from policity.fields.alerts.services import records as services
from policity.fields.alerts.services.records import RecordError
from policity.foundations.accounts.policies import Act, may

EARLIER = 30


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def hand_over(request: HttpRequest) -> HttpResponse:
    """How things stand and what is to be known beside it; and the earlier ones."""
    if request.method == "GET":
        require(request, Act.READ_CHRONOLOGY)
        typed = typed_before(request) if may(held(request), Act.KEEP_CHRONOLOGY) else None
        if typed is not None:
            messages.success(request, RESTORED)
        return _form(request, str(typed.get("text", "")) if typed else "")
    user = require(request, Act.KEEP_CHRONOLOGY)
    form = HandOverForm(request.POST)
    form.is_valid()
    text, now = form.cleaned_data.get("text", ""), timezone.now()
    try:
        made = services.hand_over(text=text, summary=standing(now), by=user, now=now)
    except RecordError as error:
        return _form(request, request.POST.get("text", ""), fault=str(error), status=400)
    messages.success(
        request, "記録しました。次の人に、この画面で「引き継いだ」を押してもらいます。"
    )
    return redirect("back_office:hand_over_record", made.pk)


@require_http_methods(["GET", "POST"])
@never_cache
def record(request: HttpRequest, number: int) -> HttpResponse:
    """One of them as it was written, to read, to print, and to be received once."""
    user = require(request, Act.READ_CHRONOLOGY)
    if request.method == "POST":
        require(request, Act.KEEP_CHRONOLOGY)
        try:
            services.receive(hand_over=number, by=user, now=timezone.now())
        except RecordError as error:
            messages.error(request, str(error))
        return redirect("back_office:hand_over_record", number)
    found = records.hand_over(number)
    if found is None:
        raise Http404
    context = {"found": found, "own": found.by_id == user.pk, "now": timezone.now()}
    return page(request, "hand_over_record", context)


def _form(request: HttpRequest, text: str, *, fault: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    earlier = records.last_hand_overs(EARLIER + 1)
    context = {
        "sections": standing(now),
        "now": now,
        "text": text,
        "fault": fault,
        "earlier": earlier[:EARLIER],
        "more": len(earlier) > EARLIER,
    }
    return page(request, "hand_over", context, status=status)
