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

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError

from policity.fields.alerts.rules.feeds import is_web_address, same_host, server_time

REDIRECTS = 3
AT_ONCE = 4


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


class Fetcher:
    """A few requests at once, each limited in time and size. Close it when done.

    `total` is the longest a request may take from its beginning to the last byte.
    """

    def __init__(self, *, total: timedelta = timedelta(seconds=30)) -> None:
        self._client = (
            ClientBuilder()
            .user_agent("policity/0.1 (municipal disaster information)")
            .http2(True)
            .gzip(True).brotli(False).zstd(False).deflate(False)
            .follow_redirects(False)
            .connect_timeout(min(total, timedelta(seconds=10)))
            .timeout(total)
            .build()
        )  # fmt: skip
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
        await self._client.close()

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
                raise Unreachable("時間内に応答が終わりませんでした", _causes(error)) from error
            except PyreqwestError as error:
                raise Unreachable("接続できないか、途中で切れました", _causes(error)) from error
        raise FetchError("転送が多すぎます", url[:200])

    async def _once(self, url: str, headers: dict[str, str], limit: int) -> Answer | str:
        """One request: the answer, or the address it points to instead."""
        if not is_web_address(url):
            raise FetchError("アドレスの形が正しくありません", url[:200])
        async with self._client.get(url).headers(headers).build_streamed() as response:
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


def _causes(error: PyreqwestError) -> str:
    """The innermost reason, in the client's own words."""
    causes = getattr(error, "details", {}).get("causes") or [{"message": error.message}]
    return str(causes[-1]["message"])[:200]
