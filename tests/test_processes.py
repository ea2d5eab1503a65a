"""`policity serve` as a handful of processes: what is killed comes back, nothing is left behind."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

CHILDREN = {
    "front": "caddy",
    "web": "policity.project.web",
    "worker": "policity.project.cli worker run",
    "watcher": "policity.project.cli watcher run",
}


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
        return sorted(pid for pid, words in self.living().items() if CHILDREN[name] in words)

    def missing(self) -> list[str] | None:
        """What /readyz says is missing; None while the front is silent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return list(json.loads(connection.getresponse().read())["missing"])
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def _until(condition: Callable[[], object], what: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def _start(home: Path) -> City:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "policity.project.cli", "serve"],
        env=os.environ | {"POLICITY_HOME": str(home), "PORT": str(port), "POLICITY_DEMO": "0"},
        stdout=subprocess.PIPE,
        stderr=(home / "log").open("w"),
        text=True,
        start_new_session=True,
    )
    return City(home, port, process)


def _serves(city: City) -> bool:
    missing = city.missing()
    return missing is not None and not {"web", "database", "worker", "watcher"} & set(missing)


def _end(city: City) -> None:
    if city.process.poll() is None:
        city.process.kill()
        city.process.wait()
    for pid in city.living():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = _start(tmp_path_factory.mktemp("city"))
    try:
        _until(lambda: _serves(city), "everything serves")
        yield city
    finally:
        _end(city)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[City]:
    city = _start(tmp_path)
    try:
        yield city
    finally:
        _end(city)


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_child_is_started_again(running: City, name: str) -> None:
    before = set(running.pids(name))
    assert before
    os.kill(min(before), signal.SIGKILL)
    _until(lambda: set(running.pids(name)) - before, f"a new {name}")
    _until(lambda: not before & set(running.pids(name)), f"the old {name} is gone", 2)
    _until(lambda: _serves(running), "everything serves again")


def test_a_killed_web_worker_is_started_again(running: City) -> None:
    _until(lambda: len(running.pids("web")) > 1, "a worker of the web process")
    before = running.pids("web")
    os.kill(max(before), signal.SIGKILL)
    _until(lambda: not set(before) & set(running.pids("web")), "the old web processes are gone")
    _until(lambda: _serves(running), "everything serves again")


def test_a_home_is_served_once(running: City) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", "serve"],
        env=os.environ | {"POLICITY_HOME": str(running.home), "PORT": "1024"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert second.returncode == 1
    assert "being served already" in second.stderr


def test_a_taken_port_is_said_at_once(running: City, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", "serve"],
        env=os.environ | {"POLICITY_HOME": str(tmp_path), "PORT": str(running.port)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert second.returncode == 1
    assert "PORT=8001" in second.stderr


def test_every_line_of_the_log_is_json(running: City) -> None:
    for line in (running.home / "log").read_text().splitlines():
        if not line.startswith("データベース"):
            json.loads(line)


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_parent_leaves_no_orphan(fresh: City, name: str) -> None:
    """Whatever has just been started, and is perhaps still importing, dies too."""
    _until(lambda: fresh.pids(name), f"the {name} is there")
    fresh.process.kill()
    fresh.process.wait()
    _until(lambda: not fresh.living(), "every process is gone", 2)


def test_a_stop_while_everything_serves_leaves_nothing(fresh: City) -> None:
    _until(lambda: _serves(fresh), "everything serves")
    os.killpg(fresh.process.pid, signal.SIGTERM)
    assert fresh.process.wait(15) == 0
    assert fresh.living() == {}
    assert (fresh.home / "secret.key").exists()


@pytest.mark.parametrize("name", ["front", "web", "worker"])
def test_a_stop_while_starting_leaves_nothing(fresh: City, name: str) -> None:
    _until(lambda: fresh.pids(name), f"the {name} is there")
    os.killpg(fresh.process.pid, signal.SIGINT)
    assert fresh.process.wait(15) == 0
    assert fresh.living() == {}
