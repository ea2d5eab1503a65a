"""A city that serves is lost with its machine, and comes back elsewhere."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pyrage
import pytest

from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.formats.copies import begun
from policity.foundations.continuity.tests.buckets import ADDS, S3
from policity.project.tests import plugin
from tests.living import asked, burn, end, start, until
from tests.mail_sink import MailSink
from tests.test_sending_processes import POPULATE, SEND, python

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="copies are SQLite's"),
]
PERSONS, CONNECTIONS = 3000, 16
# Seconds that each mail takes on its connection, so that the loss comes in the middle.
SLOW = 0.1
# Seconds until what was handed over is noted where the copies are: one write of a disk.
WRITTEN = 0.1


def policity(home: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=os.environ | {"POLICITY_HOME": str(home), "POLICITY_DEMO": "0", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(params=["folder", "s3"])
def copies(request, monkeypatch, tmp_path_factory):
    """Where they go, and how many there are."""
    if request.param == "folder":
        folder = tmp_path_factory.mktemp("copies")
        monkeypatch.setenv("POLICITY_BACKUP", str(folder))
        yield Folder(folder)
        return
    s3 = S3()
    bucket, key = s3.bucket(), s3.key(*ADDS)
    file = tmp_path_factory.mktemp("safe") / "key"
    file.write_text(f"aws_access_key_id = {key[0]}\naws_secret_access_key = {key[1]}\n")
    file.chmod(0o600)
    monkeypatch.setenv("POLICITY_BACKUP", f"s3://{bucket}/copies/here")
    monkeypatch.setenv("POLICITY_BACKUP_ENDPOINT", s3.url)
    monkeypatch.setenv("POLICITY_BACKUP_KEY_FILE", str(file))
    # Now and then it is busy.
    s3.busy = lambda method, query: len(s3.asked) % 5 == 0
    yield s3.store(bucket, key)
    s3.close()


def test_nothing_is_lost_but_the_machine(lived_in, tmp_path_factory, monkeypatch, copies):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    identity = pyrage.x25519.Identity.generate()
    (elsewhere / "identity").write_text(f"{identity}\n")
    (elsewhere / "recipients").write_text(f"{identity.to_public()}\n")
    monkeypatch.setenv("POLICITY_BACKUP_RECIPIENTS", str(elsewhere / "recipients"))
    city = start(lived_in)
    policity(lived_in, "places", "load", "nishitokyo")
    (elsewhere / "list.csv").write_text(
        "external_id,email,push,town,lat,lon,language,kinds,quiet_from,quiet_to\n"
        + "".join(f"p{n},p{n}@example.jp,,泉町一丁目,,,ja,,,\n" for n in range(50))
    )
    policity(lived_in, "residents", "import", str(elsewhere / "list.csv"))
    imported = time.monotonic()

    opened = ("--identity", str(elsewhere / "identity"))

    def copied() -> bool:
        since = time.monotonic() - imported
        try:
            drilled = policity(lived_in, "continuity", "drill", "--json", *opened)
        except subprocess.CalledProcessError:
            return False  # the first copy is not made yet
        said = json.loads(drilled)
        # How old a copy is at most is measured by script/bench continuity, and not here.
        return not said["rows_different"] and said["recovery_point_s"] < since

    until(copied, "everything is in the copy", 240)
    page = Path("published") / "shelters" / "index.html"
    until((lived_in / page).exists, "the pages are written")
    before = (lived_in / page).read_bytes()
    burn(city)

    new = elsewhere / "new"
    policity(new, "continuity", "restore", *opened)
    with closing(sqlite3.connect(new / "policity.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM residents_resident").fetchone() == (50,)
    # The same address: a city's pages name it.
    again = start(new, port=city.port)
    try:
        until((new / page).exists, "the pages are there again")
        assert (new / page).read_bytes() == before
        # It goes on being copied, as a generation of its own.
        until(lambda: len(list(filter(begun, copies.names()))) == 2, "the new home is copied")
    finally:
        end(again)


@pytest.mark.parametrize("known", [True, False], ids=["known", "planted"])
def test_nobody_is_told_twice_but_whose_mail_was_under_way(
    lived_in, tmp_path_factory, monkeypatch, capsys, known
):
    """Planted: what the lost machine has noted beside the copies is not looked at."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "copies").mkdir()
    identity = pyrage.x25519.Identity.generate()
    (elsewhere / "identity").write_text(f"{identity}\n")
    (elsewhere / "recipients").write_text(f"{identity.to_public()}\n")
    monkeypatch.setenv("POLICITY_BACKUP", str(elsewhere / "copies"))
    monkeypatch.setenv("POLICITY_BACKUP_RECIPIENTS", str(elsewhere / "recipients"))
    policity(lived_in, "places", "load", "nishitokyo")
    python(lived_in, POPULATE.replace("20000", str(PERSONS)))
    copied = lived_in / "run" / "copied.json"
    with MailSink(seconds=SLOW) as sink:
        monkeypatch.setenv("POLICITY_EMAIL_URL", f"smtp://127.0.0.1:{sink.port}")
        city = start(lived_in)
        until(copied.exists, "the first copy")
        python(lived_in, SEND)
        until(lambda: len(sink.taken) > PERSONS // 3, "a third of the mail")
        until(lambda: time.time() - copied.stat().st_mtime > 1, "a copy that is a second old")
        died = burn(city)
        # What was on its way arrives, and nobody hears of it any more.
        time.sleep(5 * SLOW)
        told = dict(sink.first)
        assert len(told) < PERSONS * 0.9
        new = elsewhere / "new"
        policity(new, "continuity", "restore", "--identity", str(elsewhere / "identity"))
        if not known:
            shutil.rmtree(new / "run" / "lost")
        again = start(new)
        try:
            until(lambda: len(sink.taken) == PERSONS, "everybody")
            until(lambda: nothing_waits(new), "the last hand-over")
            handed = "SELECT count(*) FROM delivery_ledger WHERE state = 4"
            assert asked(new, handed) == (PERSONS,)
        finally:
            end(again)
    twice = [died - told[name] for name, times in sink.taken.items() if times > 1]
    early = [before for before in twice if before > WRITTEN]
    with capsys.disabled():
        print(f"\n{len(told)} told, {len(twice)} twice, {len(early)} of them not under way")  # noqa: T201
    assert max(sink.taken.values()) <= 2
    if known:
        assert early == []
        assert len(twice) <= CONNECTIONS * (1 + WRITTEN / SLOW)
    else:
        assert len(early) > CONNECTIONS


def nothing_waits(home: Path) -> bool:
    waiting = "SELECT count(*) FROM work_item WHERE kind = 'expand' OR kind LIKE 'send-%'"
    return asked(home, waiting) == (0,)
