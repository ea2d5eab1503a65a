"""A living city's database goes away and comes back: whoever registered is there once."""

import http.client
import os
import signal
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.living import City, asked, demo, until

pytestmark = pytest.mark.process

PEOPLE = 30
FILES = ("policity.sqlite3", "policity.sqlite3-wal", "policity.sqlite3-shm")


def register(city: City, number: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", city.port, timeout=30)
    form = {"town": "泉町一丁目", "email": f"away{number}@example.jp"}
    try:
        connection.request(
            "POST", "/register/", urlencode(form),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        return connection.getresponse().status
    finally:
        connection.close()


def kill(city: City) -> None:
    for pid in city.pids("worker"):
        os.kill(pid, signal.SIGKILL)


def spooled(home: Path) -> int:
    return len(list((home / "spool").glob("*.json")))


def test_who_registers_meanwhile_is_there_once(tmp_path):
    home, beside = tmp_path / "home", tmp_path / "beside"
    beside.mkdir()
    with demo(home) as city:
        assert register(city, 0) == 302
        there = [name for name in FILES if (home / name).exists()]
        for name in there:
            (home / name).rename(beside / name)
        (home / FILES[0]).mkdir()
        # It still holds what was moved.
        kill(city)
        assert {register(city, number) for number in range(1, PEOPLE + 1)} == {202}
        assert b"503" not in city.get("/healthz")
        assert "泉町" in city.get("/shelters/").decode(), "pages are read as ever"
        assert spooled(home) == PEOPLE

        (home / FILES[0]).rmdir()
        for name in there:
            (beside / name).rename(home / name)
        until(lambda: spooled(home) < PEOPLE, "the first comes in", 90)
        kill(city)
        until(lambda: spooled(home) == 0, "all came in", 90)
        addresses = "FROM residents_address WHERE value LIKE 'away%'"
        assert asked(home, f"SELECT count(*), count(DISTINCT value) {addresses}") == (
            PEOPLE + 1,
            PEOPLE + 1,
        )
        assert not list((home / "spool" / "refused").glob("*"))
