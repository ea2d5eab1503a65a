"""Drills to real people: composed from texts that there are, let out by two others, taken back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policity.back_office.forms import DrillMessageForm
from policity.back_office.presenters import drill_messages as presenters
from policity.back_office.views.frame import page, require
from policity.fields.alerts.queries.drilling import obstacle
from policity.fields.alerts.services import drilling
from policity.foundations.accounts.policies import Act


@require_http_methods(["GET", "POST"])
@never_cache
def compose(request: HttpRequest) -> HttpResponse:
    """Which text, and whom it would reach."""
    user = require(request, Act.RUN_DRILLS)
    form, now = DrillMessageForm(request.POST), timezone.now()
    fault = ""
    if request.method == "POST":
        form.is_valid()
        try:
            made = drilling.compose(text=form.cleaned_data.get("text", ""), by=user, now=now)
        except drilling.DrillError as error:
            fault = str(error)
        else:
            messages.success(request, "作りました。ほかの2人に、承認してもらってください。")
            return redirect("back_office:drill_message", made)
    context = {
        "choices": presenters.choices(now=now),
        "taking_part": presenters.taking_part(),
        "obstacle": obstacle(),
        "fault": fault,
    }
    return page(request, "compose_drill", context, status=400 if fault else 200)


@require_safe
@never_cache
def shown(request: HttpRequest, message: int) -> HttpResponse:
    """One of them: how it looks, who let it out, how far it came."""
    user = require(request, Act.RUN_DRILLS)
    try:
        found = presenters.page(message, reader=user.pk, now=timezone.now())
    except LookupError as error:
        raise Http404 from error
    context = {
        "found": found,
        "taking_part": presenters.taking_part(),
        "obstacle": obstacle(),
    }
    return page(request, "drill_message", context)


@require_POST
def approve(request: HttpRequest, message: int) -> HttpResponse:
    """One of two approvals."""
    user = require(request, Act.APPROVE)
    try:
        sent = drilling.approve(message=message, by=user, now=timezone.now())
    except drilling.DrillError as error:
        messages.error(request, str(error))
    else:
        done = "送り始めました。" if sent else "承認しました。あと1人の承認で、送ります。"
        messages.success(request, done)
    return redirect("back_office:drill_message", message)


@require_POST
def withdraw(request: HttpRequest, message: int) -> HttpResponse:
    """Take back what still waits."""
    user = require(request, Act.RUN_DRILLS)
    try:
        drilling.withdraw(message=message, by=user, now=timezone.now())
    except drilling.DrillError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "取りやめました。まだ渡していない分は、送りません。")
    return redirect("back_office:drill_message", message)
