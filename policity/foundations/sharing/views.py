"""Where a short link leads."""

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from policity.foundations.sharing import services
from policity.foundations.sharing.models import ShortLink
from policity.foundations.sharing.rules import counts, read_code

log = structlog.get_logger("policity.sharing")


@login_not_required
@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """To the page. It lies within the site: only an address of ours was ever written down."""
    known = read_code(code)
    link = known and ShortLink.objects.filter(code=known, ended_at=None).first()
    if not link:
        raise Http404
    agent, purpose = (request.headers.get(name, "") for name in ("User-Agent", "Sec-Purpose"))
    if counts(method=request.method or "", agent=agent, purpose=purpose):
        try:
            services.count(link=link, now=timezone.now())
        except DatabaseError as error:
            # Whoever stands before a poster goes on all the same.
            log.error("not_counted", error=type(error).__name__)
    answer = HttpResponseRedirect(link.address)
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer
