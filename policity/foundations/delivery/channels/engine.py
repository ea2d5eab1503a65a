"""An engine in a process of its own: it speaks to a gateway while the sender writes what is next.

The sender starts it, and gives it orders over a socket. It ends when it is told to, or when the
sender has died: then it still hears what is under way for a moment, so that less is in doubt.
It holds the lane's lock too, so that no other sender begins before it is gone.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from policity.foundations.delivery.channels.counterfoil import Counterfoil
from policity.foundations.delivery.channels.desk import Hatch, Log, Tray
from policity.foundations.delivery.rules.handing import Desk
from policity.foundations.delivery.rules.pace import Pace

GLANCE_SECONDS = 0.2
END_SECONDS = 6.0
ORPHAN_SECONDS = 2.0
BEAT_SECONDS = 2.0
# What the folder of a hand log is called, with its counterfoil behind.
BEHIND = ".behind"


class Engine(Protocol):
    """Hands over what a desk gives. `trouble` says why nothing moves, in the system's words."""

    trouble: str

    def run(self, desk: Desk) -> None:
        """Work until the desk says that it is enough."""
        ...


class Process:
    """The sender's side of an engine. `make` makes it there; `rates` are mails a second by domain.

    `name` is what `ps` shows, `lock` the descriptor of the lane's lock, `counterfoil` the
    folder of the log's counterfoil.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        make: Callable[[], Engine],
        *,
        lock: int,
        rates: Mapping[str, float] | None = None,
        counterfoil: Path | None = None,
    ) -> None:
        self._line, theirs = Pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno()), name],
            pass_fds=(theirs.fileno(), lock),
        )
        theirs.close()
        self._line.send((make, folder, dict(rates or {}), counterfoil))
        self._trouble = ""
        self.hatch = Hatch(folder, lambda *order: self._line.send(order))

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def trouble(self) -> str:
        """Why nothing moves, empty while all is well."""
        try:
            while self._line.poll():
                self._trouble = self._line.recv()
        except (EOFError, OSError):
            self._trouble = "the engine ended"
        return self._trouble

    def expect(self, subscriptions: Sequence[tuple[bytes, bytes]]) -> None:
        """Let the engine for web push prepare for these (p256dh, auth)."""
        self._line.send(("expect", subscriptions))

    def ask_to_end(self) -> None:
        """What is under way is still answered, for a while."""
        try:
            self._line.send(("end",))
        except OSError:
            return

    def join(self) -> None:
        """Wait until it has ended, and see to it."""
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._line.close()


def main() -> None:
    """The process itself: `python -m … DESCRIPTOR NAME`."""
    # A terminal stops everybody at once; when this ends is the sender's to say.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    rare_collections()
    line: Connection = Connection(int(sys.argv[1]))
    make, folder, rates, place = line.recv()
    counterfoil = Counterfoil(place) if place else None
    tray = Tray(Log(folder), pace=Pace(rates) if rates else None, counterfoil=counterfoil)
    engine = make()
    threading.Thread(target=_obey, args=(line, tray, engine), daemon=True).start()
    if counterfoil:
        behind = folder.with_suffix(BEHIND)
        threading.Thread(target=_tell, args=(counterfoil, behind), daemon=True).start()
    engine.run(tray)
    if counterfoil:
        counterfoil.end()


def rare_collections() -> None:
    """Look for lost cycles after many objects only: a look may pass all that is kept for residents.

    With Python's own 700 a dispatch to 100,000 persons took a tenth longer (delivery-push).
    """
    gc.set_threshold(100_000)


def _tell(counterfoil: Counterfoil, behind: Path) -> None:
    """Leave a file where staff's health page looks, while the counterfoil is behind."""
    while True:
        with suppress(OSError):
            behind.touch() if counterfoil.behind else behind.unlink(missing_ok=True)
        time.sleep(BEAT_SECONDS)


def _obey(line: Connection, tray: Tray, engine: Engine) -> None:
    said = ""
    try:
        while True:
            if line.poll(GLANCE_SECONDS):
                name, *words = line.recv()
                getattr(tray if hasattr(tray, name) else engine, name)(*words)
            trouble = tray.trouble or engine.trouble
            if trouble != said:
                line.send(trouble)
                said = trouble
    except (EOFError, OSError):
        tray.end()
        time.sleep(ORPHAN_SECONDS)
        os._exit(1)


if __name__ == "__main__":
    main()
