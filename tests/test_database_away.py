"""The database is away: what residents send is kept, and comes in once; everybody is told."""

import os
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
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
from policity.foundations.continuity.rules.waiting import Kept
from policity.foundations.continuity.services import spooling
from policity.foundations.delivery import views
from policity.foundations.delivery.models import Alarm, Reply, Target
from policity.foundations.delivery.services import send as send_out
from policity.foundations.delivery.services import tell
from policity.foundations.delivery.services.composing import reply_about
from policity.foundations.delivery.services.sending import Sender
from policity.foundations.delivery.tests.conftest import Office
from policity.foundations.events.models import Occurrence, Registration
from policity.foundations.places.models import Town
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address, Resident
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services import confirm_mail, register
from policity.foundations.work.queries import database_away
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity
from policity.project import middleware
from tests.test_attacks import event_for

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
    send_out(messages=[message], audience=Audience("weather", Severity.SEVERE), by=None, now=now)
    office = Office(tmp_path / "hand")
    assert isinstance(office.sender, Sender)
    office.settle(now=now)
    assert Target.objects.filter(message=message).exists()
    return residents.link(Purpose.REPLY, person, reply_about(message.pk, "mail"))


def arrive(home):
    count = 0
    while ended := tasks.arrive(timezone.now()):
        count += ended
    return count


def file_of(home, kept):
    return home / queries.SPOOL / str(kept)


def send(client, path, said, *, at=None):
    """While the database is away; at a moment of its own."""
    with away(), time_machine.travel(at or timezone.now(), tick=False):
        return client.post(path, said)


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
    (kept,) = queries.spooled(home)
    assert file_of(home, kept).stat().st_mode & 0o077 == 0
    assert file_of(home, kept).parent.stat().st_mode & 0o077 == 0
    assert not Resident.objects.exists()
    assert arrive(home) == 1
    resident = Resident.objects.get()
    assert resident.language == language.code
    assert Address.objects.get(resident=resident).value == "someone@example.jp"
    assert queries.spooled(home) == queries.set_aside(home) == []


def test_who_signs_up_for_an_event_meanwhile_stands_in_its_line_once(client, home):
    editor, now = staff(Role.EDITOR), timezone.now()
    event_for(editor, now=now)
    time = Occurrence.objects.get()
    sign_up = f"/events/register/{time.pk}/"
    for mail, status in (("a@example.jp", 202), ("b@example.jp", 202)):
        answer = send(client, sign_up, {"email": mail, "name": "見本", "seats": "1"})
        assert answer.status_code == status
    assert arrive(home) == 2
    assert arrive(home) == 0
    assert Address.objects.filter(value__in=["a@example.jp", "b@example.jp"]).count() == 2
    asked = Registration.objects.filter(occurrence=time, address__isnull=False)
    assert asked.count() == 2
    # Cancelled while it was away, and once it is back: a button of a page that is a link's own.
    mine = asked.first()
    page = f"/events/me/{residents.link(Purpose.EVENTS, mine.person)}/"
    assert send(client, f"{page}cancel/", {"number": time.pk}).status_code == 202
    assert arrive(home) == 1
    # What its view refuses is no success: staff are told.
    assert send(client, sign_up, {"email": "c@", "name": "見本", "seats": "1"}).status_code == 202
    assert arrive(home) == 1
    assert len(queries.set_aside(home)) == 1


def test_whoever_needs_help_comes_first_and_stands_in_the_queue(client, home, link):
    with away():
        for path, said in (
            ("/register/", {"town": "x"}),
            (f"/reply/{link}/", {"answer": "seen"}),
            (f"/reply/{link}/", {"answer": "help"}),
            (f"/reply/{link}/more/", {"phone": "0424649999", "situation": ["alone"]}),
        ):
            assert client.post(path, said).status_code == 202
    waiting = queries.spooled(home)
    assert queries.calls_among(waiting) == 2
    # What they had sent before comes before their call; a stranger's registration is last.
    assert [one.call for one in waiting] == [False, True, True, False]
    with mock.patch.object(spooling, "BATCH_SECONDS", 0):
        assert [tasks.arrive(timezone.now()) for _ in range(3)] == [1, 1, 1]
    alarm = Alarm.objects.get()
    assert (alarm.phone, alarm.situation) == ("0424649999", ["alone"])
    assert arrive(home) == 1
    assert {reply.answer for reply in Reply.objects.all()} == {"seen", "help"}


def test_i_am_safe_from_before_does_not_close_the_call_that_followed(client, home, link):
    now = timezone.now()
    send(client, f"/reply/{link}/", {"answer": "safe"}, at=now - timedelta(minutes=20))
    send(client, f"/reply/{link}/", {"answer": "help"}, at=now - timedelta(minutes=10))
    assert arrive(home) == 2
    assert Alarm.objects.get().closed_at is None


def test_i_am_safe_after_a_call_closes_it(client, home, link):
    now = timezone.now()
    send(client, f"/reply/{link}/", {"answer": "help"}, at=now - timedelta(minutes=20))
    send(client, f"/reply/{link}/", {"answer": "safe"}, at=now - timedelta(minutes=10))
    assert arrive(home) == 2
    assert Alarm.objects.get().closed_at is not None


def test_a_call_that_came_directly_is_not_closed_by_what_still_waited(client, home, link):
    send(client, f"/reply/{link}/", {"answer": "safe"}, at=timezone.now() - timedelta(minutes=1))
    assert client.post(f"/reply/{link}/", {"answer": "help"}).status_code == 200
    assert arrive(home) == 1
    assert Alarm.objects.get().closed_at is None


def test_a_call_has_waited_since_it_was_sent_and_is_in_the_chronology_when_it_came(
    client, home, link
):
    sent = timezone.now() - timedelta(hours=2)
    send(client, f"/reply/{link}/", {"answer": "help"}, at=sent)
    came = timezone.now()
    assert arrive(home) == 1
    alarm = Alarm.objects.get()
    assert abs(alarm.raised_at - sent) < timedelta(seconds=1)
    assert alarm.steps.get().at >= came


def watched_until(moment):
    """Somebody is on duty, and goes home then."""
    return mock.patch("policity.foundations.delivery.views._watched", lambda at: at < moment)


def test_a_call_of_when_somebody_was_on_duty_is_taken_after_they_went_home(client, home, link):
    sent = timezone.now() - timedelta(hours=2)
    with watched_until(sent + timedelta(hours=1)):
        send(client, f"/reply/{link}/", {"answer": "help"}, at=sent)
        assert arrive(home) == 1
    assert Alarm.objects.get().closed_at is None
    assert queries.set_aside(home) == []


def test_who_calls_while_nobody_is_on_duty_is_told_119_and_not_that_it_will_arrive(
    client, home, link
):
    with watched_until(timezone.now() - timedelta(hours=1)):
        answer = send(client, f"/reply/{link}/", {"answer": "help"})
    assert answer.status_code == 409
    assert html.document_fromstring(answer.content).xpath("//a[@href='tel:119']")
    assert queries.spooled(home) == []


def test_a_worker_that_dies_after_the_commit_takes_it_once(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "safe"})
    (kept,) = queries.spooled(home)
    before = file_of(home, kept).read_bytes()
    assert arrive(home) == 1
    # The commit was, the file was not yet gone.
    file_of(home, kept).write_bytes(before)
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
    file_of(home, first).write_text("{")
    assert arrive(home) == 2
    assert Reply.objects.get().answer == "safe"
    assert len(queries.set_aside(home)) == 1
    assert spooling.refused(home)[0]["text"] == "{"
    found = {line.key: line for line in lines(now=timezone.now())}
    assert found["aside"].state == State.BROKEN


def test_staff_see_how_many_wait_also_without_the_database(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "help"})
        found = {line.key: line for line in lines(now=timezone.now())}
        assert found["kept"].state == State.BROKEN
        assert "1件は、助けを求める返事" in found["kept"].residents
        assert "1件は、助けを求める返事" in client.get("/staff/health/").content.decode()


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
    assert not database_away(error("x"))


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


def test_one_at_which_the_database_fails_holds_up_its_sender_and_nobody_else(client, home, link):
    form = good_form(client)
    with away():
        client.post(f"/reply/{link}/", {"answer": "help"})
        client.post(f"/reply/{link}/", {"answer": "seen"})
        client.post("/register/", form)

    def fail(*, answer, **said):
        if answer == "help":
            raise OperationalError("no such column")
        return reply(answer=answer, **said)

    reply = views.reply
    with mock.patch.object(views, "reply", fail):
        assert tasks.arrive(timezone.now()) == 1
        # Nothing else is there to do: the worker rests, and it is in the log.
        with pytest.raises(OperationalError):
            tasks.arrive(timezone.now())
    assert Address.objects.filter(value="someone@example.jp").exists()
    assert len(queries.spooled(home)) == 2
    assert arrive(home) == 2
    assert {one.answer for one in Reply.objects.all()} == {"help", "seen"}


def test_the_board_says_how_many_still_wait(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "help"})
        client.post(f"/reply/{link}/", {"answer": "seen"})
    (told,) = (one for one in board(now=timezone.now()).troubles if "預かった" in one.what)
    assert "2件（うち、助けを求める返事が1件）" in told.what
    arrive(home)
    assert not any("預かった" in one.what for one in board(now=timezone.now()).troubles)


def test_how_many_wait_is_a_number_for_monitoring(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "help"})
        text = client.get("/metrics").content.decode()
    assert 'policity_kept_forms{call="true",state="waiting"} 1.0' in text
    assert 'policity_kept_forms{call="true",state="refused"} 0.0' in text


def test_what_is_longer_than_any_form_of_ours_is_not_kept(client, home, link):
    with away():
        answer = client.post("/register/", {"town": "x" * spooling.LONGEST})
    assert answer.status_code == 503
    assert queries.spooled(home) == []


def test_what_was_half_written_when_a_process_died_is_thrown_away(client, home, link):
    with away():
        client.post(f"/reply/{link}/", {"answer": "safe"})
    old, new = (home / queries.SPOOL / f".{name}.json" for name in ("old", "new"))
    for part in (old, new):
        part.write_text("{")
    hours_ago = (timezone.now() - timedelta(hours=2)).timestamp()
    os.utime(old, (hours_ago, hours_ago))
    assert arrive(home) == 1
    assert (old.exists(), new.exists()) == (False, True)


@contextmanager
def full():
    """The database can be read and not be written."""
    execute = CursorWrapper.execute

    def fail(self, sql, params=None):
        if sql.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE"):
            raise OperationalError("database or disk is full")
        return execute(self, sql, params)

    with mock.patch.object(CursorWrapper, "execute", fail):
        yield


def test_what_staff_can_still_read_they_read_while_the_disk_is_full(client, home):
    client.force_login(staff(Role.DUTY_OFFICER))
    assert client.get("/staff/").status_code == 200
    # Where it is noted, each minute, that the session is used.
    with full(), time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert client.get("/staff/").status_code == 200
        assert client.get("/staff/health/").status_code == 200


def test_whoever_waited_in_vain_spares_the_others_the_wait(client, home, link, monkeypatch):
    monkeypatch.setattr(middleware, "ABSENCE", middleware.Absence())
    client.force_login(staff(Role.DUTY_OFFICER))
    asked = []

    def hang(*_, **__):
        asked.append(1)
        travel.shift(6)
        raise OperationalError("database is locked")

    with time_machine.travel(timezone.now()) as travel:
        monkeypatch.setattr(middleware.time, "monotonic", lambda: timezone.now().timestamp())
        with mock.patch.object(BaseDatabaseWrapper, "cursor", hang):
            for _ in range(5):
                assert client.post(f"/reply/{link}/", {"answer": "safe"}).status_code == 202
            assert client.get("/staff/orders/").status_code == 503
            assert client.get(f"/reply/{link}/").status_code == 200
            assert len(asked) == 1
        travel.shift(6)
        assert client.post(f"/reply/{link}/", {"answer": "safe"}).status_code == 200
    assert len(queries.spooled(home)) == 5


def test_those_that_wait_are_listed_once_a_batch(client, home, link, monkeypatch):
    with away():
        client.post(f"/reply/{link}/", {"answer": "seen"})
    listed = []
    monkeypatch.setattr(spooling, "spooled", lambda home: listed.append(1) or queries.spooled(home))
    file = file_of(home, queries.spooled(home)[0])
    for number in range(100):
        kept = Kept(False, number, f"{number:016x}", f"{number:016x}")
        file_of(home, kept).write_bytes(file.read_bytes())
    monkeypatch.setattr(spooling, "BATCH_SECONDS", 60)
    assert tasks.arrive(timezone.now()) == 101
    assert len(listed) == 1
