"""Whether everything serves: `/readyz`, for the supervisor and for a city's monitoring."""

import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse

from policity.kit.languages import LANGUAGES
from policity.project import home

# Each of the children touches its file at least every few seconds.
HEARTBEAT_SECONDS = 15
CHILDREN = ("live", "worker", "watcher", "sender-urgent", "sender-routine")
# A running program's migrations do not change.
_migration_set = cache(home.migration_set)


def missing(folder: Path) -> list[str]:
    """What a home still lacks before it can be called ready, in the order it comes about."""
    if home.prepared_set(folder / "policity.sqlite3") != _migration_set():
        return ["database"]
    lacks = [name for name in CHILDREN if not _alive(folder / "run", name)]
    front_pages = [folder / "published" / language.prefix.strip("/") for language in LANGUAGES]
    if not all((page / "index.html").exists() for page in front_pages):
        lacks.append("pages")
    return lacks


@login_not_required
def ready(request: HttpRequest) -> HttpResponse:
    """200 when everything serves, else 503 with the list of what is missing."""
    lacks = missing(settings.HOME)
    response = JsonResponse({"ready": not lacks, "missing": lacks}, status=503 if lacks else 200)
    response["Cache-Control"] = "no-store"
    return response


def _alive(run: Path, name: str) -> bool:
    try:
        age = time.time() - (run / f"{name}.alive").stat().st_mtime
    except FileNotFoundError:
        return False
    return age < HEARTBEAT_SECONDS
