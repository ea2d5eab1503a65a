"""The answer page. Looking at it records nothing: mail scanners open every link."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from policity.foundations.delivery import presenters
from policity.foundations.delivery.forms import HelpForm, ReplyForm
from policity.foundations.delivery.models import Reply
from policity.foundations.delivery.rules.duty import duty
from policity.foundations.delivery.services import reply, tell_more
from policity.foundations.delivery.services.composing import replied_about
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.links import BadLink, Purpose

View = Callable[..., HttpResponse]


def personal(view: View) -> View:
    """A page with a personal link in its address: the link is the permission, there is no session.

    So no cookie is set and no token is asked for. Nobody keeps a copy, and no other site learns
    the address.
    """

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def shown(request: HttpRequest, link: str, code: str, **values: Any) -> HttpResponse:
        try:
            person, about = residents.holder(Purpose.REPLY, link)
            message, channel = replied_about(about)
        except (BadLink, KeyError):
            response = HttpResponse(presenters.bad_link(code), status=404)
        else:
            response = view(request, link, code, message, person, channel, **values)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return shown


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def answer(
    request: HttpRequest, link: str, code: str, message: int, person: int, channel: str
) -> HttpResponse:
    """The three buttons; after one of them, what happens now."""
    now = timezone.now()
    sent_at = getattr(request, "sent_at", now)
    form = ReplyForm(request.POST or None)
    if not form.is_valid():
        shown = presenters.answer(code, message, link=link, watched=_watched(now))
        return HttpResponse(shown, status=400 if request.method == "POST" else 200)
    chosen = Reply.Answer(form.cleaned_data["answer"])
    if chosen == Reply.Answer.HELP and not _watched(sent_at):
        return HttpResponse(presenters.answer(code, message, link=link, watched=False), status=409)
    try:
        reply(
            message=message, person=person, channel=channel, answer=chosen, now=now, sent_at=sent_at
        )
    except LookupError:
        return HttpResponse(presenters.bad_link(code), status=404)
    return HttpResponse(presenters.answered(code, message, chosen, link=link, at=now))


@personal
@require_POST
def more(
    request: HttpRequest, link: str, code: str, message: int, person: int, channel: str
) -> HttpResponse:
    """What somebody who needs help adds."""
    form = HelpForm(request.POST)
    now = timezone.now()
    if not form.is_valid():
        shown = presenters.answered(code, message, Reply.Answer.HELP, link=link, at=now, form=form)
        return HttpResponse(shown, status=400)
    tell_more(message=message, person=person, now=now, **form.cleaned_data)
    return HttpResponse(presenters.told(code, message))


def without_database(request: HttpRequest, link: str, code: str) -> HttpResponse | None:
    """What an answer page says while the database is away. None: what was sent can wait for it.

    Whoever is safe can say so; a call for help while nobody is on duty would be read by nobody, and
    is not kept. Whose link it is, is for the caller to know.
    """
    if request.method == "POST" and (
        request.POST.get("answer") != Reply.Answer.HELP or _watched(timezone.now())
    ):
        return None
    status = 409 if request.method == "POST" else 200
    return HttpResponse(presenters.answer_unseen(code, link=link), status=status)


def _watched(now: datetime) -> bool:
    return duty().watched(timezone.localtime(now))
