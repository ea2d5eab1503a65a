"""A city whose database is broken while it serves: staff are told so, in plain words."""

import shutil

import pytest

from policity.project import home
from policity.project.tests import plugin
from tests.living import end, serves, start, until

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(plugin.SERVER is not None, reason="spoils the file that the data is in"),
]


def test_the_page_comes_while_the_database_is_broken(lived_in):
    city = start(lived_in)
    database = lived_in / home.DATABASE
    try:
        until(lambda: serves(city), "everything serves")
        saved = lived_in / "saved"
        database.rename(saved)
        database.write_bytes(b"no database at all" * 1000)
        page = ""

        def told() -> bool:
            nonlocal page
            page = city.get("/staff/health/").decode()
            return "データベース" in page and "異常" in page

        until(told, "the page says so")
        assert "防災行政無線" in page
        assert "file is not a database" not in page
        for log in ("-wal", "-shm"):
            database.with_name(database.name + log).unlink(missing_ok=True)
        shutil.move(saved, database)
        # Again as before: a stranger is sent to sign in.
        until(lambda: city.get("/staff/health/") == b"", "it is well again")
    finally:
        end(city)
