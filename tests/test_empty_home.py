"""A home before its city, as its first readers meet it."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.living import City, end, start, surroundings, until

pytestmark = pytest.mark.process


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[City]:
    city = start(tmp_path)
    try:
        until(lambda: city.missing() == [], "everything serves")
        yield city
    finally:
        end(city)


def read(city: City, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{city.port}{path}", timeout=10) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def test_a_home_says_that_it_has_no_city_until_one_is_loaded(empty: City) -> None:
    for language in ("/", "/easy/", "/en/", "/zh-hans/", "/ko/"):
        assert "policity places load" in read(empty, language)
    loaded = subprocess.run(
        [sys.executable, "-m", "policity.project.cli", "places", "load", "mitaka"],
        env=surroundings(empty.home) | {"POLICITY_DEMO": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert loaded.returncode == 0, loaded.stderr
    # The command says so when the pages are there.
    assert "三鷹市" in read(empty, "/")
    assert "places load" not in read(empty, "/")
    assert "Mitaka City" in read(empty, "/en/shelters/")
