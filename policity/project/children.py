"""Child processes that die with their parent, however it dies."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from pathlib import Path

from setproctitle import setproctitle

PR_SET_PDEATHSIG = 1
# What a supervisor handles, and what it starts does not.
HANDLED = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
LIBC = ctypes.CDLL(None, use_errno=True)

# The first restart comes at once; a child that keeps dying is tried ever more rarely.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
# A child that lived this long was well, and its next restart comes at once again.
WELL_AFTER = 30.0


def die_with(parent: int) -> None:
    """Asks the kernel to kill this process when `parent`, its parent process, ends.

    To be called in the child, straight after the fork; the request survives an exec. Where the
    parent is gone already, the child ends here.
    """
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def dying_with_me() -> Callable[[], None]:
    """`die_with` this process, to be run in a child of it."""
    parent = os.getpid()
    return lambda: die_with(parent)


def forks_die_with_me() -> None:
    """Every process forked by this one from now on dies with the one that forked it."""
    forking = [os.getpid()]

    def remember() -> None:
        forking[0] = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: die_with(forking[0]))


@dataclass
class Child:
    """One supervised process, in a process group of its own so that a Ctrl-C reaches only us.

    What it writes goes to our standard error, or to the end of `log` where one is named.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    process: "subprocess.Popen[bytes] | Fork | None" = None
    started: float = 0.0
    pause: float = SHORTEST_PAUSE
    due: float = 0.0

    def start(self) -> None:
        """Starts it; it dies with this process. From the main thread only, as the kernel asks."""
        self.started = time.monotonic()
        self.process = self._begun()

    def _begun(self) -> "subprocess.Popen[bytes] | Fork":
        with self.log.open("ab") if self.log else nullcontext(sys.stderr) as out:
            return subprocess.Popen(
                self.command,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                # Standard output is for people; children's lines are logs.
                stdout=out,
                stderr=out if self.log else None,
                process_group=0,
                preexec_fn=dying_with_me(),
            )

    def ended(self) -> int | None:
        """Its exit status, if it has ended since it was started."""
        return self.process.poll() if self.process else None

    def buried(self) -> float:
        """Notes that it has ended; gives the pause in seconds before it may be started again."""
        now = time.monotonic()
        if now - self.started > WELL_AFTER:
            self.pause = SHORTEST_PAUSE
        self._signal(signal.SIGKILL)
        self.process = None
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        self.due = now + pause
        return pause

    def ask_to_stop(self) -> None:
        """Asks it and its own children to end."""
        self._signal(signal.SIGTERM)

    def stop(self, deadline: float) -> None:
        """Waits until it has ended, or makes it end when the monotonic clock says `deadline`."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(deadline - time.monotonic(), 0))
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _signal(self, number: signal.Signals) -> None:
        """To its whole group: a child's own children end too."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Forked(Child):
    """A child that begins with all that this process has imported, and runs one function.

    Nothing may run beside the main thread of this process when it starts. What lies behind
    `private`, descriptors of this process, is not the child's.
    """

    def __init__(
        self, name: str, run: Callable[[], object], *, private: Sequence[int] = ()
    ) -> None:
        super().__init__(name, ())
        self.run, self.private = run, private

    def _begun(self) -> "Fork":
        sys.stdout.flush()
        return Fork(self.name, self._become, dying_with_me())

    def _become(self, dying: Callable[[], None]) -> None:
        """In the child: as a process that was begun by a command."""
        dying()
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in self.private:
            os.close(descriptor)
        # Standard output is for people; children's lines are logs.
        os.dup2(2, 1)
        setproctitle(f"policity {self.name}")
        self.run()


class Fork:
    """A forked process, asked as one of `subprocess` is."""

    def __init__(
        self, name: str, become: Callable[[Callable[[], None]], None], dying: Callable[[], None]
    ) -> None:
        self._process = ForkProcess(target=become, args=(dying,), name=name)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number; its group has the same."""
        assert self._process.pid is not None  # noqa: S101  # for the types
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, if it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return status
