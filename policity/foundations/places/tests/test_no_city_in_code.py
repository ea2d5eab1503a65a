"""One city's facts are data: its name and codes stand in no Python and no template."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import policity
from policity.foundations.places.tests.conftest import CITIES

ROOT = Path(policity.__file__).parent.parent
WATCHED = ("policity", "script", "benchmarks", "deploy")


def words() -> set[str]:
    """Names, readings, codes and folders of every shipped city, and a pattern that finds any."""
    found = set()
    for folder in CITIES.iterdir():
        city = tomllib.loads((folder / "city.toml").read_text())
        found |= {folder.name, city["kana"], city["jma_code"], city["code"], city["name"]}
        found |= {city["name"].removesuffix("市"), *city["names"].values()}
    return found


def mentions(text: str) -> list[str]:
    return sorted(
        word
        for word in words()
        if re.search(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])", text, re.IGNORECASE)
    )


def sources() -> Iterator[Path]:
    for part in WATCHED:
        for path in (ROOT / part).rglob("*"):
            inside = path.relative_to(ROOT).parts
            if "tests" in inside or not path.is_file():
                continue
            if path.suffix == ".py" or "templates" in inside:
                yield path


def test_no_citys_name_or_code_stands_in_code():
    found = {str(path.relative_to(ROOT)): mentions(path.read_text()) for path in sources()}
    assert len(found) > 20
    assert {path: said for path, said in found.items() if said} == {}


def test_the_search_finds_what_it_looks_for():
    assert mentions('CITY = "1322900"') == ["1322900"]
    assert mentions("# Nishitokyo, or 三鷹") == ["nishitokyo", "三鷹"]
    assert mentions("11322900") == []
