"""What every request passes through."""

import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.template.loader import render_to_string
from django.utils import timezone

from policity.design import drills
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import entering

# Asked every few seconds by monitoring.
QUIET = {"readyz"}


def request_log(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: gives each request an id, and writes one line about it.

    The line has the route's pattern, not its address, which may hold what is personal.
    """
    log = structlog.get_logger("policity.request")

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
        if not request.path.startswith("/staff/") or not request.user.is_authenticated:
            return get_response(request)
        now, user = timezone.now(), entering.user_of(request)
        if not entering.holds(request.session, user, now=now):
            entering.forget(request)
            request.user = AnonymousUser()
            return get_response(request)
        held = roles(user, on=timezone.localdate(now))
        if not held:
            entering.forget(request)
            return HttpResponseForbidden(
                render_to_string("back_office/no_role.html", request=request)
            )
        request.held_roles = held  # type: ignore[attr-defined]  # views.frame asks for it
        entering.seen(request.session, now=now)
        return get_response(request)

    return handle
