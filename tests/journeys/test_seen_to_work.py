"""What the city promises, seen from outside: real processes, a real browser, real telegrams."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import feedparser
import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import etree, html
from playwright.sync_api import Page, expect

from policity.kit.languages import LANGUAGES
from tests.living import City, demo, surroundings, until

pytestmark = [pytest.mark.journey, pytest.mark.process]

PHONE = {"width": 390, "height": 844}
HEARD = ("15_12_02_161130_VPWW53.xml", "15_12_02_161130_VPWW54.xml")
ALERT = {
    "ja": "大雨警報",
    "ja-easy": "大雨",
    "en": "Heavy rain",
    "zh-hans": "暴雨",
    "ko": "호우",
}


def policity(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=surroundings(home) | {"POLICITY_DEMO": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


@pytest.fixture(scope="module")
def heard(city: City, shared_data: Path) -> list[dict[str, object]]:
    """The city after one announcement in two telegrams: what the command said."""
    files = [str(shared_data / "jma" / "official-samples" / name) for name in HEARD]
    done = policity(city.home, "bulletin", "ingest", "--json", *files)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def address(city: City, path: str) -> str:
    return f"http://127.0.0.1:{city.port}{path}"


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # our own address
        return bytes(answer.read())


def clean(page: Page, what: str) -> None:
    result = Axe().run(page)
    assert result.violations_count == 0, f"{what}: {result.generate_report()}"


def test_one_announcement_in_two_telegrams(heard):
    assert sorted(
        (step["phenomenon"], step["change"], step["level_to"], step["action"]) for step in heard
    ) == [
        ("flood", "issued", 3, "sent"),
        ("heavy_rain", "issued", 3, "sent"),
        ("thunder", "continued", None, "recorded"),
    ]
    assert all((step["message"] is None) == (step["action"] == "recorded") for step in heard)


def test_the_same_again_says_nothing(city, heard, shared_data):
    files = [str(shared_data / "jma" / "official-samples" / name) for name in HEARD]
    again = policity(city.home, "bulletin", "ingest", "--json", *files)
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_every_language_shows_it(city, heard, language):
    event = next(step["event"] for step in heard if step["phenomenon"] == "heavy_rain")
    for path in ("", "alerts/", f"alerts/{event}/"):
        page = html.fromstring(get(address(city, language.prefix + path)))
        text = page.text_content()
        assert ALERT[language.code] in text, path
        assert page.get("lang") == language.html
    feed = feedparser.parse(get(address(city, language.prefix + "alerts/feed.atom")))
    assert not feed.bozo
    linked = [entry.link.rstrip("/").rpartition("/")[2] for entry in feed.entries]
    for step in heard:
        assert linked.count(str(step["event"])) == (step["action"] == "sent"), step
    assert any(ALERT[language.code] in entry.title for entry in feed.entries)


def test_cap_out_is_valid(city, heard, shared_data):
    folder = shared_data / "cap" / "ibm-cap"
    schema = etree.XMLSchema(etree.parse(str(folder / "CAP-v1.2.xsd")))
    event = next(step["event"] for step in heard if step["phenomenon"] == "flood")
    document = etree.fromstring(get(address(city, f"/alerts/{event}.cap")))
    assert schema.validate(document), schema.error_log
    assert len(document.findall("{*}info")) == len(LANGUAGES)


def test_an_unreadable_file_is_one_line_and_exit_code_2(city, heard, tmp_path, shared_data):
    bad = tmp_path / "cut.xml"
    sample = shared_data / "jma" / "official-samples" / HEARD[0]
    bad.write_bytes(sample.read_bytes()[:5000])
    for command in (["explain", "--area", "1322900"], ["ingest"]):
        done = policity(city.home, "bulletin", command[0], str(bad), *command[1:])
        assert done.returncode == 2
        said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
        assert len(said) == 1
        assert "cut.xml" in said[0]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize("path", ["", "alerts/", "shelters/"])
def test_pages_hold_for_everyone(city, heard, page: Page, language, path):
    """No script, a phone, 400 % zoom (320 px), and axe finds nothing."""
    page.set_viewport_size(PHONE)
    page.goto(address(city, language.prefix + path))
    clean(page, page.url)
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


def test_by_keyboard_from_home_to_an_alert(city, heard, page: Page):
    page.goto(address(city, "/"))
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_class("skip")
    link = page.get_by_role("link", name=re.compile("大雨警報")).first
    link.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/alerts/\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("大雨警報")


def test_the_back_office_lets_staff_in_and_shows_the_board(city, heard, page: Page):
    name, password = (city.home / "demo-accounts.txt").read_text().split("\t")[:2]
    page.set_viewport_size(PHONE)
    page.goto(address(city, "/staff/"))
    expect(page).to_have_url(re.compile(r"/staff/sign-in/"))
    clean(page, "sign-in")
    page.get_by_label("職員ID").fill(name)
    page.get_by_label("パスワード").fill("wrong")
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("alert")).to_contain_text("ちがいます")
    clean(page, "sign-in, refused")
    page.get_by_label("パスワード").fill(password.strip())
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("heading", name="いま効いているもの")).to_be_visible()
    expect(page.get_by_text("大雨警報").first).to_be_visible()
    for viewport in (PHONE, {"width": 1280, "height": 900}):
        page.set_viewport_size(viewport)
        clean(page, f"board {viewport}")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_role("button", name="サインアウト").click()
    page.goto(address(city, "/staff/"))
    expect(page).to_have_url(re.compile(r"/staff/sign-in/"))


def test_the_tree_answers_while_the_application_hangs_and_the_database_is_locked(city, heard):
    # Hanging is worse than being dead. Its worker answers; its parent would start another.
    until(lambda: len(city.pids("web")) > 1, "the web process has its worker")
    stopped = city.pids("web")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    database = sqlite3.connect(city.home / "policity.sqlite3", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(address(city, "/staff/"), timeout=1)  # noqa: S310
        for language in LANGUAGES:
            assert get(address(city, language.prefix))
    finally:
        database.close()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_two_hundred_edits_during_an_ingest_leave_no_difference(city, heard, shared_data):
    edits = """
import random
from django.utils import timezone
from policity.foundations.places.models import Site
from policity.foundations.places.services import edit_site
ids = list(Site.objects.values_list("pk", flat=True))
for n in range(200):
    edit_site(random.choice(ids), by=None, now=timezone.now(), notes=f"見本 {n}")
"""
    editing = subprocess.Popen(
        [sys.executable, "-m", "policity.project.cli", "shell", "-c", edits],
        env=surroundings(city.home) | {"POLICITY_DEMO": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    sample = shared_data / "jma" / "official-samples" / "15_17_01_250630_VPWW55.xml"
    done = policity(city.home, "bulletin", "ingest", str(sample), "--area", "3220100")
    assert done.returncode == 0, done.stderr
    _, said = editing.communicate(timeout=120)
    assert editing.returncode == 0, said
    verified = policity(city.home, "publish", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_any_web_server_serves_the_folder_without_a_dead_link(city, heard, tmp_path):
    """The folder alone, carried away from the application and its database."""
    folder = shutil.copytree(
        city.home / "published", tmp_path / "tree", ignore=shutil.ignore_patterns(".writing")
    )
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        seen = _crawl(f"http://127.0.0.1:{served.server_port}", ["/"])
    finally:
        served.shutdown()
    assert {language.prefix for language in LANGUAGES} <= seen
    assert len(seen) > 30


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Says nothing."""


def _crawl(base: str, first: list[str]) -> set[str]:
    """Follow every link inside the site. Fails for one that leads nowhere."""
    seen: set[str] = set()
    todo = list(first)
    while todo:
        path = todo.pop()
        # What only the application answers.
        forms = ("/register/", "/photographs/send/", "/comments/send/")
        if path in seen or path.startswith("/staff/") or any(form in path for form in forms):
            continue
        seen.add(path)
        try:
            with urllib.request.urlopen(base + path, timeout=10) as answer:  # noqa: S310
                body, kind = answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"a dead link: {path} ({error.code})")
        if "html" not in kind:
            continue
        document = html.fromstring(body)
        for _, attribute, link, _ in document.iterlinks():
            target = urldefrag(urljoin(base + path, link)).url
            if attribute in ("href", "src") and target.startswith(base):
                todo.append(target.removeprefix(base))
    return seen
