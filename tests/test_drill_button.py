"""A drill that somebody begins in the back office: it outlives the web process, not the city."""

import os
import re
import signal
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from tests.living import City, demo, until
from tests.test_drill_processes import living_in

pytestmark = pytest.mark.process

DRILLS = "/staff/drills/"
EVERYTHING = 8


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with demo(tmp_path / "home") as city:
        yield city


class Staff:
    """Somebody who signed in."""

    def __init__(self, city: City, name: str) -> None:
        self.address = f"http://127.0.0.1:{city.port}"
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        accounts = (city.home / "demo-accounts.txt").read_text().splitlines()
        password = dict(line.split("\t")[:2] for line in accounts)[name]
        self.post("/staff/sign-in/", username=name, password=password)

    def get(self, path: str) -> str:
        return self.opener.open(self.address + path, timeout=20).read().decode()

    def post(self, path: str, *, form: str = "", **said: str) -> tuple[int, str]:
        """What is answered, and where that is."""
        (token, *_) = re.findall(
            r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(form or path)
        )
        data = urlencode(said | {"csrfmiddlewaretoken": token}).encode()
        try:
            answer = self.opener.open(self.address + path, data, timeout=20)
        except HTTPError as error:
            return error.code, error.read().decode()
        return answer.status, answer.geturl().removeprefix(self.address)


def press(city: City, by: Staff) -> tuple[str, Path]:
    """The page of the drill that was begun, and its home, when everything runs in it."""
    status, page = by.post(DRILLS, scenario="heavy-rain", people="60")
    assert status == 200
    assert page.startswith(DRILLS), page
    own = city.home / "drills" / page.removeprefix(DRILLS).strip("/")
    assert "動いています" in by.get(page)
    until(lambda: len(living_in(own)) >= EVERYTHING, "everything runs", 180)
    return page, own


def test_it_outlives_the_web_process_and_is_stopped_by_another_person(city: City) -> None:
    officer, commander = Staff(city, "bosai"), Staff(city, "honbu")
    page, own = press(city, officer)
    status, said = commander.post(DRILLS, form=page, scenario="heavy-rain", people="60")
    assert status == 409
    assert re.search("[^。>]+が始めた訓練「大雨」が動いています", said)

    for pid in city.pids("web"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(city.pids("web")) >= 2 and city.missing() == [], "it serves again")
    assert len(living_in(own)) >= EVERYTHING

    assert commander.post(f"{page}stop/", form=page)[0] == 200
    until(lambda: not living_in(own), "nobody is left")
    assert not (own / "result.json").exists()
    until(lambda: "途中で止めました" in officer.get(page), "it is over")
    assert (own / "log").read_text().strip()
    # Another one may begin now, and what has ended is no zombie.
    again, second = press(city, officer)
    assert again != page
    os.kill(city.process.pid, signal.SIGKILL)
    city.process.wait()
    until(lambda: not living_in(second) and not city.living(), "nobody is left")


def test_a_city_that_is_told_to_stop_takes_its_drill_along(city: City) -> None:
    _, own = press(city, Staff(city, "bosai"))
    city.process.send_signal(signal.SIGTERM)
    city.process.communicate(timeout=30)
    until(lambda: not living_in(own) and not city.living(), "nobody is left")
    assert "市のサーバーが止まった" in (own / "progress.txt").read_text()
    assert not (own / "result.json").exists()
