"""Fixtures for every room's tests. Each process has a home of its own (project/tests/plugin)."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policity.project import home
from policity.project.tests import plugin


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """A real database file with the settings it has in a city; no run waits for migrations."""
    shutil.copyfile(home.template(), plugin.HOME / "policity.sqlite3")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real telegrams, alerts and maps beside the checkout."""
    folder = Path(__file__).parent.parent / "shared" / "data"
    assert folder.is_dir(), f"the real data is missing: {folder.name}"
    return folder


@pytest.fixture
def city(db: None) -> None:
    """The home is the first city that ships."""
    from policity.foundations import places
    from policity.foundations.places.services import load_city

    folder = Path(places.__path__[0]) / "facts" / "cities" / "nishitokyo"
    load_city(folder, by=None, now=datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def lived_in(tmp_path: Path) -> Path:
    """A home of its own, for a process that a test starts; no city is in it yet."""
    home.make_folders(tmp_path)
    shutil.copyfile(home.template(), tmp_path / "policity.sqlite3")
    return tmp_path
