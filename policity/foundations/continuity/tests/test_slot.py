"""What a PostgreSQL server says of the log that it keeps for the copies."""

import pytest
from django.db import connection

from policity.foundations.continuity import queries
from policity.foundations.continuity.rules.health import Slot


@pytest.fixture
def server(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no slots")
    with connection.cursor() as cursor:
        yield cursor


def test_a_slot_that_may_fill_the_disk_is_told_from_one_that_may_not(server):
    assert queries.slot() == Slot.NONE
    name = queries.slot_name(connection.settings_dict["NAME"])
    server.execute("SELECT pg_create_physical_replication_slot(%s, true)", [name])
    try:
        assert queries.slot() == Slot.ENDLESS
    finally:
        server.execute("SELECT pg_drop_replication_slot(%s)", [name])


def test_a_slots_name_is_one():
    assert queries.slot_name("City-of X") == "policity_copies_city_of_x"
    assert len(queries.slot_name("x" * 100)) == 63
