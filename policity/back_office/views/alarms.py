"""The queue of those who need help."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from policity.back_office.forms import OutcomeForm
from policity.back_office.presenters.alarms import alarms as present_alarms
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act
from policity.foundations.accounts.services import audit
from policity.foundations.delivery import services as delivery


@require_safe
@never_cache
def alarms(request: HttpRequest) -> HttpResponse:
    """Who needs help and is not yet seen to."""
    return _page(request, require(request, Act.SEE_TO_ALARMS))


@require_POST
def take(request: HttpRequest, alarm: int) -> HttpResponse:
    """The one who presses it sees to it."""
    user = require(request, Act.SEE_TO_ALARMS)
    try:
        delivery.own_alarm(alarm=alarm, by=user, now=timezone.now())
    except delivery.NotOpenError as error:
        messages.error(request, str(error))
    return redirect("back_office:alarms")


@require_POST
def close(request: HttpRequest, alarm: int) -> HttpResponse:
    """It is seen to; how, in a few words."""
    user = require(request, Act.SEE_TO_ALARMS)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return _page(request, user, closing=alarm, form=form, status=400)
    outcome = form.cleaned_data["outcome"]
    try:
        delivery.close_alarm(alarm=alarm, outcome=outcome, by=user, now=timezone.now())
    except delivery.NotOpenError as error:
        messages.error(request, str(error))
    return redirect("back_office:alarms")


def _page(
    request: HttpRequest,
    user: User,
    *,
    closing: int = 0,
    form: OutcomeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    found = present_alarms(now=now)
    if found:
        # Who called and how they are called back: a read that leaves a trace.
        audit.record("calls.read", by=user, now=now, calls=len(found))
    context = {"alarms": found, "closing": closing, "form": form}
    return page(request, "alarms", context, status=status)
