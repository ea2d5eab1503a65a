"""Residents send photographs, withdraw them, and say what is wrong with one. No cookie.

A GET records nothing: whatever changes something is a POST.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext

from policity.fields.charm import queries, services
from policity.fields.charm.forms import InMemory, NumberForm, PhotographsForm, ReportForm
from policity.fields.charm.presenters import photographs as present
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.publishing.formats import page
from policity.foundations.residents.rules.links import BadLink
from policity.foundations.residents.views import opened
from policity.foundations.work.queries import database_away
from policity.kit.languages import Language

View = Callable[..., HttpResponse]
NOT_FOUND, NOT_NOW = 404, 503


@opened("charm/")
def send(request: HttpRequest, language: Language) -> HttpResponse:
    """Send photographs. What was typed is there again, whatever was wrong."""
    request.upload_handlers = [InMemory(request)]
    try:
        return _send(request, language)
    except Error as error:
        if request.method != "POST" or not database_away(error):
            raise
        # Photographs are not kept until it is back, as other forms are: honest, and nothing typed
        # is lost.
        form = _form(initial=request.POST.dict())
        context = present.send(form, None, language.code) | {"faults": [present.away()]}
        return _page("send", language, "charm/photographs/send/", context, NOT_NOW, city="")


def _send(request: HttpRequest, language: Language) -> HttpResponse:
    spots = queries.shown().spots
    if request.method == "POST":
        form = _form(request.POST, request.FILES, spots=spots)
    else:
        form = _form(spots=spots, initial={"spot": request.GET.get("spot", "")})
    if form.is_valid():
        try:
            number = services.receive(
                sent=form.sent(language.code), shots=form.shots, now=timezone.now()
            )
        except services.PhotographRefused as refusal:
            form.add_error("photographs", gettext(str(refusal)))
        else:
            word = "mailed" if form.cleaned_data["email"] else "sent"
            own = queries.own_page(number)
            return HttpResponseRedirect(f"{language.prefix}{own}?done={word}")
    context = present.send(form, spots, language.code)
    return _page("send", language, "charm/photographs/send/", context)


def _form(*sent: Any, spots: Collection[int] = (), **more: Any) -> PhotographsForm:
    return PhotographsForm(*sent, spots=spots, today=timezone.localdate(), **more)


@opened("charm/")
def mine(request: HttpRequest, language: Language, link: str) -> HttpResponse:
    """What somebody sent: how it stands, and a button that deletes each."""
    try:
        number = queries.owned(link)
    except BadLink:
        return _said(language, present.broken(), NOT_FOUND)
    here = f"charm/photographs/me/{link}/"
    if request.method == "POST":
        form = NumberForm(request.POST)
        if form.is_valid() and services.withdraw(
            contribution=number, photograph=form.cleaned_data["number"], now=timezone.now()
        ):
            return HttpResponseRedirect(f"{language.prefix}{here}?done=withdrawn")
        return HttpResponseRedirect(f"{language.prefix}{here}")
    views = queries.contributed(number)
    if not views:
        return _said(language, present.broken(), NOT_FOUND)
    context = present.mine(views, word=request.GET.get("done", ""))
    return _page("mine", language, here, context)


@opened("charm/")
def report(request: HttpRequest, language: Language, number: int) -> HttpResponse:
    """Say that something is wrong with a photograph that is published."""
    found = queries.photographs(number=number) if number < 2**63 else ()
    if not found:
        return _said(language, present.gone(), NOT_FOUND)
    form = ReportForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        text = form.cleaned_data["text"]
        if services.report(photograph=number, text=text, now=timezone.now()):
            return _said(language, present.reported(), 200)
        return _said(language, present.gone(), NOT_FOUND)
    context = present.report(found[0], form, language.code)
    return _page("report", language, f"charm/photographs/report/{number}/", context)


def _said(language: Language, said: dict[str, Any], status: int) -> HttpResponse:
    return _page("done", language, "charm/photographs/", said, status)


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
    body = page(f"charm/{name}.html", language, rest, {**context, "city_name": city, "live": True})
    return HttpResponse(body, status=status)
