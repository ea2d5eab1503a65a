"""The engine for web push: encrypts and posts each item to its push service, over HTTP/2.

A push service is known by its origin (scheme, host, port) and has a client of its own here, tied
to the one address that was looked at: a browser's endpoint is text from a stranger, and must not
lead into the city's own network. An origin that fails rests, and the others go on.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import uvloop
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, PyreqwestError
from pyreqwest.http import HeaderMap, Url
from pyreqwest.response import Response

from policity.foundations.delivery.channels.stock import Stock
from policity.foundations.delivery.formats.webpush import Options, Vapid, pad
from policity.foundations.delivery.rules.handing import Answer, Desk, Item, Result
from policity.kit.network import NotPublic, look_up

# Answers of so long, or so many, are noted together: a note waits for the disk.
GATHER = 0.005
ENOUGH = 50
# How often to look at the desk and the clock while requests are open and no answer comes.
LOOK = 0.1
# How long to rest at a desk that has nothing.
IDLE = 1.0
# While envelopes are made, every second moment of so long is somebody else's.
FILL = 0.01
# As long an address counts as looked at; then it is asked for again, for services move.
ADDRESS_LIFE = 600.0
# Failures in a row, from an origin that had answered, until it rests.
STRIKES = 3
# A service that speaks HTTP/1.1 gets a connection for each open request, so only a few.
HTTP1_STREAMS = 6
ORIGINS_KEPT = 256
TEXT = 120

# How the client's inner layers say that no connection came about. Its ConnectError does not mean
# that: it is raised as well when a request was sent and the connection broke before the answer.
# Should the words change one day, all such items are in doubt, and none is sent twice for it.
NEVER_SENT = "client error (Connect)"


@dataclass(eq=False, slots=True)
class _Origin:
    """A push service: what waits for it, what is open, and how it has behaved."""

    name: str
    host: str
    port: int
    streams: int
    held: deque[tuple[Url, Item]] = field(default_factory=deque)
    open: int = 0
    client: Client | None = None
    opening: bool = False
    opened: float = 0.0
    refusal: str = ""
    # It has answered since it was opened or rested. Until then one request at a time: a service
    # that is down costs one item, and many requests do not begin as many connections.
    proven: bool = False
    heard: float = 0.0
    strikes: int = 0
    rests: int = 0
    rested: float = 0.0
    until: float = 0.0
    why: str = ""


@dataclass(slots=True)
class _Post:
    """A request that is ready to be sent. `began`: in the loop's seconds."""

    origin: _Origin
    client: Client
    item: Item
    to: Url
    headers: HeaderMap
    body: bytes
    began: float


@dataclass(slots=True)
class _Said:
    """What a request came to. `after`: the seconds that Retry-After asks for."""

    result: Result
    code: int = 0
    text: str = ""
    after: float | None = None


class WebPush:
    """Hands items to push services. `run` is the whole of it; one object, one run at a time.

    `options` are those of every item, or are asked for each. At most `concurrency` items are in
    our hands at once, and at most `per_origin` requests open to one service. `timeout` is the
    longest that a request may take; `patience` is how long a service may say nothing to any of
    its open requests until further items for it are put off. A service that fails rests for
    `first_rest`, then twice as long each time, up to `longest_rest`, which also bounds what its
    Retry-After may ask. `ca` is a root certificate (PEM) to trust besides the known ones;
    `allow_private` permits addresses that are not public: both for tests and closed networks.
    """

    def __init__(
        self,
        *,
        vapid: Vapid,
        options: Options | Callable[[Item], Options],
        concurrency: int = 400,
        per_origin: int = 200,
        timeout: timedelta = timedelta(seconds=20),
        connect_timeout: timedelta = timedelta(seconds=8),
        patience: timedelta = timedelta(seconds=5),
        first_rest: timedelta = timedelta(seconds=2),
        longest_rest: timedelta = timedelta(minutes=5),
        ca: bytes = b"",
        allow_private: bool = False,
    ) -> None:
        # Why nothing moves, for staff: empty, since one service that fails stops no other.
        self.trouble = ""
        self._vapid = vapid
        self._options = options
        self._concurrency = concurrency
        self._per_origin = per_origin
        self._timeout = timeout
        # A connection that is never made must not look like a request that was sent.
        self._connect_timeout = min(connect_timeout, timeout / 2)
        self._patience = patience.total_seconds()
        self._first_rest = first_rest.total_seconds()
        self._longest_rest = longest_rest.total_seconds()
        self._stock = Stock()
        self._ca = ca
        self._allow_private = allow_private

    def run(self, desk: Desk) -> None:
        """Serve a desk until its `wait` says no. It blocks.

        What the desk raises ends the run at once; what was begun is then in doubt.
        """
        uvloop.run(self._run(desk))

    def expect(self, subscriptions: Iterable[tuple[bytes, bytes]]) -> None:
        """Prepare for these (p256dh, auth) while there is nothing to send. From any thread."""
        self._stock.want(subscriptions)

    async def _run(self, desk: Desk) -> None:
        self._origins: dict[str, _Origin] = {}
        self._clients: set[Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._answers: list[Answer] = []
        self._in_hand = 0
        self._news = asyncio.Event()
        idle = False
        try:
            while True:
                self._round(desk)
                if self._fault:
                    raise self._fault
                if self._in_hand:
                    idle = False
                    await self._gather()
                else:
                    # A moment between two batches is no time for anything else.
                    filling = idle and self._stock.fill(FILL)
                    if not desk.wait(FILL if filling else IDLE):
                        return
                    idle = True
        finally:
            await self._close()

    async def _gather(self) -> None:
        """Until answers came, or a while has passed."""
        try:
            await asyncio.wait_for(self._news.wait(), LOOK)
        except TimeoutError:
            return
        if len(self._answers) < ENOUGH:
            await asyncio.sleep(GATHER)
        self._news.clear()

    def _round(self, desk: Desk) -> None:
        """Note what was answered and what begins, with one note, and then begin it.

        Nothing is awaited in here, so that no answer frees a place before it is noted.
        """
        now = asyncio.get_running_loop().time()
        # The places of answers that wait are free: they are noted before what takes them.
        if room := self._concurrency - self._in_hand + len(self._answers):
            for item in desk.take(room):
                self._in_hand += 1
                self._place(item)
        posts: list[_Post] = []
        for origin in self._origins.values():
            if origin.held:
                posts += self._next(origin, now)
        answers, self._answers = self._answers, []
        if answers or posts:
            desk.note(answers, [post.item for post in posts])
        self._in_hand -= len(answers)
        for post in posts:
            self._begin(self._send(post))

    def _place(self, item: Item) -> None:
        """Queue an item at its origin."""
        try:
            url = Url(item.to)
            host, port = url.host_str, url.port_or_known_default
        except ValueError:
            host = port = None
        if host is None or port is None or url.scheme != "https" or url.username or url.password:
            self._answer(item, Result.FAILED, text="the endpoint is not an https address")
            return
        # The client's own reading of the address, so that what is checked is what is called.
        name = url.origin_ascii
        if name not in self._origins:
            self._forget()
            self._origins[name] = _Origin(name, host, port, self._per_origin)
        self._origins[name].held.append((url, item))

    def _next(self, origin: _Origin, now: float) -> list[_Post]:
        """What can begin at an origin now. What cannot, and should not wait, is answered."""
        stalled = origin.open and now - origin.heard > self._patience
        aged = now - origin.opened > ADDRESS_LIFE
        if origin.refusal and not aged:
            self._dismiss(origin, Result.FAILED, origin.refusal)
        elif now < origin.until or stalled:
            silent = "the push service does not answer"
            self._dismiss(origin, Result.LATER, silent if stalled else origin.why)
        elif origin.client is None or aged:
            if not origin.opening:
                origin.opening = True
                self._begin(self._open(origin))
        else:
            return self._written(origin, origin.client, now)
        return []

    def _written(self, origin: _Origin, client: Client, now: float) -> list[_Post]:
        """As many of an origin's items as it has places for, encrypted.

        All of a round at once: one by one between the sending, each takes half as long again,
        for the lock that the cipher gives up goes to the client's thread and back.
        """
        posts: list[_Post] = []
        # Alike for all items of a message.
        headers: dict[Options, HeaderMap] = {}
        if not origin.open:
            origin.heard = now
        while origin.held and origin.open < (origin.streams if origin.proven else 1):
            url, item = origin.held.popleft()
            try:
                padded = pad(b"".join(item.pieces))
                body = self._stock.take(*item.keys).sealed(padded)
            except (ValueError, TypeError) as error:
                self._answer(item, Result.FAILED, text=str(error))
                continue
            options = self._options if isinstance(self._options, Options) else self._options(item)
            if options not in headers:
                headers[options] = self._headers(origin, options)
            origin.open += 1
            posts.append(_Post(origin, client, item, url, headers[options], body, now))
        return posts

    async def _open(self, origin: _Origin) -> None:
        """Look an origin's address up, judge it, and make a client for that address alone."""
        now = asyncio.get_running_loop().time
        self._retire(origin)
        origin.refusal, origin.proven = "", False
        try:
            async with asyncio.timeout(self._connect_timeout.total_seconds()):
                found = await look_up(origin.host, origin.port, allow_private=self._allow_private)
        except NotPublic:
            origin.opened = now()
            origin.refusal = "the push service's address is not a public one"
        except (OSError, ValueError) as error:
            text = f"no address was found: {error}"
            self._strike(origin, now(), _Said(Result.LATER, text=text))
        else:
            origin.opened = now()
            # Another address after each failure: one of them may be out of reach.
            origin.client = self._client(origin, found[origin.rests % len(found)])
        finally:
            origin.opening = False
            self._news.set()

    def _client(self, origin: _Origin, address: str) -> Client:
        builder = (
            ClientBuilder()
            .user_agent("policity/0.1 (municipal disaster information)")
            .http2(True).https_only(True)
            .gzip(False).brotli(False).zstd(False).deflate(False)
            .follow_redirects(False).referer(False).no_proxy()
            .connect_timeout(self._connect_timeout)
            .timeout(self._timeout)
            # A name is not asked for a second time: it could give another address by then.
            .resolve(origin.host, address, origin.port)
        )  # fmt: skip
        if self._ca:
            builder = builder.add_root_certificate_pem(self._ca)
        client = builder.build()
        self._clients.add(client)
        return client

    async def _send(self, post: _Post) -> None:
        """One request, and what its answer says of the item and of the origin."""
        origin, item = post.origin, post.item
        said = await self._ask(post)
        now = origin.heard = asyncio.get_running_loop().time()
        origin.open -= 1
        if said.result in (Result.LATER, Result.DOUBT):
            # What was under way when a rest began failed for the same reason: it is no news.
            if post.began >= origin.rested:
                self._strike(origin, now, said)
        elif said.code:
            origin.proven = True
            origin.strikes = origin.rests = 0
        self._answer(item, said.result, said.code, said.text)

    async def _ask(self, post: _Post) -> _Said:
        said = _Said(Result.DOUBT)
        try:
            request = post.client.post(post.to).headers(post.headers).body_bytes(post.body)
            # Without a limit the client would first read some of the body, and lose the status
            # when that breaks off.
            async with request.streamed_read_buffer_limit(0).build_streamed() as response:
                said = _Said(meaning(response.status), response.status)
                if response.version != "HTTP/2.0":
                    post.origin.streams = min(self._per_origin, HTTP1_STREAMS)
                if said.result is Result.LATER:
                    said.after = _seconds(response.get_header("retry-after"))
                # Read in any case: a body that is left is a stream that we reset, and services
                # close connections that reset many. Where there is none, the wait for it is spared.
                empty = response.get_header("content-length") == "0"
                text = "" if empty else await _first_line(response)
                said.text = "" if said.result is Result.HANDED else text
        except BuilderError as error:
            return _Said(Result.FAILED, text=_causes(error)[-1])
        except PyreqwestError as error:
            # When it broke within an answer's body, what the status said still stands.
            causes = _causes(error)
            said.text = causes[-1]
            if NEVER_SENT in causes:
                said.result = Result.LATER
        return said

    def _headers(self, origin: _Origin, options: Options) -> HeaderMap:
        return HeaderMap(
            {
                **options.headers(),
                "authorization": self._vapid.header(origin.name, datetime.now(UTC)),
                "content-encoding": "aes128gcm",
                "content-type": "application/octet-stream",
            }
        )

    def _strike(self, origin: _Origin, now: float, said: _Said) -> None:
        """Count a failure of an origin, and let it rest when it is one too many."""
        origin.strikes += 1
        if origin.proven and origin.strikes < STRIKES and said.after is None:
            return
        seconds = self._first_rest * 2 ** min(origin.rests, 20)
        if said.after is not None:
            seconds = said.after
        jitter = random.uniform(1, 1.5)  # noqa: S311  # no secret
        origin.until = now + min(seconds * jitter, self._longest_rest)
        origin.rested, origin.why = now, said.text or f"the push service said {said.code}"
        origin.rests += 1
        origin.strikes, origin.proven = 0, False
        if not said.code:
            self._retire(origin)  # its address may have changed

    def _dismiss(self, origin: _Origin, result: Result, text: str) -> None:
        while origin.held:
            self._answer(origin.held.popleft()[1], result, text=text)

    def _answer(self, item: Item, result: Result, code: int = 0, text: str = "") -> None:
        self._answers.append(Answer(item, result, code, text[:TEXT]))
        self._news.set()

    def _forget(self) -> None:
        """Make place for one more origin: strangers can name any number of them."""
        for origin in list(self._origins.values()):
            if len(self._origins) < ORIGINS_KEPT:
                return
            if not (origin.open or origin.held or origin.opening):
                self._retire(origin)
                del self._origins[origin.name]

    def _retire(self, origin: _Origin) -> None:
        """Use an origin's client no more; it is closed when what it still does is over."""
        if origin.client is not None:
            self._begin(self._close_later(origin.client))
            origin.client = None

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() and self._fault is None:
            self._fault = task.exception()
            self._news.set()

    async def _close_later(self, client: Client) -> None:
        await asyncio.sleep(self._timeout.total_seconds() + 1)
        await client.close()
        self._clients.discard(client)

    async def _close(self) -> None:
        # A client that is still open when the interpreter ends aborts the process (1 in 25).
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(client.close() for client in self._clients))


def meaning(status: int) -> Result:
    """What a push service's status says of a message (RFC 8030, 5 and 8; RFC 8292, 4.2).

    A redirect is not followed, and so final.
    """
    if 200 <= status < 300:
        return Result.HANDED
    if status in {404, 410}:
        return Result.GONE
    if status == 429 or status >= 500:
        return Result.LATER
    return Result.FAILED


def _seconds(retry_after: str | None) -> float | None:
    """A Retry-After header: seconds, or a date (RFC 9110, 10.2.3). None: there is no such."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        until = parsedate_to_datetime(retry_after)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None


async def _first_line(response: Response) -> str:
    """The first line of a body; no more of it is read, for it may have no end."""
    head = b""
    while len(head) < 4 * TEXT and b"\n" not in head:
        chunk = await response.body_reader.read_chunk()
        if not chunk:
            break
        head += bytes(chunk)
    line = head[: 4 * TEXT].decode(errors="replace").strip().partition("\n")[0]
    return "".join(filter(str.isprintable, line))[:TEXT]


def _causes(error: PyreqwestError) -> list[str]:
    """The reasons in the client's own words, the innermost last."""
    causes = getattr(error, "details", {}).get("causes") or [{"message": error.message}]
    return [str(cause["message"]) for cause in causes]
