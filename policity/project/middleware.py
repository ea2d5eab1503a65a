"""What every request passes through."""

import math
import time
import uuid
from collections.abc import Callable, Hashable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import structlog
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from policity.design import drills
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import entering
from policity.foundations.continuity.services import spooling
from policity.foundations.delivery import views as answering
from policity.foundations.work.queries import database_away
from policity.kit.languages import BY_CODE, LANGUAGES, Language
from policity.kit.limits import Counted, Counter, parse
from policity.kit.network import last_hop, place
from policity.public_site.presenters import error as error_page

# Asked every few seconds by monitoring.
QUIET = {"readyz"}
# Ours have 32 characters; what strangers write instead is not kept in memory at any length.
LONGEST_LINK = 64

log = structlog.get_logger("policity.request")


def request_log(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: gives each request an id, and writes one line about it.

    The line has the route's pattern, not its address, which may hold what is personal.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        request_id = uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = get_response(request)
            match = request.resolver_match
            route = match.route if match else None
            if route not in QUIET:
                log.info(
                    "request",
                    method=request.method,
                    route=route,
                    status=response.status_code,
                    ms=round((time.perf_counter() - began) * 1000, 1),
                )
        response["X-Request-ID"] = request_id
        return response

    return handle


def drill_marks(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware of a drill's home: no page leaves the application without the marks."""
    if not settings.DRILL:
        raise MiddlewareNotUsed

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            response.content = drills.marked(response.content.decode()).encode()
            if "Content-Length" in response:
                response["Content-Length"] = str(len(response.content))
        return response

    return handle


def staff_sessions(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a session opens the back office while it has a second factor and is not over.

    One that does not is dropped, and whoever sent it is a stranger: the page asks them
    to sign in, and keeps what they typed. Who holds no role today is told so, once.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/staff/"):
            return get_response(request)
        # One page comes without the database, and without knowing who asks.
        without = request.path == reverse("back_office:health")
        began = time.monotonic()
        try:
            away = not without and ABSENCE.lasts()
            stopped = None if away else _stopped(request)
        except Error as error:
            if not database_away(error):
                raise
            ABSENCE.noted(began)
            away, stopped = not without, None
        if away:
            return render(request, "back_office/away.html", status=503)
        return get_response(request) if stopped is None else stopped

    return handle


def _stopped(request: HttpRequest) -> HttpResponse | None:
    """What somebody in the back office is told instead; None: the request goes on.

    Raises django.db.Error.
    """
    if not request.user.is_authenticated:
        return None
    now, user = timezone.now(), entering.user_of(request)
    if not entering.holds(request.session, user, now=now):
        entering.forget(request)
        request.user = AnonymousUser()
        return None
    held = roles(user, on=timezone.localdate(now))
    if not held:
        entering.forget(request)
        return HttpResponseForbidden(render_to_string("back_office/no_role.html", request=request))
    request.held_roles = held  # type: ignore[attr-defined]  # views.frame asks for it
    try:
        entering.seen(request.session, now=now)
    except Error as error:
        # A full disk can still be read, and who reads the board needs it now.
        if not database_away(error):
            raise
    return None


class SignedInMiddleware(LoginRequiredMiddleware):
    """Django's own asks the database who it is before it sees that a view is open to everybody:
    then what has to come without the database would not come to who has signed in.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[object, ...],
        view_kwargs: dict[str, object],
    ) -> HttpResponseBase | None:
        """Let an open view through unasked."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


class Limits:
    """Middleware: who does too often what costs the city something is told to wait (429).

    The limits are facts/limits.toml; they are counted in this process's memory, where nobody is
    written down. Whoever's address the front does not say is not counted by it: a whole city would
    be counted as one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self.limits = parse((files("policity.project") / "facts/limits.toml").read_text("utf-8"))
        self.counter = Counter()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing is known before the address is matched."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, words: object, parts: dict[str, Any]
    ) -> HttpResponse | None:
        """Count a request at each limit that covers it."""
        match = request.resolver_match
        route = match.route if match else ""
        who: dict[Counted, Hashable] = {
            Counted.ADDRESS: place(last_hop(request.headers.get("X-Forwarded-For", ""))),
            Counted.LINK: str(parts.get("link") or "")[:LONGEST_LINK],
        }
        asked = [
            (limit, who[limit.counted])
            for limit in self.limits
            if who[limit.counted] and limit.covers(request.method or "", route)
        ]
        wait = self.counter.wait(asked, now=time.monotonic())
        if not wait:
            return None
        kind = "429" if request.method == "POST" else "busy"
        response = HttpResponse(error_page(kind, _language(parts)), status=429)
        response["Retry-After"] = str(math.ceil(wait))
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response


class Absence:
    """Whether the database just let somebody wait in vain: then nobody else asks it for a moment.

    Two threads answer everybody. If each waited for a lock or a connection, a form would be kept
    every few seconds, and all others would hang.
    """

    # Seconds: who waited so long spares the others so long.
    SLOW, SPARED = 1.0, 5.0

    def __init__(self) -> None:
        self._until = 0.0

    def noted(self, began: float) -> None:
        """It failed somebody who began to ask at that moment."""
        now = time.monotonic()
        if now - began >= self.SLOW:
            self._until = now + self.SPARED

    def lasts(self) -> bool:
        """Whether to do without it."""
        return time.monotonic() < self._until


# This process' own.
ABSENCE = Absence()


class Away:
    """Middleware: the database is away. What residents send is kept; everybody is told."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing is to do before a view has failed."""
        request.began = time.monotonic()  # type: ignore[attr-defined]
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, words: object, parts: object
    ) -> HttpResponse | None:
        """Do without it where it has just let somebody wait in vain."""
        return _without(request) if ABSENCE.lasts() and spooling.is_residents(request) else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Keep what can be kept, and say so; or say that it cannot be."""
        if not database_away(error):
            return None
        ABSENCE.noted(request.began)  # type: ignore[attr-defined]
        log.error("database_away", error=type(error).__name__)
        if request.path.startswith("/staff/"):
            return render(request, "back_office/away.html", status=503)
        return _without(request)


def _without(request: HttpRequest) -> HttpResponse:
    """What a resident is answered without the database."""
    match = request.resolver_match
    language = _language(match.kwargs if match else {})
    response = None
    if match and match.func is answering.answer and spooling.is_ours(match.kwargs["link"]):
        response = answering.without_database(request, **match.kwargs)
    if response is None:
        kept = spooling.is_kept(request) and _keep(request)
        response = HttpResponse(
            error_page("kept" if kept else "503", language), status=202 if kept else 503
        )
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _keep(request: HttpRequest) -> bool:
    try:
        spooling.keep(Path(settings.HOME), request, now=timezone.now())
    except OSError as trouble:
        log.error("not_kept", error=str(trouble))
        return False
    return True


def _language(parts: Mapping[str, Any]) -> Language:
    """The language of an address, by what its route says."""
    found = parts.get("language") or BY_CODE.get(parts.get("code", ""), LANGUAGES[0])
    return cast(Language, found)
