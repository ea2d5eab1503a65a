"""/readyz says what is missing, in the order in which it comes about."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.test import Client

from policity.foundations.continuity import queries
from policity.kit.languages import LANGUAGES
from policity.project import cluster, environment, health, home
from policity.project.tests import plugin


def mark(folder: Path, migrations: int) -> None:
    if plugin.SERVER is not None:
        cluster.mark(environment.read().database_url, migrations)
        return
    with closing(sqlite3.connect(folder / "policity.sqlite3")) as connection:
        connection.execute(f"PRAGMA user_version={migrations}")


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if plugin.SERVER is not None:
        url = plugin.SERVER.create(plugin.unused(), like="template0")
        monkeypatch.setenv("POLICITY_DATABASE_URL", url)
    (tmp_path / "run").mkdir()
    mark(tmp_path, home.migration_set())
    for name in queries.CHILDREN:
        (tmp_path / "run" / f"{name}.alive").touch()
    for language in LANGUAGES:
        page = tmp_path / "published" / language.prefix.strip("/") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()
    return tmp_path


def test_nothing_is_missing(ready: Path) -> None:
    assert health.missing(ready) == []


def test_a_database_of_other_migrations_is_missing(ready: Path) -> None:
    mark(ready, 1)
    assert health.missing(ready) == ["database"]


@pytest.mark.parametrize("name", queries.CHILDREN)
def test_a_child_that_no_longer_beats_is_missing(ready: Path, name: str) -> None:
    beat = ready / "run" / f"{name}.alive"
    old = time.time() - queries.HEARTBEAT_SECONDS - 1
    os.utime(beat, (old, old))
    assert health.missing(ready) == [name]
    beat.unlink()
    assert health.missing(ready) == [name]


def test_a_page_not_yet_published_is_missing(ready: Path) -> None:
    (ready / "published" / "ko" / "index.html").unlink()
    assert health.missing(ready) == ["pages"]


def test_a_database_that_is_away_is_missing(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICITY_DATABASE_URL", f"postgresql://x@/x?host={ready}")
    assert health.missing(ready) == ["database"]


@pytest.mark.django_db
def test_anybody_may_ask(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "found_set", lambda where: 0)
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert reply.json() == {"ready": False, "missing": ["database"]}
