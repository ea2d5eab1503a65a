"""A city's whole data goes out so that another system reads it, without what opens a door."""

import base64
import csv
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.accounts.models import AuditEntry, User
from policity.foundations.continuity.formats import package
from policity.foundations.continuity.services import export, exporting
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Address, Resident

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
READ = {
    "integer": int,
    "number": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": datetime.fromisoformat,
    "datetime": datetime.fromisoformat,
    "string": str,
}


def read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By the package alone, as another system would. Whatever is not as it says is a fault."""
    tables = {}
    said = json.loads((folder / "datapackage.json").read_text("utf-8"))
    for one in said["resources"]:
        path = folder / one["path"]
        assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == one["hash"]
        fields = {field["name"]: field for field in one["schema"]["fields"]}
        with path.open(encoding=one["encoding"], newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        for row in rows:
            assert list(row) == list(fields)
            for name, cell in row.items():
                field = fields[name]
                if cell == "":
                    assert not field.get("constraints"), (one["name"], name)
                    row[name] = None
                    continue
                row[name] = READ[field["type"]](cell)
                if field.get("format") == "binary":
                    row[name] = base64.b64decode(cell, validate=True)
        key = one["schema"]["primaryKey"]
        assert len({tuple(row[name] for name in key) for row in rows}) == len(rows)
        tables[one["name"]] = rows
    for one in said["resources"]:
        for link in one["schema"].get("foreignKeys", ()):
            there = link["reference"]
            known = {row[there["fields"]] for row in tables[there["resource"]]} | {None}
            assert {row[link["fields"]] for row in tables[one["name"]]} <= known
    return tables


@pytest.fixture
def people(city) -> Resident:
    someone = Resident.objects.create(language="ja", registered_at=NOW, version=1)
    Address.objects.create(
        resident=someone, channel="push", value="https://push.example/=1,\"2\"\n3",
        p256dh="planted-p256dh", auth="planted-auth", added_at=NOW,
    )  # fmt: skip
    apps.get_model("alerts.Telegram").objects.create(
        digest="d", source="test", received_at=NOW, outcome="read", body=b"\x00<xml>\xff"
    )
    User.objects.create_user("somebody", password="a password of somebody")
    return someone


@pytest.mark.django_db
def test_another_system_reads_all_of_it(people, tmp_path):
    told: list[str] = []
    tables, rows = export(tmp_path / "out", now=NOW, report=told.append)
    found = read(tmp_path / "out")
    assert (tables, rows) == (len(found), sum(map(len, found.values())))
    assert len(told) == tables
    for model in exporting.exported():
        assert len(found[model._meta.db_table]) == (
            # The export is noted after it.
            model._base_manager.count() - (model is AuditEntry)
        )
    assert [row["name"] for row in found["places_town"]] == [
        town.name for town in Town.objects.order_by("pk")
    ]
    (address,) = found["residents_address"]
    assert address["value"] == 'https://push.example/=1,"2"\n3'
    assert address["added_at"] == NOW
    (telegram,) = found["alerts_telegram"]
    assert telegram["body"] == b"\x00<xml>\xff"


@pytest.mark.django_db
def test_nothing_that_opens_a_door_goes_out(people, tmp_path):
    export(tmp_path / "out", now=NOW, report=str)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.*"))
    assert b"planted" not in everything
    assert b"argon2" not in everything
    assert b"md5$" not in everything
    columns = {
        f"{model._meta.label}.{column.name}"
        for model in exporting.exported()
        for column in map(exporting._column, exporting._fields(model))
    }
    doors = re.compile(r"passw|secret|token|session|auth$|p256dh|private")
    assert {name for name in columns if doors.search(name)} == set()
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_what_is_left_out_is_there_and_has_a_reason():
    for label, why in exporting.LEFT_OUT.items():
        apps.get_model(label)
        assert why
    for label, names in exporting.SECRETS.items():
        assert names <= {field.name for field in apps.get_model(label)._meta.concrete_fields}


@pytest.mark.django_db
def test_it_is_noted_and_what_lies_there_stays(people, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "one.png").write_bytes(b"png")
    call_command("export", tmp_path / "out")
    assert (tmp_path / "out" / "media" / "one.png").read_bytes() == b"png"
    entry = AuditEntry.objects.get(act="data.exported")
    assert json.loads(entry.detail)["tables"] == len(exporting.exported())
    with pytest.raises(CommandError, match="もうあります"):
        call_command("export", tmp_path / "out")
    assert AuditEntry.objects.filter(act="data.exported").count() == 1


@pytest.mark.django_db
def test_one_that_fails_leaves_nothing(people, tmp_path, monkeypatch):
    def full(*_args: object, **_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(exporting, "write_package", full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("export", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    assert not AuditEntry.objects.filter(act="data.exported").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a second connection")
def test_all_of_it_is_as_of_one_moment(tmp_path):
    """Somebody registers while the tables before theirs are written."""
    others = ThreadPoolExecutor(1)

    def register(_: str) -> None:
        others.submit(_register).result()

    export(tmp_path / "out", now=NOW, report=register)
    assert read(tmp_path / "out")["residents_resident"] == []
    assert Resident.objects.count() == len(exporting.exported())


def _register() -> None:
    Resident.objects.create(language="ja", registered_at=NOW, version=1)
    connection.close()


@given(st.lists(st.text(), min_size=1))
def test_any_text_comes_back_as_it_was(tmp_path_factory, words):
    folder = tmp_path_factory.mktemp("table")
    table = package.Table("t", "", (package.Column("word", "string"),), ("word",))
    package.write_table(folder, table, ((word,) for word in words))
    with (folder / "t.csv").open(encoding="utf-8", newline="") as file:
        assert [row["word"] for row in csv.DictReader(file)] == words
