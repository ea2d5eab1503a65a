"""Every page in every language and state, looked at by axe on a narrow screen."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from policity.fields.alerts import declarations as alert_pages
from policity.public_site import declarations as front_pages
from policity.public_site.tests.states import stand

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# 320 CSS px: what 400 % zoom leaves of 1280.
NARROW = 320
FINGER = 43.5
_SMALL = """least => [...document.querySelectorAll("a:not(.skip), summary")]
    .filter(e => e.offsetHeight && e.offsetHeight < least).map(e => e.outerHTML)"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["calm", "caution", "danger", "extreme", "storm"])
def site(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[str, list[str]]]:
    """A city in a state, as plain files behind a plain server: its address and its pages."""
    stand(monkeypatch, request.param)
    addresses = []
    for family in (*front_pages.PAGES, *alert_pages.PAGES):
        for address, rendered in family.render(list(family.addresses())):
            assert rendered
            file = tmp_path / (address[1:] + ("index.html" if address.endswith("/") else ""))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(rendered.body)
            if file.suffix == ".html":
                addresses.append(address)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", addresses
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.journey
def test_axe_finds_nothing_and_everything_fits(site: tuple[str, list[str]], page: Page) -> None:
    base, addresses = site
    page.set_viewport_size({"width": NARROW, "height": 700})
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    axe = Axe()
    for address in addresses:
        page.goto(base + address)
        found = axe.run(page, options={"runOnly": RULES}).response["violations"]
        faults += [f"{address}: {v['id']} {v['nodes'][0]['html']}" for v in found]
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW:
            faults.append(f"{address}: {width} px wide")
        faults += [f"{address}: too small {e}" for e in page.evaluate(_SMALL, FINGER)]
    assert faults == []


@pytest.mark.journey
@pytest.mark.parametrize("site", ["calm"], indirect=True)
def test_a_hazard_is_chosen_without_script(site: tuple[str, list[str]], page: Page) -> None:
    base, _ = site
    page.goto(f"{base}/shelters/")
    sites = page.locator("section[aria-labelledby=h-emergency_site] .shelter")
    everything = sites.count()
    page.locator("#flood a").click()
    chosen = [text for text in sites.all() if text.is_visible()]
    assert 0 < len(chosen) < everything
    assert len(chosen) == int(page.locator("#flood b").inner_text())


@pytest.mark.journey
@pytest.mark.parametrize("site", ["danger"], indirect=True)
def test_a_fixed_link_says_the_state_where_scripts_run(
    site: tuple[str, list[str]], page: Page
) -> None:
    base, _ = site
    page.goto(f"{base}/easy/alerts/1/")
    page.wait_for_selector(".state--alert ruby")
    assert "大雨" in page.locator(".state").inner_text()
