"""Copies of a city whose data is in PostgreSQL, on a server of the tests' own."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyrage
import pytest

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.services import restore
from policity.foundations.continuity.services.following import Follower
from policity.foundations.continuity.services.recovering import compared
from policity.project.tests import postgresql

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    # As a city runs it: what is committed is on the disk.
    with postgresql.running(careless="") as found:
        with psycopg.connect(found.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE copies LOGIN REPLICATION")
            connection.execute("CREATE ROLE city LOGIN")
            connection.execute("CREATE DATABASE city OWNER city TEMPLATE template0")
        yield found


class Place:
    """A home, its database with one table, and where its copies go."""

    def __init__(self, root: Path, server: postgresql.Server) -> None:
        self.root, self.home, self.to = root, root / "home", root / "copies"
        (self.home / "run").mkdir(parents=True)
        self.to.mkdir()
        (self.home / "secret.key").write_text("secret\n")
        self.identity = pyrage.x25519.Identity.generate()
        self.store = Folder(self.to)
        self.now = datetime.now(UTC)
        self.server = server
        self.url = server.url("city").replace("postgres@", "city@")
        self.ask("DROP TABLE IF EXISTS thing")
        self.ask("CREATE TABLE thing (id bigserial PRIMARY KEY, word text)")

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def ask(self, query: str, *, url: str = "") -> list[tuple[object, ...]]:
        with psycopg.connect(url or self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def add(self, count: int, *, length: int = 10) -> None:
        self.ask(
            f"INSERT INTO thing (word) SELECT repeat(md5(random()::text), {length})"
            f" FROM generate_series(1, {count})"
        )

    def follower(self) -> Follower:
        return Follower(
            self.home, self.store, [self.identity.to_public()], database=self.url,
            server=self.server.url("postgres").replace("postgres@", "copies@"), clock=self.clock,
        )  # fmt: skip

    def back(self, name: str = "restored"):
        """Brought back, and held against the city: (what was brought back, what differs)."""
        into = self.root / name
        done = restore(self.store, [self.identity], into, report=lambda line: None)
        return done, compared(self.url, into, done).different


@pytest.fixture
def place(tmp_path: Path, server: postgresql.Server) -> Iterator[Place]:
    found = Place(tmp_path, server)
    yield found
    administrator = server.url("postgres")
    slots = "pg_replication_slots WHERE slot_type = 'physical'"
    deadline = time.monotonic() + 20
    while found.ask(f"SELECT 1 FROM {slots} AND active", url=administrator):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    found.ask(f"SELECT pg_drop_replication_slot(slot_name) FROM {slots}", url=administrator)


@pytest.fixture
def follower(place: Place) -> Iterator[Follower]:
    found = place.follower()
    yield found
    found.end()


def test_a_city_comes_back_as_it_was(place, follower):
    place.add(100)
    follower.step()
    for _ in range(3):
        place.add(10)
        follower.step()
    done, different = place.back()
    assert different == {}
    assert (done.rows, done.server, done.beyond) == (130, postgresql_version(place), 0)
    assert done.changes >= 3
    assert done.at <= place.now
    back = place.root / "restored"
    assert (back / "secret.key").read_text() == "secret\n"
    assert (back / "postgresql").stat().st_mode & 0o777 == 0o700
    # Nothing is left to be recovered, nor any setting of ours.
    assert not (back / "postgresql" / "recovery.signal").exists()
    assert not (back / "postgresql" / "postmaster.pid").exists()
    assert "restore_command" not in (back / "postgresql" / "postgresql.auto.conf").read_text()
    # Nothing in the clear where copies are kept.
    for file in place.to.rglob("*.age"):
        assert file.read_bytes().startswith(b"age-encryption.org/v1\n")


def postgresql_version(place: Place) -> int:
    ((number,),) = place.ask("SHOW server_version_num")
    return int(str(number)) // 10000
