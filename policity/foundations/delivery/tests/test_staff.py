"""Members of staff on the road that residents are told by: one ledger, and nothing mixed up."""

from email import message_from_bytes, policy

import pytest

from policity.foundations.accounts.models import User
from policity.foundations.delivery import queries
from policity.foundations.delivery.models import LedgerRow, Movement
from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services import count, send, to_staff
from policity.foundations.delivery.services.books import STAFF_FROM
from policity.foundations.delivery.services.fading import due, fade_ledger
from policity.foundations.delivery.services.telling import withdraw_person
from policity.foundations.delivery.tests.conftest import NOW, Office, later, states, tell_of
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address
from policity.foundations.residents.rules.choices import STAFF
from policity.kit.declare import Lane
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def routine(tmp_path) -> Office:
    return Office(tmp_path / "routine", Lane.ROUTINE)


def user(name: str, email: str = "", **more) -> int:
    return User.objects.create(username=name, email=email, **more).pk


def send_to(*users: int) -> int:
    message = tell_of("work:1", Severity.MINOR, STAFF)
    paths = {message.pk: "staff/plan/"}
    audience = to_staff(users)
    send(messages=[message], audience=audience, by=None, now=NOW, paths=paths, leads_to="")
    return message.pk


def test_staff_are_told_by_mail_and_stand_in_the_ledger(people, routine):
    people(3)
    reached, nowhere = user("a", "a@example.jp"), user("b")
    message = send_to(reached, nowhere)
    routine.settle()
    assert states(message) == {
        (STAFF_FROM + reached, "mail"): State.HANDED,
        (STAFF_FROM + nowhere, "none"): State.UNREACHABLE,
    }
    (item,) = routine.begun
    assert item.to == "a@example.jp"
    mail = message_from_bytes(b"".join(item.pieces), policy=policy.default)
    text = mail.get_content()
    assert "/staff/plan/" in text
    # No registration to change, and nothing to leave.
    assert "/me/" not in text
    assert mail["List-Unsubscribe"] is None
    assert queries.far(["work:1"]) == {"work:1": {State.UNREACHABLE: 1, State.HANDED: 1}}
    assert queries.told("work:1")


def test_who_left_meanwhile_gets_nothing(routine):
    one = user("a", "a@example.jp")
    message = send_to(one)
    routine.turn()
    User.objects.update(is_active=False)
    routine.settle()
    assert states(message) in (
        {(STAFF_FROM + one, "mail"): State.FAILED},
        {(STAFF_FROM + one, "none"): State.UNREACHABLE},
    )
    assert routine.begun == []


def test_a_resident_of_the_same_number_is_left_alone(people, routine):
    (person,) = people(1)
    one = user("a", "a@example.jp", pk=person)
    message = send_to(one)
    routine.turn()
    withdraw_person(resident=person, now=NOW)
    routine.settle(Result.GONE, code=550, text="5.1.1 unknown")
    assert states(message) == {(STAFF_FROM + one, "mail"): State.FAILED}
    assert Address.objects.get(resident=person).retired_at is None
    assert residents.totals().mail == 1


def test_it_stands_on_no_board_and_fades_like_all_else(routine):
    message = send_to(user("a", "a@example.jp"))
    routine.settle()
    assert queries.latest() is None
    assert queries.sent(5, now=NOW) == ()
    assert count(now=NOW) == ()
    assert not Movement.objects.uncounted().exists()
    assert due(before=later(1)) == [message]
    assert fade_ledger(before=later(1), now=later(1)) == 1
    assert not LedgerRow.objects.exists()
