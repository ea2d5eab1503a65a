"""Whether everything serves: `/readyz`, for the supervisor and for a city's monitoring."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from policity.foundations.continuity.queries import silent
from policity.kit.languages import LANGUAGES
from policity.kit.sides import Role
from policity.project import cluster, environment, home

# A running program's migrations do not change.
_migration_set = cache(home.migration_set)


def missing(folder: Path) -> list[str]:
    """What a home still lacks before it can be called ready, in the order it comes about."""
    if not _prepared(folder):
        return ["database"]
    lacks = list(silent(folder, now=timezone.now()))
    if settings.ROLE == Role.INTERNAL:
        return lacks
    front_pages = [folder / "published" / language.prefix.strip("/") for language in LANGUAGES]
    if not all((page / "index.html").exists() for page in front_pages):
        lacks.append("pages")
    return lacks


def _prepared(folder: Path) -> bool:
    try:
        return home.found_set(replace(environment.read(), home=folder)) == _migration_set()
    except cluster.AwayError:
        return False


@login_not_required
def ready(request: HttpRequest) -> HttpResponse:
    """200 when everything serves, else 503 with the list of what is missing."""
    lacks = missing(settings.HOME)
    response = JsonResponse({"ready": not lacks, "missing": lacks}, status=503 if lacks else 200)
    response["Cache-Control"] = "no-store"
    return response
