"""Whoever waits for work hears that some was put: by NOTIFY and LISTEN, where there is PostgreSQL.
SQLite tells in microseconds whether anybody has committed anything.

What is heard is only a reason to look earlier: who hears nothing looks all the same, a beat later.
"""

import threading
from pathlib import Path

import structlog
from django.db import Error, OperationalError, connection

log = structlog.get_logger("policity.work")

NAME = "policity_work"
# Seconds: a request to stop is seen so soon, and on SQLite what was committed.
GLANCE = 0.03
STANDBY_SECONDS = 1.0


def notify() -> None:
    """Let them hear once the caller's transaction is committed. On SQLite they hear that anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {NAME}")


def _file() -> int | None:
    """Which file the database is; None where it is none, or is away."""
    try:
        return Path(connection.settings_dict["NAME"]).stat().st_ino
    except OSError:
        return None


def _version() -> int | None:
    """Moves whenever another connection has committed to SQLite; None where it cannot tell."""
    if connection.vendor != "sqlite":
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            return int(cursor.fetchone()[0])
    except Error:
        return None


class Ear:
    """Hears of work, on PostgreSQL by a connection of its own. On SQLite it holds everything."""

    def __init__(self) -> None:
        self._file, self._seen = _file(), _version()
        self._own = connection.copy() if connection.vendor == "postgresql" else None
        if self._own is not None:
            self._own.connect()
            self._own.set_autocommit(True)
            self._own.connection.execute(f"LISTEN {NAME}")

    def close(self) -> None:
        """Hear no more, and hold nothing."""
        if self._own is not None:
            self._own.close()

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
        """Until work was put since the last time, at most so long. Gives whether it was.

        On SQLite whatever others committed counts. Raises django.db.Error: PostgreSQL is away.
        """
        waited = 0.0
        while waited < seconds and not stop.is_set():
            if self._heard(stop):
                return True
            waited += GLANCE
        return False

    def _heard(self, stop: threading.Event) -> bool:
        if self._own is None:
            stop.wait(GLANCE)
            before, self._seen = self._seen, _version()
            return self._seen != before
        with self._own.wrap_database_errors:
            return any(True for _ in self._own.connection.notifies(timeout=GLANCE, stop_after=1))
