"""Upgrading a city whose data is in PostgreSQL, and going back, as its own role without rights."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from policity.project import cluster, home, releases
from policity.project.environment import Environment
from policity.project.releases import UpgradeError
from policity.project.tests import plugin, postgresql
from tests.living import free_port
from tests.test_releases import MIGRATION, answers, kept, lay, place  # noqa: F401  # fixtures

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="has a server of its own"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    with postgresql.running() as found:
        yield found


@pytest.fixture
def where(
    tmp_path: Path, server: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Environment]:
    """A home whose database is its role's own; nothing else is allowed to that role."""
    administrator = server.url("postgres")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS city")
        connection.execute("CREATE ROLE city LOGIN")
        for name in ("city", "city_rehearsal"):
            connection.execute(f"CREATE DATABASE {name} OWNER city TEMPLATE template0".encode())
    url = server.url("city").replace("postgres@", "city@")
    monkeypatch.setenv("POLICITY_DATABASE_URL", url)
    folder = tmp_path / "home"
    found = Environment(
        home=folder, demo=False, bind="127.0.0.1", port=free_port(), hosts=(), url="",
        database_url=url,
    )  # fmt: skip
    home.make_folders(folder)
    # What is migrated for all tests, as that role's own.
    dump = tmp_path / "prepared.dump"
    cluster.dump(server.url(postgresql.PREPARED), dump)
    cluster.load(url, dump)
    yield found
    with psycopg.connect(administrator, autocommit=True) as connection:
        for name in ("city", "city_rehearsal"):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def tables(url: str) -> set[str]:
    with cluster.connected(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in rows}


def test_a_city_goes_over_to_a_version_and_back(place, where, kept):  # noqa: F811
    said: list[str] = []
    newer = lay(place.root, "2.0", migration=MIGRATION)
    before = tables(where.database_url)
    releases.upgrade(where, place, newer, said.append)
    assert place.in_use == newer
    assert answers(where)
    assert tables(where.database_url) == before | {"accounts_newer"}
    upgrades = where.home / "upgrades"
    (copy,) = upgrades.glob("before-*.dump")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not (upgrades / "rehearsal").exists()
    assert tables(cluster.beside(where.database_url, "rehearsal")) == set()
    with cluster.connected(where.database_url) as connection:
        connection.execute("INSERT INTO accounts_newer DEFAULT VALUES")

    releases.back(where, place, said.append)

    assert place.in_use.name == "1.0"
    assert answers(where)
    assert tables(where.database_url) == before
    # What was written meanwhile is not lost: it lies beside, in the newer version's form.
    (aside,) = upgrades.glob("newer-*.dump")
    cluster.load(cluster.beside(where.database_url, "rehearsal"), aside)
    with cluster.connected(cluster.beside(where.database_url, "rehearsal")) as connection:
        assert connection.execute("SELECT count(*) FROM accounts_newer").fetchone() == (1,)


def test_a_version_that_cannot_take_the_data_changes_nothing(place, where):  # noqa: F811
    bad = lay(place.root, "3.0", migration="raise RuntimeError('no')")
    before = tables(where.database_url)
    with pytest.raises(UpgradeError, match="何も変えていません"):
        releases.upgrade(where, place, bad, lambda line: None)
    assert place.in_use.name == "1.0"
    assert tables(where.database_url) == before
    assert tables(cluster.beside(where.database_url, "rehearsal")) == set()
    assert not (where.home / "upgrades" / "rehearsal").exists()


def test_what_the_databases_administrator_has_to_do_is_said(
    place,  # noqa: F811
    where,
    server,
    monkeypatch,
):
    newer = lay(place.root, "2.0")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE city_rehearsal")
    with pytest.raises(cluster.AwayError, match="CREATE DATABASE city_rehearsal OWNER"):
        releases.upgrade(where, place, newer, lambda line: None)
    monkeypatch.setenv("PATH", str(where.home))
    with pytest.raises(cluster.AwayError, match="apt-get install postgresql-client"):
        cluster.dump(where.database_url, where.home / "x.dump")
    assert place.in_use.name == "1.0"


def test_data_that_cannot_be_laid_back_leaves_what_is_there(where):
    broken = where.home / "broken.dump"
    broken.write_bytes(b"no dump")
    before = tables(where.database_url)
    with pytest.raises(cluster.AwayError, match="pg_restore"):
        cluster.load(where.database_url, broken)
    assert tables(where.database_url) == before
