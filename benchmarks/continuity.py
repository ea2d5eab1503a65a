"""Losing a city of 200,000 residents and 1,000,000 rows in the ledger, and having it again.

While a message to all of them is being sent, the worst of the home's writing, its copy is looked at
again and again: how long ago is what it holds. Then it is brought back beside, and held against the
city row by row. Beside it: what a whole copy takes by the database's own means. With
POLICITY_BENCH_DATABASE=postgresql the data is in PostgreSQL.
"""

# ruff: noqa: S608  # names of our own tables

import json
import statistics
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyrage

from benchmarks.delivery_parts import ROOT, City, MailSink, folder, tools, until

PERSONS, ROWS = 200_000, 1_000_000
ROUNDS = 3
# Seconds.
POINT, TIME = 10.0, 300.0

PEERS = {
    False: "SQLite's backup and gzip -1, not encrypted",
    True: "pg_dump and gzip -1, not encrypted",
}

WHOLE = """
import sqlite3, sys
from contextlib import closing
with closing(sqlite3.connect(sys.argv[1])) as one, closing(sqlite3.connect(sys.argv[2])) as other:
    one.backup(other)
"""


def measure() -> list[dict[str, object]]:
    tools()
    with folder() as place:
        sink = MailSink(place)
        identity = pyrage.x25519.Identity.generate()
        (place / "identity").write_text(f"{identity}\n")
        (place / "recipients").write_text(f"{identity.to_public()}\n")
        (place / "copies").mkdir()
        city = City(
            place,
            POLICITY_EMAIL_URL=f"smtp://127.0.0.1:{sink.port}",
            POLICITY_BACKUP=str(place / "copies"),
            POLICITY_BACKUP_RECIPIENTS=str(place / "recipients"),
        )
        city.populate([f"p{n}@example.jp" for n in range(1, PERSONS + 1)], [])
        with city.sender():
            city.ingest()
        _long_ledger(city)
        alone = [_alone(city, place) for _ in range(ROUNDS)]
        ours = [_ours(city) for _ in range(ROUNDS)]
        worst = []
        with _stream(city), city.sender():
            for _ in range(ROUNDS):
                with _watched(city) as ages:
                    city.ingest()
                worst.append(max(ages))
            time.sleep(5)
            drills = [_drill(city, place) for _ in range(ROUNDS)]
        sink.end()
    for drill in drills:
        assert drill["rows_different"] == {}, drill
        assert drill["rows_compared"] > ROWS + PERSONS, drill
        assert drill["recovery_point_s"] < POINT, drill
    size = drills[0]["rows_compared"]
    print(f"{size:,} rows; a whole copy {ours} s, alone {alone} s", file=sys.stderr)
    print(f"while sending at most {worst} s old; drills: {drills}", file=sys.stderr)
    return [
        _limit("s old at most, while sending to all", worst, POINT, "ten seconds"),
        _limit("s to have it again, checked", [d["recovery_time_s"] for d in drills], TIME,
               "five minutes"),
        {
            "figure": round(statistics.median(ours), 1),
            "unit": "s for a whole copy, encrypted, and the start of its process",
            "peer": PEERS[bool(city.url)],
            "peer_figure": round(statistics.median(alone), 1),
            "ratio": round(statistics.median(alone) / statistics.median(ours), 2),
            "spread": round((max(ours) - min(ours)) / statistics.median(ours), 2),
            "goal": 0.4,
        },
    ]  # fmt: skip


def _limit(unit: str, found: list[float], limit: float, peer: str) -> dict[str, object]:
    middle = statistics.median(found)
    return {
        "figure": round(middle, 1),
        "unit": unit,
        "peer": peer,
        "peer_figure": limit,
        "ratio": round(limit / max(found), 1),
        "spread": round((max(found) - min(found)) / middle, 2),
        "goal": 1.0,
    }


def _long_ledger(city: City) -> None:
    """The rows of the message that was sent, again under messages of earlier days."""
    with city.change() as database:
        (sent,) = database.execute("SELECT max(message_id) FROM delivery_dispatch").fetchone()
        others = ", ".join(_columns(city, database, "delivery_message", but="id"))
        for _ in range(ROWS // PERSONS - 1):
            (made,) = database.execute(
                f"INSERT INTO delivery_message ({others}) SELECT {others} FROM delivery_message"
                " WHERE id = ? RETURNING id",
                [sent],
            ).fetchone()
            for table in ("delivery_ledger", "delivery_target"):
                rest = ", ".join(_columns(city, database, table, but="message_id"))
                database.execute(
                    f"INSERT INTO {table} (message_id, {rest}) SELECT ?, {rest} FROM {table}"
                    " WHERE message_id = ?",
                    [made, sent],
                )


def _columns(city: City, database, table: str, *, but: str) -> list[str]:
    query = f"SELECT name FROM pragma_table_info('{table}')"
    if city.url:
        query = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    return [f'"{name}"' for (name,) in database.execute(query) if name != but]


def _alone(city: City, place: Path) -> float:
    began = time.monotonic()
    if city.url:
        with (place / "alone.sql.gz").open("wb") as out:
            dump = subprocess.Popen(["pg_dump", city.url], stdout=subprocess.PIPE)
            subprocess.run(["gzip", "-1"], stdin=dump.stdout, stdout=out, check=True)
            assert dump.wait() == 0
        return round(time.monotonic() - began, 2)
    database, copy = city.home / "policity.sqlite3", place / "alone.sqlite3"
    subprocess.run([sys.executable, "-c", WHOLE, str(database), str(copy)], check=True)
    subprocess.run(["gzip", "-1", "--force", str(copy)], check=True)
    return round(time.monotonic() - began, 2)


def _ours(city: City) -> float:
    began = time.monotonic()
    city._run("policity.project.cli", "continuity", "backup")
    return round(time.monotonic() - began, 2)


@contextmanager
def _stream(city: City):
    before = _synced(city)
    process = subprocess.Popen(
        [sys.executable, "-m", "policity.project.cli", "continuity", "stream"],
        env=city.environment, cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: _synced(city) > before, "the first copy")
        yield
    finally:
        process.terminate()
        process.wait()


def _synced(city: City) -> datetime:
    try:
        said = json.loads((city.home / "run" / "copied.json").read_text())
    except FileNotFoundError:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(said["at"])


@contextmanager
def _watched(city: City):
    """How old the copy is, again and again."""
    ages: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            ages.append((datetime.now(UTC) - _synced(city)).total_seconds())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield ages
    finally:
        over.set()
        watcher.join()


def _drill(city: City, place: Path) -> dict[str, float]:
    said = city._run(
        "policity.project.cli", "continuity", "drill", "--json", "--identity",
        str(place / "identity"),
    )  # fmt: skip
    if not city.url:
        with closing(city.database()) as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return json.loads(said)
