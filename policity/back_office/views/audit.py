"""The audit trail: read and taken along by the administrator, changed by nobody."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.forms import AuditForm
from policity.back_office.presenters import audit as present
from policity.back_office.views.frame import page, require
from policity.foundations.accounts import queries
from policity.foundations.accounts.policies import Act
from policity.foundations.accounts.services import audit as trail


@require_safe
@never_cache
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    require(request, Act.READ_AUDIT)
    form = AuditForm(request.GET)
    asked, before = form.asked()
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "found": present.page(asked, before=before),
        "asked": asked,
        "abouts": present.ABOUT,
        "query": query.urlencode(),
        "older_only": bool(before),
    }
    return page(request, "audit", context)


@require_safe
@never_cache
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """All that was asked for, for a spreadsheet. Taking it along is an entry itself."""
    user = require(request, Act.READ_AUDIT)
    asked, _ = AuditForm(request.GET).asked()
    trail.record("audit.taken_along", by=user, now=timezone.now())
    rows = queries.trail(asked).iterator(queries.FETCH)
    answer = StreamingHttpResponse(present.table(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer
