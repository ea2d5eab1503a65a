"""Two homes, one of each role; what crosses crosses; then the internet one is searched for names.

The internal slice and what is told of it stand in `tests/planted`. Where the slice says the wrong
side the same search finds the names: it can fail.
"""

import gzip
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import brotli
import pytest

from policity.kit.sides import Role
from policity.project import home as homes
from policity.project.tests import plugin

# The homes are SQLite's whatever the rest of the run is on: it is their bytes that are searched.
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="searches files"),
]

ROOT = Path(__file__).parent.parent
NAMES = [f"埋設花子{number}号planted" for number in range(20)]


class Installation:
    """One of a city's two, on one machine here; `link` lies between them."""

    def __init__(self, root: Path, role: Role, side: str) -> None:
        self.home, self.role, self.side = root / role.value, role, side
        self.log, self.link = root / f"{role.value}.log", root / "link"
        self.copies, self.key = root / f"{role.value}-copies", root / f"{role.value}.key"
        homes.make_folders(self.home)
        # One migration more is soon made; all of them take half a minute.
        homes._copy(homes.template(role=Role.INTERNET), self.home / homes.DATABASE)
        for folder in (self.link, self.copies):
            folder.mkdir(exist_ok=True)

    def run(self, *words: str, role: Role | None = None) -> subprocess.CompletedProcess[str]:
        """A command here; all that it says is this installation's log."""
        done = subprocess.run(
            [sys.executable, "-m", "policity.project.cli", *words],
            env=os.environ
            | {
                "POLICITY_HOME": str(self.home),
                "POLICITY_DEMO": "0",
                "POLICITY_ROLE": (role or self.role).value,
                "POLICITY_BACKUP": str(self.copies),
                "POLICITY_BACKUP_RECIPIENTS": str(self.key.with_suffix(".pub")),
                "PYTHONPATH": os.pathsep.join([str(ROOT / "tests/planted/at_start"), str(ROOT)]),
                "HIDDEN_SIDE": self.side,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        with self.log.open("a") as log:
            log.write(done.stdout + done.stderr)
        return done

    def done(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def asked(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.home / homes.DATABASE)) as database:
            return database.execute(query).fetchall()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file of it, as it lies and unpacked; its logs; the newest copy, decrypted."""
        back = self.home.with_name(f"{self.home.name}-back")
        self.done("continuity", "backup")
        self.done("continuity", "restore", "--identity", str(self.key), "--into", str(back))
        for folder in (self.home, back, self.link):
            for file in (one for one in folder.rglob("*") if one.is_file()):
                raw = file.read_bytes()
                yield str(file), raw
                if file.suffix in (".gz", ".br"):
                    opened = gzip.decompress if file.suffix == ".gz" else brotli.decompress
                    yield f"{file}, unpacked", opened(raw)
        yield str(self.log), self.log.read_bytes()


def spellings(name: str) -> Iterator[bytes]:
    """A name as it may stand in a file."""
    for code in ("utf-8", "cp932", "utf-16-le"):
        yield name.encode(code)
    yield quote(name).encode()
    yield name.encode("unicode_escape")


def found(here: Installation) -> list[str]:
    """Which files of an installation hold which of the names."""
    wanted = re.compile(b"|".join(re.escape(one) for name in NAMES for one in spellings(name)))
    return [file for file, raw in here.files() if wanted.search(raw)]


def two(root: Path, side: str) -> tuple[Installation, Installation]:
    """Both, each with the city, and each trusting the other."""
    both = (Installation(root, Role.INTERNET, side), Installation(root, Role.INTERNAL, side))
    for one in both:
        one.key.with_suffix(".pub").write_text(one.done("continuity", "keys", str(one.key)))
        one.done("places", "load", "nishitokyo")
    for one, other in (both, both[::-1]):
        (line,) = one.done("crossing", "keys").splitlines()
        other.done("crossing", "keys", "--trust", line)
    return both


def test_no_name_from_inside_is_found_where_the_internet_reaches(tmp_path: Path) -> None:
    internet, inside = two(tmp_path, "internal")
    inside.done("hidden", *NAMES)
    for sender, receiver in ((internet, inside), (inside, internet)):
        sender.done("crossing", "send", str(sender.link))
        receiver.done("crossing", "receive", str(receiver.link))
    internet.done("publish", "rebuild")
    internet.run("doctor")

    # What may cross has crossed, both ways.
    assert internet.asked("SELECT town, people FROM counted_count") == [("泉町一丁目", len(NAMES))]
    assert inside.asked("SELECT count(*) FROM alerts_receivedsituation") == [(1,)]
    # The search finds what is there, and there it is not.
    assert len(found(inside)) >= 3
    assert found(internet) == []
    # No tables, no code, no command; and not by opening the other's data either.
    tables = {str(row[0]) for row in internet.asked("SELECT name FROM sqlite_master")}
    assert not [table for table in tables if table.startswith("hidden")]
    assert internet.run("hidden", "x").returncode == 2
    program = "from tests.planted.hidden import models"
    assert (
        "isn't in an application in INSTALLED_APPS" in internet.run("shell", "-c", program).stderr
    )
    refused = inside.run("publish", "verify", role=Role.INTERNET)
    assert refused.returncode == 1
    assert "内部側の表（hidden）" in refused.stderr


def test_the_search_finds_the_names_where_the_slice_stands_on_the_wrong_side(
    tmp_path: Path,
) -> None:
    internet, _ = two(tmp_path, "internet")
    internet.done("hidden", *NAMES)
    said = " ".join(found(internet))
    assert "policity.sqlite3" in said
    assert "media/people.txt" in said
    assert "internet.log" in said


def test_the_installation_inside_tells_nobody(tmp_path: Path) -> None:
    inside = Installation(tmp_path, Role.INTERNAL, "internal")
    for words in (["watcher", "run"], ["delivery", "send", "--lane", "urgent"], ["bulletin"]):
        done = inside.run(*words)
        assert done.returncode == 2
        assert "インターネット側の設置で動かします" in done.stderr
    inside.done("places", "load", "nishitokyo")
    inside.done("publish", "rebuild")
    pages = {file.suffix for file in (inside.home / "published").rglob("*") if file.is_file()}
    assert ".html" not in pages
    assert ".css" in pages
