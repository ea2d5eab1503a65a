"""A city that serves is lost with its machine, and comes back elsewhere."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyrage
import pytest

from policity.project.tests import plugin
from tests.living import end, start, until

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="copies are SQLite's"),
]


def policity(home: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=os.environ | {"POLICITY_HOME": str(home), "POLICITY_DEMO": "0", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_nothing_is_lost_but_the_machine(lived_in, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    identity = pyrage.x25519.Identity.generate()
    (elsewhere / "identity").write_text(f"{identity}\n")
    (elsewhere / "recipients").write_text(f"{identity.to_public()}\n")
    (elsewhere / "copies").mkdir()
    keys = {
        "POLICITY_BACKUP": str(elsewhere / "copies"),
        "POLICITY_BACKUP_RECIPIENTS": str(elsewhere / "recipients"),
    }
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    city = start(lived_in)
    policity(lived_in, "places", "load", "nishitokyo")
    (elsewhere / "list.csv").write_text(
        "external_id,email,push,town,lat,lon,language,kinds,quiet_from,quiet_to\n"
        + "".join(f"p{n},p{n}@example.jp,,泉町一丁目,,,ja,,,\n" for n in range(50))
    )
    policity(lived_in, "residents", "import", str(elsewhere / "list.csv"))

    opened = ("--identity", str(elsewhere / "identity"))

    def copied() -> bool:
        try:
            drilled = policity(lived_in, "continuity", "drill", "--json", *opened)
        except subprocess.CalledProcessError:
            return False  # the first copy is not made yet
        said = json.loads(drilled)
        return not said["rows_different"] and said["recovery_point_s"] < 10

    until(copied, "everything is in the copy")
    page = Path("published") / "shelters" / "index.html"
    until((lived_in / page).exists, "the pages are written")
    before = (lived_in / page).read_bytes()
    # The machine burns: nothing of it ends in order.
    city.process.kill()
    city.process.wait()
    shutil.rmtree(lived_in)

    new = elsewhere / "new"
    policity(new, "continuity", "restore", *opened)
    with closing(sqlite3.connect(new / "policity.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM residents_resident").fetchone() == (50,)
    again = start(new)
    try:
        until((new / page).exists, "the pages are there again")
        assert (new / page).read_bytes() == before
        # It goes on being copied, as a generation of its own.
        until(lambda: len(list((elsewhere / "copies").iterdir())) == 2, "the new home is copied")
    finally:
        end(again)
