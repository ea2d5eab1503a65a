"""The board as it changes: one count and one rendering a tick, for everybody who looks.

A hub lives in a process of its own (`project.live`, docs/adr/0009). Its thread counts and renders;
its event loop hands the same text to every viewer who may see the same.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, NamedTuple

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from policity.back_office.forms import ChoiceForm
from policity.back_office.presenters.board import board
from policity.back_office.presenters.frame import clock
from policity.back_office.presenters.live import alike, panes
from policity.back_office.views.frame import held, require
from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.accounts.services import entering
from policity.foundations.delivery import queries
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.rules.reach import pause

log = structlog.get_logger("policity.live")

# A reader who hears nothing for three of these says that the connection is lost.
BEAT_SECONDS = 5.0
# Whether a viewer is still signed in, with the same roles, is asked again so often.
CHECK = timedelta(seconds=30)
# How soon a browser comes back to a stream that has ended.
RETRY_MILLISECONDS = 3000


class Kind(NamedTuple):
    """Which board: of the newest message (None) or a chosen one, for who may do what."""

    message: int | None
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tick:
    """One board, rendered. `id` grows, by the clock, and stays while nothing changes."""

    id: int
    at: str
    panes: Mapping[str, str]


@dataclass(eq=False, slots=True)
class Viewer:
    """One open stream. `news` wakes it; it is ended by `gone`."""

    kind: Kind
    session: str
    news: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False


class Hub:
    """Everybody who looks at the board through this process."""

    def __init__(self) -> None:
        self.viewers: set[Viewer] = set()
        self.ticks: dict[Kind, Tick] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._checked: datetime | None = None
        self._wake = threading.Event()
        self._ended = False

    @property
    def running(self) -> bool:
        """Whether somebody ticks."""
        return self._loop is not None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take in viewers on this loop."""
        self._loop, self._ended = loop, False

    def end(self) -> None:
        """End every stream, and the ticking. On the loop."""
        self._loop, self._ended = None, True
        for viewer in self.viewers:
            viewer.gone = True
            viewer.news.set()
        self._wake.set()

    def run(self, alive: Callable[[], object]) -> None:
        """Tick until the end, in a thread of its own. `alive` is called at each tick."""
        while not self._ended:
            began = time.monotonic()
            try:
                alive()
                self.tick(now=timezone.now())
            except Exception as error:  # a locked database, a full disk: the next tick may do
                log.error("tick_failed", error=repr(error))
                connection.close_if_unusable_or_obsolete()
            took = timedelta(seconds=time.monotonic() - began)
            self._wake.wait(pause(took).total_seconds())
            self._wake.clear()
        connection.close()

    def wake(self) -> None:
        """Somebody looks at a board that is not rendered: do not let them wait."""
        self._wake.set()

    def tick(self, *, now: datetime) -> None:
        """Count what has moved, once, and render each kind of board that somebody looks at."""
        delivery.count(now=now)
        viewers = tuple(self.viewers)
        gone = self._gone(viewers, now=now)
        kinds = {viewer.kind for viewer in viewers if viewer not in gone}
        ticks = dict(self._render(kinds, now=now))
        self._tell(lambda: self._publish(ticks, gone))

    def _render(self, kinds: set[Kind], *, now: datetime) -> list[tuple[Kind, Tick]]:
        boards = {
            message: board(now=now, message=message) for message in {kind.message for kind in kinds}
        }
        found = []
        for kind in kinds:
            drawn = panes(boards[kind.message], kind.may)
            before = self.ticks.get(kind)
            same = before is not None and before.panes == drawn
            number = before.id if before and same else int(now.timestamp() * 1000)
            found.append((kind, Tick(number, clock(now), drawn)))
        return found

    def _gone(self, viewers: tuple[Viewer, ...], *, now: datetime) -> set[Viewer]:
        """Those who have signed out, or whose board is another one now. Asked now and then."""
        if self._checked is not None and now - self._checked < CHECK:
            return set()
        self._checked = now
        return {viewer for viewer in viewers if allowed(viewer.session, now) != viewer.kind.may}

    def _tell(self, what: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(what)

    def _publish(self, ticks: dict[Kind, Tick], gone: set[Viewer]) -> None:
        """On the loop."""
        self.ticks = ticks
        for viewer in gone:
            viewer.gone = True
        for viewer in self.viewers:
            viewer.news.set()


HUB = Hub()


def allowed(session: str, now: datetime) -> frozenset[str] | None:
    """What whoever has this session may do, as far as their board depends on it; None: nothing."""
    asking = HttpRequest()
    asking.session = import_module(settings.SESSION_ENGINE).SessionStore(session)
    user = get_user(asking)
    if not isinstance(user, User):
        return None
    # A board on a wall is looked at and never pressed.
    if not entering.holds(asking.session, user, now=now, idle=False):
        return None
    today = roles(user, on=timezone.localdate(now))
    return _sees(today)


def _sees(today: frozenset[Role]) -> frozenset[str] | None:
    return alike(today) if may(today, Act.SEE_BOARD) else None


@require_safe
@never_cache
async def live(request: HttpRequest) -> HttpResponseBase:
    """The stream. 503 from a process that has no hub."""
    viewer = await sync_to_async(_admit)(request)
    if not HUB.running:
        return HttpResponse("この入口では、自動の更新はできません。", status=503)
    seen = request.headers.get("Last-Event-ID", "")
    return StreamingHttpResponse(
        stream(viewer, seen=int(seen) if seen.isdecimal() else 0),
        content_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def _admit(request: HttpRequest) -> Viewer:
    require(request, Act.SEE_BOARD)
    chosen = ChoiceForm.read(request.GET)
    if chosen is not None and not queries.is_sent(chosen):
        raise Http404
    session = request.session.session_key or ""
    # The stream outlives this: it keeps no connection to the database.
    viewer = Viewer(Kind(chosen, alike(held(request))), session)
    if not connection.in_atomic_block:
        connection.close()
    return viewer


async def stream(viewer: Viewer, *, seen: int) -> AsyncIterator[str]:
    """What one viewer reads: the whole board, then of each tick the panes that have changed."""
    HUB.viewers.add(viewer)
    if viewer.kind not in HUB.ticks:
        HUB.wake()
    shown: Mapping[str, str] = {}
    number = 0
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        while not viewer.gone:
            tick = HUB.ticks.get(viewer.kind)
            if tick is not None and tick.id != number:
                # Who comes back and has missed nothing has it all.
                if number or tick.id != seen:
                    changed = {k: v for k, v in tick.panes.items() if shown.get(k) != v}
                    yield event("board", {"at": tick.at, "panes": changed}, number=tick.id)
                shown, number = tick.panes, tick.id
            try:
                await asyncio.wait_for(viewer.news.wait(), BEAT_SECONDS)
            except TimeoutError:
                yield event("beat", {"at": clock(timezone.now())})
            else:
                viewer.news.clear()
    finally:
        HUB.viewers.discard(viewer)


def event(name: str, data: Mapping[str, Any], *, number: int | None = None) -> str:
    """One event of a stream, as the HTML standard frames it."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
