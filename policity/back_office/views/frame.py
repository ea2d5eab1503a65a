"""What every staff page shares: who is asking, what they may do, and the menu around it."""

from collections.abc import Mapping
from typing import cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from policity.back_office.presenters.frame import city_name
from policity.foundations.accounts import policies
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.city_plan.policies import keeps
from policity.kit import sides
from policity.kit.network import last_hop


def page(
    request: HttpRequest, name: str, context: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    """A page with the menu of what this person may see."""
    menu = {
        "page": name,
        "keeps_plan": _keeps_plan(request),
        "may": frozenset(act.value for act in Act if may(held(request), act)),
        "city_name": city_name(),
        "inside": settings.ROLE == sides.Role.INTERNAL,
    }
    return render(request, f"back_office/{name}.html", {**menu, **context}, status=status)


def require(request: HttpRequest, act: Act) -> User:
    """Who asks, where they may do it. Raises PermissionDenied."""
    if not may(held(request), act):
        raise PermissionDenied
    return cast(User, request.user)


def keeper(request: HttpRequest) -> User:
    """Who asks, where they keep the city's plan. Raises PermissionDenied."""
    if not _keeps_plan(request):
        raise PermissionDenied
    return cast(User, request.user)


def _keeps_plan(request: HttpRequest) -> bool:
    """Residents are asked by the installation that they reach."""
    return settings.ROLE != sides.Role.INTERNAL and keeps(held(request))


def whose(request: HttpRequest, act: Act) -> frozenset[str] | None:
    """The departments, by slug, for which whoever asks may do it today; None: the whole city."""
    return policies.whose(cast(User, request.user), act, on=timezone.localdate())


def held(request: HttpRequest) -> frozenset[Role]:
    """The roles that whoever asks holds today; looked up once for each request."""
    found: frozenset[Role] | None = getattr(request, "held_roles", None)
    if found is None:
        found = roles(cast(User, request.user), on=timezone.localdate())
        request.held_roles = found  # type: ignore[attr-defined]  # our own note on it
    return found


def address(request: HttpRequest) -> str:
    """Whose request it is, as the front says (it writes this header itself); empty: not known.

    For counting failures and for the list of sessions; it is kept nowhere else.
    """
    said = last_hop(request.headers.get("X-Forwarded-For", ""))
    return said or str(request.META.get("REMOTE_ADDR", ""))
