"""What crossed between the two installations: read by the administrator."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.presenters import crossings as present
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act


@require_safe
@never_cache
def crossings(request: HttpRequest) -> HttpResponse:
    """What went, what came, what was refused and what to do about it."""
    require(request, Act.SEE_CROSSINGS)
    context = {
        "here": present.here(),
        "kinds": present.kinds(),
        "lines": present.lines(),
        "arrived": present.arrived(now=timezone.now()),
        "shown": present.SHOWN,
    }
    return page(request, "crossings", context)
