"""From copies to a PostgreSQL server's data folder, recovered to the end of what was copied.

A server of our own replays the log, is looked at and ends in order: what is left needs no recovery
any more, and any server of the same major version begins from it. Needs the extra `cluster`.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyrage
from psycopg import conninfo

from policity.foundations.continuity.channels import programs
from policity.foundations.continuity.channels.store import Store
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.rules import lsn
from policity.foundations.continuity.services.packing import unpack_tar
from policity.foundations.continuity.services.restoring import (
    Report,
    Restored,
    ahead,
    belongs,
    changes,
    following,
    tell_beyond,
)
from policity.foundations.continuity.services.tables import Compared, server_compare, server_rows

# Where in a restored home the server's data folder lies, until its operator moves it.
DATA = "postgresql"


def recover(
    store: Store,
    keys: Sequence[Any],
    generation: str,
    into: Path,
    said: dict[str, Any],
    *,
    report: Report,
    began: float,
    files: int,
    lasting: bool,
) -> Restored:
    """The server's part of a restored home; `said` is its manifest.

    `files` and `lasting` are as `Restored` and `restore` have them.

    Raises BadCopyError, OSError.
    """
    data, version = into / DATA, int(said["version"])
    try:
        # Before hundreds of megabytes are read.
        programs.program("postgres", version)
        data.mkdir(mode=0o700)
        _unpack(store, keys, generation, data)
        programs.verify(data, version)
        found = changes(store, generation)
        numbers = following(found)
        at, count = datetime.fromisoformat(said["at"]), 0
        position = 0
        for number, packed in ahead(store, keys, generation, numbers):
            logged = copies.unpack_log(packed)
            belongs(logged, generation, number)
            if position not in (0, logged.start):
                raise BadCopyError(f"変更{number}が、その前のものに続いていません")
            _lay(data / "pg_wal", logged, int(said["segment"]))
            at, count, position = logged.at, number, logged.start + len(logged.data)
        beyond = len(found) - len(numbers)
        tell_beyond(beyond, count, report)
        report(f"変更を{count}回分、置きました。PostgreSQL {version} を始めて、調べています …")
        (data / "recovery.signal").touch()
        with (
            programs.serving(data, version, lasting=lasting) as host,
            _connected(host, said["database"], said["user"]) as connection,
        ):
            rows = sum(server_rows(connection).values())
    except psycopg.Error as error:
        raise BadCopyError(f"もどしたデータベースを読めません（{error}）") from error
    except programs.ProgramError as error:
        raise BadCopyError(str(error)) from error
    return Restored(generation, at, count, beyond, rows, time.monotonic() - began, files, version)


def compared(database: str, restored: Path, done: Restored) -> Compared:
    """A restored home's rows and the city's: `database` is its address. Raises BadCopyError."""
    said = conninfo.conninfo_to_dict(database)
    try:
        with (
            psycopg.connect(database, autocommit=True) as one,
            programs.serving(restored / DATA, done.server, lasting=False) as host,
            _connected(host, str(said["dbname"]), str(said.get("user", ""))) as other,
        ):
            return server_compare(one, other)
    except psycopg.Error as error:
        raise BadCopyError(f"いまのデータと比べられません（{error}）") from error
    except programs.ProgramError as error:
        raise BadCopyError(str(error)) from error


def _connected(host: Path, database: str, user: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(host=str(host), dbname=database, user=user, autocommit=True)


def _unpack(store: Store, keys: Sequence[Any], generation: str, data: Path) -> None:
    with store.reading(f"{generation}/{copies.SERVER}") as file:
        try:
            unpack_tar(file, keys, data)
        except (pyrage.DecryptError, ValueError) as error:
            raise BadCopyError(f"データベースの写しがこわれています（{error}）") from error


def _lay(folder: Path, logged: copies.Logged, segment: int) -> None:
    """Write a piece of the log to where the server looks for it."""
    done = 0
    for position, length in lsn.split(logged.start, len(logged.data), segment=segment):
        target = folder / lsn.file(logged.timeline, position, segment=segment)
        if not target.exists():
            target.touch(mode=0o600)
        with target.open("r+b") as file:
            file.truncate(segment)
            file.seek(position % segment)
            file.write(logged.data[done : done + length])
        done += length
