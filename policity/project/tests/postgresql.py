"""A PostgreSQL server for one run of tests: made, used, gone. Nobody reaches it but by its socket.

It never runs as root: there it is the system's user `postgres`.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policity.project import cluster, home
from policity.project.children import dying_with_me

PROGRAMS = sorted(
    Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
)
# No server runs as root.
USER = "postgres" if os.geteuid() == 0 else None
# What is lost with the machine is of no worth here.
CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
# Copied for each database of this run; nobody writes there.
PREPARED = "prepared"
# Seconds that a machine with much to do may take to start it.
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Server:
    """One that answers."""

    folder: Path

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str, *, like: str = PREPARED) -> str:
        """A new database with what another holds; gives its address."""
        with cluster.connected(self.url("postgres")) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{like}"'.encode())
        return self.url(database)


@contextmanager
def running(careless: str = CARELESS) -> Iterator[Server]:
    """A new server with one empty database of this program's migrations, `prepared`."""
    if not PROGRAMS:
        raise RuntimeError("PostgreSQL is missing: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="policity-pg-"))
    try:
        if USER:
            shutil.chown(folder, USER)
        # Sorted as SQLite sorts, whatever the machine's language is.
        _run("initdb", ["--auth=trust", "--username=postgres", "--encoding=UTF8",
             "--locale=C.UTF-8", "--no-sync", "--pgdata", str(folder / "data")], USER)  # fmt: skip
        with started(folder, careless) as found:
            _prepare(found)
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def started(folder: Path, careless: str = CARELESS) -> Iterator[Server]:
    """A server whose data lies in `data` in a folder, for as long as it is asked for."""
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [PROGRAMS[-1] / "postgres", "-D", folder / "data", "-k", folder,
             "-c", "listen_addresses=", "-c", "max_connections=60", *careless.split()],
            user=USER, stdout=log, stderr=log, preexec_fn=dying_with_me(), cwd=folder,
        )  # fmt: skip
    try:
        _answers(folder, server)
        yield Server(folder)
    finally:
        # At once, whoever is still connected; what is in the folder is of no worth.
        server.send_signal(signal.SIGQUIT)
        server.wait(20)


@contextmanager
def connected_to(database: str) -> Iterator[None]:
    """Whoever connects in this process connects to another database of the same server."""
    from django.db import connection

    connection.close()
    # The same dictionary for the connections of all threads.
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _answers(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        asked = [str(PROGRAMS[-1] / "pg_isready"), "--quiet", "--host", str(folder)]
        if subprocess.run(asked).returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL does not answer:\n{(folder / 'log').read_text()}")


def _run(program: str, words: Sequence[str], user: str | None = None) -> None:
    done = subprocess.run(
        [PROGRAMS[-1] / program, *words], user=user, cwd="/", capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr}")


def _prepare(server: Server) -> None:
    """Migrations take half a minute: what they come to is kept beside SQLite's."""
    server.create(PREPARED, like="template0")
    url = server.url(PREPARED)
    shelf = Path(sys.prefix) / "share" / "policity"
    shelf.mkdir(parents=True, exist_ok=True)
    kept = shelf / f"postgresql-{home.migration_set():08x}.sql"
    with home.locked(shelf / "lock-postgresql"):
        if not kept.exists():
            for old in shelf.glob("postgresql-*.sql"):
                old.unlink()
            with tempfile.TemporaryDirectory(prefix="policity-") as folder:
                surroundings = {"POLICITY_HOME": folder, "POLICITY_DEMO": "0"}
                subprocess.run(
                    [sys.executable, "-m", "policity.project.home"], check=True,
                    env=os.environ | surroundings | {"POLICITY_DATABASE_URL": url},
                )  # fmt: skip
            part = kept.with_suffix(".part")
            _run("pg_dump", ["--no-owner", "--file", str(part), url])
            part.rename(kept)
            return
    _run("psql", ["--quiet", "--set=ON_ERROR_STOP=1", "--file", str(kept), url])
