"""The one switch of the state of emergency, and the one act back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from policity.back_office.forms import EmergencyForm
from policity.back_office.presenters.hand_over import emergency as present_emergency
from policity.back_office.views.chronology import RESTORED
from policity.back_office.views.frame import page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.fields.alerts.services.records import (
    RecordError,
    declare_emergency,
    end_emergency,
)
from policity.foundations.accounts.policies import Act


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def emergency(request: HttpRequest) -> HttpResponse:
    """What the switch does, or what ends with it, and the button below that."""
    user = require(request, Act.SWITCH_EMERGENCY)
    if request.method == "GET":
        typed = typed_before(request)
        if typed is not None:
            messages.success(request, RESTORED)
        return _page(request, typed.get("why", "") if typed else "")
    form = EmergencyForm(request.POST)
    form.is_valid()
    said, now = form.cleaned_data, timezone.now()
    try:
        if said.get("ends"):
            end_emergency(emergency=said["ends"], by=user, now=now)
            messages.success(request, "緊急時を終えました。待っていた知らせを送り始めます。")
        else:
            declare_emergency(why=said.get("why", ""), by=user, now=now)
            messages.success(request, "緊急時に切り替えました。")
    except RecordError as error:
        return _page(request, request.POST.get("why", ""), fault=str(error), status=400)
    return redirect("back_office:board")


def _page(request: HttpRequest, why: str, *, fault: str = "", status: int = 200) -> HttpResponse:
    context = {"found": present_emergency(), "why": why, "fault": fault}
    return page(request, "emergency", context, status=status)
