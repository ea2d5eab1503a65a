"""Mails that come back, and the commands that take them in and say how a message stands."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from policity.foundations.delivery import queries
from policity.foundations.delivery.models import LedgerRow, Reply
from policity.foundations.delivery.rules.handing import Item
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services import bounce, reply, send
from policity.foundations.delivery.services.engines import return_path
from policity.foundations.delivery.tests.conftest import NOW, later, send_of, states, tell_of
from policity.foundations.places.models import Town
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address, Place, Resident
from policity.foundations.residents.rules.audience import Audience
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")

DSN = """\
From: MAILER-DAEMON@mx.example.jp
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not go.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.jp

Final-Recipient: rfc822; p@example.jp
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} {why}

--b--
"""


def verp_of(message, person):
    return return_path()(Item(1, 1, person, "", (), message))


def dsn(message, person, action="failed", status="5.1.1", why="User unknown", to=None):
    to = to or verp_of(message, person)
    return DSN.format(to=to, action=action, status=status, why=why).encode()


@pytest.fixture
def heard(people, office):
    (person,) = people(1)
    message = send_of().pk
    office.settle()
    return message, person


def test_a_bounce_is_in_the_ledger_and_the_address_is_used_no_more(heard):
    message, person = heard
    assert bounce(dsn(message, person), now=later(1)) is State.FAILED
    assert states(message) == {(person, "mail"): State.FAILED}
    assert "User unknown" in LedgerRow.objects.get().reason
    assert not Address.objects.usable().exists()
    assert queries.status(message).whole


def test_a_full_mailbox_fails_this_mail_and_not_the_address(heard):
    message, person = heard
    assert bounce(dsn(message, person, status="5.2.2", why="full"), now=later(1)) is State.FAILED
    assert Address.objects.usable().exists()


def test_a_delay_changes_nothing_and_a_receipt_is_delivered(heard):
    message, person = heard
    assert bounce(dsn(message, person, "delayed", "4.4.1"), now=NOW) is None
    assert states(message) == {(person, "mail"): State.HANDED}
    assert bounce(dsn(message, person, "delivered", "2.0.0"), now=NOW) is State.DELIVERED
    assert states(message) == {(person, "mail"): State.DELIVERED}


def test_whoever_answered_is_not_unreached_by_a_bounce(heard):
    message, person = heard
    reply(message=message, person=person, channel="mail", answer=Reply.Answer.SAFE, now=NOW)
    assert bounce(dsn(message, person), now=later(1)) is None
    assert states(message) == {(person, "mail"): State.CONFIRMED}


def test_nobody_can_make_somebodys_address_bounce(heard):
    message, person = heard
    forged = verp_of(message, person)[:-20] + "x@" + "localhost"
    with pytest.raises(ValueError, match="not about a mail of ours"):
        bounce(dsn(message, person, to=forged), now=NOW)
    assert states(message) == {(person, "mail"): State.HANDED}


def test_the_command_takes_a_file_and_refuses_what_is_none(heard, tmp_path):
    message, person = heard
    file = tmp_path / "bounce.eml"
    file.write_bytes(dsn(message, person))
    out = io.StringIO()
    call_command("delivery", "bounce", str(file), stdout=out)
    assert out.getvalue().strip() == "failed"
    file.write_bytes(b"hello")
    with pytest.raises(CommandError):
        call_command("delivery", "bounce", str(file))


def test_status_says_what_the_contract_says(heard):
    out = io.StringIO()
    call_command("delivery", "status", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "message": heard[0],
        "targets": 1,
        "states": {state.word: int(state is State.HANDED) for state in State},
        "channels": {"mail": {"handed": 1}},
        "expanding": False,
    }


def test_a_message_that_travels_with_another_stands_as_that_one(people, office):
    people(1)
    lead, other = tell_of("story:1"), tell_of("story:2", Severity.MODERATE)
    audience = Audience("weather", Severity.SEVERE)
    send(messages=[other, lead], audience=audience, by=None, now=NOW)
    office.settle()
    assert len(office.begun) == 1
    assert queries.status(other.pk) == queries.status(lead.pk)
    assert queries.status(other.pk).message == lead.pk


def test_status_of_nothing_says_so(db, capsys):
    for words in (["--json"], ["99"]):
        with pytest.raises(SystemExit) as ended:
            call_command("delivery", "status", *words)
        assert ended.value.code == 2


def test_approval_by_nobody_known_is_refused(heard):
    with pytest.raises(CommandError, match="いません"):
        call_command("delivery", "approve", str(heard[0]), "--by", "nobody")


def test_whom_something_would_reach_is_counted_before_it_is_sent(people, capsys, tmp_path):
    (pointed, elsewhere, *_) = people(4)
    people(1, ())
    town = Town.objects.here()[0]
    Place.objects.filter(resident=pointed).update(lat=town.lat + 2e-5, lon=town.lon + 2e-5)
    Place.objects.filter(resident=elsewhere).update(lat=town.lat - 2e-5, lon=town.lon)
    area = tmp_path / "area.geojson"
    x, y = town.lon, town.lat
    ring = [[x, y], [x + 1e-4, y], [x, y + 1e-4], [x, y]]
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    words = ["delivery", "preview", "--kind", "weather", "--severity", "severe"]
    call_command(*words, "--area", str(area), "--json")
    said = json.loads(capsys.readouterr().out)
    [there] = [one for one in said.pop("towns") if one["persons"]]
    assert said == {
        "persons": 4,
        "with_point": 1,
        "without_point": 3,
        "mail": 3,
        "push": 0,
        "unreachable": 1,
        "homes": {"households": 0, "mail": 0, "push": 0, "unreachable": 0, "unknown": 4},
    }
    homes = there.pop("homes")
    assert homes == said["homes"]
    assert there == {"town": town.pk, "persons": 4, "mail": 3, "push": 0, "unreachable": 1}
    Resident.objects.filter(pk=pointed).update(household=1)
    residents.forget()
    call_command(*words)
    said = capsys.readouterr().out
    assert "対象 5人" in said
    assert "世帯 1（" in said
    area.write_text('{"type": "Point", "coordinates": [0, 0]}')
    with pytest.raises(CommandError, match="範囲が読めません"):
        call_command(*words, "--area", str(area))
    with pytest.raises(CommandError, match="範囲が読めません"):
        call_command(*words, "--area", str(tmp_path / "none.geojson"))
