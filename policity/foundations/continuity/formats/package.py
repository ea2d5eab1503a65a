"""A folder of tables as a Data Package: one CSV each (RFC 4180, UTF-8) and `datapackage.json`.

By Frictionless Data Package and Table Schema 1 (https://specs.frictionlessdata.io), so that whoever
takes a city over reads it without us. Moments are UTC (RFC 3339), bytes base64.
"""

import base64
import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "datapackage.json"


class Column(NamedTuple):
    """A column: its name, its type in Table Schema (or "bytes", "json"), and whether each row has
    a value.
    """

    name: str
    type: str
    required: bool = False

    def described(self) -> dict[str, Any]:
        """As Table Schema says it."""
        said: dict[str, Any] = {"name": self.name, "type": self.type}
        if self.type == "bytes":
            said |= {"type": "string", "format": "binary"}
        if self.type == "json":
            said |= {"type": "string", "description": "JSON (RFC 8259)"}
        if self.required:
            said["constraints"] = {"required": True}
        return said


@dataclass(frozen=True, slots=True)
class Table:
    """A table to be written. `leads_to`: (our column, their table, their column)."""

    name: str
    means: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    leads_to: tuple[tuple[str, str, str], ...] = ()


class Written(NamedTuple):
    """A table's entry in the package, and how many rows it has."""

    resource: dict[str, Any]
    rows: int


def write_table(folder: Path, table: Table, rows: Iterable[tuple[Any, ...]]) -> Written:
    """Write a table's file. Rows come as they are read: a million are never in memory."""
    path = folder / f"{table.name}.csv"
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([column.name for column in table.columns])
        for row in rows:
            out.writerow([_cell(value) for value in row])
            count += 1
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    schema: dict[str, Any] = {
        "fields": [column.described() for column in table.columns],
        "primaryKey": list(table.key),
        "missingValues": [""],
    }
    if table.leads_to:
        schema["foreignKeys"] = [
            {"fields": ours, "reference": {"resource": theirs, "fields": key}}
            for ours, theirs, key in table.leads_to
        ]
    resource = {
        "name": table.name,
        "path": path.name,
        "description": table.means,
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "schema": schema,
    }
    return Written(resource, count)


def write_package(folder: Path, written: Iterable[Written], *, title: str, now: datetime) -> None:
    """Write what the folder is."""
    said = {
        "profile": "tabular-data-package",
        "name": "policity",
        "title": title,
        "created": _cell(now),
        "resources": [one.resource for one in written],
    }
    (folder / PACKAGE).write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value
