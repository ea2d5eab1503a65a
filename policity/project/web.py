"""The web process: Django on granian, behind a Unix socket for the front and the home's group."""

import os
import sys
import threading
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from policity.project import logs
from policity.project.children import forks_die_with_me

# A worker still importing Django ignores a request to stop: it is killed after this long.
KILL_SECONDS = 3
_BEHIND = 5


def load(target: str) -> Any:
    """Imported in the worker, so that a change of code needs only a new worker."""
    application = load_alone(target)
    # Whom an order would reach is asked in a hurry; reading everybody takes a second.
    threading.Thread(target=_read_everybody, daemon=True).start()
    return application


def load_alone(target: str) -> Any:
    """The same, without what only those in a hurry need."""
    from policity.project.wsgi import application

    return application


def _read_everybody() -> None:
    from django.db import connection

    from policity.foundations.residents.queries import columns

    columns()
    connection.close()


def main(socket: Path, *, slow: bool = False) -> None:
    """Serves until told to stop. Ends when its worker dies; the supervisor starts it again.

    A thread holds a request from its first byte to its last: who sends large files over a slow line
    would keep everybody waiting. With `slow` this serves such alone, behind what is in a hurry.
    """
    if slow:
        os.nice(_BEHIND)
    socket.unlink(missing_ok=True)
    # granian forks its workers: each asks to die with this process before it does anything else.
    forks_die_with_me()
    Granian(
        "policity.project.wsgi",
        uds=socket,
        uds_permissions=0o660,
        interface=Interfaces.WSGI,
        # As `ps` shows it; the other is called what granian calls itself.
        process_name="policity uploads" if slow else None,
        workers=1,
        blocking_threads=2,
        websockets=False,
        workers_kill_timeout=KILL_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=logs.CONFIGURATION,
    ).serve(target_loader=load_alone if slow else load)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
