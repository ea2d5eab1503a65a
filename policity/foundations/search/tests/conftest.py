from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policity.foundations.publishing import queries as publishing
from policity.foundations.publishing.services import mark_stale, render_due
from policity.foundations.search import declarations, services
from policity.kit.declare import Document, Lane, PageFamily, Rendered, Stage

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)


class Site:
    """Pages with documents, published as any others are."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[Document, ...]] = {}

    def families(self) -> dict[str, PageFamily]:
        """Ours, and the search's own."""

        def render(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
            for address in addresses:
                told = self.pages.get(address)
                made = Rendered(repr(told).encode(), frozenset({f"page:{address}"}))
                yield address, replace(made, documents=told) if told else None

        family = PageFamily(
            name="told",
            lane=Lane.ROUTINE,
            stage=Stage.LEAF,
            addresses=lambda: tuple(self.pages),
            born_of=lambda key: (key.removeprefix("page:"),) if key.startswith("page:") else (),
            render=render,
        )
        return {one.name: one for one in (family, *declarations.PAGES)}

    def put(self, address: str, *told: Document, now: datetime = NOW) -> None:
        """A page says this now; nothing: it is taken down."""
        self.pages.pop(address, None)
        if told:
            self.pages[address] = told
        mark_stale([f"page:{address}"], now=now)
        render_due(now=now)

    def index(self, now: datetime = NOW) -> None:
        """The worker has done its work."""
        while services.index_due(now=now):
            pass
        render_due(now=now)


@pytest.fixture
def site(
    db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, city: Any
) -> Site:
    """An empty site in a home of its own."""
    settings.HOME = tmp_path
    settings.PUBLISHED = tmp_path / "published"
    settings.PUBLISHED.mkdir()
    made = Site()
    families = made.families()
    monkeypatch.setattr(publishing, "families", lambda: families)
    return made


@pytest.fixture
def told() -> Callable[..., Document]:
    """A document of this title."""

    def make(title: str, text: str = "", kind: str = "案内", **more: Any) -> Document:
        return Document(title=title, text=text, kind=kind, **more)

    return make
