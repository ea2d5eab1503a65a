"""A home with a database of its own, written to by hand, and a place for its copies."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest

from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.services import Streamer

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


class Place:
    """A home, where its copies go, and a clock that we move."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.to = root, root / "home", root / "copies"
        (self.home / "run").mkdir(parents=True)
        self.to.mkdir()
        (self.home / "secret.key").write_text("secret\n")
        (self.home / "secret.key").chmod(0o600)
        (self.home / "media" / "deep").mkdir(parents=True)
        (self.home / "media" / "deep" / "picture.png").write_bytes(b"\x89PNG")
        self.identity = pyrage.x25519.Identity.generate()
        self.keys = [self.identity.to_public()]
        self.store = Folder(self.to)
        self.now = NOW
        self.database = self.home / "policity.sqlite3"
        self.write("PRAGMA journal_mode=WAL")
        self.write("CREATE TABLE thing (id INTEGER PRIMARY KEY, word TEXT, pad BLOB)")

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def streamer(self) -> Streamer:
        return Streamer(self.home, self.store, self.keys, clock=self.clock)

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.database, timeout=10, isolation_level=None)

    def write(self, *statements: str) -> None:
        """Each in a transaction of its own, through a connection that then closes."""
        with closing(self.connect()) as connection:
            for statement in statements:
                connection.execute(statement)

    def add(self, count: int, *, pad: int = 10) -> None:
        with closing(self.connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO thing (word, pad) VALUES (?, randomblob(?))", [("w", pad)] * count
            )
            connection.execute("COMMIT")

    def generations(self) -> list[str]:
        return self.store.names()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def streamer(place: Place) -> Iterator[Streamer]:
    found = place.streamer()
    yield found
    found.end()
