from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policity.foundations.publishing import queries
from policity.foundations.publishing.tests import stories
from policity.kit.declare import PageFamily


@pytest.fixture
def tree(tmp_path: Path, settings: Any) -> Path:
    """An empty published folder in a home of its own."""
    settings.HOME = tmp_path
    settings.PUBLISHED = tmp_path / "published"
    settings.PUBLISHED.mkdir()
    return tmp_path / "published"


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, PageFamily]], None]:
    """Let these families, and no others, be declared."""

    def replace(families: dict[str, PageFamily]) -> None:
        monkeypatch.setattr(queries, "families", lambda: families)

    return replace


@pytest.fixture
def site(
    db: None, tree: Path, declare: Callable[[dict[str, PageFamily]], None]
) -> dict[str, PageFamily]:
    """The site of stories, declared but not written."""
    families = stories.families()
    declare(families)
    return families
