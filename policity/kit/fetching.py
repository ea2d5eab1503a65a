"""Fetching over HTTP. The only module that knows the client underneath.

The client runs in a thread of its own, so that a server that hangs holds up nothing: callers get
a future and look after their other work meanwhile.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError
from pyreqwest.http import Url

from policity.kit.network import NotPublic, look_up
from policity.kit.web import is_web_address, same_host, server_time

REDIRECTS = 3
AT_ONCE = 4
# Seconds. So long an address counts as looked at; then it is asked for again, for servers move.
ADDRESS_LIFE = 600.0

INSIDE = (
    "このアドレスは庁内のネットワークのものです。"
    "庁内から受けるときは POLICITY_FEEDS_ALLOW_PRIVATE=1 としてください"
)


class FetchError(Exception):
    """An address gave no usable answer. The message is for staff, `detail` for the log."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class Unreachable(FetchError):  # noqa: N818  # the domain's word
    """The server did not answer, or not to the end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server gave. `unchanged`: it said so (304), and there is no body.

    `ahead` is how far our clock is ahead of the server's, where it says the time.
    """

    body: bytes
    etag: str = ""
    last_modified: str = ""
    unchanged: bool = False
    ahead: timedelta | None = None


class Fetching(Protocol):
    """What the watcher needs of a fetcher."""

    def get(
        self, url: str, *, limit: int, etag: str = "", last_modified: str = ""
    ) -> "Future[Answer]":
        """Begin to fetch an address."""


@dataclass(slots=True)
class _Way:
    """How a host is reached: a client for the address that was judged, until when, by the loop."""

    client: Client
    until: float
    failed: int


class Fetcher:
    """A few requests at once, each limited in time and size. Close it when done.

    `total` is the longest a request may take from its beginning to the last byte. Names that lead
    to addresses inside the city's network are refused unless `allow_private`.
    """

    def __init__(
        self, *, total: timedelta = timedelta(seconds=30), allow_private: bool = False
    ) -> None:
        self._total = total
        self._patience = min(total, timedelta(seconds=10))
        self._allow_private = allow_private
        # For each host and port a client that is tied to the one address that was looked at.
        self._ways: dict[tuple[str, int], _Way] = {}
        self._open: set[Client] = set()
        self._loop = asyncio.new_event_loop()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fetch", daemon=True)
        self._thread.start()

    def get(
        self, url: str, *, limit: int, etag: str = "", last_modified: str = ""
    ) -> "Future[Answer]":
        """Begin to fetch an address; the future gives an Answer or raises FetchError.

        More than `limit` bytes (after unpacking) are refused, and no more than that is held.
        Redirects are followed within the same host only.
        """
        headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        asked = {name: value for name, value in headers.items() if value}
        return self._begin(self._get(url, asked, limit))

    def status(self, url: str) -> "Future[int]":
        """Begin to ask whether there is something; the future gives a status or raises FetchError.

        By HEAD, and by GET where a server does not like that. Nothing is read, nothing followed.
        """
        return self._begin(self._status(url))

    def close(self) -> None:
        """Break off what is under way and end the thread."""
        self._begin(self._stop()).result(timeout=1)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1)
        self._loop.close()

    def _begin(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _stop(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in list(self._open):
            await client.close()

    async def _client(self, url: str) -> Client:
        """A client that connects to what a name led to when it was judged, and nowhere else.

        Where the city has a proxy for going out to it, that looks names up and judges. Raises
        FetchError, Unreachable.
        """
        # The client's own reading of the address, so that what is judged is what is called.
        asked = Url(url)
        host, port = asked.host_str or "", asked.port_or_known_default or 0
        now = asyncio.get_running_loop().time()
        if (known := self._ways.get((host, port))) and now < known.until:
            return known.client
        found = [] if _by_proxy(asked.scheme, host) else await self._judged(host, port)
        # Another request may have waited for the same name.
        known = self._ways.get((host, port))
        if known and now < known.until:
            return known.client
        failed = known.failed if known else 0
        if known:
            self._loop.call_later(self._total.total_seconds(), self._let_go, known.client)
        # Another address after each failure: one of them may be out of reach.
        client = self._build(host, found[failed % len(found)] if found else "", port)
        self._ways[host, port] = _Way(client, now + ADDRESS_LIFE, failed)
        return client

    async def _judged(self, host: str, port: int) -> list[str]:
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                return await look_up(host, port, allow_private=self._allow_private)
        except NotPublic as error:
            raise FetchError(INSIDE, host) from error
        except (OSError, ValueError) as error:
            raise Unreachable("サーバーの名前が見つかりません", f"{host}: {error}"[:200]) from error

    def _build(self, host: str, address: str, port: int) -> Client:
        builder = (
            ClientBuilder()
            .user_agent("policity/0.1 (municipal disaster information)")
            .http2(True)
            .gzip(True).brotli(False).zstd(False).deflate(False)
            .follow_redirects(False)
            .connect_timeout(self._patience)
            .timeout(self._total)
        )  # fmt: skip
        # What was judged is called, and no proxy may look elsewhere for it.
        direct = builder.no_proxy().resolve(host, address, port) if address else builder
        client = direct.build()
        self._open.add(client)
        return client

    def _failed(self, url: str) -> None:
        """A server did not answer: its name is asked for again, and the next address taken."""
        asked = Url(url)
        if known := self._ways.get((asked.host_str or "", asked.port_or_known_default or 0)):
            known.until, known.failed = 0.0, known.failed + 1

    def _let_go(self, client: Client) -> None:
        """One whose address is old, when nobody can be using it any more."""
        self._open.discard(client)
        self._begin(client.close())

    async def _get(self, url: str, headers: dict[str, str], limit: int) -> Answer:
        async with self._turns:
            try:
                for _ in range(REDIRECTS + 1):
                    found = await self._once(url, headers, limit)
                    if isinstance(found, Answer):
                        return found
                    if not same_host(url, found):
                        raise FetchError("別のホストへ転送されました", found[:200])
                    url = found
            except RequestTimeoutError as error:
                self._failed(url)
                raise Unreachable("時間内に応答が終わりませんでした", _causes(error)) from error
            except PyreqwestError as error:
                self._failed(url)
                raise Unreachable("接続できないか、途中で切れました", _causes(error)) from error
        raise FetchError("転送が多すぎます。アドレスを確かめてください", url[:200])

    async def _status(self, url: str) -> int:
        if not is_web_address(url):
            raise FetchError("アドレスの形が正しくありません", url[:200])
        async with self._turns:
            try:
                client = await self._client(url)
                async with client.head(url).build_streamed() as response:
                    if response.status < 400:
                        return response.status
                async with client.get(url).build_streamed() as response:
                    return response.status
            except RequestTimeoutError as error:
                self._failed(url)
                raise Unreachable("時間内に応答が終わりませんでした", _causes(error)) from error
            except PyreqwestError as error:
                self._failed(url)
                raise Unreachable("接続できないか、途中で切れました", _causes(error)) from error

    async def _once(self, url: str, headers: dict[str, str], limit: int) -> Answer | str:
        """One request: the answer, or the address it points to instead."""
        if not is_web_address(url):
            raise FetchError("アドレスの形が正しくありません", url[:200])
        client = await self._client(url)
        async with client.get(url).headers(headers).build_streamed() as response:
            theirs = server_time(
                response.get_header("date") or "", age=response.get_header("age") or ""
            )
            ahead = datetime.now(UTC) - theirs if theirs else None
            if response.status == 304 and headers:
                return Answer(b"", unchanged=True, ahead=ahead)
            if response.status in {301, 302, 303, 307, 308}:
                return urljoin(url, response.get_header("location") or "")
            if response.status != 200:
                raise FetchError(f"サーバーが {response.status} を返しました")
            body = bytearray()
            while (chunk := await response.body_reader.read_chunk()) is not None:
                body += memoryview(chunk)
                if len(body) > limit:
                    raise FetchError("大きすぎます", f"more than {limit} bytes")
            return Answer(
                bytes(body),
                etag=(response.get_header("etag") or "")[:300],
                last_modified=(response.get_header("last-modified") or "")[:100],
                ahead=ahead,
            )


def _by_proxy(scheme: str, host: str) -> bool:
    """Whether the environment (https_proxy, all_proxy, no_proxy) leads to a host by a proxy."""
    return not {scheme, "all"}.isdisjoint(getproxies()) and not proxy_bypass(host)


def _causes(error: PyreqwestError) -> str:
    """The innermost reason, in the client's own words."""
    causes = getattr(error, "details", {}).get("causes") or [{"message": error.message}]
    return str(causes[-1]["message"])[:200]
