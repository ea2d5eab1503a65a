"""A whole city as a handful of real processes, for tests that look at it from outside."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from policity.project import cluster
from policity.project.tests import plugin

CHILDREN = {
    "front": "caddy",
    # As granian calls itself and its worker.
    "web": "policity.project.wsgi",
    "live": "policity live",
    "uploads": "policity uploads",
    "worker": "policity worker",
    "watcher": "policity watcher",
    "sender-urgent": "policity sender-urgent",
    "sender-routine": "policity sender-routine",
    # The sender's own child: whoever kills it ends the sender too.
    "engine-mail": "urgent-mail",
    "engine-push": "urgent-push",
}


DATABASES: dict[Path, str] = {}
# Whether the worker has yet to look over the whole site; pages that wait, but for those that wait
# for a day to come; and those to be pressed smaller when there is time.
DRAWING = (
    "SELECT (SELECT COUNT(*) FROM publishing_change WHERE program = '')"
    " + (SELECT COUNT(*) FROM work_item WHERE kind LIKE 'page:%' AND due < '2000')"
    " + (SELECT COUNT(*) FROM publishing_page WHERE NOT dense AND digest != '')"
)


@dataclass
class City:
    home: Path
    port: int
    process: subprocess.Popen[str]

    def living(self) -> dict[int, str]:
        """Every process that works in this home, whoever its parent is now, but its supervisor."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            pid = int(folder.name)
            try:
                mine = f"POLICITY_HOME={self.home}\0".encode() in (folder / "environ").read_bytes()
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
            # A zombie has an empty command line.
            if mine and words and pid != self.process.pid:
                found[pid] = words
        return found

    def pids(self, name: str) -> list[int]:
        word = CHILDREN.get(name, "policity.project.home")
        return sorted(pid for pid, words in self.living().items() if word in words)

    def get(self, path: str) -> bytes:
        """What the front answers, whatever its status; nothing while it is silent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()

    def missing(self) -> list[str] | None:
        """What /readyz says is missing; None while the front is silent."""
        said = self.get("/readyz")
        return list(json.loads(said)["missing"]) if said else None


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Waits for what must come: how soon is measured elsewhere, not on a machine that tests."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def surroundings(home: Path, *, demo: bool = False) -> dict[str, str]:
    """The environment of a home's processes: on PostgreSQL each home has a database of its own."""
    found = os.environ | {"POLICITY_HOME": str(home)}
    if plugin.SERVER is not None and found["POLICITY_DATABASE_URL"] == plugin.URL:
        if home not in DATABASES:
            url = DATABASES[home] = plugin.SERVER.create(plugin.unused())
            if demo:
                # As one that was just made: the demo city is loaded by whoever prepares it.
                cluster.mark(url, 0)
        found["POLICITY_DATABASE_URL"] = DATABASES[home]
    return found


def asked(home: Path, query: str) -> tuple[Any, ...]:
    """The first row that a home's database gives, from outside."""
    if url := surroundings(home).get("POLICITY_DATABASE_URL"):
        with cluster.connected(url) as connection:
            return tuple(connection.execute(query.encode()).fetchone() or ())
    with closing(sqlite3.connect(home / "policity.sqlite3", timeout=10)) as database:
        return tuple(database.execute(query).fetchone())


@contextmanager
def demo(home: Path) -> Iterator[City]:
    """A new city with demo data that serves everything, and reads nobody's feeds."""
    port = 0
    if plugin.SERVER is None:
        served, port = _served_once()
        shutil.copytree(served, home, symlinks=True, dirs_exist_ok=True)
    else:
        _without_feeds(home)
    with _serving(home, port if _is_free(port) else 0) as city:
        yield city


@cache
def _served_once() -> tuple[Path, int]:
    """A home whose pages are written, made once a run, and its port: all that follow are copies.

    At the same address, which pages say, a copy has nothing to draw.
    """
    home = plugin.HOME / "city"
    _without_feeds(home)
    with _serving(home) as city:
        if plugin.WORKER:
            # Many follow: what one city draws now none of them draws.
            until(lambda: not asked(home, DRAWING)[0], "everything is drawn", 600)
        city.process.terminate()
        city.process.wait(30)
    # What ran there and where is another's; so is the key that would sign for every city.
    for name in ("run", "secret.key", "address"):
        path = home / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return home, city.port


def _without_feeds(home: Path) -> None:
    def policity(*words: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "policity.project.cli", *words],
            env=surroundings(home, demo=True) | {"POLICITY_DEMO": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout

    for address in re.findall(r"https://\S+\.xml", policity("watcher", "list")):
        policity("watcher", "remove", address)


@contextmanager
def _serving(home: Path, port: int = 0) -> Iterator[City]:
    city = start(home, demo=True, port=port)
    try:
        until(lambda: city.missing() == [], "everything serves")
        yield city
    finally:
        end(city)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers ask: what another city has just let go of may be taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, *, demo: bool = False, port: int = 0) -> City:
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "policity.project.cli", "serve"],
        env=surroundings(home, demo=demo) | {"PORT": str(port), "POLICITY_DEMO": str(int(demo))},
        stdout=subprocess.PIPE,
        stderr=(home / "log").open("w"),
        text=True,
        start_new_session=True,
    )
    return City(home, port, process)


def serves(city: City) -> bool:
    missing = city.missing()
    return missing is not None and not ({"web", "database"} | CHILDREN.keys()) & set(missing)


def burn(city: City) -> float:
    """The machine is lost: nothing of it ends in order, and nothing is left. When that was."""
    died = time.time()
    for pid in (city.process.pid, *city.living()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    city.process.wait()
    until(lambda: not city.living(), "no orphan")
    shutil.rmtree(city.home)
    return died


def end(city: City) -> None:
    if city.process.poll() is None:
        city.process.kill()
        city.process.wait()
    for pid in city.living():
        os.kill(pid, signal.SIGKILL)
    if city.process.stdout is not None:
        city.process.stdout.close()
