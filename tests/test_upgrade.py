"""A home made by the last release is brought up to date by this program, and keeps its data.

Until there is a release, the last commit stands in for it, so that the way is tested at all.
"""

import io
import os
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from policity.project import home
from policity.project.tests import plugin

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        plugin.SERVER is not None,
        reason="the way back is a SQLite file",
    ),
]
ROOT = Path(__file__).parent.parent


def _git(*words: str) -> bytes:
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, check=True).stdout


def _last_release() -> str:
    tags = _git("tag", "--merged", "HEAD", "--sort=-creatordate").decode().split()
    return tags[0] if tags else "HEAD"


def _run(*words: str, folder: Path, where: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"POLICITY_HOME": str(where), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_a_home_of_the_last_release_is_upgraded(tmp_path: Path) -> None:
    old, where = tmp_path / "old", tmp_path / "home"
    with tarfile.open(fileobj=io.BytesIO(_git("archive", _last_release(), "policity"))) as packed:
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(old)  # noqa: S202  # our own
    _run("policity.project.home", folder=old, where=where)
    database = where / "policity.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO accounts_user (username, password, display_name, first_name, last_name,"
            " email, is_staff, is_active, is_superuser, is_sample, date_joined)"
            " VALUES ('kept', '', '', '', '', '', 0, 1, 0, 0, '2026-01-01')"
        )
        # As if every migration since were new to it.
        connection.execute("PRAGMA user_version=1")
        connection.commit()

    _run("policity.project.home", folder=ROOT, where=where)

    assert home.prepared_set(database) == home.migration_set()
    with closing(sqlite3.connect(database)) as connection:
        kept = connection.execute("SELECT count(*) FROM accounts_user WHERE username='kept'")
        assert kept.fetchone() == (1,)
