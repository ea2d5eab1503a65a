"""A database on PostgreSQL, looked at before Django runs: is it prepared, and who prepares it.

Needs the extra `cluster` (psycopg). Nothing here repeats the address: a password is in it.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    import psycopg

# Seconds until a server that does not answer is taken for away.
PATIENCE = 5
# One row: the set of migrations that the database was last prepared for. Not a model of Django's:
# it is asked before Django knows whether the models fit. It goes with the data into any dump.
MARK = "policity_prepared"
# Every city's tables are in this schema, and nothing else is.
GONE = "DROP SCHEMA public CASCADE"
# Who prepares holds this advisory lock; any number will do that nobody else takes.
PREPARING = 0x706F6C6963697479


class AwayError(Exception):
    """The database cannot be reached or used. The text says what to do."""


@contextmanager
def connected(url: str) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """A connection of its own, each statement a transaction. Raises AwayError."""
    try:
        import psycopg
    except ImportError as error:
        raise AwayError(
            "PostgreSQL を使うには追加のパッケージが要ります。/ PostgreSQL needs a package more:"
            " uv sync --extra cluster"
        ) from error
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=PATIENCE) as connection:
            yield connection
    except psycopg.Error as error:
        raise AwayError(
            "データベース（POLICITY_DATABASE_URL）が使えません。/ "
            f"The database cannot be used: {error}"
        ) from error


def prepared_set(url: str) -> int:
    """The set of migrations a database was last prepared for; 0 when it never was."""
    with connected(url) as connection:
        return _mark(connection)


@contextmanager
def preparing(url: str) -> Iterator[int]:
    """Be the only one, of all machines, that prepares; gives the set as it is by then."""
    with connected(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (PREPARING,))
        yield _mark(connection)


def mark(url: str, migrations: int) -> None:
    """Note that a database is ready."""
    with connected(url) as connection, connection.transaction():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {MARK} (migrations bigint NOT NULL)")
        connection.execute(f"DELETE FROM {MARK}")  # noqa: S608  # our own name
        connection.execute(f"INSERT INTO {MARK} VALUES (%s)", (migrations,))  # noqa: S608


def _mark(connection: "psycopg.Connection[tuple[Any, ...]]") -> int:
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (MARK,)).fetchone()
    if there != (True,):
        return 0
    found = connection.execute(f"SELECT migrations FROM {MARK}").fetchone()  # noqa: S608
    return int(found[0]) if found else 0


def size(url: str) -> int:
    """Bytes that its data takes there."""
    with connected(url) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(found[0]) if found else 0


def beside(url: str, purpose: str) -> str:
    """The address of another database beside a city's own, named after it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path}_{purpose}"))


def create(url: str, *, other: str) -> None:
    """See that the database `other` is there, on the server of `url`. Raises AwayError."""
    from psycopg import errors, sql

    name = urlsplit(other).path.strip("/")
    with connected(url) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if there.fetchone():
            return
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        try:
            connection.execute(made.format(sql.Identifier(name)))
        except errors.InsufficientPrivilege as error:
            raise AwayError(
                f"ためすためのデータベース {name} がなく、作る権限もありません。"
                f"データベースの担当に「CREATE DATABASE {name} OWNER 市のロール"
                " ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;」を頼んでください"
                "（一度だけ。ほかには使いません）。"
            ) from error


def dump(url: str, target: Path) -> None:
    """All of a database as one file, as of one moment; it has its name when it is whole."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    _run(url, "pg_dump", ["--format=custom", "--compress=1", "--no-owner", "--no-privileges",
         "--schema=public", "--file", str(part)])  # fmt: skip
    with part.open("rb") as handle:
        os.fsync(handle.fileno())
    part.replace(target)


def load(url: str, source: Path) -> None:
    """Have a database be what a file of `dump` holds: all of it, or as before. Raises AwayError."""
    with tempfile.NamedTemporaryFile(suffix=".sql", dir=source.parent) as text:
        _run("", "pg_restore", ["--no-owner", "--no-privileges", "--file", text.name, str(source)])
        _run(url, "psql", ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1",
             "--single-transaction", "--command", GONE, "--file", text.name])  # fmt: skip


def empty(url: str) -> None:
    """Nothing is left in a database. Raises AwayError."""
    with connected(url) as connection, connection.transaction():
        connection.execute(GONE)
        connection.execute("CREATE SCHEMA public")


def _run(url: str, program: str, words: Sequence[str]) -> None:
    """One of PostgreSQL's programs; no word of a process, which all see, holds a password."""
    surroundings = dict(os.environ)
    if url:
        from psycopg import conninfo

        said = conninfo.conninfo_to_dict(url)
        if secret := said.pop("password", None):
            surroundings["PGPASSWORD"] = str(secret)
        # As libpq has it; Debian's wrapper would take that of a cluster of the machine's own.
        surroundings.setdefault("PGPORT", "5432")
        # Nobody waits for ever for whoever still looks at a table.
        surroundings["PGOPTIONS"] = "-c lock_timeout=60s"
        words = ["--dbname", conninfo.make_conninfo("", **said), *words]
    try:
        done = subprocess.run(
            [program, *words], env=surroundings, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise AwayError(
            f"{program} がこの機械にありません。"
            "apt-get install postgresql-client を実行してください。"
            f"/ {program} is missing."
        ) from error
    if done.returncode:
        raise AwayError(f"{program}: {done.stderr.strip()[-1000:]}")


def has_city(url: str) -> bool:
    """Whether a city was loaded."""
    with connected(url) as connection:
        found = connection.execute("SELECT count(*) FROM places_city WHERE is_here").fetchone()
        return found is not None and found[0] > 0


def rows(url: str, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """A table's rows as Django keeps them in SQLite, for a drill's home."""
    import psycopg.types.json

    names = ", ".join(f'"{column}"' for column in columns)
    with connected(url) as connection:
        psycopg.types.json.set_json_loads(_as_text, connection)
        for row in connection.execute(f'SELECT {names} FROM "{table}"'):  # noqa: S608
            yield tuple(map(_for_sqlite, row))


def _as_text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode()


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value
