"""A drill from its first process to its result: sums, marks, and a city that knows nothing."""

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from policity.project import cluster
from tests import living
from tests.living import City, surroundings, until
from tests.mail_sink import MailSink

pytestmark = pytest.mark.process

PEOPLE = 60
PREFIXES = ("【訓練】", "[Drill] ", "【演练】", "[훈련] ")
SENTENCES = ("これは訓練です。", "これは 訓練（くんれん）です。", "This is a drill.", "这是演练。",
             "이것은 훈련입니다.")  # fmt: skip


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


def drill(home: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "policity.project.cli", "drill", *words],
        env=surroundings(home) | {"POLICITY_DEMO": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def load_city(home: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "policity.project.cli", "places", "load", "nishitokyo"],
        env=surroundings(home) | {"POLICITY_DEMO": "0"},
        capture_output=True,
        check=True,
    )


def contents(home: Path) -> dict[str, str]:
    """Every row of a city's database, by table."""
    if url := surroundings(home).get("POLICITY_DATABASE_URL"):
        with cluster.connected(url) as connection:
            tables = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchall()
            return {
                name: repr(connection.execute(f'SELECT * FROM "{name}"'.encode()).fetchall())  # noqa: S608
                for (name,) in tables
            }
    with closing(sqlite3.connect(f"file:{home}/policity.sqlite3?mode=ro", uri=True)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master ORDER BY name")]
        rows = {}
        for name in names:
            try:
                found = database.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
            except sqlite3.OperationalError:
                continue  # an index
            rows[name] = hashlib.sha256(repr(found).encode()).hexdigest()
        return rows


def test_a_drill_is_whole_marked_and_leaves_the_city_alone(
    lived_in: Path, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICITY_EMAIL_URL", f"smtp://127.0.0.1:{sink.port}")
    monkeypatch.setenv("POLICITY_URL", "https://city.example")
    load_city(lived_in)
    before = contents(lived_in)
    run = drill(lived_in, "run", "heavy-rain", f"--people={PEOPLE}", "--json")
    out, progress = run.communicate(timeout=180)
    assert run.returncode == 0, progress
    found = json.loads(out)
    own = Path(found["home"])
    assert json.loads((own / "result.json").read_text()) == found

    assert found["targets"] == PEOPLE == sum(found["states"].values())
    states = found["states"]
    assert states["unreachable"] == PEOPLE / 12
    assert states["queued"] == states["failed"] == states["withdrawn"] == 0
    assert states["confirmed"] == sum(found["answers"].values()) > 0
    assert found["approve_s"] >= 3
    assert 0 < found["first_handover_s"] <= found["last_handover_s"]
    missed = sum(town["unreached"] for town in found["unreached"])
    assert missed == states["unreachable"] == sum(found["reasons"].values())

    mails = sorted((own / "outbox").glob("*.eml"))
    assert len(mails) == found["mails"] >= PEOPLE - states["unreachable"]
    for file in mails:
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert str(mail["subject"]).startswith(PREFIXES), file.name
        text = mail.get_content()
        assert text.replace("（くんれん）", "").startswith(PREFIXES), file.name
        assert any(sentence in text.splitlines() for sentence in SENTENCES), file.name
        assert "city.example" not in text

    assert sum(sink.taken.values()) == 0
    assert contents(lived_in) == before
    assert not (lived_in / "outbox").exists()
    assert "【訓練】" in progress
    assert living_in(own) == {}


def living_in(home: Path) -> dict[int, str]:
    """Every process that works in a home."""
    nobody = subprocess.Popen(["true"], text=True)
    nobody.wait()
    return City(home, 0, nobody).living()


def test_ctrl_c_ends_a_drill_with_everything_it_began(lived_in: Path) -> None:
    load_city(lived_in)
    run = drill(lived_in, "run", "heavy-rain", "--people", "60")
    try:
        until(lambda: list(lived_in.glob("drills/*/progress.txt")), "it has begun")
        (own,) = (file.parent for file in lived_in.glob("drills/*/progress.txt"))
        until(lambda: len(living_in(own)) >= 8, "everything runs")
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30)
        assert run.returncode == 130, said
        assert "訓練を止めました" in said
        assert time.monotonic() - began < 25
        until(lambda: not living_in(own), "nobody is left")
        assert not (own / "result.json").exists()
    finally:
        run.kill()
        run.wait()


def test_a_drill_that_is_killed_leaves_no_orphan(lived_in: Path) -> None:
    load_city(lived_in)
    run = drill(lived_in, "run", "heavy-rain", "--people", "60")
    until(lambda: list(lived_in.glob("drills/*/progress.txt")), "it has begun")
    (own,) = (file.parent for file in lived_in.glob("drills/*/progress.txt"))
    until(lambda: len(living_in(own)) >= 8, "everything runs")
    run.kill()
    run.communicate()
    until(lambda: not living_in(own), "nobody is left")


@pytest.fixture
def near(lived_in: Path) -> Iterator[Path]:
    """The same home by a short name: what serves in it has sockets, whose paths are limited."""
    with tempfile.TemporaryDirectory(prefix="p") as folder:
        home = Path(folder) / "h"
        lived_in.rename(home)
        yield home


def test_a_finished_drill_is_opened_marked_on_every_page(near: Path) -> None:
    load_city(near)
    run = drill(near, "run", "heavy-rain", "--people", "12")
    said, progress = run.communicate(timeout=180)
    assert run.returncode == 0, progress
    (name,) = (file.parent.name for file in near.glob("drills/*/result.json"))
    assert f"drill open {name}" in said
    port = living.free_port()
    own = near / "drills" / name
    city = City(own, port, drill(near, "open", name, "--port", str(port)))
    try:
        until(lambda: city.missing() == [], "everything serves")
        for path in ("/", "/en/", "/alerts/", "/nowhere/", "/staff/sign-in/", "/register/"):
            assert b'<aside class="drill"' in city.get(path), path
        assert json.loads(city.get("/state.json"))["drill"] is True
        assert "訓練".encode() in city.get("/alerts/feed.atom")
    finally:
        city.process.send_signal(signal.SIGTERM)
        city.process.communicate(timeout=30)
        living.end(city)
    assert city.living() == {}
