"""An engine in a process of its own: orders go in, the log comes out, and nobody is left behind."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from policity.foundations.delivery.channels.engine import Process
from policity.foundations.delivery.formats.handlog import Key, Line
from policity.foundations.delivery.rules.handing import Answer, Desk, Item, Result

ITEMS = [Item(1, 1, person, f"p{person}@example.jp", (b"body",)) for person in range(5)]


class Echo:
    """An engine that takes everything at once, or what `trouble` stops."""

    def __init__(self, trouble: str = "", fails: bool = False) -> None:
        self.trouble = trouble
        self.fails = fails

    def run(self, desk: Desk) -> None:
        while desk.wait(0.05):
            if self.fails:
                raise RuntimeError("an engine that fails")
            for item in () if self.trouble else desk.take(10):
                desk.note([], [item])
                desk.note([Answer(item, Result.HANDED, 250, "ok")], [])


def until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def lock(tmp_path):
    with (tmp_path / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def start(tmp_path, lock, **how):
    return Process("test", tmp_path / "hand", partial(Echo, **how), lock=lock)


def test_what_was_ordered_is_answered_in_the_log(tmp_path, lock):
    process = start(tmp_path, lock)
    process.hatch.put(ITEMS, deadline=time.monotonic() + 60, first=False)
    heard: list[Line] = []

    def all_heard():
        heard.extend(process.hatch.collect()[0])
        return len(heard) == len(ITEMS)

    until(all_heard)
    assert sorted(line.key.person for line in heard) == [0, 1, 2, 3, 4]
    assert process.trouble == ""
    process.ask_to_end()
    process.join()
    assert not process.alive


def test_what_was_not_begun_comes_back_at_the_end(tmp_path, lock):
    process = start(tmp_path, lock, trouble="no line")
    process.hatch.put(ITEMS, deadline=time.monotonic() + 60, first=False)
    until(lambda: process.trouble == "no line")
    process.hatch.drop({1})
    back: list[Key] = []

    def all_back():
        back.extend(process.hatch.collect()[1])
        return len(back) == len(ITEMS)

    until(all_back)
    process.hatch.put(ITEMS[:2], deadline=time.monotonic() + 60, first=False)
    process.ask_to_end()
    process.join()
    assert [key.person for key in process.hatch.collect()[1]] == [0, 1]


def test_an_engine_that_fails_ends(tmp_path, lock):
    process = start(tmp_path, lock, fails=True)
    until(lambda: not process.alive)
    assert process.trouble
    process.ask_to_end()
    process.join()


SENDER = """
import fcntl, sys, time
from functools import partial
from pathlib import Path
from policity.foundations.delivery.channels.engine import Process
from policity.foundations.delivery.tests.test_engine import ITEMS, Echo
home = Path(sys.argv[1])
with (home / "lock").open("w") as handle:
    fcntl.flock(handle, fcntl.LOCK_EX)
    make = partial(Echo, "stuck")
    process = Process("test", home / "hand", make, lock=handle.fileno())
    process.hatch.put(ITEMS, deadline=time.monotonic() + 60, first=False)
    while process.trouble != "stuck":
        time.sleep(0.02)
    print(process._process.pid, flush=True)
    time.sleep(60)
"""


def test_an_engine_outlives_no_sender_and_no_sender_begins_before_it_is_gone(tmp_path: Path):
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sender.stdout
    engine = Path("/proc") / sender.stdout.readline().strip()
    os.kill(int(engine.name), signal.SIGSTOP)
    sender.kill()
    sender.wait()
    sender.stdout.close()
    with (tmp_path / "lock").open("w") as handle:
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(int(engine.name), signal.SIGCONT)
        fcntl.flock(handle, fcntl.LOCK_EX)
