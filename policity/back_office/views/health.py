"""How the system stands. It comes without the database, too."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from policity.back_office.presenters.frame import clock
from policity.back_office.presenters.health import lines, worst
from policity.back_office.presenters.metrics import metrics as numbers
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.continuity.queries import database_fault


@require_safe
@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """For a city's monitoring. No front passes it on but to whom the city has named."""
    return HttpResponse(numbers(now=timezone.now()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


@require_safe
@never_cache
@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """For the administrator and the crisis room.

    While the database is away nobody can be known: then whoever asks is told how things stand,
    without the menu and without what went wrong inside. It says of nobody anything.
    """
    now = timezone.now()
    found = lines(now=now)
    context = {"lines": found, "worst": worst(found), "clock": clock(now)}
    if not database_fault():
        try:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            require(request, Act.SEE_HEALTH)
            return page(request, "health", context)
        except Error:
            pass  # it went in this moment, or only a part of it can be read
    return render(request, "back_office/health.html", {**context, "away": True}, status=503)
