"""The board of a city of 200,000, calm and while a message to all of them is being sent.

Opened again and again through the web process's socket, with the senders, the live process and a
viewer on its stream beside it. ratio = calm ÷ busy, medians. Beside it: whom a message would reach.
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.delivery_parts import ROOT, City, MailSink, folder, tools, until

PERSONS = 200_000
ROUNDS = 3
OPENINGS = 30
PAUSE = 0.2
GOAL = 0.5
# What a person waits for without losing the thread, in seconds.
SOON = 1.0

STAFF = """
import django; django.setup()
from django.test import Client
from django.utils import timezone
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.services import create_staff
client = Client()
client.force_login(create_staff(username="bench", password="correct-horse-battery",
    display_name="bench", roles=[Role.DUTY_OFFICER], starts=timezone.localdate()))
print(client.cookies["sessionid"].value)
"""
PREVIEW = """
import django; django.setup()
import time
from policity.foundations.residents import queries
from policity.foundations.residents.rules.audience import Audience
from policity.kit.severity import Severity
audience = Audience("weather", Severity.SEVERE)
for _ in range(6):
    began = time.perf_counter()
    assert queries.preview(audience).persons == PERSONS
    print(time.perf_counter() - began)
"""


def measure() -> list[dict[str, object]]:
    tools()
    with folder() as place:
        sink = MailSink(place)
        city = City(place, POLICITY_EMAIL_URL=f"smtp://127.0.0.1:{sink.port}")
        city.populate([f"p{n}@example.jp" for n in range(1, PERSONS + 1)], [])
        _spread(city)
        session = _python(city, STAFF).strip()
        calm, busy = [], []
        with (
            city.sender(),
            _process(city, "web"),
            _process(city, "live"),
            _viewer(city, session) as ticks,
        ):
            city.ingest()
            for _ in range(ROUNDS):
                # Until the last of it is counted.
                time.sleep(8)
                calm.append([_open(city, session) for _ in range(OPENINGS)])
                busy.append(_while_sending(city, session))
        sink.end()
        cold, *warm = map(float, _python(city, PREVIEW.replace("PERSONS", str(PERSONS))).split())
    print(
        f"{len(ticks)} ticks for the viewer; the first preview of a process {cold:.2f} s",
        file=sys.stderr,
    )
    figures = {
        name: statistics.median(map(statistics.median, found))
        for name, found in (("calm", calm), ("busy", busy))
    }
    ratios = [
        statistics.median(one) / statistics.median(other)
        for one, other in zip(calm, busy, strict=True)
    ]
    slowest = max(map(max, busy))
    print(f"{sum(map(len, busy))} busy openings, the slowest {slowest:.2f} s", file=sys.stderr)
    assert figures["busy"] < SOON, figures
    assert max(warm) < SOON, warm
    return [
        {
            "figure": round(figures["busy"] * 1000),
            "unit": "ms to open the board while sending to 200,000",
            "peer": "the same board, calm",
            "peer_figure": round(figures["calm"] * 1000),
            "ratio": round(statistics.median(ratios), 2),
            "spread": round(max(ratios) - min(ratios), 2),
            "goal": GOAL,
        },
        {
            "figure": round(statistics.median(warm) * 1000),
            "unit": "ms to count whom a message to all would reach",
            "peer": "one second",
            "peer_figure": round(SOON * 1000),
            "ratio": round(SOON / statistics.median(warm), 1),
            "spread": round((max(warm) - min(warm)) / statistics.median(warm), 2),
            "goal": 1.0,
        },
    ]


def _spread(city: City) -> None:
    """Over all towns, some languages, homes of two, every other age; some with a second place."""
    with city.change() as database:
        towns = [row[0] for row in database.execute("SELECT id FROM places_town ORDER BY id")]
        database.execute(
            "UPDATE residents_place SET town_id = ? + (resident_id * 7919) % ?",
            (towns[0], len(towns)),
        )
        database.execute("UPDATE residents_resident SET language = 'en' WHERE id % 9 = 0")
        database.execute(
            "UPDATE residents_resident SET household = (id / 2 + 1) * 104729,"
            " born = CASE WHEN id % 2 = 0 THEN 1935 + (id * 31) % 80 END"
        )
        database.execute(
            "INSERT INTO residents_place (resident_id, label, town_id)"
            " SELECT id, 'family', ? FROM residents_resident WHERE id % 7 = 0",
            (towns[0],),
        )
        # Some have no address.
        database.execute("DELETE FROM residents_address WHERE resident_id % 8 = 0")


def _while_sending(city: City, session: str) -> list[float]:
    """Openings from the first hand-over to the last."""
    sending = threading.Thread(target=city.ingest)
    with closing(city.database()) as database:
        newest = "SELECT max(message_id), coalesce(max(targets), 0) FROM delivery_dispatch"
        before = database.execute(newest).fetchone()[0]
        sending.start()
        until(lambda: database.execute(newest).fetchone()[0] != before, "a dispatch")
    found = []
    while sending.is_alive():
        found.append(_open(city, session))
    sending.join()
    # The last may have begun when everything was sent.
    return found[:-1]


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("city.example", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


def _ask(city: City, name: str, path: str, session: str) -> http.client.HTTPResponse:
    connection = _Unix(city.home / "run" / f"{name}.sock")
    headers = {"Cookie": f"sessionid={session}", "X-Forwarded-Proto": "https"}
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def _open(city: City, session: str) -> float:
    # The same rhythm, calm or busy: what comes at once finds everything warm.
    time.sleep(PAUSE)
    began = time.perf_counter()
    answer = _ask(city, "web", "/staff/", session)
    text = answer.read().decode()
    took = time.perf_counter() - began
    assert answer.status == 200, text[:200]
    assert "情報ボード" in text
    return took


@contextmanager
def _process(city: City, name: str) -> Iterator[None]:
    path = city.home / "run" / f"{name}.sock"
    with (city.home / f"{name}.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"policity.project.{name}", path],
            env=city.environment, stderr=log,
        )  # fmt: skip
        try:
            until(path.exists, name)
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _viewer(city: City, session: str) -> Iterator[list[bytes]]:
    """Somebody who looks on, all the while."""
    ticks: list[bytes] = []
    answer = _ask(city, "live", "/staff/live/", session)
    assert answer.status == 200

    def read() -> None:
        while line := answer.readline():
            if line.startswith(b"event: board"):
                ticks.append(line)

    threading.Thread(target=read, daemon=True).start()
    yield ticks


def _python(city: City, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=city.environment | {"PATH": os.environ["PATH"]},
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout
