"""Drills in the crisis room: begun with a button, watched, stopped, and what they came to."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policity.back_office import services
from policity.back_office.forms import DrillForm
from policity.back_office.presenters import drill_messages
from policity.back_office.presenters import drills as presenters
from policity.back_office.views.frame import page, require
from policity.fields.alerts.queries.drilling import obstacle
from policity.foundations.accounts.policies import Act

SHOWN = 30


@require_http_methods(["GET", "POST"])
@never_cache
def drills(request: HttpRequest) -> HttpResponse:
    """What may be practised, what runs, every earlier drill; and those to real people."""
    user = require(request, Act.RUN_DRILLS)
    if request.method == "GET":
        return _list(request)
    form = DrillForm(request.POST)
    if not form.is_valid():
        return _list(request, fault=form.fault, status=400)
    try:
        name = services.begin_drill(by=user, now=timezone.now(), **form.cleaned_data)
    except services.DrillRefused as error:
        return _list(request, fault=str(error), status=409)
    return redirect("back_office:drill", name)


@require_safe
@never_cache
def drill(request: HttpRequest, name: str) -> HttpResponse:
    """One drill: what it says while it runs, and what it came to."""
    require(request, Act.RUN_DRILLS)
    found = next((one for one in services.ground().drills() if one.name == name), None)
    if found is None:
        raise Http404
    shown = {"line": presenters.line(found), "outcome": presenters.outcome(found)}
    return page(request, "drill", {"found": found, **shown})


@require_POST
def stop(request: HttpRequest, name: str) -> HttpResponse:
    """End the one that runs."""
    user = require(request, Act.RUN_DRILLS)
    try:
        services.stop_drill(name, by=user, now=timezone.now())
    except services.DrillRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "止めるように伝えました。数秒で終わります。")
    return redirect("back_office:drill", name)


def _list(request: HttpRequest, *, fault: str = "", status: int = 200) -> HttpResponse:
    ground = services.ground()
    every = ground.drills()
    context = {
        "titles": ground.titles(),
        "most": ground.most,
        "bounds": services.bounds(),
        "people": request.POST.get("people", ground.people),
        "scenario": request.POST.get("scenario", ""),
        "running": presenters.running(every),
        "lines": [presenters.line(one) for one in every[:SHOWN]],
        "count": len(every),
        "inside": settings.DRILL,
        "fault": fault,
        "sendings": drill_messages.lines(),
        "taking_part": drill_messages.taking_part(),
        "obstacle": obstacle(),
    }
    return page(request, "drills", context, status=status)
