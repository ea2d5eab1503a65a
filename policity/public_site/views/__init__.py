"""The door of Wagtail's own pages, which stand behind our sign-in and second factor."""

import functools
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from typing import Any, cast

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied, SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.public_site.services import editing
from policity.public_site.services.telling import together

View = Callable[..., HttpResponseBase]
# A number that a database can hold (64 bits).
LARGEST = 2**63 - 1
# Of what staff uploaded, only the sizes that Wagtail made anew: the originals may say where a
# photograph was taken.
SHOWN_FOLDER = "images"
# Names have a digest or a version in them.
KEPT = "private, max-age=86400"
# Pictures take seconds to be made in all sizes, an older site to be put down: nobody else's writing
# waits for that.
SLOW = ("/images/", "/documents/", "/content/import/")


def entered(view: View) -> View:
    """Only for staff who write pages, in the groups that their roles of today are; what they change
    is one transaction with its lines in the audit trail.
    """

    @functools.wraps(view)
    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user, today = cast(User, request.user), timezone.localdate()
        held = roles(user, on=today)
        if not may(held, Act.WRITE_PAGES):
            raise PermissionDenied
        # Known here, asked for each page of a list (wagtail_hooks).
        cast(Any, user).keeps_links = may(held, Act.KEEP_LINKS)
        if any(isinstance(part, int) and part > LARGEST for part in kwargs.values()):
            raise Http404
        # Roles decide, and no flag that an account may have from elsewhere.
        user.is_superuser = False
        editing.enter(user, on=today)
        at_once = request.method == "POST" and not any(part in request.path for part in SLOW)
        with together() if at_once else nullcontext():
            response = view(request, *args, **kwargs)
            if isinstance(response, HttpResponse) and hasattr(response, "render"):
                response = response.render()
        return response

    return handle


def shut(request: HttpRequest, **parts: str) -> HttpResponse:
    """Accounts, passwords and roles are the back office's: Wagtail's own pages are shut."""
    raise Http404


def signed_in(request: HttpRequest) -> HttpResponse:
    """Whoever Wagtail sends to a door of its own: ours comes before it, and they are inside."""
    return HttpResponseRedirect(reverse("wagtailadmin_home"))


@require_safe
def static(request: HttpRequest, name: str) -> FileResponse:
    """A style sheet or a script of Wagtail's, as it lies in its package."""
    try:
        found = finders.find(name)
    except SuspiciousFileOperation as error:
        raise Http404 from error
    if not isinstance(found, str) or not Path(found).is_file():
        raise Http404
    response = FileResponse(Path(found).open("rb"))  # noqa: SIM115  # it closes the file
    response["Cache-Control"] = KEPT
    return response


@require_safe
def media(request: HttpRequest, name: str) -> FileResponse:
    """A picture in a size that Wagtail made, while nobody else sees it yet."""
    path = PurePosixPath(name)
    if ".." in path.parts or path.parts[:1] != (SHOWN_FOLDER,):
        raise Http404
    try:
        file = (Path(settings.MEDIA_ROOT) / path).open("rb")
    except (OSError, ValueError) as error:
        raise Http404 from error
    response = FileResponse(file)
    response["Cache-Control"] = KEPT
    return response
