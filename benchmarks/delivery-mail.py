"""100,000 mails, one envelope and personal links each, from an ingest to Postfix's smtp-sink.

The peer is Postfix's own load generator, which sends one text of our mean size again and again.
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.delivery_parts import City, MailSink, folder, tools

PERSONS = 100_000
ROUNDS = 3
CONNECTIONS = 16
GOAL = 1.0


def measure() -> dict[str, object]:
    tools()
    with folder() as place:
        sink = MailSink(place)
        city = City(place, POLICITY_EMAIL_URL=f"smtp://127.0.0.1:{sink.port}")
        city.populate([f"p{n}@example.jp" for n in range(1, PERSONS + 1)], [])
        ours, peers, firsts, copied = [], [], [], []
        for _ in range(ROUNDS):
            before = sink.count()
            with city.sender():
                sent = city.ingest()
            assert sent.states["handed"] == PERSONS, sent
            assert sink.count() - before == PERSONS, (sink.count(), before)
            ours.append(PERSONS / sent.seconds)
            copied.append(_with_counterfoil(city, place / "copies"))
            firsts.append(sent.first)
            peers.append(PERSONS / _peer(sink, _mean_size(city)))
        sink.end()
    print(f"first hand-over after {statistics.median(firsts):.2f} s", file=sys.stderr)
    ratios = [our / peer for our, peer in zip(ours, peers, strict=True)]
    middle = round(statistics.median(copied))
    print(f"with a counterfoil on the disk {middle} mails/s: {copied}, without {ours}",
          file=sys.stderr)  # fmt: skip
    return {
        "figure": round(statistics.median(ours)),
        "unit": "mails/s",
        "peer": "smtp-source, 16 connections, same size",
        "peer_figure": round(statistics.median(peers)),
        "ratio": round(statistics.median(ours) / statistics.median(peers), 2),
        "spread": round(max(ratios) - min(ratios), 2),
        "goal": GOAL,
    }


def _with_counterfoil(city: City, copies: Path) -> float:
    """Mails a second while each is noted where the copies are, too."""
    copies.mkdir(exist_ok=True)
    city.environment["POLICITY_BACKUP"] = str(copies)
    with city.sender():
        sent = city.ingest()
    assert sent.states["handed"] == PERSONS, sent
    del city.environment["POLICITY_BACKUP"]
    noted = sum(file.read_bytes().count(b"\nA") for file in copies.glob("hand/*/*/*.log"))
    assert noted >= PERSONS - 1, noted
    shutil.rmtree(copies)
    return PERSONS / sent.seconds


def _mean_size(city: City) -> int:
    """Bytes of one of our mails: they differ by the digits of a number only."""
    code = (
        "import django; django.setup();"
        "from policity.foundations.delivery.models import Dispatch;"
        "from policity.foundations.delivery.services.composing import Composer;"
        "from policity.foundations.residents.queries import Recipient;"
        "d = Dispatch.objects.select_related('message').latest('message_id');"
        "to = Recipient(50000, 'ja', 'p50000@example.jp', '', '');"
        "print(sum(map(len, Composer(d).mail(to))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=city.environment, check=True, capture_output=True,
        text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    return int(done.stdout)


def _peer(sink: MailSink, size: int) -> float:
    began = time.perf_counter()
    subprocess.run(
        ["/usr/sbin/smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(PERSONS),
         "-l", str(size), "-f", "from@example.jp", "-t", "to@example.jp",
         f"127.0.0.1:{sink.port}"],
        check=True,
    )  # fmt: skip
    return time.perf_counter() - began
