"""A home is made once, by one process, and kept."""

import os
import runpy
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from policity.project import cluster, environment, home
from policity.project.settings import embedded
from policity.project.tests import plugin


def _where(folder: Path, *, demo: bool = False) -> environment.Environment:
    return environment.Environment(
        home=folder, demo=demo, bind="127.0.0.1", port=8000, hosts=(), url="http://127.0.0.1:8000"
    )


def test_an_empty_folder_becomes_a_home(tmp_path: Path) -> None:
    where = _where(tmp_path / "city")
    home.prepare(where, say=lambda line: None)

    key = where.home / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) >= 50
    database = where.home / "policity.sqlite3"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert home.prepared_set(database) == home.migration_set()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*) from accounts_user").fetchone() == (0,)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_the_home_is_for_its_group_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """A web server in the home's group reads what is published; nobody else enters."""
    city = tmp_path / "city"
    before = os.umask(umask)
    try:
        home.make_folders(city)
    finally:
        os.umask(before)
    modes = {folder.name: stat.S_IMODE(folder.stat().st_mode) for folder in city.iterdir()}
    assert stat.S_IMODE(city.stat().st_mode) == 0o750
    assert modes == {"run": 0o750, "published": 0o755, "media": 0o755, "secret.key": 0o600}


def test_folders_that_exist_keep_their_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    home.make_folders(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_without_its_key_a_home_has_one_that_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICITY_HOME", str(tmp_path))
    keys = [runpy.run_path(embedded.__file__)["SECRET_KEY"] for _ in range(2)]
    assert keys[0] != keys[1]
    assert min(map(len, keys)) >= 50

    home.make_folders(tmp_path)
    kept = [runpy.run_path(embedded.__file__)["SECRET_KEY"] for _ in range(2)]
    assert kept == [(tmp_path / "secret.key").read_text().strip()] * 2


def test_a_prepared_home_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = _where(tmp_path)
    home.prepare(where, say=lambda line: None)
    key, database = tmp_path / "secret.key", tmp_path / "policity.sqlite3"
    before = key.read_text(), database.stat().st_mtime_ns
    monkeypatch.setattr(home, "_python", lambda *words, **more: pytest.fail("started Django"))

    home.prepare(where, say=lambda line: None)

    assert (key.read_text(), database.stat().st_mtime_ns) == before


def test_an_interrupted_preparation_is_finished(tmp_path: Path) -> None:
    where = _where(tmp_path)
    home.prepare(where, say=lambda line: None)
    database = tmp_path / "policity.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version=0")

    home.prepare(where, say=lambda line: None)

    assert home.prepared_set(database) == home.migration_set()


def test_a_database_of_older_migrations_is_brought_up_to_date(tmp_path: Path) -> None:
    where = _where(tmp_path, demo=True)
    home.prepare(_where(tmp_path), say=lambda line: None)
    database = tmp_path / "policity.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version=1")
        connection.execute("DROP TABLE django_session")
        connection.execute("DELETE FROM django_migrations WHERE app='sessions'")
        connection.commit()

    home.prepare(where, say=lambda line: None)

    assert home.prepared_set(database) == home.migration_set()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("select * from django_session")
        # An existing city never becomes a demo.
        assert connection.execute("select count(*) from accounts_user").fetchone() == (0,)


@pytest.mark.process
def test_two_commands_at_once_prepare_one_home(tmp_path: Path) -> None:
    program = (
        "from policity.project import environment, home;"
        "home.prepare(environment.read(), say=lambda line: None)"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={"POLICITY_HOME": str(tmp_path), "POLICITY_DEMO": "0"},
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    assert home.prepared_set(tmp_path / "policity.sqlite3") == home.migration_set()
    assert sorted(file.name for file in tmp_path.glob("secret*")) == ["secret.key"]


def test_every_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("POLICITY_DEMO", "maybe")
    with pytest.raises(environment.BadEnvironmentError) as raised:
        environment.read()
    assert "PORT: " in str(raised.value)
    assert "POLICITY_DEMO: " in str(raised.value)


def test_a_database_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://policity:hidden@/city?host={tmp_path}"
    with pytest.raises(home.PreparationError, match="POLICITY_DATABASE_URL") as raised:
        home.prepare(replace(_where(tmp_path), database_url=url))
    assert "hidden" not in str(raised.value)


@pytest.mark.skipif(plugin.SERVER is None, reason="needs PostgreSQL")
def test_a_database_on_postgresql_is_prepared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert plugin.SERVER is not None
    url = plugin.SERVER.create(plugin.unused())
    monkeypatch.setenv("POLICITY_DATABASE_URL", url)
    where = replace(_where(tmp_path), database_url=url)
    cluster.mark(url, 1)
    with cluster.connected(url) as connection:
        connection.execute("DROP TABLE django_session")
        connection.execute("DELETE FROM django_migrations WHERE app = 'sessions'")

    home.prepare(where, say=lambda line: None)

    assert home.found_set(where) == home.migration_set()
    with cluster.connected(url) as connection:
        assert connection.execute("SELECT count(*) FROM django_session").fetchone() == (0,)
    assert not (tmp_path / home.DATABASE).exists()
    monkeypatch.setattr(home, "_python", lambda *words, **more: pytest.fail("started Django"))
    home.prepare(where, say=lambda line: None)


@pytest.mark.skipif(plugin.SERVER is None, reason="needs PostgreSQL")
def test_one_machine_prepares_while_the_others_wait() -> None:
    assert plugin.SERVER is not None
    url = plugin.SERVER.create(plugin.unused(), like="template0")
    with cluster.preparing(url) as found, cluster.connected(url) as other:
        assert found == 0
        asked = other.execute("SELECT pg_try_advisory_lock(%s)", (cluster.PREPARING,)).fetchone()
        assert asked == (False,)
        cluster.mark(url, 7)
    with cluster.preparing(url) as found:
        assert found == 7


def test_a_key_that_everybody_can_read_is_none(tmp_path: Path) -> None:
    home.make_folders(tmp_path)
    (tmp_path / "secret.key").chmod(0o644)
    with pytest.raises(home.PreparationError, match="chmod 600"):
        home.make_folders(tmp_path)
    (tmp_path / "secret.key").chmod(0o600)
    home.make_folders(tmp_path)


@pytest.mark.parametrize("left", [None, b""], ids=["nothing", "an empty file"])
def test_a_city_whose_database_is_gone_gets_no_empty_one(
    tmp_path: Path, left: bytes | None
) -> None:
    where = _where(tmp_path / "city")
    home.prepare(where, say=lambda line: None)
    (where.home / "published" / "state.json").write_text("{}")
    database = where.home / home.DATABASE
    database.rename(where.home / "beside")
    if left is not None:
        # Whoever asks SQLite for a file that is away makes one.
        database.write_bytes(left)
    with pytest.raises(home.AwayError, match=r"policity\.sqlite3"):
        home.prepare(where, say=lambda line: None)
    (where.home / "beside").rename(database)
    home.prepare(where, say=lambda line: None)
    assert home.prepared_set(database) == home.migration_set()


def test_a_database_that_is_none_is_away(tmp_path: Path) -> None:
    where = _where(tmp_path / "city")
    home.make_folders(where.home)
    (where.home / home.DATABASE).write_bytes(b"no database at all" * 1000)
    with pytest.raises(home.AwayError):
        home.prepare(where, say=lambda line: None)
