"""The database is away: what residents send is kept, and comes in once; everybody is told."""

from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.back_office.presenters.board import board
from policity.back_office.presenters.health import lines
from policity.back_office.tests.test_access import staff
from policity.foundations.accounts.models import Role
from policity.foundations.continuity import queries, tasks
from policity.foundations.continuity.models import Arrived
from policity.foundations.continuity.rules.health import State
from policity.foundations.continuity.services import spooling
from policity.foundations.delivery.models import Alarm, Reply, Target
from policity.foundations.delivery.services import send, tell
from policity.foundations.delivery.services.composing import reply_about
from policity.foundations.delivery.services.sending import Sender
from policity.foundations.delivery.tests.conftest import Office
from policity.foundations.places.models import Town
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address, Resident
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services import confirm_mail, register
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]


@pytest.fixture
def home(settings, tmp_path):
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()
    residents.forget()
    yield tmp_path
    residents.forget()


@contextmanager
def away(error=OperationalError):
    """The database does not answer, whoever asks."""

    def fail(*_, **__):
        raise error("disk I/O error")

    with mock.patch.object(BaseDatabaseWrapper, "cursor", fail):
        yield


@pytest.fixture
def link(home, tmp_path):
    """Of somebody who was handed a message by mail, the link to answer."""
    now = timezone.now()
    town = Town.objects.here()[0]
    person = register(town=town.pk, language="ja", email="told@example.jp", now=now)
    address = Address.objects.get(resident=person)
    confirm_mail(resident=person, address=address.pk, now=now)
    texts = {one.code: {"title": "t", "body": "b"} for one in LANGUAGES}
    message = tell(
        kind="weather", thread="t:1", severity=Severity.SEVERE, level=4, texts=texts,
        told_at=now, now=now,
    )  # fmt: skip
    send(messages=[message], audience=Audience("weather", Severity.SEVERE), by=None, now=now)
    office = Office(tmp_path / "hand")
    assert isinstance(office.sender, Sender)
    office.settle(now=now)
    assert Target.objects.filter(message=message).exists()
    return residents.link(Purpose.REPLY, person, reply_about(message.pk, "mail"))


def arrive(home):
    count = 0
    while tasks.arrive(timezone.now()):
        count += 1
    return count


def good_form(client: Client) -> dict[str, str]:
    """The register page as it was opened before: every field as it stands there."""
    page = html.document_fromstring(client.get("/register/").content)
    (form,) = (form for form in page.forms if form.method == "POST")
    said = dict(form.form_values())
    town = Town.objects.here()[0]
    return {**said, "town": town.name, "email": "someone@example.jp"}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, DatabaseError])
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_a_registration_is_kept_and_arrives_once(client, home, language, error):
    form = good_form(client)
    with away(error):
        answer = client.post(f"{language.prefix}register/", form)
    assert answer.status_code == 202
    page = html.document_fromstring(answer.content)
    assert page.get("lang") == language.html
    assert "119" in page.text_content()
    (file,) = queries.spooled(home)
    assert file.stat().st_mode & 0o077 == 0
    assert not Resident.objects.exists()
    assert arrive(home) == 1
    resident = Resident.objects.get()
    assert resident.language == language.code
    assert Address.objects.get(resident=resident).value == "someone@example.jp"
    assert queries.spooled(home) == queries.set_aside(home) == []


def test_whoever_needs_help_comes_first_and_stands_in_the_queue(client, home, link):
    with away():
        for path, said in (
            ("/register/", {"town": "x"}),
            (f"/reply/{link}/", {"answer": "seen"}),
            (f"/reply/{link}/", {"answer": "help"}),
            (f"/reply/{link}/more/", {"phone": "0424649999", "situation": ["alone"]}),
        ):
            assert client.post(path, said).status_code == 202
    assert queries.calls_among(queries.spooled(home)) == 2
    assert tasks.arrive(timezone.now()) == tasks.arrive(timezone.now()) == 1
    alarm = Alarm.objects.get()
    assert (alarm.phone, alarm.situation) == ("0424649999", ["alone"])
    assert arrive(home) == 2
    assert {reply.answer for reply in Reply.objects.all()} == {"seen", "help"}


def test_a_worker_that_dies_after_the_commit_takes_it_once(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "safe"})
    (file,) = queries.spooled(home)
    before = file.read_bytes()
    assert arrive(home) == 1
    # The commit was, the file was not yet gone.
    file.write_bytes(before)
    assert arrive(home) == 1
    assert Reply.objects.count() == 1
    assert queries.set_aside(home) == []


def test_a_worker_that_finds_the_database_still_away_loses_nothing(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "safe"})
        with pytest.raises(OperationalError):
            tasks.arrive(timezone.now())
    assert len(queries.spooled(home)) == 1
    assert arrive(home) == 1
    assert Reply.objects.count() == 1


@pytest.mark.parametrize(
    "said", [{"town": "どこにもない町", "email": "a@example.jp"}, {"town": "", "email": ""}]
)
def test_what_is_refused_is_kept_aside_and_staff_are_told(client, home, said):
    with away():
        assert client.post("/register/", said).status_code == 202
    assert arrive(home) == 1
    assert not Resident.objects.exists()
    assert not Arrived.objects.exists()
    (aside,) = spooling.refused(home)
    assert aside["body"]["town"] == said["town"]
    found = {line.key: line for line in lines(now=timezone.now())}
    assert found["aside"].state == State.WEAK
    assert any("受け付けられません" in one.what for one in board(now=timezone.now()).troubles)


def test_a_defect_in_one_holds_up_no_other(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "help"})
        client.post(f"/reply/{link}/", {"answer": "safe"})
    first = queries.spooled(home)[0]
    first.write_text("{")
    assert arrive(home) == 2
    assert Reply.objects.get().answer == "safe"
    assert len(queries.set_aside(home)) == 1
    found = {line.key: line for line in lines(now=timezone.now())}
    assert found["aside"].state == State.BROKEN


def test_staff_see_how_many_wait_also_without_the_database(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "help"})
        found = {line.key: line for line in lines(now=timezone.now())}
        assert found["kept"].state == State.BROKEN
        assert "1件は、助けを求める返事" in found["kept"].what


def test_what_is_no_link_of_ours_is_not_kept(client, home):
    with away():
        assert client.post("/reply/nothing/", {"answer": "help"}).status_code == 503
    assert queries.spooled(home) == []


def test_where_there_is_no_room_it_is_said(client, home, monkeypatch):
    form = good_form(client)
    monkeypatch.setattr(spooling, "MOST", 0)
    with away():
        answer = client.post("/register/", form)
    assert answer.status_code == 503
    assert "119" in answer.content.decode()
    assert queries.spooled(home) == []


@pytest.mark.parametrize("error", [IntegrityError, DataError])
def test_a_defect_of_ours_is_no_database_that_is_away(home, error):
    assert not queries.database_away(error("x"))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
def test_who_opens_their_link_meanwhile_can_say_that_they_are_safe(client, home, link, language):
    path = f"{language.prefix}reply/{link}/"
    with away():
        answer = client.get(path)
        page = html.document_fromstring(answer.content)
        assert answer.status_code == 200
        assert {button.get("value") for button in page.xpath("//button")} == {"safe", "seen"}
        assert page.xpath("//a[@href='tel:119']")
        assert client.post(path, {"answer": "safe"}).status_code == 202
    assert arrive(home) == 1
    assert Reply.objects.get().answer == "safe"


def test_staff_are_led_to_how_things_stand(client, home):
    client.force_login(staff(Role.DUTY_OFFICER))
    with away():
        for path in ("/staff/", "/staff/orders/"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "/staff/health/" in answer.content.decode()
        assert client.get("/staff/health/").status_code == 503
        assert "今すること" in client.get("/staff/health/").content.decode()
    assert client.get("/staff/").status_code == 200


def test_what_came_in_long_ago_is_forgotten(client, home, link):
    Arrived.objects.create(key="old", at=timezone.now() - timedelta(days=8))
    with away():
        client.post(f"/reply/{link}/", {"answer": "safe"})
    assert arrive(home) == 1
    assert not Arrived.objects.filter(key="old").exists()
