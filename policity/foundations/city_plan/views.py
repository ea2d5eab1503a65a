"""Residents say what they think of a plan, and see what became of it. No cookie.

A GET records nothing: whatever changes something is a POST.
"""

from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext

from policity.foundations.city_plan import services
from policity.foundations.city_plan.forms import CommentForm
from policity.foundations.city_plan.presenters import comments as present
from policity.foundations.city_plan.queries import comments as queries
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.publishing.formats import page
from policity.foundations.residents.rules.links import BadLink
from policity.foundations.residents.views import opened
from policity.foundations.work.queries import database_away
from policity.kit.languages import Language

NOT_FOUND, CONFLICT, NOT_NOW = 404, 409, 503


@opened(queries.ROOT)
def send(request: HttpRequest, language: Language, number: int) -> HttpResponse:
    """Send a comment. What was typed is there again, whatever was wrong."""
    try:
        return _send(request, language, number)
    except Error as error:
        if request.method != "POST" or not database_away(error):
            raise
        # As long as a comment may be, it is no form that is kept for later: honest, and nothing
        # typed is lost.
        form = CommentForm(initial=request.POST.dict(), measures=())
        context = present.send(None, (), form, language.code) | {"faults": [present.away()]}
        return _page(
            "comment", language, f"{queries.ROOT}send/{number}/", context, NOT_NOW, city=""
        )


def _send(request: HttpRequest, language: Language, number: int) -> HttpResponse:
    view, now = queries.call(number), timezone.now()
    if view is None:
        return _said(language, present.gone(), NOT_FOUND)
    fields = queries.measures(view.plan, view.year)
    known = {measure for _, some in fields for measure, _ in some}
    is_sent = request.method == "POST"
    form = CommentForm(
        request.POST if is_sent else None,
        measures=known,
        initial={"measure": request.GET.get("measure", "")},
    )
    refusal = "" if view.takes(timezone.localdate(now)) else gettext(services.CLOSED)
    if not refusal and form.is_valid():
        try:
            kept = services.receive(call=number, sent=form.sent, language=language.code, now=now)
        except services.CommentRefused as error:
            refusal = gettext(str(error))
        else:
            own = queries.own_page(kept)
            return HttpResponseRedirect(f"{language.prefix}{own}?done=sent")
    context = present.send(view, fields, form, language.code, refusal=refusal)
    status = CONFLICT if refusal and is_sent else 200
    return _page("comment", language, f"{queries.ROOT}send/{number}/", context, status)


@opened(queries.ROOT)
def mine(request: HttpRequest, language: Language, link: str) -> HttpResponse:
    """What somebody sent, its number, and once it is public what the city answers."""
    try:
        comment = queries.comment(queries.owned(link))
    except BadLink:
        comment = None
    view = queries.call(comment.call) if comment else None
    if comment is None or view is None:
        return _said(language, present.broken(), NOT_FOUND)
    answers = next(iter(queries.results({view.id})), None)
    context = present.mine(comment, view, answers, language.code, word=request.GET.get("done", ""))
    return _page("my_comment", language, f"{queries.ROOT}me/{link}/", context)


def _said(language: Language, said: dict[str, Any], status: int) -> HttpResponse:
    return _page("said", language, queries.ROOT, said, status)


def _page(
    name: str,
    language: Language,
    rest: str,
    context: dict[str, Any],
    status: int = 200,
    *,
    city: str | None = None,
) -> HttpResponse:
    if city is None:
        city = places.city_name(places_queries.city(), language.code)
    told = {**context, "city_name": city, "live": True}
    return HttpResponse(page(f"city_plan/{name}.html", language, rest, told), status=status)
