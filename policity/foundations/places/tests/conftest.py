import shutil
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from policity.foundations.places.models import City

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CITIES = Path(str(files("policity.foundations.places"))) / "facts" / "cities"


@pytest.fixture
def here(city):
    """The demo city, loaded."""
    return City.objects.get()


@pytest.fixture
def folder(tmp_path):
    """A copy of the demo city's folder, to be spoilt."""
    return Path(shutil.copytree(CITIES / "nishitokyo", tmp_path / "city"))


@pytest.fixture
def stale(monkeypatch):
    """The keys that services mark, set by set."""
    marked: list[set[str]] = []
    for module in ("loading", "editing", "opening", "hazards"):
        monkeypatch.setattr(
            f"policity.foundations.places.services.{module}.mark_stale",
            lambda keys, *, now: marked.append(set(keys)),
        )
    return marked
