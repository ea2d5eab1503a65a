"""The rows of a database, counted and compared."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg


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
    names = sorted({*tables(one), *tables(other)})
    return _compared((name, _read(one, name), _read(other, name)) for name in names)


def _compared(found: Iterable[tuple[str, Iterator[object], Iterator[object]]]) -> Compared:
    count, different = 0, {}
    for name, mine, theirs in found:
        # Rows that the other has not shown yet: few, since both come in the same order.
        only: tuple[set[object], set[object]] = (set(), set())
        for pair in zip_longest(mine, theirs):
            count += 1
            if pair[0] == pair[1]:
                continue
            for row, own, others in zip(pair, only, reversed(only), strict=True):
                if row in others:
                    others.remove(row)
                elif row is not None:
                    own.add(row)
        if differ := max(map(len, only)):
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


def server_tables(database: "psycopg.Connection[Any]") -> dict[str, list[str]]:
    """The tables of a database on PostgreSQL, each with the columns of its key."""
    found = database.execute(
        "SELECT c.relname, coalesce((SELECT array_agg(a.attname::text ORDER BY k.n)"
        " FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum"
        " WHERE i.indrelid = c.oid AND i.indisprimary), '{}')"
        " FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        " ORDER BY 1"
    )
    return dict(found.fetchall())


def server_rows(database: "psycopg.Connection[Any]") -> dict[str, int]:
    """How many rows each of them has."""
    counted = {}
    for name in server_tables(database):
        query = f'SELECT count(*) FROM "{name}"'  # noqa: S608
        found = database.execute(query.encode()).fetchone()
        counted[name] = int(found[0]) if found else 0
    return counted


def server_compare(one: "psycopg.Connection[Any]", other: "psycopg.Connection[Any]") -> Compared:
    """As `compare`, of two databases on PostgreSQL, each as of one moment."""
    for database in (one, other):
        # Each server has its own way to write a moment.
        for setting in ("TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'", "bytea_output = 'hex'"):
            database.execute(f"SET {setting}".encode())
        database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    mine, theirs = server_tables(one), server_tables(other)
    return _compared(
        (name, _lines(one, name, mine), _lines(other, name, theirs))
        for name in sorted({*mine, *theirs})
    )


def _lines(
    database: "psycopg.Connection[Any]", table: str, keys: dict[str, list[str]]
) -> Iterator[bytes]:
    if table not in keys:
        return
    # By position where a table has no key: of ours that is one row.
    order = ", ".join(f'"{column}"' for column in keys[table]) or "1"
    command = f'COPY (SELECT * FROM "{table}" ORDER BY {order}) TO STDOUT'  # noqa: S608
    with database.cursor() as cursor, cursor.copy(command.encode()) as rows:
        for row in rows:
            yield bytes(row)
