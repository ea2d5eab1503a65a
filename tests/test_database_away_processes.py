"""A living city's database goes away and comes back: whatever was sent meanwhile is there once."""

import http.client
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from policity.foundations.delivery.services.composing import reply_about
from policity.foundations.residents.rules.links import Purpose, signer
from policity.project import cluster
from policity.project.tests import plugin
from tests.living import City, asked, demo, end, serves, start, surroundings, until

pytestmark = pytest.mark.process

PEOPLE = 12
FILES = ("policity.sqlite3", "policity.sqlite3-wal", "policity.sqlite3-shm")
ADDRESSES = "SELECT count(*), count(DISTINCT value) FROM residents_address WHERE value LIKE '{}%'"
# Some people who were told something, by mail that stays in the home.
TOLD = f"""
import django; django.setup()
from django.utils import timezone
from policity.foundations.delivery.services import send, tell
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Address
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.services import confirm_mail, register
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity
now, town = timezone.now(), Town.objects.here().get(name="泉町一丁目")
people = [register(town=town.pk, language="ja", email=f"told{{n}}@example.jp", now=now)
          for n in range({PEOPLE})]
for one in Address.objects.filter(resident__in=people):
    confirm_mail(resident=one.resident_id, address=one.pk, now=now)
texts = {{one.code: {{"title": "大雨", "body": "にげる"}} for one in LANGUAGES}}
message = tell(kind="weather", thread="story:1", severity=Severity.SEVERE, level=4, texts=texts,
               told_at=now, now=now)
send(messages=[message], audience=Audience("weather", Severity.SEVERE), by=None, now=now)
print(message.pk, *people)
"""


def tell(home: Path) -> tuple[int, list[int]]:
    words = subprocess.run(
        [sys.executable, "-c", TOLD], env=surroundings(home), capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    message, *people = map(int, words.split("\n")[-2].split())
    return message, people


def ask(city: City, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", city.port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def post(city: City, path: str, form: dict[str, str]) -> tuple[int, str]:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask(city, "POST", path, urlencode(form), **kind)


def register(city: City, name: str) -> int:
    return post(city, "/register/", {"town": "泉町一丁目", "email": f"{name}@example.jp"})[0]


def kill(city: City) -> None:
    for pid in city.pids("worker"):
        os.kill(pid, signal.SIGKILL)


def spooled(home: Path) -> int:
    return len(list((home / "spool").glob("*.json")))


def take_away(home: Path) -> None:
    """The database, from under everybody who has it open."""
    url = surroundings(home).get("POLICITY_DATABASE_URL")
    if not url:
        (home / "beside").mkdir()
        # The database first: without it nobody begins a new log beside.
        for name in FILES:
            if (home / name).exists():
                (home / name).rename(home / "beside" / name)
        return
    name = urlsplit(url).path.strip("/")
    with cluster.connected(plugin.SERVER.url("postgres")) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


def bring_back(home: Path) -> None:
    url = surroundings(home).get("POLICITY_DATABASE_URL")
    if not url:
        # The database last: whoever found it without its log would begin another.
        for name in reversed(FILES):
            if (home / "beside" / name).exists():
                (home / "beside" / name).rename(home / name)
        return
    name = urlsplit(url).path.strip("/")
    with cluster.connected(plugin.SERVER.url("postgres")) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_what_is_sent_meanwhile_is_there_once_and_calls_come_first(tmp_path):
    home = tmp_path / "home"
    with demo(home) as city:
        message, people = tell(home)
        told = f"FROM delivery_ledger WHERE message_id = {message} AND channel = 'mail'"
        handed = f"SELECT count(*) {told} AND state >= 4"
        until(lambda: asked(home, handed)[0] >= PEOPLE, "all are told")
        sign = signer((home / "secret.key").read_text().strip().encode(), Purpose.REPLY)
        links = [sign(one, reply_about(message, "mail")) for one in people]
        assert register(city, "before") == 302

        take_away(home)
        until(lambda: register(city, "first") == 202, "the database is away")
        assert {register(city, f"away{number}") for number in range(PEOPLE)} == {202}
        # All say that they are safe; then half call.
        for number, link in enumerate(links):
            path = f"/reply/{link}/"
            assert "119" in city.get(path).decode()
            assert post(city, path, {"answer": "safe"})[0] == 202
            if number % 2:
                status, page = post(city, path, {"answer": "help"})
                assert (status, "119" in page) == (202, True)
        assert "泉町" in city.get("/shelters/").decode(), "pages are read as ever"
        # The worker may still have taken in one or two: it looks once a second.
        sent = 1 + PEOPLE + PEOPLE + PEOPLE // 2
        assert sent - 2 <= spooled(home) <= sent
        page = city.get("/staff/health/").decode()
        assert re.search("そのうち[56]件は、助けを求める返事です", page)
        status, page = ask(city, "GET", "/staff/", Cookie=f"sessionid={'x' * 32}")
        assert (status, "/staff/health/" in page) == (503, True)

        bring_back(home)
        until(lambda: spooled(home) < sent - 2, "the first come in")
        kill(city)
        until(lambda: spooled(home) == 0, "all came in")
        for name in ("away", "first", "before"):
            found = asked(home, ADDRESSES.format(name))
            assert found == ((PEOPLE, PEOPLE) if name == "away" else (1, 1))
        replies = f"FROM delivery_reply WHERE message_id = {message}"
        assert asked(home, f"SELECT count(*) {replies} AND answer = 'safe'") == (PEOPLE,)
        assert asked(home, f"SELECT count(*) {replies} AND answer = 'help'") == (PEOPLE // 2,)
        alarms = f"FROM delivery_alarm WHERE message_id = {message}"
        assert asked(home, f"SELECT count(*) {alarms} AND closed_at IS NULL") == (PEOPLE // 2,)
        assert not list((home / "spool" / "refused").glob("*"))
        arrived = "SELECT count(*) FROM continuity_arrived"
        assert asked(home, arrived) == (sent,)


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Somebody writes and does not end."""
    with closing(sqlite3.connect(home / FILES[0], isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.skipif(plugin.SERVER is not None, reason="PostgreSQL has more than one writer")
def test_a_lock_that_lasts_makes_few_wait(tmp_path):
    home = tmp_path / "home"
    with demo(home) as city:
        with writing(home):
            assert register(city, "lock0") == 202
            # A second waits, or none; whoever comes after that is kept at once.
            assert {register(city, f"lock{number}") for number in range(1, 30)} == {202}
            assert spooled(home) == 30
        until(lambda: spooled(home) == 0, "all came in")
        assert asked(home, ADDRESSES.format("lock")) == (30, 30)


def test_a_city_that_starts_without_its_database_serves_its_pages_until_it_is_back(tmp_path):
    home = tmp_path / "home"
    with demo(home):
        pass
    take_away(home)
    city = start(home, demo=True)
    try:
        until(lambda: "泉町" in city.get("/shelters/").decode(), "pages are served")
        assert city.process.poll() is None
        assert not (home / FILES[0]).exists(), "no empty city takes its place"
        bring_back(home)
        until(lambda: serves(city), "everything serves")
    finally:
        end(city)
