"""Everything a city has, in open formats: for who takes over, for who asks, for the archive.

A copy (`policity continuity`) brings the same system back; this is for another one.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Field, ForeignKey, Model

from policity.foundations.accounts.services import audit
from policity.foundations.continuity.formats.package import (
    Column,
    Table,
    Written,
    write_package,
    write_table,
)

# What is ours and does not go out: it is made anew, is about this installation, or opens a door.
LEFT_OUT = {
    "accounts.Failure": "counted for minutes",
    "accounts.Seal": "opens a door; the audit trail says when it was opened",
    "accounts.AuditHead": "the end of the trail, which is the last entry",
    "continuity.Arrived": "which forms came in after the database was away",
    "publishing.Page": "which files there are; they lie in published/",
    "publishing.PageKey": "what makes which page stale",
    "publishing.Change": "a counter",
    "publishing.CityRendition": "pictures in other sizes",
    "public_site.PageLink": "which links answer; the pages say where they lead",
    "public_site.Shown": "which page shows which picture; the pages say it",
    "residents.Version": "a counter",
    "search.Entry": "what is found on the pages; made of them",
    "work.Item": "what waits to be done by this installation",
}
# Columns that open a door, here or at a push service.
SECRETS = {
    "accounts.User": {"password"},
    # Of what residents sent: the page on which they take it back.
    "delivery.Dispatch": {"path"},
    "residents.Address": {"p256dh", "auth"},
}
_TYPES = {
    "BooleanField": "boolean",
    "DateField": "date",
    "DateTimeField": "datetime",
    "FloatField": "number",
    "JSONField": "json",
    "BinaryField": "bytes",
}


def exported() -> tuple[type[Model], ...]:
    """The kinds of rows that go out. Of machinery that is not ours: none."""
    ours = (model for app in apps.get_app_configs() if _is_ours(app.name)
            for model in app.get_models())  # fmt: skip
    return tuple(model for model in ours if model._meta.label not in LEFT_OUT)


def _is_ours(app: str) -> bool:
    return app.startswith("policity.")


def export(target: Path, *, now: datetime, report: Callable[[str], Any]) -> tuple[int, int]:
    """Write all of it into a new folder; how many tables and rows.

    All rows are as of one moment, while the city runs on. The folder is there whole or not at all,
    and for nobody else to read. Raises OSError, FileExistsError where there is something already.
    """
    if target.exists():
        raise FileExistsError(f"{target} は、もうあります。新しいフォルダーの名前にしてください")
    part = target.with_name(f"{target.name}.part")
    part.mkdir(mode=0o700, parents=True)
    try:
        with _one_moment():
            written = [_write(part, model, report) for model in exported()]
        write_package(part, written, title=settings.PUBLIC_URL, now=now)
        media = Path(settings.MEDIA_ROOT)
        if media.is_dir():
            shutil.copytree(media, part / "media")
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    rows = sum(one.rows for one in written)
    audit.record("data.exported", on="", by=None, now=now, tables=len(written), rows=rows)
    return len(written), rows


def _write(folder: Path, model: type[Model], report: Callable[[str], Any]) -> Written:
    fields = _fields(model)
    names = {model._meta.label for model in exported()}
    table = Table(
        model._meta.db_table,
        means=(model.__doc__ or "").strip().partition("\n")[0],
        columns=tuple(_column(field) for field in fields),
        key=tuple(_name(field) for field in model._meta.pk_fields),
        leads_to=tuple(
            (_name(field), to._meta.db_table, _name(field.target_field))
            for field in fields
            if isinstance(field, ForeignKey)
            and (to := field.related_model)
            and to._meta.label in names
        ),
    )
    rows = model._base_manager.order_by("pk").values_list(*(field.attname for field in fields))
    written = write_table(folder, table, rows.iterator(chunk_size=5000))
    report(f"{table.name}: {written.rows:,}")
    return written


def _fields(model: type[Model]) -> list["Field[Any, Any]"]:
    secret = SECRETS.get(model._meta.label, set())
    return [field for field in model._meta.concrete_fields if field.name not in secret]


def _name(field: "Field[Any, Any]") -> str:
    return field.get_attname_column()[1] or field.attname


def _column(field: "Field[Any, Any]") -> Column:
    kind = field.get_internal_type()
    if isinstance(field, ForeignKey):
        kind = field.target_field.get_internal_type()
    integer = kind.endswith(("AutoField", "IntegerField"))
    return Column(
        _name(field),
        "integer" if integer else _TYPES.get(kind, "string"),
        # An empty text is no value in a CSV.
        required=not field.null and (integer or kind in _TYPES),
    )


@contextmanager
def _one_moment() -> Iterator[None]:
    """Whatever is read within is as of its beginning. Nobody who writes waits for it."""
    if connection.in_atomic_block:
        yield
        return
    begin = "BEGIN"
    if connection.vendor == "postgresql":
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
