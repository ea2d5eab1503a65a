"""How the system stands: who is told, in which words, and that it comes without the database."""

import json
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters import health
from policity.back_office.tasks.health import tell
from policity.back_office.tests.test_orders_web import create
from policity.fields.alerts.models import Feed
from policity.foundations.accounts.models import Role
from policity.foundations.continuity import queries
from policity.foundations.continuity.rules.health import GIB, Slot, State
from policity.foundations.continuity.services import heard_time, note

ALLOWED = {Role.ADMINISTRATOR, Role.COMMANDER, Role.DUTY_OFFICER}


@pytest.fixture
def well(city, settings, tmp_path, monkeypatch):
    """A home where everything is well."""
    settings.HOME, settings.EMAIL_URL = tmp_path, "smtp://mail.example"
    settings.PUBLIC_URL, settings.BACKUP = "https://city.example", str(tmp_path / "copies")
    run, now = tmp_path / "run", timezone.now()
    run.mkdir()
    for name in queries.CHILDREN:
        (run / f"{name}.alive").write_text("{}")
    Feed.objects.create(url="https://feed.example/x.xml", added_at=now, answered_at=now)
    heard_time(tmp_path, "https://feed.example", ahead=timedelta(seconds=1), now=now)
    said = {"at": now.isoformat(), "until": (now + timedelta(days=60)).isoformat(), "fault": ""}
    note(tmp_path, queries.CERTIFICATE, said)
    note(tmp_path, queries.FILE, {"at": now.isoformat(), "generation": "x", "changes": 0})
    note(tmp_path, queries.DRILLED, {"at": now.isoformat()})
    note(tmp_path, queries.FADED, {"at": now.isoformat(), "counts": {}})
    monkeypatch.setattr(queries, "disk", lambda _: queries.Disk(100 * GIB, GIB))
    monkeypatch.setattr(queries, "slot", lambda: Slot.KEPT)
    return tmp_path


@contextmanager
def away():
    """The database does not answer, whoever asks."""

    def fail(*_, **__):
        raise OperationalError("disk I/O error")

    with mock.patch.object(BaseDatabaseWrapper, "cursor", fail):
        yield


def states() -> dict[str, str]:
    return {line.key: line.state.name for line in health.lines(now=timezone.now())}


def test_where_all_is_well_nothing_is_to_do(well):
    found = health.lines(now=timezone.now())
    assert {line.key: line.what for line in found if line.state != State.GOOD} == {}
    assert not any(line.do or line.residents for line in found)
    assert health.worst(found) == State.GOOD


def silence(home: Path, *names: str) -> None:
    for name in names:
        (home / "run" / f"{name}.alive").unlink()


def noted(name: str, **said: object):
    return lambda home: note(home, name, said)


LONG_AGO = (timezone.now() - timedelta(days=200)).isoformat()
WRONG = {
    "worker": (lambda home: silence(home, "worker"), "worker", State.BROKEN),
    "watcher": (lambda home: silence(home, "watcher"), "watcher", State.BROKEN),
    "urgent": (lambda home: silence(home, "sender-urgent"), "sender-urgent", State.BROKEN),
    "routine": (lambda home: silence(home, "sender-routine"), "sender-routine", State.BROKEN),
    "live": (lambda home: silence(home, "live"), "live", State.WEAK),
    "all": (lambda home: silence(home, *queries.CHILDREN), "processes", State.BROKEN),
    "feed": (lambda _: Feed.objects.update(answered_at=LONG_AGO), "feeds", State.BROKEN),
    "mail": (
        lambda home: (home / "run" / "sender-urgent.alive").write_text('{"mail": "refused"}'),
        "mail", State.BROKEN,
    ),
    "push": (
        lambda home: (home / "run" / "sender-routine.alive").write_text('{"push": "refused"}'),
        "push", State.BROKEN,
    ),
    "copies": (noted(queries.FILE, at=LONG_AGO, generation="x", changes=1), "copies", State.BROKEN),
    "fading": (noted(queries.FADED, at=LONG_AGO, counts={}), "fading", State.WEAK),
    "trial": (noted(queries.DRILLED, at=LONG_AGO), "copies", State.WEAK),
    "clock": (
        lambda home: heard_time(
            home, "https://feed.example", ahead=timedelta(minutes=-5), now=timezone.now()
        ),
        "clock", State.BROKEN,
    ),
    "expired": (noted(queries.CERTIFICATE, at=LONG_AGO, until=LONG_AGO, fault=""), "certificate",
                State.BROKEN),
    "distrusted": (noted(queries.CERTIFICATE, at=LONG_AGO, until=None, fault="自己署名"),
                   "certificate", State.BROKEN),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_what_it_means_and_what_to_do(well, name):
    spoil, key, state = WRONG[name]
    spoil(well)
    bad = [line for line in health.lines(now=timezone.now()) if line.state != State.GOOD]
    assert [(line.key, line.state) for line in bad] == [(key, state)]
    assert bad[0].residents
    assert bad[0].do


@pytest.mark.parametrize(
    ("setting", "value", "key"), [("BACKUP", "", "copies"), ("EMAIL_URL", "", "mail")]
)
def test_what_was_never_set_up_is_said(well, settings, setting, value, key):
    setattr(settings, setting, value)
    assert states()[key] == "WEAK"


@pytest.mark.parametrize(
    ("slot", "state"),
    [
        (Slot.KEPT, "GOOD"),
        (Slot.ENDLESS, "WEAK"),
        (Slot.NONE, "WEAK"),
        (Slot.LOST, "BROKEN"),
    ],
)
def test_how_the_log_is_kept_for_the_copies_is_said(well, settings, monkeypatch, slot, state):
    monkeypatch.setattr(queries, "slot", lambda: slot)
    settings.SECRET_DATABASE = "postgresql:///city"
    assert states()["slot"] == state
    settings.SECRET_DATABASE = ""
    assert "slot" not in states()


def test_a_full_disk_is_said(well, monkeypatch):
    monkeypatch.setattr(queries, "disk", lambda _: queries.Disk(GIB // 4, GIB))
    assert states()["disk"] == "BROKEN"


def test_a_city_without_https_has_no_certificate(well, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert "certificate" not in states()


@pytest.mark.parametrize("role", Role)
def test_who_may_see_it(client: Client, well, role):
    client.force_login(create(role, "someone"))
    answer = client.get("/staff/health/")
    assert answer.status_code == (200 if role in ALLOWED else 403)
    assert client.post("/staff/health/").status_code == 405
    assert ("/staff/health/" in client.get("/staff/").content.decode()) == (role in ALLOWED)


def test_a_stranger_signs_in_first(client: Client, well):
    answer = client.get("/staff/health/")
    assert (answer.status_code, answer["Location"]) == (302, "/staff/sign-in/?next=/staff/health/")


def test_it_is_a_page_to_read(client: Client, well):
    silence(well, "watcher")
    client.force_login(create(Role.DUTY_OFFICER, "someone"))
    page = html.document_fromstring(client.get("/staff/health/").content)
    heads = [head.text_content() for head in page.xpath("//h2")]
    assert heads[0] == "異常 電文を受け取る係"
    assert heads[1].startswith("正常")
    assert "気象庁の警報など" in page.xpath("//dd")[0].text_content()


def test_without_its_database_the_page_comes_and_says_so(client: Client, well):
    with away():
        answer = client.get("/staff/health/")
    assert answer.status_code == 503
    assert "no-store" in answer["Cache-Control"]
    text = html.document_fromstring(answer.content).xpath("//main")[0].text_content()
    assert "市民のページは、今のまま読めます" in text
    # Nobody could be known: nothing from inside is told.
    assert "disk I/O error" not in text
    assert "feed.example" not in text


def test_without_its_database_who_has_signed_in_gets_it_too(client: Client, well):
    client.force_login(create(Role.DUTY_OFFICER, "someone"))
    with away():
        assert client.get("/staff/health/").status_code == 503
    assert client.get("/staff/health/").status_code == 200


def test_without_its_database_what_only_that_knows_is_not_known(well):
    with away():
        found = states()
    assert found["database"] == "BROKEN"
    assert found["feeds"] == found["pages"] == "UNKNOWN"
    assert found["disk"] == found["copies"] == "GOOD"


def told(home: Path):
    return json.loads((home / "run" / queries.ALARMS).read_text())


def test_monitoring_reads_a_file(well, monkeypatch):
    monkeypatch.setattr("policity.back_office.tasks.health._told", [])
    now = timezone.now() - timedelta(seconds=30)
    tell(now)
    assert told(well) == {"at": now.isoformat(), "state": "good", "alarms": []}
    silence(well, "worker")
    tell(now + timedelta(seconds=29))
    assert told(well)["state"] == "good"
    tell(now + timedelta(seconds=30))
    assert told(well)["state"] == "broken"
    assert [alarm["key"] for alarm in told(well)["alarms"]] == ["worker"]


def test_monitoring_is_told_also_without_the_database(well, monkeypatch):
    monkeypatch.setattr("policity.back_office.tasks.health._told", [])
    with away():
        assert tell(timezone.now()) == 0
    assert "database" in {alarm["key"] for alarm in told(well)["alarms"]}


def test_copies_that_stand_still_say_what_their_place_has_said(well):
    now = timezone.now()
    past = (now - timedelta(minutes=6)).isoformat()
    note(well, queries.FILE, {"at": past, "generation": "x", "changes": 0})
    note(well, queries.FAULT, {"at": now.isoformat(), "fault": "いっぱいです"})
    (line,) = (one for one in health.lines(now=now) if one.key == "copies")
    assert line.state == State.BROKEN
    assert line.what.endswith("5分より前で止まっています。いっぱいです。")
    # What it said before it took one is over.
    note(well, queries.FAULT, {"at": LONG_AGO, "fault": "いっぱいです"})
    (line,) = (one for one in health.lines(now=now) if one.key == "copies")
    assert line.what.endswith("5分より前で止まっています。")
