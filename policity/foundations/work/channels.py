"""Whoever waits for work hears that some was put: NOTIFY and LISTEN, where there is PostgreSQL.

What is heard is only a reason to look earlier: who hears nothing looks all the same, a beat later.
"""

import threading
from pathlib import Path

import structlog
from django.db import OperationalError, connection

log = structlog.get_logger("policity.work")

NAME = "policity_work"
# Seconds: a request to stop is seen so soon.
GLANCE = 0.05
STANDBY_SECONDS = 1.0


def notify() -> None:
    """Let them hear once the caller's transaction is committed. On SQLite they look themselves."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {NAME}")


def _file() -> int | None:
    """Which file the database is; None where it is none, or is away."""
    try:
        return Path(connection.settings_dict["NAME"]).stat().st_ino
    except OSError:
        return None


class Ear:
    """A connection of its own that hears of work. On SQLite it is deaf, and holds everything."""

    def __init__(self) -> None:
        self._file = _file()
        self._own = connection.copy() if connection.vendor == "postgresql" else None
        if self._own is not None:
            self._own.connect()
            self._own.set_autocommit(True)
            self._own.connection.execute(f"LISTEN {NAME}")

    def close(self) -> None:
        """Hear no more, and hold nothing."""
        if self._own is not None:
            self._own.close()

    @property
    def hears(self) -> bool:
        """Whether it can."""
        return self._own is not None

    def hold(self, name: str, stop: threading.Event) -> bool:
        """Be the only one of that name at this database, of all machines; waits. False: stopped.

        It is held as long as this connection lives: ask `still` now and then.
        """
        if self._own is None:
            return True
        told = False
        ask = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
        while not stop.is_set():
            with self._own.wrap_database_errors:
                if self._own.connection.execute(ask, [f"only {name}"]).fetchone()[0]:
                    return True
            if not told:
                log.warning("stands_by", name=name)
                told = True
            stop.wait(STANDBY_SECONDS)
        return False

    def still(self) -> None:
        """Raises django.db.Error where the connection is lost, and with it whatever it held.

        So it is where SQLite's file was taken away, or another was put in its place: whoever went
        on with the old one would write what nobody reads any more.
        """
        if _file() != self._file:
            raise OperationalError("The database's file is not the one that was opened.")
        if self._own is not None:
            with self._own.wrap_database_errors:
                self._own.connection.execute("SELECT 1")

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Until work was put, at most so long. Raises django.db.Error: the database is away."""
        if self._own is None:
            return stop.wait(seconds)
        waited = 0.0
        with self._own.wrap_database_errors:
            while waited < seconds and not stop.is_set():
                for _ in self._own.connection.notifies(timeout=GLANCE, stop_after=1):
                    return True
                waited += GLANCE
        return False
