"""A child that is forked ends as it says, and holds nothing of its parent's."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from policity.project.children import Forked

pytestmark = pytest.mark.process


def ended(run: Callable[[], object], *, private: tuple[int, ...] = ()) -> int:
    child = Forked("one", run, private=private)
    child.start()
    assert child.process is not None
    return child.process.wait(20)


def _unreadable(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        sys.exit(0)
    sys.exit(7)


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (lambda: None, 0),
        (lambda: sys.exit(3), 3),
        (lambda: 1 / 0, 1),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
    ],
)
def test_it_ends_with_the_status_of_what_it_ran(run: Callable[[], object], status: int) -> None:
    assert ended(run) == status


def test_what_is_private_is_closed_in_it(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        assert ended(lambda: _unreadable(lock.fileno()), private=(lock.fileno(),)) == 0
        assert ended(lambda: _unreadable(lock.fileno())) == 7


def test_it_is_a_group_of_its_own_and_says_who_it_is(tmp_path: Path) -> None:
    said = tmp_path / "said"

    def say() -> None:
        said.write_text(f"{os.getpgrp()} {os.getpid()} {Path('/proc/self/cmdline').read_text()}")

    assert ended(say) == 0
    group, own, title = said.read_text().rstrip("\0 ").split(" ", 2)
    assert (group, title) == (own, "policity one")


def test_signals_mean_in_it_what_they_mean_to_a_process_that_was_just_begun(
    tmp_path: Path,
) -> None:
    def sleep() -> None:
        (tmp_path / "up").touch()
        time.sleep(60)

    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        child = Forked("one", sleep)
        child.start()
        while not (tmp_path / "up").exists():
            time.sleep(0.01)
        child.ask_to_stop()
        assert child.process is not None
        assert child.process.wait(20) == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
