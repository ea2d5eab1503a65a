"""`policity serve` as a handful of processes: what is killed comes back, nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.living import CHILDREN, City, end, serves, start, surroundings, until

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = start(tmp_path_factory.mktemp("city"))
    try:
        until(lambda: serves(city), "everything serves")
        yield city
    finally:
        end(city)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[City]:
    city = start(tmp_path)
    try:
        yield city
    finally:
        end(city)


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_child_is_started_again(running: City, name: str) -> None:
    before = set(running.pids(name))
    assert before
    os.kill(min(before), signal.SIGKILL)
    until(lambda: set(running.pids(name)) - before, f"a new {name}")
    until(lambda: not before & set(running.pids(name)), f"the old {name} is gone")
    until(lambda: serves(running), "everything serves again")


def test_a_killed_web_worker_is_started_again(running: City) -> None:
    until(lambda: len(running.pids("web")) > 1, "a worker of the web process")
    before = running.pids("web")
    os.kill(max(before), signal.SIGKILL)
    until(lambda: not set(before) & set(running.pids("web")), "the old web processes are gone")
    until(lambda: serves(running), "everything serves again")


def test_a_home_that_has_pages_answers_with_them_from_the_first_moment(lived_in: Path) -> None:
    """The page that says "starting" is for a home's first start alone."""
    body = b"<!doctype html><title>home</title>"
    for address in ("index.html", "en/index.html"):
        page = lived_in / "published" / address
        page.parent.mkdir(exist_ok=True)
        page.write_bytes(body)
    city = start(lived_in)
    try:
        until(lambda: city.get("/healthz"), "the front answers")
        assert [city.get(path) for path in ("/", "/en/")] == [body, body]
    finally:
        end(city)


def test_a_home_is_served_once(running: City) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", "serve"],
        env=surroundings(running.home) | {"PORT": "1024"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert second.returncode == 1
    assert "being served already" in second.stderr


def test_a_taken_port_is_said_at_once(running: City, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", "serve"],
        env=surroundings(tmp_path) | {"PORT": str(running.port)},
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
    until(lambda: fresh.pids(name), f"the {name} is there")
    fresh.process.kill()
    fresh.process.wait()
    until(lambda: not fresh.living(), "every process is gone")


def test_a_stop_while_everything_serves_leaves_nothing(fresh: City) -> None:
    until(lambda: serves(fresh), "everything serves")
    os.killpg(fresh.process.pid, signal.SIGTERM)
    assert fresh.process.wait(15) == 0
    assert fresh.living() == {}
    assert (fresh.home / "secret.key").exists()


@pytest.mark.parametrize("name", ["front", "preparation", "web", "worker"])
def test_a_stop_while_starting_leaves_nothing(fresh: City, name: str) -> None:
    until(lambda: fresh.pids(name), f"the {name} is there")
    os.killpg(fresh.process.pid, signal.SIGINT)
    assert fresh.process.wait(15) == 0
    assert fresh.living() == {}
