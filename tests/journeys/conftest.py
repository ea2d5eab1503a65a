"""A browser for journeys: the system's chromium. Without one they fail, they are not skipped."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a browser that ends with the test: its event loop would keep Django's ORM out."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is missing: script/test installs it"
    # The sandbox of chromium refuses to run as root, which containers often are.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[*flags, "--disable-gpu", "--disable-background-networking"],
        )
        found = browser.new_page()
        forbidden: list[str] = []
        # What a page wants and the city's own headers forbid: never seen by who writes the page.
        found.context.on(
            "console",
            lambda said: forbidden.append(said.text) if "Content Security" in said.text else None,
        )
        yield found
        browser.close()
        assert forbidden == []
