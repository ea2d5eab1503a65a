"""With real processes: killed at any moment, read at any moment, quick, and gone when told."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from policity.foundations.publishing.tests.crawler import crawl

pytestmark = pytest.mark.process
PATIENCE = 60


@pytest.fixture
def home(lived_in):
    """A home with an empty city."""
    return lived_in


@contextmanager
def driver(home, scenario):
    process = subprocess.Popen(
        [sys.executable, "-m", "policity.foundations.publishing.tests.driver", scenario],
        env={**os.environ, "POLICITY_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(true, what):
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < PATIENCE, f"still not: {what}"
        time.sleep(0.01)
    return time.monotonic() - start


def say(teller, line):
    """Have the teller change something, and wait until it is committed."""
    teller.stdin.write(f"{line}\n")
    teller.stdin.flush()
    said = teller.stdout.readline()
    assert said == f"{line}\n", said or teller.stderr.read()


def test_killed_at_any_moment(home):
    with driver(home, "kills") as process:
        out, error = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, error
    midway, problems, differences, left = json.loads(out)
    assert midway >= 5, "killed when there was nothing to do"
    assert problems == []
    assert differences == []
    assert left == 0


def test_read_at_any_moment_and_stopped_when_told(home):
    tree = home / "published"
    with driver(home, "worker") as worker, driver(home, "teller") as teller:
        until((home / "run" / "worker.alive").exists, "a heartbeat")
        say(teller, "the first")
        page = tree / "en" / "stories" / "1" / "index.html"
        until(lambda: page.exists() and (tree / "index.html").exists(), "a first page")

        say(teller, "storm warning")
        until(lambda: b"storm warning" in page.read_bytes(), "the change")

        problems, looks = [], 0
        for _ in range(150):
            teller.stdin.write("change\n")
        teller.stdin.write("the end\n")
        teller.stdin.flush()
        end = tree / "stories" / "feed.atom"
        start = time.monotonic()
        while b"the end" not in end.read_bytes():
            problems += crawl(tree)
            looks += 1
            assert time.monotonic() - start < PATIENCE
        assert problems == []
        assert looks > 5

        beat = (home / "run" / "worker.alive").stat().st_mtime
        until(lambda: (home / "run" / "worker.alive").stat().st_mtime > beat, "another beat")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
        lines = [json.loads(line) for line in worker.stderr.read().splitlines()]
    assert lines[-1]["event"] == "worker_stopped"
    assert sum(line["event"] == "pages" for line in lines) > 5
