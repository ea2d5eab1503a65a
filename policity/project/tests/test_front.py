"""The front serves the published folder while nothing else runs; nginx behaves the same."""

import grp
import gzip
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
import pytest
from pytest_django import Settings

import policity
from policity.design import assets
from policity.foundations.publishing.services import tree
from policity.kit.languages import LANGUAGES
from policity.project import front, home
from policity.public_site.rules import EDITING_POLICY

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    port: int
    published: Path
    socket: Path
    # What the server says of its work: the errors that its settings let through, and all else.
    log: Path

    def post(self, path: str, body: bytes) -> Reply:
        return self.get(path, "POST", body)

    def get(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            # As a browser does: what was answered is read also where the rest is not taken.
            with suppress(ConnectionResetError, BrokenPipeError):
                connection.request(
                    method,
                    path,
                    body or None,
                    headers={name.replace("_", "-"): v for name, v in headers.items()},
                )
            reply = connection.getresponse()
            names = {name.lower() for name, _ in reply.getheaders()}
            headers_ = {name: ", ".join(reply.headers.get_all(name, [])) for name in names}
            return Reply(reply.status, headers_, reply.read())
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_answered(site: Site, path: str) -> Reply:
    deadline = time.monotonic() + 10
    while True:
        try:
            return site.get(path)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _publish(tree: Path, address: str, body: bytes) -> None:
    file = tree / (address + "index.html" if address.endswith("/") or not address else address)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    Path(f"{file}.br").write_bytes(brotli.compress(body))
    Path(f"{file}.gz").write_bytes(gzip.compress(body, mtime=0))


def _tree(tree: Path) -> None:
    for address in ("", "easy/", "en/", "zh-hans/", "ko/", "alerts/"):
        _publish(tree, address, f"<!doctype html><title>/{address}</title>".encode() * 20)
    for address in ("search/", "en/search/"):
        _publish(tree, address, f"<title>a file: /{address}</title>".encode() * 20)
    _publish(tree, "alerts/feed.atom", b"<feed/>" * 50)
    _publish(tree, "alerts/1.cap", b"<alert/>" * 50)
    _publish(tree, "state.json", b'{"state": "calm"}')
    _publish(tree, "assets/app.0f3c9a1b.css", b"a{b:c}" * 50)
    _publish(tree, "security.txt", b"Contact: mailto:security@city.example")
    _publish(tree, "errors/404.html", b"<title>404 page</title>")
    _publish(tree, "errors/413.html", b"<title>413 page</title>")
    _publish(tree, "errors/429.html", b"<title>429 page</title>")
    _publish(tree, "errors/503.html", b"<title>503 page</title>")
    (tree / ".writing").mkdir()
    (tree / ".writing" / "0.br").write_text("half a page")


def _caddy(
    folder: Path, site: Site, proxies: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    file = folder / "Caddyfile"
    file.write_text(
        front.configuration(
            published=site.published,
            socket=site.socket,
            bind="127.0.0.1",
            port=site.port,
            proxies=proxies,
        )
    )
    return front.command(file), os.environ | front.surroundings(folder)


def _place(folder: Path) -> Site:
    return Site(_free_port(), folder / "published", folder / "web.sock", folder / "log")


def _live(site: Site) -> Path:
    return site.socket.with_name("live.sock")


def _uploads(site: Site) -> Path:
    return site.socket.with_name("uploads.sock")


def _nginx(folder: Path, site: Site, user: str = "root") -> tuple[list[str], dict[str, str]]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx, "nginx is missing: script/test installs it"
    shutil.copytree(ROOT / "deploy" / "nginx", folder / "policity")
    for file in (folder / "policity").iterdir():
        text = file.read_text()
        text = text.replace("/var/lib/policity/published", str(site.published))
        text = text.replace("/var/lib/policity/run/web.sock", str(site.socket))
        text = text.replace("/var/lib/policity/run/live.sock", str(_live(site)))
        text = text.replace("/var/lib/policity/run/uploads.sock", str(_uploads(site)))
        text = text.replace("listen 80;", f"listen 127.0.0.1:{site.port};")
        file.write_text(text.replace("listen [::]:80;", ""))
    (folder / "nginx.conf").write_text(
        "load_module /usr/lib/nginx/modules/ngx_http_brotli_static_module.so;\n"
        f"user {user};\npid {folder}/nginx.pid;\ndaemon off;\nworker_processes 1;\n"
        "events {}\nhttp {\n"
        "error_log stderr;\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "include policity/policity.conf;\n}\n"
    )
    if os.geteuid() != 0:
        text = (folder / "nginx.conf").read_text().replace(f"user {user};\n", "")
        (folder / "nginx.conf").write_text(text)
    return [nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")], {}


SERVERS = {"caddy": _caddy, "nginx": _nginx}


@pytest.fixture(scope="module", params=sorted(SERVERS))
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("city")
    place = _place(folder)
    _tree(place.published)
    command, environment = SERVERS[request.param](folder, place)
    with place.log.open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        _until_answered(place, "/healthz")
        yield place
    finally:
        process.terminate()
        process.wait(10)


def test_who_finds_a_weakness_finds_whom_to_tell(site: Site) -> None:
    reply = site.get("/.well-known/security.txt")
    assert (reply.status, reply.body) == (200, b"Contact: mailto:security@city.example")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert b"404 page" in site.get("/.well-known/other").body


@pytest.mark.parametrize("path", ["/", "/easy/", "/en/", "/zh-hans/", "/ko/", "/alerts/"])
@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
def test_a_page_comes_in_the_encoding_its_reader_asks_for(
    site: Site, path: str, encoding: str
) -> None:
    reply = site.get(path, accept_encoding=encoding)
    assert reply.status == 200
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}[encoding]
    assert f"<title>{path}</title>".encode() in unpack(reply.body)
    assert reply.headers.get("content-encoding", "identity") == encoding
    assert reply.headers["vary"] == "Accept-Encoding"
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/alerts/", "text/html; charset=utf-8", front.CACHE_PAGES),
        ("/alerts/feed.atom", "application/atom+xml; charset=utf-8", front.CACHE_PAGES),
        ("/alerts/1.cap", "application/cap+xml; charset=utf-8", front.CACHE_PAGES),
        ("/state.json", "application/json", front.CACHE_PAGES),
        ("/assets/app.0f3c9a1b.css", "text/css; charset=utf-8", front.CACHE_ASSETS),
    ],
)
@pytest.mark.parametrize("encoding", ["br", "identity"])
def test_every_kind_of_file_has_its_type_and_its_time(
    site: Site, path: str, kind: str, cache: str, encoding: str
) -> None:
    reply = site.get(path, accept_encoding=encoding)
    assert reply.status == 200
    assert reply.headers["content-type"] == kind
    assert reply.headers["cache-control"] == cache


@pytest.mark.parametrize(
    "path", ["/", "/alerts/feed.atom", "/assets/app.0f3c9a1b.css", "/no", "/staff/"]
)
def test_every_answer_carries_the_security_headers(site: Site, path: str) -> None:
    headers = site.get(path).headers
    for name, text in front.SECURITY_HEADERS.items():
        assert headers[name.lower()] == text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/",
        "/nothing.json",
        "/assets/nothing.css",
        "/.writing/0.br",
        "/%2ewriting/0.br",
        "/errors/",
        "/errors/404.html",
        "/errors/503.html",
        "/en/../.writing/0.br",
        "/../Caddyfile",
    ],
)
def test_what_is_no_page_is_the_published_error_page(site: Site, path: str) -> None:
    reply = site.get(path)
    assert reply.status in (404, 400 if ".." in path else 404)
    assert b"half a page" not in reply.body
    if ".." not in path:
        assert b"404 page" in reply.body
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.headers["cache-control"] == "no-store"


def test_a_folder_without_its_slash_leads_to_it_on_the_same_host(site: Site) -> None:
    reply = site.get("/alerts")
    assert reply.status in (301, 308)
    assert reply.headers["location"] == "/alerts/"


def test_a_page_that_is_not_new_is_not_sent_again(site: Site) -> None:
    first = site.get("/", accept_encoding="br")
    again = site.get("/", accept_encoding="br", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("encoding", ["br", "identity"])
def test_a_page_rewritten_within_a_second_at_the_same_length_is_sent(
    site: Site, settings: Settings, encoding: str
) -> None:
    settings.PUBLISHED = site.published
    tree.write({"/same/": b"level 3"})
    first = site.get("/same/", accept_encoding=encoding)
    tree.write({"/same/": b"level 4"})
    again = site.get("/same/", accept_encoding=encoding, if_none_match=first.headers["etag"])
    assert again.status == 200
    assert (brotli.decompress if encoding == "br" else bytes)(again.body) == b"level 4"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_published_page_is_only_read(site: Site, method: str) -> None:
    assert site.get("/", method=method).status == 405


def test_the_staff_see_a_published_page_while_the_application_is_down(site: Site) -> None:
    reply = site.get("/staff/")
    assert reply.status == 503
    assert b"503 page" in reply.body
    assert int(reply.headers["retry-after"]) > 0
    ready = site.get("/readyz")
    assert (ready.status, ready.body) == (503, b'{"ready": false, "missing": ["web"]}')
    assert site.get("/healthz").status == 200


class _Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        if "broken" in self.path:
            return self.send_error(503)
        if "whose" in self.path:
            body = repr(self.headers.get_all("X-Forwarded-For")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if "strict" in self.path:
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "private")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def address_string(self) -> str:
        return "a Unix socket"

    def log_message(self, *words: object) -> None:
        """Says nothing."""


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *words: object) -> None:
        """A front that finds a body too large hangs up."""


@pytest.fixture
def echo(site: Site) -> Iterator[None]:
    """An application that says what it was asked for."""
    site.socket.unlink(missing_ok=True)
    with _UnixServer(str(site.socket), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            site.socket.unlink()


@pytest.mark.parametrize("path", ["/search/?q=%E9%81%BF%E9%9B%A3", "/en/search/?q=a&kind=b",
                                  "/search/suggest/?q=a"])  # fmt: skip
def test_what_is_asked_of_the_search_goes_to_the_application(
    site: Site, echo: None, path: str
) -> None:
    reply = site.get(path)
    assert (reply.status, reply.body.decode()) == (200, path)
    assert "file" in site.get("/search/").body.decode()


@pytest.mark.parametrize("path", ["/search/", "/en/search/"])
@pytest.mark.parametrize("away", ["nobody", "a fault"])
def test_while_the_application_cannot_answer_the_published_search_does(
    site: Site, request: pytest.FixtureRequest, path: str, away: str
) -> None:
    site.socket.unlink(missing_ok=True)
    if away == "a fault":
        request.getfixturevalue("echo")
    reply = site.get(f"{path}?q=broken", accept_encoding="br")
    assert reply.status == 200
    assert f"a file: {path}" in brotli.decompress(reply.body).decode()
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-type"].startswith("text/html")
    assert site.get("/ko/search/?q=broken").status == 503


class _Stream(_Echo):
    """Says one thing, and the next when the test has heard it."""

    heard = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: one\n\n")
        self.wfile.flush()
        assert self.heard.wait(10)
        self.wfile.write(b"data: two\n\n")


@pytest.fixture
def live(site: Site) -> Iterator[threading.Event]:
    """A live process that streams."""
    _live(site).unlink(missing_ok=True)
    _Stream.heard.clear()
    with _UnixServer(str(_live(site)), _Stream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield _Stream.heard
        finally:
            server.shutdown()
            _live(site).unlink()


def test_each_event_goes_on_at_once(site: Site, live: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    connection.request("GET", "/staff/live/?message=1", headers={"Accept-Encoding": "gzip, br"})
    reply = connection.getresponse()
    assert reply.readline() + reply.readline() == b"data: one\n\n"
    live.set()
    assert reply.read() == b"data: two\n\n"
    assert reply.headers["Cache-Control"] == "no-store"
    for name, text in front.SECURITY_HEADERS.items():
        assert reply.headers.get_all(name) == [text]
    connection.close()


@pytest.mark.usefixtures("echo")
def test_the_board_is_there_without_its_stream(site: Site) -> None:
    assert site.get("/staff/live/").status == 503
    assert site.get("/staff/").body == b"/staff/"


RESIDENTS_PATHS = [
    prefix + rest
    for prefix in ("/", "/easy/", "/en/", "/zh-hans/", "/ko/")
    for rest in (
        "register/",
        "register",
        "register/done/",
        "me/abc-_/",
        "me/leave/x/",
        "reply/x/",
        "charm/photographs/me/x/",
        "charm/photographs/report/1/",
        "plan/comments/send/1/",
        "plan/comments/me/x/",
    )
] + ["/s/bcdfg/", "/s/BCDFG"]


@pytest.mark.usefixtures("echo")
def test_staff_and_residents_pages_reach_the_application_and_no_others(site: Site) -> None:
    assert site.get("/staff/board/?x=1").body == b"/staff/board/?x=1"
    assert site.get("/readyz").body == b"/readyz"
    for path in RESIDENTS_PATHS:
        assert site.get(f"{path}?x=1").body == f"{path}?x=1".encode()
        assert site.get(path, method="POST", content_length="0").body == path.encode()
    for path in ("/other/", "/staffing/", "/registered/", "/media/", "/mean", "/en/replying/",
                 "/fr/register/", "/alerts/me/", "/en/easy/me/x/", "/EN/register/", "/en/s/x/",
                 "/st/x/"):  # fmt: skip
        assert b"404 page" in site.get(path).body, path


@pytest.mark.usefixtures("echo")
def test_a_resident_s_page_is_kept_by_nobody_and_may_be_stricter(site: Site) -> None:
    plain, strict = site.get("/me/x/"), site.get("/me/strict/")
    assert plain.headers["cache-control"] == "no-store"
    assert strict.headers["cache-control"] == "private"
    assert plain.headers["referrer-policy"] == "same-origin"
    assert strict.headers["referrer-policy"] == "no-referrer"
    for reply in (plain, strict):
        for name, text in front.SECURITY_HEADERS.items():
            if name not in front.STRICTER:
                assert reply.headers[name.lower()] == text


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("path", ["/staff/whose/", "/me/whose/", "/en/register/whose/"])
def test_whose_request_it_is_says_the_front_and_not_the_client(site: Site, path: str) -> None:
    assert site.get(path).body == b"['127.0.0.1']"
    assert site.get(path, x_forwarded_for="8.8.8.8").body == b"['127.0.0.1']"
    assert site.get(path, x_forwarded_for="8.8.8.8, 9.9.9.9").body == b"['127.0.0.1']"


@pytest.mark.parametrize(
    ("proxies", "whose"),
    [((), "127.0.0.1"), (("10.0.0.0/8",), "127.0.0.1"), (("127.0.0.0/8",), "9.9.9.9")],
)
def test_only_what_the_city_named_speaks_for_others(
    tmp_path: Path, proxies: Sequence[str], whose: str
) -> None:
    place = _place(tmp_path)
    place.published.mkdir()
    command, environment = _caddy(tmp_path, place, proxies)
    process = subprocess.Popen(command, env=environment)
    try:
        _until_answered(place, "/healthz")
        with _UnixServer(str(place.socket), _Echo) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            said = place.get("/me/whose/", x_forwarded_for="8.8.8.8, 9.9.9.9").body
            server.shutdown()
        assert said == f"['{whose}']".encode()
    finally:
        process.terminate()
        process.wait(10)


def test_nginx_ends_a_flood_with_the_published_page(open_folder: Path) -> None:
    place = _place(open_folder)
    _tree(place.published)
    (open_folder / "nginx").mkdir(mode=0o755)
    command, environment = _nginx(open_folder / "nginx", place)
    conf = open_folder / "nginx" / "policity" / "policity.conf"
    small = conf.read_text().replace("burst=5000", "burst=2").replace("rate=20r/s", "rate=1r/m")
    conf.write_text(small)
    process = subprocess.Popen(command, env=os.environ | environment)
    try:
        _until_answered(place, "/healthz")
        codes = [place.post("/register/", b"a=b").status for _ in range(4)]
        assert codes == [503, 503, 503, 429]  # the application is away
        reply = place.post("/en/reply/x/", b"a=b")
        assert (reply.status, int(reply.headers["retry-after"])) == (429, 60)
        assert b"429 page" in reply.body
        # Looking, and what staff do, is not held up by it.
        assert place.get("/register/").status == 503
        assert place.post("/staff/", b"a=b").status == 503
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("path", ["/register/", "/en/me/x/choices/"])
def test_a_resident_sends_little(site: Site, path: str) -> None:
    assert site.post(path, b"x" * 60_000).status == 200
    assert site.post(path, b"x" * 70_000).status == 413


@pytest.fixture
def uploading(site: Site) -> Iterator[None]:
    """What takes photographs, beside the application."""
    with _UnixServer(str(_uploads(site)), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            _uploads(site).unlink()


SENDING = [f"{language.prefix}charm/photographs/send/" for language in LANGUAGES]


@pytest.mark.usefixtures("uploading")
@pytest.mark.parametrize("path", SENDING)
def test_photographs_go_to_a_process_of_their_own(site: Site, path: str) -> None:
    assert site.get(f"{path}?spot=3").body == f"{path}?spot=3".encode()
    # The application is away: nobody else's forms go there, and these not to it.
    assert site.get("/charm/photographs/me/x/").status == 503
    assert site.get("/register/").status == 503


@pytest.mark.usefixtures("uploading")
def test_photographs_may_be_large_and_not_larger(site: Site) -> None:
    assert site.post(SENDING[0], b"x" * 81_000_000).status == 200
    reply = site.post(SENDING[0], b"x" * 87_000_000)
    assert (reply.status, reply.headers["cache-control"]) == (413, "no-store")
    assert b"413 page" in reply.body


@pytest.mark.usefixtures("echo")
def test_without_that_process_the_others_answer(site: Site) -> None:
    assert site.get(SENDING[0]).status == 503
    assert site.get("/charm/photographs/me/x/").body == b"/charm/photographs/me/x/"


@pytest.mark.usefixtures("echo")
def test_staff_send_forms_and_at_one_place_a_telegram(site: Site) -> None:
    assert site.post("/staff/orders/", b"x" * 900_000).status == 200
    assert site.post("/staff/orders/", b"x" * 1_100_000).status == 413
    assert site.post("/staff/rules/fog/", b"x" * 8_900_000).status == 200
    assert site.post("/staff/hazards/", b"x" * 21_900_000).status == 200
    assert site.post("/staff/hazards/", b"x" * 23_200_000).status == 413
    reply = site.post("/staff/rules/fog/", b"x" * 9_600_000)
    assert reply.status == 413
    assert b"413 page" in reply.body
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.usefixtures("echo")
def test_staff_upload_where_they_write_pages_and_a_browser_is_told_so_there_alone(
    site: Site,
) -> None:
    assert site.post("/staff/content/images/add/", b"x" * 20_000_000).status == 200
    assert site.post("/staff/content/images/add/", b"x" * 23_500_000).status == 413
    assert site.post("/staff/content/import/", b"x" * 23_500_000).status == 200
    for path, policy in (("/staff/content/", EDITING_POLICY), ("/staff/contents/", None)):
        said = site.get(path).headers["content-security-policy"]
        assert said == (policy or front.SECURITY_HEADERS["Content-Security-Policy"])


@pytest.mark.usefixtures("echo")
def test_what_somebody_uploads_is_nobodys_page(site: Site) -> None:
    """Whatever it is: nothing lies where pages are served from, and no address leads there."""
    media = site.published.with_name("media")
    media.mkdir(exist_ok=True)
    for name in ("evil.html", "evil.svg", "notice.pdf"):
        (media / name).write_text("<script>planted</script>")
        for path in (f"/media/{name}", f"/../media/{name}", f"/..%2fmedia/{name}",
                     f"/assets/../../media/{name}", f"/assets/..%2f..%2fmedia%2f{name}",
                     f"/media%2f{name}"):  # fmt: skip
            reply = site.get(path)
            assert reply.status in (400, 404), path
            assert b"planted" not in reply.body, path


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/register/", "/ko/me/x/", "/reply/x/", "/me/leave/x/"])
def test_while_the_application_is_down_a_resident_is_told_what_to_do(
    site: Site, path: str, method: str
) -> None:
    reply = site.get(path) if method == "GET" else site.post(path, b"a=b")
    assert reply.status == 503
    assert b"503 page" in reply.body
    assert reply.headers["cache-control"] == "no-store"
    assert int(reply.headers["retry-after"]) > 0


def test_no_log_names_a_reader(site: Site) -> None:
    """Nor what they asked for: not for what is missing, nor while the application is down."""
    (site.published / "locked").write_bytes(b"x")
    (site.published / "locked").chmod(0)
    for path in ("/reader/nothing/", "/staff/reader/", "/readyz", "/locked"):
        site.get(path)
    for words in (b"READER\r\n\r\n", b"POST /staff/reader HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"):
        with socket.create_connection(("127.0.0.1", site.port)) as connection:
            connection.sendall(words)
    site.get("/healthz")
    said = site.log.read_text()
    assert "127.0.0.1" not in said
    assert "reader" not in said.lower()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may go through; pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_nginx_in_the_home_s_group_reads_pages_and_reaches_the_application(
    open_folder: Path,
) -> None:
    """As deploy/nginx/README.md says: workers of another user, a home made with a narrow umask."""
    where = open_folder / "city"
    before = os.umask(0o077)
    try:
        home.make_folders(where)
        _tree(where / "published")
        for file in (where / "published").rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)  # as publishing does
        place = Site(
            _free_port(), where / "published", where / "run" / "web.sock", open_folder / "log"
        )
        group = grp.getgrgid(where.stat().st_gid).gr_name
        (open_folder / "nginx").mkdir(mode=0o755)
        command, environment = _nginx(open_folder / "nginx", place, user=f"nobody {group}")
        web = [sys.executable, "-m", "policity.project.web", str(place.socket)]
        processes = [
            subprocess.Popen(web, env=os.environ | {"POLICITY_HOME": str(where)}),
            subprocess.Popen(command, env=os.environ | environment),
        ]
    finally:
        os.umask(before)
    try:
        _until_answered(place, "/healthz")
        assert b"<title>/</title>" in place.get("/").body
        deadline = time.monotonic() + 20
        while b'["web"]' in (ready := place.get("/readyz")).body:
            assert time.monotonic() < deadline, "nginx does not reach the socket"
            time.sleep(0.05)
        missing = json.loads(ready.body)["missing"]
        assert {"database", "worker"} & set(missing), "the application's own word"
        if os.geteuid() == 0:  # only root can become somebody else
            read = ["cat", str(where / "secret.key")]
            seen = subprocess.run(read, user="nobody", group=group, capture_output=True)
            assert seen.returncode != 0
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(10)


def test_before_the_first_publishing_a_page_says_so(tmp_path: Path) -> None:
    place = _place(tmp_path)
    place.published.mkdir()
    command, environment = _caddy(tmp_path, place)
    process = subprocess.Popen(command, env=environment)
    try:
        reply = _until_answered(place, "/en/")
        assert reply.status == 503
        assert int(reply.headers["retry-after"]) > 0
        for words in (
            "準備しています",
            "This site is starting",
            "网站正在准备",
            "준비하고 있습니다",
        ):
            assert words in reply.body.decode()
        # Whatever a machine asks for, this is a page and not what it asked for.
        told = _until_answered(place, "/state.json")
        assert (told.status, told.headers["content-type"]) == (503, "text/html; charset=utf-8")
        written = {file.name for file in tmp_path.iterdir()}
        assert written <= {"published", "Caddyfile", "caddy"}
    finally:
        process.terminate()
        process.wait(10)


DATA = '<script type="application/ld+json">'


def test_nothing_inline_is_followed_but_what_we_wrote() -> None:
    said = front.SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in said
    # Every style in a template is one of the known ones: else browsers would not follow it.
    for template in Path(policity.__path__[0]).rglob("*.html"):
        text = template.read_text("utf-8")
        assert " style=" not in text, template
        for inside in re.findall(r"<style>(.*?)</style>", text, re.DOTALL):
            known = re.fullmatch(r'\{% inline_css "([a-z ]+)" %\}', inside)
            assert (known and known[1] in assets.INLINE) or template.parent == front.PAGES, template
        for script in re.findall(r"<script\b[^>]*>(?!{% early_script %}</script>)", text):
            # What search engines read is no script to a browser.
            assert " src=" in script or script == DATA, template
        assert not re.search(r'\son[a-z]+="', text), template


def test_styles_of_the_version_before_are_followed_until_its_pages_are_gone(tmp_path: Path) -> None:
    assert "'sha256-old='" in _configured(tmp_path, before=["'sha256-old='"])
    assert "'sha256-old='" not in _configured(tmp_path)


@pytest.mark.parametrize("https", [True, False])
def test_browsers_are_told_to_stay_with_https_where_there_is_any(
    tmp_path: Path, https: bool
) -> None:
    text = _configured(tmp_path, https=https)
    assert ('Strict-Transport-Security "max-age=31536000"' in text) == https


def _configured(folder: Path, **options: Any) -> str:
    return front.configuration(
        published=folder, socket=folder / "s", bind="127.0.0.1", port=1, **options
    )


def test_inside_everybody_is_led_to_the_staffs_pages(tmp_path: Path) -> None:
    place = _place(tmp_path)
    # Nothing is published there but this.
    _publish(place.published, "assets/app.0f3c9a1b.css", b"a{b:c}" * 50)
    file = tmp_path / "Caddyfile"
    file.write_text(
        front.configuration(
            published=place.published, socket=place.socket, bind="127.0.0.1", port=place.port,
            inside=True,
        )
    )  # fmt: skip
    with place.log.open("w") as log:
        process = subprocess.Popen(
            front.command(file), env=os.environ | front.surroundings(tmp_path), stderr=log
        )
    try:
        _until_answered(place, "/healthz")
        for path in ("/", "/alerts/", "/state.json", "/nothing"):
            reply = place.get(path)
            assert (reply.status, reply.headers["location"]) == (302, "/staff/")
        assert place.get("/assets/app.0f3c9a1b.css").status == 200
    finally:
        process.terminate()
        process.wait(10)
