"""Residents sign up, give their word, cancel and answer. No cookie: a link is the permission.

A GET records nothing, since mail scanners open links: whatever changes something is a POST.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext

from policity.foundations.events import queries, services
from policity.foundations.events.forms import AnswerForm, NumberForm, SeatsForm, SignUpForm
from policity.foundations.events.presenters import signing
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.publishing.formats import page
from policity.foundations.residents import queries as residents
from policity.foundations.residents.queries import Registration
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services import BadRegistrationError
from policity.foundations.residents.views import linked, opened
from policity.kit.languages import Language

View = Callable[..., HttpResponse]
NOT_FOUND, CONFLICT, GONE = 404, 409, 410
REST = "events/"


def _no_link(language: Language, gone: bool) -> HttpResponse:
    return _said(language, signing.broken(gone=gone), GONE if gone else NOT_FOUND)


_open = opened(REST)
_joins = linked(Purpose.JOIN, REST, _no_link)
_theirs = linked(Purpose.EVENTS, REST, _no_link)


@_open
def register(request: HttpRequest, language: Language, time: int) -> HttpResponse:
    """Sign up for one time, or why one cannot."""
    view = queries.time(time)
    if view is None:
        return _said(language, signing.gone(), NOT_FOUND)
    now = timezone.now()
    most = view.event.terms.most
    form = SignUpForm(request.POST if request.method == "POST" else None, most=most)
    refusal = services.refusal(view.door(now))
    if form.is_valid() and not refusal:
        try:
            services.sign_up(time=time, language=language.code, now=now, **form.cleaned_data)
            return HttpResponseRedirect(f"{language.prefix}events/register/done/")
        except services.SignUpRefused as error:
            refusal = str(error)
    context = signing.register(view, form, language.code, refusal=refusal, now=now)
    status = CONFLICT if refusal and request.method == "POST" else 200
    return _page("register", language, f"events/register/{time}/", context, status)


@_open
def registered(request: HttpRequest, language: Language) -> HttpResponse:
    """What to do with the mail that is on its way, or why none may come."""
    return _page("registered", language, "events/register/done/", signing.registered())


@_joins
def join(
    request: HttpRequest, language: Language, link: str, who: Registration, address: int
) -> HttpResponse:
    """One button. Pressed, somebody stands in the line, and sees how."""
    if request.method != "POST":
        times = queries.awaiting(who.id, address)
        context = signing.join(times, language.code)
        return _page("join", language, f"events/me/join/{link}/", context)
    try:
        joined = services.join(person=who.id, address=address, now=timezone.now())
    except BadRegistrationError:
        return _said(language, signing.expired(), GONE)
    mine = residents.link(Purpose.EVENTS, who.id)
    if joined.refusal and not joined.times:
        return _said(language, signing.refused(joined.refusal), CONFLICT)
    return HttpResponseRedirect(f"{language.prefix}events/me/{mine}/?done=joined")


@_theirs
def mine(
    request: HttpRequest, language: Language, link: str, who: Registration, about: int
) -> HttpResponse:
    """Everything somebody signed up for, and what they can still sign up for at one press."""
    return _mine(language, link, who.id, word=request.GET.get("done", ""))


def _pressed(verb: Callable[..., str]) -> View:
    """One of the page's buttons; opened by its address it leads back to the page."""

    @_theirs
    @wraps(verb)
    def answer(
        request: HttpRequest, language: Language, link: str, who: Registration, about: int
    ) -> HttpResponse:
        back = f"{language.prefix}events/me/{link}/"
        form = NumberForm(request.POST)
        if request.method != "POST" or not form.is_valid():
            return HttpResponseRedirect(back)
        try:
            word = verb(request, who.id, form.cleaned_data["number"])
        except services.SignUpRefused as error:
            return _mine(language, link, who.id, fault=gettext(str(error)), status=CONFLICT)
        return HttpResponseRedirect(f"{back}?done={word}")

    return answer


@_pressed
def sign_up(request: HttpRequest, person: int, number: int) -> str:
    """Sign up for a time, at one press."""
    view = queries.time(number)
    form = SeatsForm(request.POST, most=view.event.terms.most if view else 1)
    if not form.is_valid():
        raise services.SignUpRefused("人数を、選んでください。")
    now = timezone.now()
    services.sign_up_known(person=person, time=number, now=now, **form.cleaned_data)
    return "joined"


@_pressed
def cancel(request: HttpRequest, person: int, number: int) -> str:
    """Not come, after all."""
    done = services.cancel(registration=number, person=person, now=timezone.now())
    return "cancelled" if done else "too-late"


@_theirs
def answer(
    request: HttpRequest, language: Language, link: str, who: Registration, about: int, number: int
) -> HttpResponse:
    """What somebody thought of it; kept without them."""
    back = f"{language.prefix}events/me/{link}/"
    asked = [one for one in queries.mine(who.id) if one.id == number and one.may_answer]
    if not asked:
        return HttpResponseRedirect(back)
    questions = queries.asked(asked[0].time.id)
    form = AnswerForm(request.POST if request.method == "POST" else None, questions=questions)
    if form.is_valid():
        services.answer(registration=number, person=who.id, now=timezone.now(), **form.said)
        return HttpResponseRedirect(f"{back}?done=answered")
    context = signing.answer(asked[0], form, questions, language.code)
    return _page("answer", language, f"events/me/{link}/{number}/", context)


def _mine(
    language: Language,
    link: str,
    person: int,
    *,
    word: str = "",
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = signing.mine(queries.mine(person), queries.to_come(), language.code, now=now)
    context |= {"said": signing.done(word), "fault": fault, "link": link}
    return _page("mine", language, f"events/me/{link}/", context, status)


def _said(language: Language, said: dict[str, Any], status: int) -> HttpResponse:
    return _page("said", language, "events/", said, status)


def _page(
    name: str, language: Language, rest: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    city = places_queries.city()
    whose = {"city_name": places.city_name(city, language.code), "live": True}
    body = page(f"events/{name}.html", language, rest, {**context, **whose})
    return HttpResponse(body, status=status)
