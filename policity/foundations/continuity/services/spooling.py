"""What residents send while the database is away: kept as files, and taken in once it is back.

A file holds what somebody sent, whole, and its name says in which order it comes in
(rules.waiting). The worker calls the view for which it was meant, inside a transaction in which the
name is written, too: so what counts is what counts for everybody, and a file is taken once,
wherever the worker dies. What the view refuses then is kept aside for staff.
"""

import json
import os
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import ResolverMatch, resolve
from django.utils.crypto import salted_hmac

from policity.foundations.continuity.models import Arrived
from policity.foundations.continuity.queries import (
    REFUSED,
    SPOOL,
    database_fault,
    set_aside,
    spooled,
)
from policity.foundations.continuity.rules.waiting import Kept
from policity.foundations.residents import queries as residents
from policity.foundations.residents.rules.links import BadLink, Purpose
from policity.foundations.work.queries import database_away

log = structlog.get_logger("policity.continuity")

# Files: what a city of 200,000 sends in a night; then whoever sends is told that it is not kept.
MOST = 50_000
# Signs of one form: the largest of ours, with a browser's keys, has two thousand.
LONGEST = 16_000
# Seconds in which the worker takes in what waits before it looks at what else is urgent.
BATCH_SECONDS = 0.5
# So long nobody sends the same file again: the worker dies, the disk is read anew.
REMEMBERED = timedelta(days=7)
HALF_WRITTEN = timedelta(hours=1)
# Whose forms wait, and which end with a page of their own: elsewhere a page is the form again, and
# no success.
_MOVED = 302
_ENDS_WITH_A_PAGE = {
    "residents.views": {"leave"},
    "delivery.views": {"answer", "more", "leave"},
    # Whoever signs up is asked by mail whether it was they, and reads there how they stand.
    "events.views": set[str](),
}


class NotKept(OSError):  # noqa: N818  # the thing refused
    """There is no room for it."""


def is_kept(request: HttpRequest) -> bool:
    """Whether a request is one that can wait: a form of residents' own pages."""
    match = request.resolver_match
    if match is None or request.method != "POST" or not is_residents(request) or not request.POST:
        return False
    return "link" not in match.kwargs or is_ours(match.kwargs["link"])


def is_residents(request: HttpRequest) -> bool:
    """Whether a request is for one of residents' own pages."""
    match = request.resolver_match
    return match is not None and _room(match) in _ENDS_WITH_A_PAGE


def _room(match: ResolverMatch) -> str:
    return ".".join(match.func.__module__.rsplit(".", 2)[-2:])


def is_ours(link: str) -> bool:
    """Whether we wrote a link."""
    return _holder(link) is not None


def _holder(link: str) -> int | None:
    """Whose link it is, if we wrote it: that needs no database."""
    for purpose in Purpose:
        try:
            return residents.holder(purpose, link)[0]
        except BadLink:
            continue
    return None


def keep(home: Path, request: HttpRequest, *, now: datetime) -> None:
    """Keep a form's POST until the database is back. Raises NotKept, OSError."""
    said = {"at": now.isoformat(), "path": request.path, "body": request.POST.urlencode()}
    if len(said["body"]) > LONGEST:
        raise NotKept("longer than any form of ours")
    if len(spooled(home)) >= MOST:
        raise NotKept(f"{MOST} forms wait already")
    folder = home / SPOOL
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = Kept(_is_call(request), int(now.timestamp() * 1000), _whose(request), _random())
    part = folder / f".{kept}"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(said, out, ensure_ascii=False)
            out.flush()
            os.fsync(out.fileno())
        part.rename(folder / str(kept))
    except OSError:
        part.unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    log.warning("kept", call=kept.call)


def _is_call(request: HttpRequest) -> bool:
    match = request.resolver_match
    more = match is not None and match.func.__name__ == "more"
    return more or request.POST.get("answer") == "help"


def _whose(request: HttpRequest) -> str:
    """The same for whatever one person sends, and a stranger's own for who is not yet known."""
    match = request.resolver_match
    link = match.kwargs.get("link") if match else None
    holder = _holder(link) if link else None
    if holder is None:
        return _random()
    # A name in a log is no number of a person.
    return salted_hmac("policity.spool", str(holder), algorithm="sha256").hexdigest()[:16]


def _random() -> str:
    return uuid.uuid4().hex[:16]


def arrive(home: Path, *, now: datetime) -> int:
    """Let what was kept come in, for half a second at most; how many are no longer waiting.

    Raises django.db.Error while the database is still away: then what was not taken waits on. A
    form at which the database alone fails, though it answers, holds up its sender and nobody else.
    """
    ended, held = 0, dict[str, Exception]()
    waiting = spooled(home)
    # Counted from here: listing very many takes as long again.
    deadline = time.monotonic() + BATCH_SECONDS
    for kept in waiting:
        if kept.whose in held:
            continue
        try:
            _end(home, kept, taken=_taken(home, kept, now=now))
            ended += 1
        except Exception as error:
            if not database_away(error) or database_fault():
                raise
            held[kept.whose] = error
        if time.monotonic() > deadline:
            break
    if held and not ended:
        raise next(iter(held.values()))
    if ended:
        _tidy(home, now=now)
    return ended


def _tidy(home: Path, *, now: datetime) -> None:
    """Forget what nobody sends again, and what was half written when a process died."""
    Arrived.objects.filter(at__lt=now - REMEMBERED).delete()
    for part in (home / SPOOL).glob(".*.json"):
        if now.timestamp() - part.stat().st_mtime > HALF_WRITTEN.total_seconds():
            part.unlink()


def _taken(home: Path, kept: Kept, *, now: datetime) -> bool:
    try:
        return _bring_in(home / SPOOL / str(kept), now=now)
    except Exception as error:
        if database_away(error):
            raise
        log.exception("kept_form_failed", file=str(kept))
        return False


def _end(home: Path, kept: Kept, *, taken: bool) -> None:
    file = home / SPOOL / str(kept)
    if taken:
        file.unlink()
        log.info("kept_form_arrived", file=file.name)
        return
    aside = home / REFUSED
    aside.mkdir(mode=0o700, exist_ok=True)
    file.rename(aside / file.name)
    log.error("kept_form_refused", file=file.name)


@transaction.atomic
def _bring_in(file: Path, *, now: datetime) -> bool:
    _, new = Arrived.objects.get_or_create(key=file.stem, defaults={"at": now})
    if not new:
        return True
    said: dict[str, str] = json.loads(file.read_text("utf-8"))
    request = HttpRequest()
    request.method, request.path = "POST", said["path"]
    request.path_info = said["path"]
    request.META = {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.POST = QueryDict(said["body"])
    # An answer counts from when it was given.
    request.sent_at = datetime.fromisoformat(said["at"])  # type: ignore[attr-defined]
    match = resolve(said["path"])
    request.resolver_match = match
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    ends = match.func.__name__ in _ENDS_WITH_A_PAGE[_room(match)] and response.status_code == 200
    if ends or response.status_code == _MOVED:
        return True
    transaction.set_rollback(True)
    return False


def refused(home: Path) -> list[dict[str, Any]]:
    """What was kept and could not be taken: its file, when, which page, and what stands in it."""
    return [_read(home / REFUSED / str(kept)) for kept in set_aside(home)]


def _read(file: Path) -> dict[str, Any]:
    text = file.read_text("utf-8")
    try:
        said = json.loads(text)
        return {"file": file.name, **said, "body": QueryDict(said["body"]).dict()}
    except (ValueError, KeyError):
        # It was set aside because nobody can read it: whoever looks gets what there is.
        return {"file": file.name, "text": text}
