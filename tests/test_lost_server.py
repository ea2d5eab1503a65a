"""A city on PostgreSQL is lost while it sends: home and database; and comes back elsewhere."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pyrage
import pytest

from policity.project import home
from policity.project.tests import plugin, postgresql
from tests.living import City, burn, end, start, until
from tests.mail_sink import MailSink
from tests.test_sending_processes import POPULATE, SEND

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="has a server of its own to lose"),
]
PERSONS, CONNECTIONS = 1000, 16
# Seconds that each mail takes on its connection, so that the loss comes in the middle.
SLOW = 0.15
# Seconds until what was handed over is noted where the copies are: one write of a disk.
WRITTEN = 0.1
# What no city may lose.
POINT = 10
REGISTER = """
INSERT INTO residents_resident (language, wants, registered_at, version)
VALUES ('ja', '', now(), 1) RETURNING id
"""


def run(where: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, *words], env=os.environ | {"POLICITY_HOME": str(where)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def policity(where: Path, *words: str) -> str:
    return run(where, "-m", "policity.project.cli", *words)


def python(where: Path, code: str) -> None:
    run(where, "-c", f"import django; django.setup(); from django.utils import timezone; {code}")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Another machine's folder, with the keys and the place for copies."""
    folder = Path(tempfile.mkdtemp(prefix="policity-elsewhere-"))
    # Whoever runs the server goes through it.
    folder.chmod(0o755)
    identity = pyrage.x25519.Identity.generate()
    (folder / "identity").write_text(f"{identity}\n")
    (folder / "recipients").write_text(f"{identity.to_public()}\n")
    (folder / "copies").mkdir()
    for name, value in {
        "POLICITY_BACKUP": str(folder / "copies"),
        "POLICITY_BACKUP_RECIPIENTS": str(folder / "recipients"),
        "POLICITY_DEMO": "0",
    }.items():
        monkeypatch.setenv(name, value)
    yield folder
    shutil.rmtree(folder)


def at(server: postgresql.Server, name: str, patch: pytest.MonkeyPatch) -> str:
    url = server.url(name)
    patch.setenv("POLICITY_DATABASE_URL", url)
    # Whether it is known to Django only now shows in which settings a command takes.
    patch.setenv("DJANGO_SETTINGS_MODULE", "policity.project.settings.cluster")
    return url


@contextmanager
def registering(url: str) -> Iterator[dict[int, float]]:
    """People who register, one after the other: when each was told that they are registered."""
    told: dict[int, float] = {}
    stop = threading.Event()

    def register() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.wait(0.02):
                try:
                    (number,) = connection.execute(REGISTER).fetchone() or (0,)
                except psycopg.Error:
                    return
                told[number] = time.time()

    thread = threading.Thread(target=register)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()


def lose(city: City, server: postgresql.Server) -> float:
    """The city's machine and its server's, at once. When that was."""
    (postmaster,) = (server.folder / "data" / "postmaster.pid").read_text().split()[:1]
    died = burn(city)
    os.kill(int(postmaster), signal.SIGKILL)
    folder = server.folder / "data"
    # Whoever still writes there ends by itself.
    until(lambda: not folder.exists() or shutil.rmtree(folder, ignore_errors=True), "ash")
    return died


def test_nothing_is_lost_but_the_machine(tmp_path, elsewhere, monkeypatch):
    opened = ("--identity", str(elsewhere / "identity"))
    old, new = tmp_path / "old", elsewhere / "new"
    home.make_folders(old)
    page = Path("published") / "shelters" / "index.html"
    with (
        MailSink(seconds=SLOW) as sink,
        postgresql.running("-c fsync=off") as server,
        ExitStack() as ending,
    ):
        monkeypatch.setenv("POLICITY_EMAIL_URL", f"smtp://127.0.0.1:{sink.port}")
        server.create("city")
        url = at(server, "city", monkeypatch)
        policity(old, "places", "load", "nishitokyo")
        python(old, POPULATE.replace("20000", str(PERSONS)))
        city = start(old)
        ending.callback(end, city)
        until((old / "run" / "copied.json").exists, "the first copy")
        # The commands have written it before, without knowing under which address it is served.
        mine = f"http://127.0.0.1:{city.port}/".encode()
        until(lambda: mine in (old / page).read_bytes(), "the pages are written")
        before = (old / page).read_bytes()
        drilled = json.loads(policity(old, "continuity", "drill", "--json", *opened))
        assert drilled["recovery_point_s"] < POINT
        assert drilled["rows_compared"] > 3 * PERSONS
        # Pages are still being written.
        assert not [name for name in drilled["rows_different"] if name.startswith("residents_")]
        assert [path.name for path in (old / "run").glob("scratch-*")] == []
        with registering(url) as told:
            python(old, SEND)
            until(lambda: sum(sink.taken.values()) > PERSONS // 2, "half of the mail")
            until(lambda: older(old), "a copy that knows nothing of the last second")
            died = lose(city, server)
            # What was on its way arrives, and nobody hears of it any more.
            time.sleep(2 * SLOW)
            taken = dict(sink.first)
    assert len(taken) < PERSONS
    monkeypatch.delenv("POLICITY_DATABASE_URL")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "policity.project.settings.embedded")
    found = json.loads(policity(new, "continuity", "restore", "--json", *opened))
    assert found["rows"] > drilled["rows_compared"]
    assert found_at(found) > died - POINT
    # As docs/operations.md has it: the data folder goes to where the server is.
    place = elsewhere / "server"
    place.mkdir()
    shutil.move(new / "postgresql", place / "data")
    if postgresql.USER:
        subprocess.run(["chown", "--recursive", postgresql.USER, place], check=True)
    with MailSink(port=sink.port) as again, postgresql.started(place) as server:
        url = at(server, "city", monkeypatch)
        with psycopg.connect(url) as connection:
            there = {row[0] for row in connection.execute("SELECT id FROM residents_resident")}
        lost = [died - when for number, when in told.items() if number not in there]
        assert all(age < POINT for age in lost), max(lost)
        assert min(told.values()) < died - 1
        # The same address: a city's pages name it.
        city = start(new, port=city.port)
        try:
            until(lambda: len(taken.keys() | again.taken.keys()) == PERSONS, "everybody")
            until((new / page).exists, "the pages are there again")
            assert (new / page).read_bytes() == before
            until(lambda: len(generations(elsewhere)) == 2, "it is copied again")
        finally:
            end(city)
    twice = {name: died - taken[name] for name in again.taken if name in taken}
    # What was under way at that moment, and no other, however old the copy was.
    assert not [before for before in twice.values() if before > WRITTEN], twice
    assert len(twice) <= CONNECTIONS * (1 + WRITTEN / SLOW)
    assert max(again.taken.values()) == 1


def older(where: Path) -> bool:
    """Whether the copy was made more than a second ago."""
    return time.time() - (where / "run" / "copied.json").stat().st_mtime > 1


def generations(elsewhere: Path) -> list[Path]:
    return list((elsewhere / "copies").glob("*Z"))


def found_at(found: dict[str, str]) -> float:
    return datetime.fromisoformat(found["at"]).timestamp()
