"""What residents send while the database is away is kept as a file, and comes in once.

A file holds a whole POST: it comes in through the same view, and so by the same rules. Whoever
answers that they need help comes first. What the view refuses then is kept aside for staff.
"""

import json
import os
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import resolve

from policity.foundations.continuity.models import Arrived
from policity.foundations.continuity.queries import (
    REFUSED,
    SPOOL,
    database_away,
    set_aside,
    spooled,
)
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.links import BadLink, Purpose

log = structlog.get_logger("policity.continuity")

# Files: what a city of 200,000 sends in a night; then whoever sends is told that it is not kept.
MOST = 50_000
# So long nobody sends the same file again: the worker dies, the disk is read anew.
REMEMBERED = timedelta(days=7)
# A form's own page again is no success, but where the form ends with a page of its own.
_MOVED = 302
_ENDS_WITH_A_PAGE = {"answer", "more", "leave"}


class NotKept(OSError):  # noqa: N818  # the thing refused
    """There is no room for it."""


def is_kept(request: HttpRequest) -> bool:
    """Whether a request is one that can wait: a form of residents' own pages."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return False
    ours = match.func.__module__.endswith(("residents.views", "delivery.views"))
    return ours and ("link" not in match.kwargs or _is_ours(match.kwargs["link"]))


def _is_ours(link: str) -> bool:
    """Whether we wrote a link: that needs no database."""
    for purpose in Purpose:
        try:
            residents.holder(purpose, link)
        except BadLink:
            continue
        return True
    return False


def keep(home: Path, request: HttpRequest, *, now: datetime) -> None:
    """Keep a form's POST until the database is back. Raises NotKept, OSError."""
    folder = home / SPOOL
    folder.mkdir(mode=0o700, exist_ok=True)
    if len(spooled(home)) >= MOST:
        raise NotKept(f"{MOST} forms wait already")
    said = {"at": now.isoformat(), "path": request.path, "body": request.POST.urlencode()}
    first = _is_call(request)
    name = f"{0 if first else 1}-{int(now.timestamp() * 1000):014d}-{uuid.uuid4().hex}"
    part = folder / f".{name}"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(said, out, ensure_ascii=False)
            out.flush()
            os.fsync(out.fileno())
        part.rename(folder / f"{name}.json")
    except OSError:
        part.unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    log.warning("kept", call=first)


def _is_call(request: HttpRequest) -> bool:
    match = request.resolver_match
    more = match is not None and match.func.__name__ == "more"
    return more or request.POST.get("answer") == "help"


def arrive(home: Path, *, now: datetime) -> bool:
    """Let the first of what was kept come in; whether there was one.

    Raises django.db.Error while the database is still away: then nothing has happened.
    """
    waiting = spooled(home)
    if not waiting:
        return False
    file = waiting[0]
    try:
        taken = _bring_in(file, now=now)
    except Exception as error:
        if database_away(error):
            raise
        log.exception("kept_form_failed", file=file.name)
        taken = False
    if taken:
        file.unlink()
        log.info("kept_form_arrived", file=file.name)
    else:
        aside = home / REFUSED
        aside.mkdir(mode=0o700, exist_ok=True)
        file.rename(aside / file.name)
        log.error("kept_form_refused", file=file.name)
    return True


@transaction.atomic
def _bring_in(file: Path, *, now: datetime) -> bool:
    _, new = Arrived.objects.get_or_create(key=file.stem, defaults={"at": now})
    if not new:
        return True
    Arrived.objects.filter(at__lt=now - REMEMBERED).delete()
    said: dict[str, str] = json.loads(file.read_text("utf-8"))
    request = HttpRequest()
    request.method, request.path = "POST", said["path"]
    request.path_info = said["path"]
    request.META = {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.POST = QueryDict(said["body"])
    match = resolve(said["path"])
    request.resolver_match = match
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    ends = match.func.__name__ in _ENDS_WITH_A_PAGE and response.status_code == 200
    if ends or response.status_code == _MOVED:
        return True
    transaction.set_rollback(True)
    return False


def refused(home: Path) -> list[dict[str, Any]]:
    """What was kept and could not be taken: when, which page, and what stands in it."""
    return [
        {**said, "body": QueryDict(said["body"]).dict()}
        for file in set_aside(home)
        for said in [json.loads(file.read_text("utf-8"))]
    ]
