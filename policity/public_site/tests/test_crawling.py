"""A site is saved within its host, as its robots.txt lets, with pauses; and taken over."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from policity.kit.fetching import Fetcher
from policity.public_site.sources import NoCrawl, crawl
from policity.public_site.tests import older
from policity.public_site.tests.content import begun
from policity.public_site.tests.test_taking_over import run

ASKED: list[str] = []


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        ASKED.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def there(tmp_path):
    folder = older.site(tmp_path / "older") / older.HOST
    (folder / "robots.txt").write_text("User-agent: *\nDisallow: /himitsu/\n")
    home = '<a href="kurashi/">くらし</a><a href="/himitsu/">秘密</a><a href="/a.php?x=1">罠</a>'
    home += '<a href="https://www.example.com/">外</a><a href="/%2e%2e/x.html">上</a>'
    (folder / "index.html").write_bytes(older.page("見本市", home))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ASKED.clear()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def save(address, out, *, most=100, allow_private=True):
    waits: list[float] = []
    fetcher = Fetcher(allow_private=allow_private)
    try:
        found = crawl(address, out=out, fetcher=fetcher, most=most, most_bytes=10**9, pause=1.0,
                      told=lambda *said: None, wait=waits.append)  # fmt: skip
    finally:
        fetcher.close()
    return found, waits


def test_a_site_is_saved_politely_and_taken_over(city, there, tmp_path):
    found, waits = save(there, tmp_path / "out")
    assert set(waits) == {1.0}
    assert len(waits) == len([path for path in ASKED if path != "/robots.txt"])
    assert not [path for path in ASKED if "himitsu" in path or "?" in path or ".." in path]
    assert any("nai.html" in line and "404" in line for line in found.failed)
    before = len(ASKED)
    again, _ = save(there, tmp_path / "out")
    assert again.files == found.files
    # What is there already is not asked for again: robots.txt, and the page that is missing.
    assert len(ASKED) - before == 2
    begun()
    assert "新しい 3" in run(tmp_path / "out")


class Circle(BaseHTTPRequestHandler):
    """A home, addresses that send one another on for ever, and pages that lead ever deeper."""

    def do_GET(self):
        ASKED.append(self.path)
        circling = self.path.startswith("/wa/")
        found = self.path.endswith("/") and not circling
        self.send_response(302 if circling else 200 if found else 404)
        if circling:
            self.send_header("Location", "/wa/a" if self.path.endswith("b") else "/wa/b")
        links = (
            b'<a href="fukaku/">x</a><a href="/wa/a">x</a><a href="/wa/b">x</a><a href="/">x</a>'
        )
        body = b"<html><body>" + links if found else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def circling():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Circle)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ASKED.clear()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_site_that_leads_in_circles_and_ever_deeper_ends_and_says_so(circling, tmp_path):
    found, _ = save(circling, tmp_path / "out", most=8)
    assert found.full
    assert found.files == 8
    assert len(found.failed) == 2
    assert all("転送が多すぎます" in line for line in found.failed)
    # Each circle is gone round once, and no page is asked for twice.
    assert len([path for path in ASKED if path.startswith("/wa/")]) == 8
    assert len([path for path in ASKED if path == "/"]) == 1


def test_a_site_whose_home_sends_on_for_ever_is_said_and_leaves_nothing(circling, tmp_path):
    found, _ = save(f"{circling}wa/a", tmp_path / "out")
    assert (found.files, len(found.failed)) == (0, 1)
    assert not list((tmp_path / "out").rglob("*.*"))


def test_limits_and_addresses_inside_the_city_end_it(there, tmp_path):
    found, _ = save(there, tmp_path / "out", most=2)
    assert found.full
    assert found.files == 2
    with pytest.raises(NoCrawl, match="庁内"):
        save(there, tmp_path / "none", allow_private=False)
    with pytest.raises(NoCrawl, match="形"):
        save("ftp://x.example/", tmp_path / "none")
