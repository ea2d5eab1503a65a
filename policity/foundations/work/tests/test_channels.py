"""On SQLite whoever waits hears what others commit; on PostgreSQL see tests/test_at_one_instant."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from django.db import connections

from policity.foundations.work import channels
from policity.foundations.work.channels import Ear


@pytest.fixture
def others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker
) -> Iterator[sqlite3.Connection]:
    """Another process's connection to the database that is listened to."""
    own = connections.create_connection("default")
    file = tmp_path / "db.sqlite3"
    sides = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": {}}
    monkeypatch.setattr(own, "settings_dict", own.settings_dict | sides)
    if own.vendor != "sqlite":
        pytest.skip("hears by NOTIFY")
    monkeypatch.setattr(channels, "connection", own)
    with django_db_blocker.unblock(), closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE item (number)")
        yield other
        own.close()


def test_what_others_commit_is_heard_once(others):
    ear, stop = Ear(), Event()
    assert not ear.wait(0.1, stop)
    others.execute("INSERT INTO item VALUES (1)")
    assert not ear.wait(0.1, stop)
    others.commit()
    assert ear.wait(10, stop)
    assert not ear.wait(0.1, stop)


def test_what_was_committed_while_nobody_waited_is_heard(others):
    ear, stop = Ear(), Event()
    others.execute("INSERT INTO item VALUES (1)")
    others.commit()
    assert ear.wait(10, stop)


def test_who_is_told_to_stop_waits_no_longer(others):
    ear, stop = Ear(), Event()
    stop.set()
    assert not ear.wait(60, stop)
