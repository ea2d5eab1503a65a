"""Fixtures for every room's tests. Each process has a home of its own (project/tests/plugin)."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from pytest_django import DjangoDbBlocker

from policity.kit.sides import Role
from policity.project import home
from policity.project.tests import plugin, postgresql

# What a test has, by its fixtures or its marks, that starts a process or asks a database.
ON_A_SERVER = {"db", "transactional_db", "django_db", "process", "journey"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what asks a database: the rest is the same as on SQLite."""
    if plugin.SERVER is None:
        return
    left = [one for one in items if not ON_A_SERVER & _has(one)]
    config.hook.pytest_deselected(items=left)
    items[:] = [one for one in items if ON_A_SERVER & _has(one)]


def _has(item: pytest.Item) -> set[str]:
    return {mark.name for mark in item.iter_markers()} | set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """A real database file with the settings it has in a city; no run waits for migrations."""
    if plugin.SERVER is None:
        shutil.copyfile(home.template(), plugin.HOME / "policity.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """Argon2 as in a city but for its cost, which every member of staff in every test would pay."""
    hasher = Argon2PasswordHasher
    hasher.time_cost, hasher.memory_cost, hasher.parallelism = 1, 8, 1


@pytest.fixture(scope="session", autouse=True)
def _second_factor() -> None:
    """Whom a test signs in by force has a second factor; coming in has its own tests."""
    from policity.foundations.accounts.tests.factors import force_login_gives_it

    force_login_gives_it()


@pytest.fixture(autouse=True)
def _nobody_remembered() -> Iterator[None]:
    """Who registered is kept in memory by number of changes, and a rollback takes changes back."""
    from policity.foundations.residents import queries

    queries.forget()
    yield
    queries.forget()


@pytest.fixture(autouse=True)
def _words_that_ship() -> None:
    """What staff of an earlier test changed was rolled back; and many tests have no table."""
    from policity.fields.alerts.queries import words

    words.take_for_shipped()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real telegrams, alerts and maps beside the checkout."""
    folder = Path(__file__).parent.parent / "shared" / "data"
    assert folder.is_dir(), f"the real data is missing: {folder.name}"
    return folder


@pytest.fixture(scope="session")
def city_rows(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> dict[str, list[tuple[object, ...]]]:
    """What loading the first city that ships writes, by table: thousands of rows, read once."""
    from django.db import connection, transaction

    from policity.foundations import places
    from policity.foundations.places.services import load_city

    folder = Path(places.__path__[0]) / "facts" / "cities" / "nishitokyo"
    with django_db_blocker.unblock():
        with transaction.atomic():
            empty = [table for table in connection.introspection.table_names() if not _rows(table)]
            load_city(folder, by=None, now=datetime(2026, 11, 23, tzinfo=UTC))
            found = {table: rows for table in empty if (rows := _rows(table))}
            transaction.set_rollback(True)
        connection.close()
    return found


def _rows(table: str) -> list[tuple[object, ...]]:
    """As the database's own client gives them, and not as Django would."""
    from django.db import connection

    raw = connection.connection
    cursor = raw.cursor()
    if connection.vendor == "sqlite":
        # The plus has sqlite3 give what is stored, and not what Django would make of it.
        names = [f'+"{row[1]}"' for row in raw.execute(f'PRAGMA table_info("{table}")')]
        return list(cursor.execute(f'SELECT {", ".join(names)} FROM "{table}"'))  # noqa: S608
    # Text, so that nothing is lost on the way.
    with cursor.copy(f'COPY "{table}" TO STDOUT') as lines:
        return [(bytes(line),) for line in lines]


def _put(table: str, rows: list[tuple[object, ...]]) -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        marks = ", ".join("?" * len(rows[0]))
        connection.connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)  # noqa: S608
        return
    with connection.connection.cursor().copy(f'COPY "{table}" FROM STDIN') as lines:
        for (line,) in rows:
            lines.write(line)


@pytest.fixture
def city(city_rows: dict[str, list[tuple[object, ...]]], db: None) -> None:
    """The home is the first city that ships."""
    from django.db import transaction

    with transaction.atomic():
        for table, rows in city_rows.items():
            _put(table, rows)


@pytest.fixture
def lived_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, for a process that a test starts; no city is in it yet."""
    home.make_folders(tmp_path)
    if plugin.SERVER is None:
        # Processes that tests start are of a city, and not of a test.
        file = tmp_path / "policity.sqlite3"
        shutil.copyfile(home.template(role=Role.INTERNET), file)
        # As a city's is after its first start: two that come in at once cannot both see to it.
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA journal_mode=WAL")
    else:
        monkeypatch.setenv("POLICITY_DATABASE_URL", plugin.SERVER.create(plugin.unused()))
    return tmp_path


@pytest.fixture(scope="session")
def with_city(django_db_blocker: DjangoDbBlocker) -> str:
    """On PostgreSQL: the name of a database that has the first city, to be copied."""
    from policity.foundations import places
    from policity.foundations.places.services import load_city

    assert plugin.SERVER is not None
    name = plugin.unused()
    plugin.SERVER.create(name)
    with django_db_blocker.unblock(), postgresql.connected_to(name):
        folder = Path(places.__path__[0]) / "facts" / "cities" / "nishitokyo"
        load_city(folder, by=None, now=datetime(2026, 11, 23, tzinfo=UTC))
    return name
