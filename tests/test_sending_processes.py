"""A dispatch to 20,000 while its processes are killed again and again: nobody is lost."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import living
from tests.living import City, asked, surroundings, until
from tests.mail_sink import MailSink

pytestmark = pytest.mark.process

PERSONS = 20_000
KILLS = 20
CONNECTIONS = 16
VICTIMS = (
    "sender-urgent", "parent", "engine-mail", "worker", "web", "watcher", "front",
    "sender-routine", "sender-urgent", "engine-push", "engine-mail",
)  # fmt: skip
# A mail takes so long on its connection that the dispatch outlives the killing.
SLOW = 0.004


def policity(home: Path, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "policity.project.cli", *words],
        env=surroundings(home) | {"POLICITY_DEMO": "0"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def python(home: Path, code: str) -> None:
    head = "import django; django.setup(); from django.utils import timezone; "
    subprocess.run(
        [sys.executable, "-c", head + code],
        env=surroundings(home),
        check=True,
    )


POPULATE = f"""
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Address, Place, Resident, Version
now, town = timezone.now(), Town.objects.here()[0]
Version.objects.create(number=1)
people = Resident.objects.bulk_create(
    Resident(language="ja", wants="", registered_at=now, version=1) for _ in range({PERSONS})
)
Place.objects.bulk_create(Place(resident=one, label="home", town=town) for one in people)
Address.objects.bulk_create(
    Address(resident=one, channel="mail", value=f"p{{one.pk}}@example.jp", added_at=now,
            confirmed_at=now)
    for one in people
)
"""
SEND = """
from policity.foundations.delivery.services import send, tell
from policity.foundations.residents.rules.audience import Audience
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity
now = timezone.now()
texts = {one.code: {"title": "大雨", "body": "にげる"} for one in LANGUAGES}
message = tell(kind="weather", thread="story:1", severity=Severity.SEVERE, level=4, texts=texts,
               told_at=now, now=now)
send(messages=[message], audience=Audience("weather", Severity.SEVERE), by=None, now=now)
"""


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink(seconds=SLOW) as sink:
        yield sink


def status(home: Path) -> dict[str, object]:
    return dict(json.loads(policity(home, "delivery", "status", "--json")))


def start(home: Path) -> City:
    city = living.start(home)
    until(lambda: city.pids("sender-urgent"), "the sender")
    return city


def test_whatever_is_killed_nobody_is_lost(
    lived_in: Path, sink: MailSink, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("POLICITY_EMAIL_URL", f"smtp://127.0.0.1:{sink.port}")
    policity(lived_in, "places", "load", "nishitokyo")
    python(lived_in, POPULATE)
    dice = random.Random(20261125)
    city = start(lived_in)
    try:
        python(lived_in, SEND)
        sender_deaths = 0
        for number in range(KILLS):
            before = sum(sink.taken.values())
            # Into the middle of the sending, or of a start, wherever that happens to be.
            until(lambda: sum(sink.taken.values()) > before, "more mail", 60)  # noqa: B023
            victim = VICTIMS[number % len(VICTIMS)]
            _pause(dice.uniform(0, 0.4))
            if victim == "parent":
                city.process.kill()
                city.process.wait()
                until(lambda: not city.living(), "no orphan", 10)  # noqa: B023
                city = start(lived_in)
                sender_deaths += 1
            else:
                for pid in city.pids(victim):
                    os.kill(pid, signal.SIGKILL)
                sender_deaths += victim in ("sender-urgent", "engine-mail", "engine-push")
            _print(capsys, number, victim, sink, lived_in)
        sink.seconds = 0
        until(lambda: _done(lived_in), "the last hand-over")
        found = status(lived_in)
        doubles = sum(sink.taken.values()) - len(sink.taken)
        with capsys.disabled():
            print(f"\n{found['states']}, {doubles} doubles, {sender_deaths} deaths of a sender")  # noqa: T201
        assert found["targets"] == PERSONS
        assert found["states"]["handed"] == PERSONS  # type: ignore[index]
        assert len(sink.taken) == PERSONS
        assert doubles <= sender_deaths * CONNECTIONS
    finally:
        living.end(city)


def _pause(seconds: float) -> None:
    signal.sigtimedwait([], seconds)


def _done(home: Path) -> bool:
    waiting = "SELECT count(*) FROM work_item WHERE kind = 'expand' OR kind LIKE 'send-%'"
    return asked(home, waiting) == (0,)


def _print(capsys, number: int, victim: str, sink: MailSink, home: Path) -> None:
    """Where it was killed, and that the sums hold at that very moment."""
    targets, persons, counted = asked(
        home,
        "SELECT (SELECT count(*) FROM delivery_target),"
        " (SELECT count(DISTINCT person) FROM delivery_ledger),"
        " (SELECT coalesce(sum(targets), 0) FROM delivery_dispatch)",
    )
    with capsys.disabled():
        print(f"\n{number + 1:2} {victim}: {sum(sink.taken.values())} taken, {targets} targets")  # noqa: T201
    assert targets == persons == counted
