"""A city with many residents and a living sender, for the benchmarks of delivery.

With POLICITY_BENCH_DATABASE=postgresql its data is in PostgreSQL, on a server that the run starts.
"""

import atexit
import base64
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

from policity.project import cluster, environment
from policity.project.tests import postgresql

ROOT = Path(__file__).parent.parent.parent
PARTS = ROOT / "benchmarks" / "delivery_push_parts"
TELEGRAM = ROOT.parent / "shared/data/jma/official-samples/15_12_02_161130_VPWW53.xml"
NOW = "2026-11-23 03:00:00"

WAITING = """
SELECT count(*) FROM work_item
WHERE key LIKE :message || ':%' AND (kind = 'expand' OR kind LIKE 'send-%')
"""
NOBODY_YET = """
SELECT count(*) = 0 FROM delivery_ledger WHERE message_id = :message AND state = 4
"""
# Salt, key, padding and seal alone are longer: nothing shorter was a whole message.
BODY_AT_LEAST = 200
HANDED = """
SELECT min(changed_at), max(changed_at) FROM delivery_ledger WHERE message_id = ? AND state = 4
"""


def tools() -> None:
    """Postfix's smtp-sink and smtp-source, and nginx, installed without starting anything."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    wanted = {"smtp-sink": "postfix", "nginx": "nginx"}
    lacking = [package for tool, package in wanted.items() if not shutil.which(tool, path=path)]
    if not lacking:
        return
    quiet = {"stdout": sys.stderr, "check": True}
    subprocess.run(["apt-get", "-qq", "update"], **quiet)
    subprocess.run(
        ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *lacking],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
        **quiet,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MailSink:
    """smtp-sink: takes every mail, and counts."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._said = (folder / "smtp-sink.txt").open("w+")
        self._process = subprocess.Popen(
            ["/usr/sbin/smtp-sink", "-c", "-u", "nobody", f"127.0.0.1:{self.port}", "1000"],
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )
        until(lambda: _listens(self.port), "smtp-sink")

    def count(self) -> int:
        """Messages taken since it was started."""
        numbers = re.findall(r"mesg=(\d+)", Path(self._said.name).read_text())
        return int(numbers[-1]) if numbers else 0

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition, what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@dataclass
class Sent:
    """One dispatch, read from the ledger when it was complete."""

    message: int
    targets: int
    states: dict[str, int]
    channels: dict[str, dict[str, int]]
    seconds: float
    first: float


@cache
def _server() -> postgresql.Server:
    """One for the whole run, which loses nothing that it has committed."""
    ending = ExitStack()
    atexit.register(ending.close)
    return ending.enter_context(postgresql.running(careless=""))


@cache
def _database(home: Path) -> str:
    """The address of a home's database, as one that was just made: a demo city is to come."""
    url = _server().create(home.parent.name)
    cluster.mark(url, 0)
    return url


class Asked:
    """PostgreSQL, asked with SQLite's marks."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True)
        self.close = self._connection.close

    def __enter__(self) -> "Asked":
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, query: str, values=()):
        """Each in a transaction of its own, as what is asked again and again has to be."""
        if not values:
            return self._connection.execute(query)
        return self._connection.execute(_marks(query), values)

    def executemany(self, query: str, rows) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(_marks(query), rows)


def _marks(query: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", query.replace("%", "%%").replace("?", "%s"))


class City:
    """A home with residents; `sender` lends it a living urgent sender."""

    def __init__(self, folder: Path, **surroundings: str) -> None:
        self.home = folder / "home"
        self.environment = os.environ | {
            "POLICITY_HOME": str(self.home),
            "POLICITY_URL": "https://city.example",
            "DJANGO_SETTINGS_MODULE": environment.EMBEDDED,
            **surroundings,
        }
        self.url = ""
        if os.environ.get("POLICITY_BENCH_DATABASE") == "postgresql":
            self.url = _database(self.home)
            self.environment |= {
                "POLICITY_DATABASE_URL": self.url,
                "DJANGO_SETTINGS_MODULE": environment.CLUSTER,
            }
        self._run("policity.project.home")
        with closing(self.database()) as database:
            (self.town,) = database.execute("SELECT min(id) FROM places_town").fetchone()

    def database(self) -> "sqlite3.Connection | Asked":
        if self.url:
            return Asked(self.url)
        return sqlite3.connect(self.home / "policity.sqlite3", timeout=30)

    def populate(self, mails: Sequence[str], pushes: Sequence[tuple[str, str, str]]) -> None:
        """Replace everybody: one resident for each address, who takes the defaults."""
        total = max(len(mails), len(pushes))
        with closing(self.database()) as database, database:
            for table in ("address", "place", "resident", "departure"):
                database.execute(f"DELETE FROM residents_{table}")  # noqa: S608  # our own names
            database.execute("DELETE FROM residents_version")
            database.execute("INSERT INTO residents_version (number) VALUES (1)")
            database.executemany(
                "INSERT INTO residents_resident (id, language, wants, registered_at, version)"
                " VALUES (?, 'ja', '', ?, 1)",
                ((n, NOW) for n in range(1, total + 1)),
            )
            database.executemany(
                "INSERT INTO residents_place (resident_id, label, town_id) VALUES (?, 'home', ?)",
                ((n, self.town) for n in range(1, total + 1)),
            )
            insert = (
                "INSERT INTO residents_address (resident_id, channel, value, p256dh, auth,"
                " added_at, confirmed_at, retired_for) VALUES (?, ?, ?, ?, ?, ?, ?, '')"
            )
            database.executemany(
                insert, ((n, "mail", to, "", "", NOW, NOW) for n, to in enumerate(mails, 1))
            )
            database.executemany(
                insert, ((n, "push", *keys, NOW, NOW) for n, keys in enumerate(pushes, 1))
            )

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Change the database by hand, before a sender lives."""
        with closing(self.database()) as database, database:
            yield database

    @contextmanager
    def sender(self, lane: str = "urgent") -> Iterator[None]:
        """A living sender, with everybody in its memory."""
        alive = self.home / "run" / f"sender-{lane}.alive"
        alive.unlink(missing_ok=True)
        with (self.home / "sender.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "policity.project.cli", "delivery", "send",
                 "--lane", lane],
                env=self.environment, stderr=log,
            )  # fmt: skip
            try:
                until(alive.exists, "sender")
                # A beat after it has read everybody.
                seen = alive.stat().st_mtime
                until(lambda: alive.stat().st_mtime > seen, "sender's beat")
                _rest(process.pid)
                yield
            finally:
                process.terminate()
                process.wait()

    def ingest(self, *, wait: bool = True) -> Sent:
        """A real warning comes in; back when the last person is handed it, or else the first."""
        return self._send(
            wait,
            "from policity.fields.alerts.services import ingest; from pathlib import Path;"
            "from policity.fields.alerts.models import *;"
            "Transition.objects.all().delete(); Event.objects.all().delete();"
            "Telegram.objects.all().delete();"
            f"ingest(Path({str(TELEGRAM)!r}).read_bytes(), source='bench', now=timezone.now());",
        )

    def _send(self, wait: bool, code: str) -> Sent:
        head = "import django; django.setup(); from django.utils import timezone;"
        subprocess.run(
            [sys.executable, "-c", head + code],
            env=self.environment,
            cwd=ROOT,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        with closing(self.database()) as database:
            message, began = database.execute(
                "SELECT message_id, created_at FROM delivery_dispatch ORDER BY 1 DESC LIMIT 1"
            ).fetchone()
            lacking = WAITING if wait else NOBODY_YET
            until(
                lambda: not database.execute(lacking, {"message": message}).fetchone()[0],
                "the hand-over",
                600,
            )
            first, last = database.execute(HANDED, [message]).fetchone()
        said = json.loads(
            self._run("policity.project.cli", "delivery", "status", str(message), "--json")
        )
        assert said["targets"] == sum(said["states"].values()), said
        assert not (wait and said["expanding"])
        return Sent(
            message,
            said["targets"],
            said["states"],
            said["channels"],
            (_moment(last) - _moment(began)).total_seconds(),
            (_moment(first) - _moment(began)).total_seconds(),
        )

    def _run(self, *words: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", *words], env=self.environment, cwd=ROOT, check=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ).stdout  # fmt: skip


def _rest(sender: int) -> None:
    """Wait until its engines have prepared what they can: nothing happened in the city yet."""
    words = Path(f"/proc/{sender}/task/{sender}/children").read_text().split()
    stats = [Path(f"/proc/{pid}/schedstat") for pid in words]

    def worked() -> float:
        return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9

    began, before = time.monotonic(), worked()
    while True:
        time.sleep(2)
        if (now := worked()) - before < 0.1:
            break
        before = now
    print(f"engines at rest after {time.monotonic() - began:.0f} s, {now:.1f} s of CPU",
          file=sys.stderr)  # fmt: skip


def _moment(text: "str | datetime") -> datetime:
    if isinstance(text, datetime):
        return text
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="policity-bench-") as name:
        place = Path(name)
        # smtp-sink gives up its rights, and must still reach its files.
        place.chmod(0o755)
        yield place


@dataclass(frozen=True)
class Browser:
    """A subscription, with the private half that a real browser keeps to itself."""

    p256dh: str
    auth: str
    secret: int


def browsers(count: int) -> list[Browser]:
    """As many distinct subscriptions."""
    found = []
    for number in range(count):
        key = ec.generate_private_key(ec.SECP256R1())
        point = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        auth = number.to_bytes(16, "big")
        found.append(Browser(_base64(point), _base64(auth), key.private_numbers().private_value))
    return found


def opened(browser: Browser, body: bytes) -> bytes:
    """What the browser reads (RFC 8188, RFC 8291), to prove that the sink's bytes say something."""
    salt, length, rest = body[:16], body[20], body[21:]
    theirs, sealed = rest[:length], rest[length:]
    key = ec.derive_private_key(browser.secret, ec.SECP256R1())
    shared = key.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    )
    ours = base64.urlsafe_b64decode(browser.p256dh + "=")
    auth = base64.urlsafe_b64decode(browser.auth + "==")
    ikm = _hkdf(auth, shared, b"WebPush: info\0" + ours + theirs, 32)
    secret = _hkdf(salt, ikm, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, ikm, b"Content-Encoding: nonce\0", 12)
    return AESGCM(secret).decrypt(nonce, sealed, b"").rstrip(b"\0")[:-1]


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Taken:
    """A message as a push service took it. `body` is kept of samples only."""

    path: str
    body: bytes | None


class PushSink:
    """A push service of our own, by nginx: HTTP/2, and HTTP/1.1 for the peer, over TLS.

    It keeps the bodies of messages to addresses that end with `samples`.
    """

    def __init__(self, place: Path, *, samples: str = "none") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sink-", dir=place))
        self.ca, *used = certificates(place)
        for file in used:
            shutil.copy(file, self._folder)
        self._http2, self._http1 = free_port(), free_port()
        text = (PARTS / "sink.conf").read_text()
        for word, value in (
            ("HTTP2", self._http2), ("HTTP1", self._http1), ("SAMPLES", samples),
            ("sample.sock", self._folder / "sample.sock"),
        ):  # fmt: skip
            text = text.replace(word, str(value))
        file = self._folder / "nginx.conf"
        file.write_text(text)
        self._process = subprocess.Popen(["/usr/sbin/nginx", "-p", self._folder, "-c", file])
        until(lambda: _listens(self._http2), "nginx")

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self._http2}"

    @property
    def origin_http1(self) -> str:
        return f"https://127.0.0.1:{self._http1}"

    def end(self) -> list[Taken]:
        """What it took, in its order."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        found = []
        for line in (self._folder / "taken.log").read_text().splitlines():
            path, length, kept = line.split(" ")
            assert int(length) > BODY_AT_LEAST, line
            found.append(Taken(path, None if kept == "-" else Path(kept).read_bytes()))
        return found


def certificates(place: Path) -> tuple[Path, Path, Path]:
    """A root certificate, and a key and certificate for 127.0.0.1 under it."""
    files = (place / "ca.pem", place / "key.pem", place / "leaf.pem")
    if files[0].exists():
        return files
    now = datetime.now(UTC)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        for text in ("bench", "127.0.0.1")
    )

    def certificate(subject, public, extension, critical):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical)
            .sign(ca_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    ca = x509.BasicConstraints(ca=True, path_length=None)
    files[0].write_bytes(certificate(ca_name, ca_key.public_key(), ca, True))
    files[2].write_bytes(certificate(name, key.public_key(), host, False))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def peer_module(place: Path) -> Path:
    """The npm package web-push, in a folder of its own."""
    modules = place / "npm"
    modules.mkdir(exist_ok=True)
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", modules, "web-push"],
        stdout=sys.stderr,
        check=True,
    )
    return modules
