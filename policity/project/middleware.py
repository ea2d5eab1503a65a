"""What every request passes through."""

import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
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
        if not request.path.startswith("/staff/"):
            return get_response(request)
        try:
            known = request.user.is_authenticated
        except Error:  # the database is away; one page comes without it
            known = False
        if not known:
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
