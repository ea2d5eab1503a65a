"""From a message to the ledger: nobody is lost, nobody is counted twice, whatever happens."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Dispatch, LedgerRow, Target
from policity.foundations.delivery.rules import batches as batch_rules
from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.rules.ledger import FEW_DEAD, IN_DOUBT, TRIES, State, believable
from policity.foundations.delivery.services import approve, expanding, send, withdraw
from policity.foundations.delivery.services import sending as sending_service
from policity.foundations.delivery.services.sending import recover
from policity.foundations.delivery.tests.conftest import (
    NOW,
    Office,
    later,
    send_of,
    states,
    tell_of,
)
from policity.foundations.residents import services as residents
from policity.foundations.residents.models import Address
from policity.foundations.residents.queries import forget
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.work.models import Item as WorkItem
from policity.kit.declare import Lane
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")


def whole(message):
    found = queries.status(message)
    assert found is not None
    assert found.whole, found
    return {word: count for word, count in found.states.items() if count}


def test_everybody_who_chose_it_is_handed_it_once(people, office):
    persons = people(3) + people(2, ("mail", "push")) + people(1, ("push",)) + people(1, ())
    message = send_of().pk
    office.settle()
    assert len(office.begun) == 3 + 4 + 1
    assert whole(message) == {"handed": 6, "unreachable": 1}
    assert set(Target.objects.values_list("person", flat=True)) == set(persons)
    assert queries.status(message).channels == {
        "mail": {"handed": 5},
        "none": {"unreachable": 1},
        "push": {"handed": 3},
    }
    assert not WorkItem.objects.filter(kind__in=[batch_rules.EXPAND, *queries.SENDS]).exists()
    office.settle()
    assert len(office.begun) == 8


def test_who_did_not_choose_it_is_no_target(people, office):
    people(2, wants="weather:extreme")
    people(2, wants="-")
    (heard,) = people(1, wants="weather:severe")
    message = send_of(severity=Severity.SEVERE).pk
    office.settle()
    assert [item.person for item in office.begun] == [heard]
    assert whole(message) == {"handed": 1}


def test_sums_hold_after_every_chunk_and_sending_starts_with_the_first(people, office, monkeypatch):
    monkeypatch.setattr(expanding, "CHUNK", 4)
    monkeypatch.setattr(expanding, "SIZE", 2)
    people(10)
    message = send_of().pk
    seen = []
    for _ in range(6):
        office.turn()
        found = queries.status(message)
        assert found.whole
        seen.append((found.targets, found.expanding))
        office.answer(office.take())
    assert seen[:4] == [(4, True), (8, True), (10, False), (10, False)]
    first_handed = [item.person for item in office.begun[:4]]
    assert len(first_handed) == 4
    office.settle()
    assert whole(message) == {"handed": 10}


def test_an_expansion_that_was_killed_goes_on_where_it_was(people, tmp_path, monkeypatch):
    monkeypatch.setattr(expanding, "CHUNK", 3)
    people(8)
    message = send_of().pk
    first = Office(tmp_path / "first")
    first.turn()
    first.turn()
    assert queries.status(message).targets == 6
    recover(Lane.URGENT, [], now=NOW)
    second = Office(tmp_path / "second")
    second.settle()
    assert whole(message) == {"handed": 8}
    assert not queries.status(message).expanding


def test_the_same_person_cannot_stand_in_the_ledger_twice(people, office):
    (person,) = people(1)
    message = send_of().pk
    office.settle()
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerRow.objects.create(
            message_id=message, person=person, channel="mail", state=3, changed_at=NOW
        )


def test_a_temporary_failure_is_tried_again_in_seconds(people, office):
    people(2)
    message = send_of().pk
    office.turn()
    office.turn()
    one, other = office.take()
    office.answer([one], Result.LATER, 450, "later")
    office.answer([other])
    office.turn()
    assert whole(message) == {"queued": 1, "handed": 1}
    row = LedgerRow.objects.get(message=message, person=one.person)
    assert (row.tries, row.reason) == (1, "450 later")
    office.turn()
    assert office.take() == []
    office.settle(now=NOW + timedelta(seconds=2))
    assert whole(message) == {"handed": 2}
    assert len(office.begun) == 3


def test_what_nobody_takes_is_given_up_and_listed(people, office):
    people(1)
    message = send_of().pk
    office.settle(Result.LATER, code=421, text="busy", now=NOW, rounds=3)
    LedgerRow.objects.update(tries=TRIES - 1)
    office.settle(Result.LATER, code=421, text="busy", now=later(60), rounds=4)
    assert whole(message) == {"failed": 1}
    assert LedgerRow.objects.get().reason


def test_a_final_failure_is_final_and_its_reason_stands(people, office):
    (person,) = people(1)
    message = send_of().pk
    office.settle(Result.FAILED, code=554, text="no thanks")
    office.settle()
    assert whole(message) == {"failed": 1}
    assert LedgerRow.objects.get().reason == "554 no thanks"
    assert Address.objects.usable().filter(resident=person).exists()
    assert len(office.begun) == 1


def test_a_dead_address_is_used_no_more(people, office):
    (person,) = people(1)
    first = send_of().pk
    office.settle(Result.GONE, code=550, text="no such user")
    assert whole(first) == {"failed": 1}
    address = Address.objects.get(resident=person)
    assert (address.retired_at, address.retired_for) == (NOW, "550 no such user")
    second = send_of("story:2").pk
    office.settle()
    assert whole(second) == {"unreachable": 1}


def test_a_gateway_that_calls_everybody_dead_is_not_believed(people, office):
    people(FEW_DEAD + 1)
    message = send_of().pk
    office.settle(Result.GONE, code=550, text="relay not permitted")
    assert whole(message) == {"failed": FEW_DEAD + 1}
    assert Address.objects.usable().count() == FEW_DEAD + 1
    office.settle()
    assert len(office.begun) == FEW_DEAD + 1


@pytest.mark.parametrize(
    ("dead", "answers", "fault"),
    [(20, 20, True), (21, 41, False), (21, 42, True), (500, 500, False), (0, 0, True)],
)
def test_how_many_dead_addresses_are_believed(dead, answers, fault):
    assert believable(dead, answers) is fault


def test_an_address_that_was_changed_meanwhile_is_not_retired(people, office):
    (person,) = people(1)
    send_of()
    office.turn()
    office.turn()
    items = office.take()
    Address.objects.filter(resident=person).update(value="new@example.jp")
    office.answer(items, Result.GONE, 550, "no such user")
    office.turn()
    assert Address.objects.usable().filter(resident=person).exists()


def test_quiet_hours_hold_back_what_is_no_danger_to_life(people, office):
    asleep = people(1, quiet=(11 * 60, 13 * 60))
    awake = people(1, quiet=(22 * 60, 6 * 60))
    message = send_of(severity=Severity.MODERATE).pk
    office.settle(rounds=6)
    assert [item.person for item in office.begun] == awake
    assert whole(message) == {"queued": 1, "handed": 1}
    office.settle(now=later(59), rounds=4)
    assert len(office.begun) == 1
    office.settle(now=later(60), rounds=6)
    assert [item.person for item in office.begun[1:]] == asleep
    assert whole(message) == {"handed": 2}


def test_danger_to_life_wakes_everybody(people, office):
    people(1, quiet=(0, 1439))
    message = send_of(severity=Severity.SEVERE).pk
    office.settle()
    assert whole(message) == {"handed": 1}


def test_a_correction_withdraws_what_waits_and_goes_to_the_others_first(people, office):
    people(6)
    first = send_of().pk
    office.turn()
    office.turn()
    begun = office.take(2)
    office.answer(begun[:1])
    office.turn()
    correction = send_of(corrects=True, only_followers=True).pk
    assert whole(first)["withdrawn"] == 5
    # One mail is on its way: the correction waits for it.
    office.turn()
    assert office.take() == []
    assert queries.status(correction).targets == 0
    office.answer(begun[1:])
    office.turn()
    assert whole(first) == {"withdrawn": 4, "handed": 2}
    office.settle(now=later(0.01))
    assert whole(correction) == {"handed": 2}
    assert {item.person for item in office.begun[2:]} == {item.person for item in begun}


def test_a_correction_overtakes_everything(people, office, monkeypatch):
    monkeypatch.setattr(expanding, "SIZE", 1)
    monkeypatch.setattr(sending_service, "BATCHES", 1)
    people(2)
    wrong = send_of("story:wrong").pk
    office.settle()
    for number in range(5):
        send_of(f"story:{number}")
    correction = send_of("story:wrong", corrects=True, only_followers=True).pk
    for _ in range(4):
        office.turn(later(0.1))
    office.begun.clear()
    composed = {b"".join(item.pieces) for item in office.take(2)}
    assert wrong != correction
    assert all(f"<{correction}.".encode() in body for body in composed)


def test_how_a_story_ends_is_for_those_who_were_told_of_it(people, office):
    told = people(2)
    first = send_of().pk
    office.settle()
    people(3)
    ended = send_of(corrects=True, only_followers=True).pk
    office.settle(now=later(1))
    assert whole(first) == {"handed": 2}
    assert whole(ended) == {"handed": 2}
    assert {item.person for item in office.begun[2:]} == set(told)


def test_whoever_leaves_gets_nothing_that_still_waits(people, office):
    gone, stays = people(2)
    message = send_of().pk
    office.turn()
    residents.leave(resident=gone, now=NOW)
    office.settle()
    assert [item.person for item in office.begun] == [stays]
    assert whole(message) == {"withdrawn": 1, "handed": 1}


def test_an_address_that_goes_away_while_its_mail_waits_is_listed(people, office):
    (person,) = people(1)
    message = send_of().pk
    office.turn()
    Address.objects.filter(resident=person).delete()
    office.settle()
    assert whole(message) == {"failed": 1}


def test_a_result_counts_for_its_own_attempt_only(people, office):
    people(1)
    message = send_of().pk
    office.turn()
    office.turn()
    items = office.take()
    # The lease ran out, and somebody else claimed the batch.
    WorkItem.objects.update(attempt=7)
    office.answer(items)
    office.turn()
    assert whole(message) == {"queued": 1}
    assert WorkItem.objects.filter(attempt=7).exists()


def test_nothing_is_begun_after_two_thirds_of_the_lease(people, office):
    people(3)
    message = send_of().pk
    office.turn()
    office.turn()
    office.answer(office.take(1))
    office.seconds = sending_service.LEASE.total_seconds() * 2 / 3
    assert office.take() == []
    office.turn()
    assert whole(message) == {"queued": 2, "handed": 1}
    office.settle()
    assert whole(message) == {"handed": 3}


@pytest.mark.parametrize(
    ("severity", "expected"), [(Severity.SEVERE, "queued"), (Severity.MODERATE, "failed")]
)
def test_after_a_crash_only_what_was_begun_is_in_doubt(people, tmp_path, severity, expected):
    people(5)
    message = send_of(severity=severity).pk
    died = Office(tmp_path / "hand")
    died.turn()
    died.turn()
    begun = died.take(3)
    died.answer(begun[:2])
    folders = [tray.log.folder for tray in died.trays.values()]
    recover(Lane.URGENT, folders, now=NOW)
    states = whole(message)
    assert states.pop("handed") == 2
    assert states == ({"queued": 3} if expected == "queued" else {"queued": 2, "failed": 1})
    doubtful = LedgerRow.objects.get(message=message, person=begun[2].person)
    assert (State(doubtful.state).word, doubtful.reason) == (expected, IN_DOUBT)
    next_one = Office(tmp_path / "hand")
    next_one.settle()
    assert whole(message) == ({"handed": 5} if expected == "queued" else {"handed": 4, "failed": 1})
    assert len(next_one.begun) == (3 if expected == "queued" else 2)


def test_a_log_that_was_cut_off_says_what_it_says(people, tmp_path):
    people(2)
    message = send_of().pk
    died = Office(tmp_path / "hand")
    died.turn()
    died.turn()
    died.answer(died.take())
    file = next((tmp_path / "hand" / "mail").glob("*.log"))
    file.write_bytes(file.read_bytes()[:-4])
    recover(Lane.URGENT, [file.parent], now=NOW)
    assert whole(message) == {"handed": 1, "queued": 1}
    assert list(file.parent.glob("*.log")) == []


def test_a_long_log_is_turned_over_and_loses_nothing(people, office, monkeypatch):
    monkeypatch.setattr("policity.foundations.delivery.channels.desk.LONGEST", 10)
    people(3)
    message = send_of().pk
    office.turn()
    office.turn()
    begun = office.take()
    office.answer(begun[:1])
    office.turn()
    (file,) = (office.folder / "mail").glob("*.log")
    assert file.name != "000000.log"
    recover(Lane.URGENT, [file.parent], now=NOW)
    assert whole(message) == {"handed": 1, "queued": 2}
    assert LedgerRow.objects.filter(reason=IN_DOUBT).count() == 2


def test_answers_are_kept_while_the_ledger_cannot_be_written(people, office, monkeypatch):
    people(2)
    message = send_of().pk
    office.turn()
    office.turn()
    office.answer(office.take())

    def full(*args, **kwargs):
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(sending_service, "record", full)
        with pytest.raises(OSError, match="disk full"):
            office.turn()
    assert whole(message) == {"queued": 2}
    office.turn()
    assert whole(message) == {"handed": 2}


def test_nothing_goes_out_before_it_is_approved(people, office, django_user_model):
    people(1)
    staff = django_user_model.objects.create(username="bosai")
    message = tell_of()
    audience = Audience("weather", Severity.SEVERE)
    send(messages=[message], audience=audience, by=None, now=NOW, approved=False)
    office.settle()
    assert office.begun == []
    approve(message=message.pk, by=staff, now=later(1))
    office.settle(now=later(1))
    assert whole(message.pk) == {"handed": 1}
    dispatch = Dispatch.objects.get()
    assert (dispatch.approved_by, dispatch.approved_at) == (staff, later(1))


def test_withdrawn_before_it_was_expanded_it_reaches_nobody(people, office):
    people(2)
    message = send_of().pk
    withdraw(message=message, now=NOW)
    office.settle()
    assert office.begun == []
    assert whole(message) == {}


def test_routine_work_rests_while_anything_is_urgent(people, tmp_path):
    WorkItem.objects.all().delete()
    people(2, wants="notice:minor;weather:minor")
    send_of("news:1", Severity.MINOR, "notice")
    routine = Office(tmp_path / "routine", Lane.ROUTINE)
    for _ in range(3):
        routine.turn()
    send_of("story:1", Severity.SEVERE)
    routine.turn()
    assert routine.take() == []
    Office(tmp_path / "urgent").settle()
    routine.turn()
    # They went back, and come again.
    assert len(routine.take()) == 2
    routine.answer(routine.begun)
    routine.settle()


@pytest.mark.parametrize("count", [1, 50])
def test_as_many_queries_for_one_person_as_for_fifty(
    people, office, count, django_assert_max_num_queries
):
    people(count, ("mail", "push"))
    message = send_of().pk
    residents_found = queries.status(message)
    assert residents_found
    with django_assert_max_num_queries(75):
        office.settle()
    assert whole(message) == {"handed": count}


RESULTS = st.sampled_from([Result.HANDED, Result.LATER, Result.FAILED, Result.GONE, Result.DOUBT])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_happens_the_sums_hold_and_nobody_is_lost(people, tmp_path_factory, data):
    forget()
    with transaction.atomic():
        count = data.draw(st.integers(1, 6))
        people(count, ("mail", "push"))
        message = send_of().pk
        folder = tmp_path_factory.mktemp("hand")
        office, under_way = Office(folder), []
        for _ in range(data.draw(st.integers(1, 12))):
            act = data.draw(
                st.sampled_from(["turn", "take", "answer", "crash", "withdraw", "wait"])
            )
            if act == "turn":
                office.turn()
            elif act == "take":
                under_way += office.take(data.draw(st.integers(1, 4)))
            elif act == "answer" and under_way:
                office.answer([under_way.pop(0)], data.draw(RESULTS), 1, "so")
            elif act == "crash":
                recover(Lane.URGENT, [tray.log.folder for tray in office.trays.values()], now=NOW)
                office, under_way = Office(folder), []
            elif act == "wait":
                office.seconds += 50
            elif act == "withdraw" and data.draw(st.booleans()):
                withdraw(message=message, now=NOW)
            whole(message)
        office.answer(under_way)
        for minute in range(3):
            office.settle(now=later(10 * (minute + 1)))
        found = whole(message)
        assert "queued" not in found
        assert sum(found.values()) in (0, count)
        if Dispatch.objects.get().stage == Dispatch.Stage.ACCEPTED:
            assert sum(found.values()) == count
        transaction.set_rollback(True)


def test_states_say_what_was_proven(people, office):
    (person,) = people(1, ("mail", "push"))
    message = send_of().pk
    office.turn()
    office.turn()
    mail, push = office.take()
    office.answer([mail], Result.FAILED, 554, "no")
    office.answer([push], Result.HANDED, 201, "")
    office.turn()
    assert states(message) == {(person, "mail"): State.FAILED, (person, "push"): State.HANDED}
    assert whole(message) == {"handed": 1}
