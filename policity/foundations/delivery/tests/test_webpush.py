"""The web push engine against push services of our own, over TLS on this machine."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import http_ece
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pyreqwest.exceptions import ClientClosedError

from policity.foundations.delivery.channels import webpush
from policity.foundations.delivery.channels.webpush import WebPush, meaning
from policity.foundations.delivery.formats.webpush import Options, Vapid, new_key
from policity.foundations.delivery.rules.handing import Answer, Item, Result
from policity.kit import network

CURVE = ec.SECP256R1()
BROWSER = ec.generate_private_key(CURVE)
P256DH = BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
AUTH = bytes(16)
VAPID = Vapid(new_key(), "mailto:bousai@city.example.jp")
DAY = Options(timedelta(days=1), "high", "w-1")


def certificate(name, key, *, issuer=None, issuer_key=None, names=()):
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer or x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
        .sign(issuer_key or key, SHA256())
    )


@dataclass
class Tls:
    ca: bytes
    chain: Path


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """A root of our own and a server's certificate: a self-signed one is not accepted."""
    root_key, key = ec.generate_private_key(CURVE), ec.generate_private_key(CURVE)
    root = certificate("test root", root_key)
    here = x509.IPAddress(ip_address("127.0.0.1"))
    names = [x509.DNSName("localhost"), x509.DNSName("push.test"), here]
    leaf = certificate(
        "localhost", key, issuer=root.subject, issuer_key=root_key, names=names
    ).public_bytes(Encoding.PEM)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf)
    return Tls(root.public_bytes(Encoding.PEM), path)


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """A push service that does what the path says: /410/…, /429/7/… (Retry-After), /hang/….

    With `http2` it says 201 to everything, and can read bodies only.
    """

    def __init__(self, tls, *, http2=False):
        self.seen: list[Seen] = []
        self.connections = 0
        self._talk = self._http2 if http2 else self._http1
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(tls.chain)
        self._tls.set_alpn_protocols(["h2"] if http2 else ["http/1.1"])
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def item(self, person: int, path: str = "201", host: str = "127.0.0.1", body=b"{}") -> Item:
        return to(f"https://{host}:{self.port}/{path}/{person}", person, body)

    def paths(self):
        return [seen.path for seen in self.seen]

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _connected(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            await self._talk(reader, writer)
        writer.transport.abort()

    async def _http1(self, reader, writer):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            exact = dict(line.split(": ", 1) for line in head[1:] if line)
            headers |= {name.lower(): value for name, value in exact.items()}
            body = await reader.readexactly(int(headers["content-length"]))
            path = head[0].split()[1]
            self.seen.append(Seen(path, headers, body))
            _, what, *more = path.split("/")
            if what == "hang":
                await self._stop.wait()
            if what == "reset":
                return
            if what == "half":
                writer.write(b"HTTP/1.1 201 x\r\ncontent-")
                return
            if what == "410cut":
                writer.write(b"HTTP/1.1 410 x\r\ncontent-length: 50\r\n\r\nabc")
                await writer.drain()
                return
            lines = [f"HTTP/1.1 {what} x"]
            if what == "302":
                lines.append(f"location: https://127.0.0.1:{self.port}/201/elsewhere")
            if what in {"429", "503"}:
                lines.append("retry-after: " + more[0])
            if what == "400":
                lines.append("transfer-encoding: chunked")
                writer.write("\r\n".join([*lines, "", ""]).encode())
                while not writer.is_closing():  # it never ends
                    writer.write(b"400\r\n" + b"no\x1b " * 256 + b"\r\n")
                    await asyncio.sleep(0.001)
                return
            text = b"" if what == "204" else b"bad \x1b[31mtoken\nmore"
            if what != "204":
                lines.append(f"content-length: {len(text)}")
            writer.write("\r\n".join([*lines, "", ""]).encode() + text)

    async def _http2(self, reader, writer):
        def frame(kind, flags, stream, payload=b""):
            head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
            writer.write(head + stream.to_bytes(4, "big") + payload)

        assert (await reader.readexactly(24)).startswith(b"PRI * HTTP/2.0")
        frame(4, 0, 0)  # SETTINGS
        bodies: dict[int, bytes] = {}
        while True:
            head = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            if kind in {4, 6} and not flags & 1:  # SETTINGS, PING: acknowledged
                frame(kind, 1, 0, payload if kind == 6 else b"")
            if kind == 0:  # DATA
                bodies[stream] = bodies.get(stream, b"") + payload
                if payload:
                    frame(8, 0, 0, len(payload).to_bytes(4, "big"))  # WINDOW_UPDATE
                if flags & 1:
                    self.seen.append(Seen("", {}, bodies.pop(stream)))
                    frame(1, 5, stream, b"\x08\x03201")  # HEADERS with :status, and the end


@pytest.fixture
def service(tls):
    with Service(tls) as found:
        yield found


def to(endpoint: str, person: int = 1, body: bytes = b"{}") -> Item:
    return Item(1, 1, person, endpoint, (body,), keys=(P256DH, AUTH))


@dataclass
class Table:
    """A desk that remembers. What it hears of an item: "begun", or an Answer."""

    items: list[Item]
    services: list[Service] = field(default_factory=list)
    later: list[Item] = field(default_factory=list)
    slow: float = 0.0
    log: list[tuple[float, Item, Answer | None]] = field(default_factory=list)
    most: int = 0
    took: list[int] = field(default_factory=list)
    sent_early: list[str] = field(default_factory=list)

    def take(self, limit):
        self.took.append(limit)
        taken, self.items = self.items[:limit], self.items[limit:]
        return taken

    def note(self, answers, begun):
        assert answers or begun
        now = time.monotonic()
        self.log += [(now, answer.item, answer) for answer in answers]
        self.log += [(now, item, None) for item in begun]
        time.sleep(self.slow)
        names = {item.to.partition("/")[2].partition("/")[2] for item in begun}
        sent = {f"127.0.0.1:{s.port}{path}" for s in self.services for path in s.paths()}
        self.sent_early += names & sent
        self.most = max(self.most, len({i.person for i in self.begun()} - self.results().keys()))

    def wait(self, seconds):
        self.items, self.later = self.later, []
        return bool(self.items)

    def begun(self):
        return [item for _, item, answer in self.log if answer is None]

    def answers(self):
        return {item.person: answer for _, item, answer in self.log if answer}

    def results(self):
        return {person: answer.result for person, answer in self.answers().items()}


@dataclass
class Patient(Table):
    """One that has nothing for a while."""

    patience: float = 0.0

    def wait(self, seconds):
        time.sleep(self.patience)
        return super().wait(seconds)


def serve(tls, *items, later=(), services=(), slow=0.0, **settings):
    table = Table(list(items), list(services), list(later), slow)
    settings = {"vapid": VAPID, "options": DAY, "ca": tls.ca, "allow_private": True} | settings
    WebPush(**settings).run(table)
    answered = [item.person for _, item, answer in table.log if answer]
    assert sorted(answered) == sorted(i.person for i in (*items, *later)), "each once"
    return table


def seconds(value):
    return timedelta(seconds=value)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("200", Result.HANDED),
        ("201", Result.HANDED),
        ("202", Result.HANDED),
        ("204", Result.HANDED),
        ("302", Result.FAILED),
        ("400", Result.FAILED),
        ("401", Result.FAILED),
        ("403", Result.FAILED),
        ("404", Result.GONE),
        ("410", Result.GONE),
        ("413", Result.FAILED),
        ("418", Result.FAILED),
        ("429/0", Result.LATER),
        ("500", Result.LATER),
        ("503/0", Result.LATER),
    ],
)
def test_what_each_answer_means(tls, service, path, result):
    began = time.monotonic()
    table = serve(tls, service.item(1, path))
    assert time.monotonic() - began < 10, "though the body of 400 never ends"
    answer = table.answers()[1]
    assert (answer.result, answer.code) == (result, int(path[:3]))
    assert len(service.seen) == 1, "nothing is tried twice, and no redirect followed"
    assert len(answer.text) <= 120
    assert answer.text.isprintable()
    assert (not answer.text) == (result is Result.HANDED)


def test_a_refusal_says_its_first_line(tls, service):
    assert serve(tls, service.item(1, "403")).answers()[1].text == "bad [31mtoken"


@pytest.mark.parametrize("status", [*range(200, 207), *range(300, 309), *range(400, 600)])
def test_every_status_means_something(status):
    kinds = {2: Result.HANDED, 3: Result.FAILED, 4: Result.FAILED, 5: Result.LATER}
    special = {404: Result.GONE, 410: Result.GONE, 429: Result.LATER}
    assert meaning(status) is special.get(status, kinds[status // 100])


def test_the_browser_reads_it_and_the_service_knows_who_sent_it(tls, service):
    serve(tls, service.item(1, body="避難指示".encode()))
    (seen,) = service.seen
    read = http_ece.decrypt(seen.body, private_key=BROWSER, auth_secret=AUTH)
    assert read.decode() == "避難指示"
    wanted = {"ttl": "86400", "urgency": "high", "topic": "w-1", "content-encoding": "aes128gcm"}
    assert wanted.items() <= seen.headers.items()
    assert "cookie" not in seen.headers
    token = seen.headers["authorization"].removeprefix("vapid t=").partition(",")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == f"https://127.0.0.1:{service.port}"


def test_options_may_differ_by_item(tls, service):
    def options(item):
        return Options(seconds(item.person), "low")

    serve(tls, service.item(7), service.item(8), options=options)
    assert {s.path: s.headers["ttl"] for s in service.seen} == {"/201/7": "7", "/201/8": "8"}


def test_http2_on_one_connection(tls):
    with Service(tls, http2=True) as service:
        table = serve(tls, *(service.item(n) for n in range(150)), per_origin=60)
    assert set(table.results().values()) == {Result.HANDED}
    assert service.connections == 1
    assert len({seen.body[:16] for seen in service.seen}) == 150, "a salt for each"
    assert 30 < table.most <= 60


def test_http1_gets_few_connections(tls, service):
    table = serve(tls, *(service.item(n) for n in range(60)))
    assert set(table.results().values()) == {Result.HANDED}
    assert table.most == webpush.HTTP1_STREAMS
    # One that has just ended may be replaced before it is counted out.
    assert service.connections < 2 * webpush.HTTP1_STREAMS


def test_what_begins_is_noted_before_it_is_sent(tls):
    with Service(tls, http2=False) as one, Service(tls) as two:
        items = [service.item(n, "410") for n, service in enumerate([one, two] * 15)]
        table = serve(tls, *items, services=[one, two], slow=0.01, concurrency=7)
        assert table.sent_early == []
        assert Counter(table.begun()) == Counter(items)
        assert sorted(one.paths() + two.paths()) == sorted(f"/410/{n}" for n in range(30))
    assert table.most <= 7, "no place is used again before its answer is noted"
    assert max(table.took) <= 7
    for item in items:
        order = [answer for _, about, answer in table.log if about == item]
        assert order[0] is None
        assert order[1].result is Result.GONE


def test_a_desk_that_cannot_note_ends_the_run_and_nothing_is_sent(tls, service):
    class Full(Table):
        def note(self, answers, begun):
            raise OSError("no space left on device")

    engine = WebPush(vapid=VAPID, options=DAY, ca=tls.ca, allow_private=True)
    with pytest.raises(OSError, match="no space"):
        engine.run(Full([service.item(1)]))
    time.sleep(0.05)
    assert service.seen == []
    table = Table([service.item(2)])
    engine.run(table)
    assert table.results() == {2: Result.HANDED}, "the engine can be run again"


def test_more_comes_while_some_is_open_and_after_a_rest(tls, service):
    class Trickle(Table):
        def take(self, limit):
            return super().take(min(limit, 1))

    table = Trickle([service.item(n) for n in range(5)], later=[service.item(5)])
    WebPush(vapid=VAPID, options=DAY, ca=tls.ca, allow_private=True).run(table)
    assert table.results() == dict.fromkeys(range(6), Result.HANDED)


def test_a_service_that_is_down_costs_one_attempt(tls):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    table = serve(tls, *(to(f"https://127.0.0.1:{port}/{n}", n) for n in range(30)))
    assert set(table.results().values()) == {Result.LATER}
    assert len(table.begun()) == 1
    assert all("refused" in answer.text for answer in table.answers().values())


def test_a_certificate_that_is_not_known_is_a_reason_to_try_later(tls, service):
    answer = serve(tls, service.item(1), ca=b"").answers()[1]
    assert (answer.result, answer.code) == (Result.LATER, 0)
    assert "certificate" in answer.text.lower()
    assert service.seen == []


def test_a_name_that_is_not_found_is_a_reason_to_try_later(tls, monkeypatch):
    async def none(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(network, "resolve", none)
    table = serve(tls, to("https://push.test/a", 1), to("https://push.test/b", 2))
    assert set(table.results().values()) == {Result.LATER}
    assert "not known" in table.answers()[1].text
    assert table.begun() == []


def test_a_service_that_hangs_leaves_a_doubt(tls, service):
    began = time.monotonic()
    table = serve(tls, service.item(1, "hang"), timeout=seconds(0.8))
    assert table.results() == {1: Result.DOUBT}
    assert 0.7 < time.monotonic() - began < 5
    assert service.paths() == ["/hang/1"], "and it is not sent a second time"


@pytest.mark.parametrize("how", ["reset", "half"])
def test_a_connection_that_breaks_after_the_request_leaves_a_doubt(tls, service, how):
    table = serve(tls, service.item(1, how))
    assert table.results() == {1: Result.DOUBT}
    assert table.answers()[1].text
    assert service.paths() == [f"/{how}/1"]


def test_an_answer_that_breaks_off_still_is_one(tls, service):
    answer = serve(tls, service.item(1, "410cut")).answers()[1]
    assert (answer.result, answer.code) == (Result.GONE, 410)


def test_a_connection_that_is_never_made_leaves_no_doubt(tls):
    """Something listens, takes the connection, and says nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        item = to(f"https://127.0.0.1:{mute.getsockname()[1]}/a")
        table = serve(tls, item, timeout=seconds(0.6))
    assert table.results() == {1: Result.LATER}


def test_a_service_that_hangs_holds_up_no_other(tls):
    with Service(tls) as bad, Service(tls) as good:
        hung = [bad.item(n, "hang") for n in range(80)]
        fine = [good.item(n) for n in range(80, 100)]
        table = serve(
            tls, *hung, *fine, concurrency=20, patience=seconds(0.1), timeout=seconds(1.5)
        )
        assert bad.paths() == ["/hang/0"]
    results = table.results()
    assert results[0] is Result.DOUBT
    assert {results[n] for n in range(1, 80)} == {Result.LATER}
    assert {results[n] for n in range(80, 100)} == {Result.HANDED}
    at = {item.person: when for when, item, answer in table.log if answer}
    assert max(at[n] for n in range(80, 100)) < at[0], "before the other's time was out"


def test_one_failure_among_many_is_no_reason_to_rest(tls, service):
    items = [service.item(n, "500" if n % 2 else "201") for n in range(20)]
    table = serve(tls, *items, per_origin=1)
    assert Counter(table.results().values()) == {Result.HANDED: 10, Result.LATER: 10}
    assert len(service.seen) == 20


def test_failures_in_a_row_are_a_reason_to_rest(tls, service):
    items = [service.item(n, "500" if n else "201") for n in range(20)]
    table = serve(tls, *items, per_origin=1)
    assert len(service.seen) == 1 + webpush.STRIKES
    assert Counter(table.results().values()) == {Result.HANDED: 1, Result.LATER: 19}


def test_many_failures_at_once_are_one(tls, service):
    # A rest so long that a slow machine does not see its end.
    engine = WebPush(
        vapid=VAPID, options=DAY, ca=tls.ca, allow_private=True, first_rest=timedelta(minutes=1)
    )
    engine.run(Table([service.item(n, "500" if n else "201") for n in range(20)]))
    assert len(service.seen) > 1 + webpush.STRIKES
    assert [origin.rests for origin in engine._origins.values()] == [1]


def test_no_client_outlives_the_run(tls, service):
    """One that is open when the interpreter ends can abort the process."""
    engine = WebPush(vapid=VAPID, options=DAY, ca=tls.ca, allow_private=True)
    engine.run(Table([service.item(1)]))
    (client,) = engine._clients

    async def use():
        await client.get(f"https://127.0.0.1:{service.port}/").build().send()

    with pytest.raises(ClientClosedError):
        asyncio.run(use())


def test_a_service_that_asks_for_a_rest_gets_it(tls, service):
    items = [service.item(1), service.item(2, "429/60"), service.item(3)]
    table = serve(tls, *items, per_origin=1, later=[service.item(4)])
    assert table.results() == {
        1: Result.HANDED,
        2: Result.LATER,
        3: Result.LATER,
        4: Result.LATER,
    }
    assert service.paths() == ["/201/1", "/429/60/2"]


def test_a_rest_has_an_end(tls, service):
    table = Patient([service.item(1, "503/86400")], later=[service.item(2)], patience=0.1)
    settings = {"vapid": VAPID, "options": DAY, "ca": tls.ca, "allow_private": True}
    WebPush(**settings, longest_rest=seconds(0.05)).run(table)
    assert table.results() == {1: Result.LATER, 2: Result.HANDED}


def test_a_rest_is_asked_for_in_seconds_or_by_a_date():
    soon = format_datetime(datetime.now(UTC) + seconds(100), usegmt=True)
    assert webpush._seconds("7") == 7
    assert 90 < webpush._seconds(soon) <= 100
    assert webpush._seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    for text in (None, "", "soon", "-1", "٣", "1.5"):
        assert webpush._seconds(text) is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"]
)
def test_the_own_network_is_out_of_reach(tls, service, host):
    table = serve(tls, service.item(1, host=host), service.item(2, host=host), allow_private=False)
    assert set(table.results().values()) == {Result.FAILED}
    assert "not a public one" in table.answers()[1].text
    assert table.begun() == []
    assert service.connections == 0


def test_one_private_address_among_public_ones_is_refused(tls, service, monkeypatch):
    async def mixed(host, port):
        return ["93.184.215.14", "127.0.0.1"]

    monkeypatch.setattr(network, "resolve", mixed)
    table = serve(tls, service.item(1, host="push.test"), allow_private=False)
    assert table.results() == {1: Result.FAILED}
    assert table.begun() == []


def test_the_address_that_was_checked_is_the_one_that_is_called(tls, service, monkeypatch):
    """push.test is in no name service: that it is reached shows that nobody asked again."""
    asked = []

    async def here(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(network, "resolve", here)
    table = serve(tls, *(service.item(n, host="push.test") for n in range(20)))
    assert set(table.results().values()) == {Result.HANDED}
    assert asked == ["push.test"]


def test_no_proxy_is_taken_from_the_environment(tls, service, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert serve(tls, service.item(1)).results() == {1: Result.HANDED}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"to": "http://127.0.0.1/a"}, "https"),
        ({"to": "https://a:b@127.0.0.1/a"}, "https"),
        ({"to": "nonsense"}, "https"),
        ({"to": "https:///"}, "https"),
        ({"pieces": (bytes(3994),)}, "more than 3993"),
        ({"keys": ()}, "missing"),
        ({"keys": (b"\x04" + bytes(64), AUTH)}, "curve"),
    ],
)
def test_an_item_that_can_never_be_sent_fails_and_the_others_go_on(tls, service, changed, why):
    bad = service.item(1)._replace(**changed)
    table = serve(tls, bad, service.item(2))
    assert table.results() == {1: Result.FAILED, 2: Result.HANDED}
    assert why in table.answers()[1].text
    assert [item.person for item in table.begun()] == [2]


def test_the_services_kept_are_bounded(tls, monkeypatch):
    monkeypatch.setattr(webpush, "ORIGINS_KEPT", 2)
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(Service(tls)) for _ in range(4)]
        items = [service.item(n) for n, service in enumerate(found * 3)]
        engine = WebPush(vapid=VAPID, options=DAY, ca=tls.ca, allow_private=True, concurrency=1)
        table = Table(items)
        engine.run(table)
        assert set(table.results().values()) == {Result.HANDED}
        assert len(engine._origins) <= 2


def test_an_address_ages_and_is_looked_at_again(tls, service, monkeypatch):
    asked = []

    async def here(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(network, "resolve", here)
    engine = WebPush(vapid=VAPID, options=DAY, ca=tls.ca, allow_private=True)

    class Later(Table):
        def wait(self, seconds):
            for origin in engine._origins.values():
                origin.opened -= webpush.ADDRESS_LIFE + 1
            return super().wait(seconds)

    table = Later([service.item(1), service.item(2)], later=[service.item(3)])
    engine.run(table)
    assert table.results() == dict.fromkeys((1, 2, 3), Result.HANDED)
    assert len(asked) == service.connections == 2
