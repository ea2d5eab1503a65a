"""How far one message came, whole: a page to print, and the same as a table and as data."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.presenters.exports import data, table
from policity.back_office.presenters.frame import clock
from policity.back_office.presenters.reach import Reach
from policity.back_office.presenters.reach import reach as present_reach
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.delivery import queries as delivery


@require_safe
@never_cache
def reach(request: HttpRequest, message: int) -> HttpResponse:
    """Every town, channel, language and age, with why the rest was not reached."""
    found = _found(request, message)
    tables = (
        ("r2", "町ごと　低い順", found.towns),
        ("r3", "手段ごと", found.channels),
        ("r4", "ことばごと", found.languages),
        ("r5", "年齢ごと", found.ages),
    )
    at = clock(found.sending.counted_at)
    return page(request, "reach", {"reach": found, "tables": tables, "clock": at})


@require_safe
@never_cache
def as_csv(request: HttpRequest, message: int) -> HttpResponse:
    """For a spreadsheet."""
    text = table(_found(request, message), delivery.samples(message))
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="reach-{message}.csv"'
    return answer


@require_safe
@never_cache
def as_json(request: HttpRequest, message: int) -> HttpResponse:
    """For programs."""
    answer = JsonResponse(
        data(_found(request, message), delivery.samples(message)),
        json_dumps_params={"ensure_ascii": False},
    )
    answer["Content-Disposition"] = f'attachment; filename="reach-{message}.json"'
    return answer


def _found(request: HttpRequest, message: int) -> Reach:
    require(request, Act.SEE_BOARD)
    now = timezone.now()
    sent = delivery.sent(0, now=now, chosen=message)
    if not sent:
        raise Http404
    return present_reach(sent[0], now=now)
