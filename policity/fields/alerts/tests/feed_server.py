"""A real HTTP server on this machine that gives feeds and telegrams, well or badly."""

import gzip
import http.server
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

Handler = http.server.BaseHTTPRequestHandler


class FeedServer:
    """Pages by path; `asked` keeps what was asked for, with its headers."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | int | Callable[[Handler], None]] = {}
        self.etags: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Answers(Handler):
            def do_GET(self) -> None:  # noqa: N802  # the standard library asks for it
                outer.asked.append((self.path, dict(self.headers)))
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def answer(self, request: Handler) -> None:
        page = self.pages.get(request.path, 404)
        if callable(page):
            page(request)
            return
        etag = self.etags.get(request.path, "")
        if etag and request.headers.get("If-None-Match") == etag:
            request.send_response(304)
            request.end_headers()
            return
        status, body = (page, b"") if isinstance(page, int) else (200, page)
        request.send_response(status)
        if etag:
            request.send_header("ETag", etag)
            request.send_header("Last-Modified", "Mon, 05 Sep 2011 01:00:00 GMT")
        if body and "gzip" in (request.headers.get("Accept-Encoding") or ""):
            body = gzip.compress(body)
            request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def put(self, path: str, page: bytes | int | Callable[[Handler], None], etag: str = "") -> str:
        """Give this page from now on; the address."""
        self.pages[path] = page
        self.etags[path] = etag
        return self.base + path

    def telegrams(self, files: Iterable[Path]) -> None:
        for file in files:
            self.put(f"/data/{file.name}", file.read_bytes())


@contextmanager
def serving() -> Iterator[FeedServer]:
    found = FeedServer()
    thread = threading.Thread(
        target=found.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def feed(entries: Iterable[tuple[str, datetime]], updated: datetime | None = None) -> bytes:
    """An Atom feed as the agency writes it: addresses with their times, the newest first."""
    listed = sorted(entries, key=lambda entry: entry[1], reverse=True)
    body = "".join(
        f"<entry><title>t</title><id>{link}</id><updated>{at.isoformat()}</updated>"
        f'<author><name>a</name></author><link type="application/xml" href="{link}"/>'
        '<content type="text">c</content></entry>'
        for link, at in listed
    )
    head = f"<updated>{updated.isoformat()}</updated>" if updated else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>f</title>{head}{body}</feed>"
    ).encode()


def endless(request: Handler) -> None:
    """A hundred megabytes, unless the other side has enough."""
    request.send_response(200)
    request.send_header("Content-Length", "100000000")
    request.end_headers()
    try:
        for _ in range(1000):
            request.wfile.write(b"<" * 100_000)
    except OSError:
        request.close_connection = True


def cut(request: Handler) -> None:
    """A body that ends before its announced length."""
    request.send_response(200)
    request.send_header("Content-Length", "100000")
    request.end_headers()
    request.wfile.write(b"<feed>")
    request.close_connection = True


def dripping(request: Handler) -> None:
    """A byte now and then, without end."""
    request.send_response(200)
    request.send_header("Content-Length", "100000")
    request.end_headers()
    try:
        for _ in range(300):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.1)
    except OSError:
        request.close_connection = True
