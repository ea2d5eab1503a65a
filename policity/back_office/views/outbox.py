"""Mails that were kept in the home, because no mail server is set."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.presenters.outbox import kept_mails, read_mail
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.accounts.services import audit


@require_safe
@never_cache
def outbox(request: HttpRequest) -> HttpResponse:
    """All of them, the newest first."""
    require(request, Act.SEE_OUTBOX)
    return page(request, "outbox", {"outbox": kept_mails()})


@require_safe
@never_cache
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One of them, as its reader would see it."""
    user = require(request, Act.SEE_OUTBOX)
    try:
        found = read_mail(name)
    except LookupError as error:
        raise Http404 from error
    audit.record("outbox.read", on=f"outbox:{name}", by=user, now=timezone.now())
    return page(request, "mail", {"mail": found})
