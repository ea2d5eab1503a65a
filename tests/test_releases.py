"""Upgrading a city that serves, and going back: real processes, versions that differ for real."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

import policity
from policity.kit.sides import Role
from policity.project import home, releases
from policity.project.environment import Environment
from policity.project.releases import Installation, UpgradeError
from policity.project.tests import plugin
from tests.living import free_port

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="policity upgrade refuses PostgreSQL"),
]

MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "{last}")]
    operations = [migrations.CreateModel("Newer", [("id", models.BigAutoField(primary_key=True))])]
"""
KEEPER = 'while true; do "$0"/current/bin/policity serve; sleep 0.2; done'


def lay(root: Path, version: str, *, migration: str = "", breaks: str = "") -> Path:
    """A version as the bundle's installer leaves it: the same program, or one that differs."""
    release = root / "releases" / version
    package = release / "lib" / "policity"
    shutil.copytree(
        Path(policity.__path__[0]), package, ignore=shutil.ignore_patterns("__pycache__")
    )
    if migration:
        folder = package / "foundations" / "accounts" / "migrations"
        last = sorted(file.stem for file in folder.glob("[0-9]*.py"))[-1]
        (folder / "0999_newer.py").write_text(migration.format(last=last))
    if breaks:
        with (package / "project" / "serve.py").open("a") as file:
            file.write(breaks)
    (release / "bin").mkdir()
    for name, words in (("python", ""), ("policity", "-m policity.project.cli")):
        program = release / "bin" / name
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{release / "lib"}" exec "{sys.executable}" {words} "$@"\n'
        )
        program.chmod(0o755)
    (release / releases.READY).touch()
    return release


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    lay(tmp_path / "opt", "1.0")
    found = Installation(tmp_path / "opt")
    found.current.symlink_to("releases/1.0")
    return found


@pytest.fixture
def where(tmp_path: Path) -> Environment:
    folder = tmp_path / "home"
    home.make_folders(folder)
    shutil.copyfile(home.template(role=Role.INTERNET), folder / home.DATABASE)
    return Environment(
        home=folder, demo=False, bind="127.0.0.1", port=free_port(), hosts=(), url=""
    )


@pytest.fixture
def kept(place: Installation, where: Environment) -> Iterator[None]:
    """The city serves, and is started anew whenever it ends, as systemd does."""
    keeper = subprocess.Popen(
        ["sh", "-c", KEEPER, str(place.root)],
        env=os.environ
        | {"POLICITY_HOME": str(where.home), "POLICITY_DEMO": "0", "PORT": str(where.port)},
        start_new_session=True,
        cwd=place.root,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert releases._serves(where)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGTERM)
        keeper.wait(timeout=30)
        wait_until_free(where)


def wait_until_free(where: Environment) -> None:
    deadline = time.monotonic() + 60
    while releases._holder(where.home / "run" / "serve.lock") is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(where: Environment) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{where.port}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)


def tables(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows}


def test_a_city_goes_over_to_a_version_and_back(place, where, kept):
    said: list[str] = []
    newer = lay(place.root, "2.0", migration=MIGRATION)
    releases.upgrade(where, place, newer, said.append)
    assert place.in_use == newer
    assert answers(where)
    assert "accounts_newer" in tables(where.home / home.DATABASE)
    (copy,) = (where.home / "upgrades").glob("before-*.sqlite3")
    assert "accounts_newer" not in tables(copy)
    assert not (where.home / "upgrades" / "rehearsal").exists()
    with closing(sqlite3.connect(where.home / home.DATABASE, timeout=10)) as connection:
        connection.execute("INSERT INTO accounts_newer DEFAULT VALUES")
        connection.commit()

    releases.back(where, place, said.append)

    assert place.in_use.name == "1.0"
    assert answers(where)
    assert "accounts_newer" not in tables(where.home / home.DATABASE)
    # What was written meanwhile is not lost: it lies beside, in the newer version's form.
    (aside,) = (where.home / "upgrades").glob("newer-*.sqlite3")
    with closing(sqlite3.connect(aside)) as connection:
        assert connection.execute("SELECT count(*) FROM accounts_newer").fetchone() == (1,)


def test_a_version_that_does_not_serve_is_taken_back(place, where, kept, monkeypatch):
    serves = releases._serves

    def soon(asked: Environment) -> bool:
        """The bad one is given a few tries, not minutes."""
        time.sleep(3)
        return place.in_use.name == "1.0" and serves(asked)

    monkeypatch.setattr(releases, "_serves", soon)
    bad = lay(place.root, "3.0", migration=MIGRATION, breaks="\n\ndef main(where): return 1\n")
    with pytest.raises(
        UpgradeError, match=r"3\.0 は応答しませんでした。1\.0 にもどしました（応答しています）"
    ):
        releases.upgrade(where, place, bad, lambda line: None)
    assert place.in_use.name == "1.0"
    assert answers(where)


@pytest.mark.parametrize(
    "migration", ["raise RuntimeError('no')", MIGRATION.replace("{last}", "0000_missing")]
)
def test_a_version_that_cannot_take_the_data_changes_nothing(place, where, migration):
    bad = lay(place.root, "3.0", migration=migration)
    before = (where.home / home.DATABASE).read_bytes()
    with pytest.raises(UpgradeError, match="何も変えていません"):
        releases.upgrade(where, place, bad, lambda line: None)
    assert place.in_use.name == "1.0"
    assert (where.home / home.DATABASE).read_bytes() == before
    assert not (where.home / "upgrades" / "rehearsal").exists()


def test_what_cannot_be_gone_over_to_is_said(place, where, tmp_path, monkeypatch):
    def said_of(release: Path) -> str:
        with pytest.raises(UpgradeError) as refused:
            releases.upgrade(where, place, release, lambda line: None)
        return str(refused.value)

    assert "もう 1.0 を使っています" in said_of(place.in_use)
    assert "先に install を" in said_of(tmp_path / "elsewhere")
    half = lay(place.root, "2.0")
    (half / releases.READY).unlink()
    assert "先に install を" in said_of(half)
    (half / releases.READY).touch()
    monkeypatch.setattr(releases, "TIMES_THE_DATABASE", 10**12)
    assert "足りません" in said_of(half)
    with pytest.raises(UpgradeError, match="もどる先の版がありません"):
        releases.back(where, place, lambda line: None)
    with pytest.raises(UpgradeError, match="script/server"):
        releases.installation(Path(sys.prefix))


def test_a_city_that_does_not_run_goes_over_too(place, where):
    said: list[str] = []
    newer = lay(place.root, "2.0")
    releases.upgrade(where, place, newer, said.append)
    assert place.in_use == newer
    assert "次に始めるときから" in said[-1]
    releases.back(where, place, said.append)
    assert place.in_use.name == "1.0"
