"""The rows of a database, counted and compared."""

import sqlite3
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple


def tables(database: sqlite3.Connection) -> list[str]:
    """The names of its tables, but for SQLite's own."""
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " ORDER BY name"
    )
    return [name for (name,) in found]


def rows(database: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for name in tables(database)
    }


class Compared(NamedTuple):
    """How many rows of two databases were held against each other, and where they differ."""

    rows: int
    different: dict[str, int]


def compare(one: sqlite3.Connection, other: sqlite3.Connection) -> Compared:
    """Every row of every table of two databases, in the order of their keys."""
    count, different = 0, {}
    for name in sorted({*tables(one), *tables(other)}):
        pairs = zip_longest(_read(one, name), _read(other, name))
        differ = 0
        for mine, theirs in pairs:
            count += 1
            differ += mine != theirs
        if differ:
            different[name] = differ
    return Compared(count, different)


def _read(database: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    if table not in tables(database):
        return iter(())
    order = ", ".join(f'"{row[1]}"' for row in _keys(database, table)) or "rowid"
    return iter(database.execute(f'SELECT * FROM "{table}" ORDER BY {order}'))  # noqa: S608


def _keys(database: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    columns = database.execute(f'PRAGMA table_info("{table}")').fetchall()
    return sorted((row for row in columns if row[5]), key=lambda row: row[5])
