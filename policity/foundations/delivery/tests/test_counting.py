"""Counts for the board: what they say is what the ledger says, and each change is counted once."""

from collections import Counter
from datetime import timedelta

import pytest

from policity.foundations.delivery import queries, services
from policity.foundations.delivery.models import LedgerRow, Movement, Reach, Reply, Standing
from policity.foundations.delivery.rules.handing import Result
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.rules.reach import Why
from policity.foundations.delivery.services import bouncing
from policity.foundations.delivery.services.counting import moved
from policity.foundations.delivery.services.telling import withdraw_person
from policity.foundations.delivery.tests.conftest import NOW, later, send_of
from policity.foundations.places.models import Town
from policity.foundations.residents.models import Place, Resident

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def mixed(people, office):
    """A dispatch whose persons stand in every state, on one channel or two, in two towns."""
    first, second = Town.objects.here()[:2]
    persons = people(9, ("mail", "push")) + people(9, language="en") + people(2, ())
    for person in persons[1::2]:
        Place.objects.filter(resident=person).update(town=second)
        # The first one counts.
        Place.objects.create(resident_id=person, town=first)
    message = send_of().pk
    office.settle()
    rows = list(LedgerRow.objects.filter(message=message).exclude(channel="none"))
    for number, row in enumerate(rows):
        state = State(1 + number % 7)
        LedgerRow.objects.filter(pk=row.pk).update(state=state, reason="550 no such user")
    moved([message])
    return message


def by_hand(message):
    """Everybody's furthest state, by the plainest way there is."""
    furthest: dict[int, int] = {}
    for person, state in LedgerRow.objects.filter(message=message).values_list("person", "state"):
        furthest[person] = max(state, furthest.get(person, 0))
    return furthest


def tally(states):
    found = Counter(states)
    return tuple(found[state.value] for state in State)


def test_a_count_is_the_ledger(mixed):
    found = queries.count(mixed, now=NOW)
    furthest = by_hand(mixed)
    assert found.whole
    assert found.split.states == tally(furthest.values())
    # Nobody twice, nobody left out, whatever one splits by.
    for town in Town.objects.here()[:2]:
        there = [
            state
            for person, state in furthest.items()
            if Place.objects.filter(resident=person).order_by("pk")[0].town_id == town.pk
        ]
        assert found.split.towns[town.pk] == tally(there)
    for language in ("ja", "en"):
        spoken = Resident.objects.filter(language=language).values_list("pk", flat=True)
        assert found.split.languages[language] == tally(furthest[person] for person in spoken)
    for channel in ("mail", "push", "none"):
        rows = LedgerRow.objects.filter(message=mixed, channel=channel)
        assert found.split.channels[channel] == tally(rows.values_list("state", flat=True))
    assert found.split.why == {Why.UNKNOWN: found.split.states[State.FAILED]}
    status = queries.status(mixed)
    assert tuple(status.states[state.word] for state in State) == found.split.states


def test_a_sample_adds_up_and_is_the_ledger_of_its_moment(mixed):
    assert services.count(now=later(1)) == (mixed,)
    (sample,) = queries.samples(mixed)
    assert sample.whole
    assert sample.at == later(1)
    assert sample.targets == len(by_hand(mixed))
    assert sample.states == tally(by_hand(mixed).values())


def test_who_has_left_counts_in_no_town(mixed):
    gone = Resident.objects.first()
    gone.delete()
    found = queries.count(mixed, now=NOW)
    assert found.whole
    assert sum(found.split.towns[None]) == sum(found.split.languages[None]) == 1


def test_what_has_not_moved_is_not_counted_again(mixed, django_assert_num_queries):
    assert services.count(now=later(1)) == (mixed,)
    with django_assert_num_queries(1):
        assert services.count(now=later(2)) == ()
    assert Reach.objects.count() == 1


def test_a_kept_standing_is_shown_without_counting(mixed, django_assert_num_queries):
    services.count(now=later(1))
    with django_assert_num_queries(1):
        found = queries.standings([mixed], now=later(900))
    # Nothing has changed, so that it is true now.
    assert found[mixed].at == later(900)
    assert found[mixed].split == queries.count(mixed, now=NOW).split


def test_a_standing_that_is_no_longer_true_is_shown_while_fresh_and_then_counted(mixed):
    services.count(now=NOW)
    LedgerRow.objects.filter(message=mixed).update(state=State.SEEN)
    moved([mixed])
    old = queries.standings([mixed], now=NOW + queries.FRESH)[mixed]
    assert old.at == NOW
    assert old.split.states[State.FAILED]
    late = NOW + queries.FRESH + timedelta(seconds=1)
    new = queries.standings([mixed], now=late)[mixed]
    assert new.at == late
    assert new.split.states[State.SEEN] == new.targets


def test_without_a_counter_the_board_counts_itself(mixed):
    assert queries.standings([mixed], now=NOW)[mixed].whole
    assert not Standing.objects.exists()


def test_the_curve_of_a_dispatch_from_nobody_to_everybody(people, office):
    people(8)
    message = send_of().pk
    services.count(now=NOW)
    office.turn()
    services.count(now=later(1))
    office.turn()
    items = office.take()
    office.answer(items[:4])
    office.turn()
    services.count(now=later(2))
    office.answer(items[4:])
    office.settle()
    services.count(now=later(3))
    assert [(s.targets, s.reached) for s in queries.samples(message)] == [
        (0, 0), (8, 0), (8, 4), (8, 8)
    ]  # fmt: skip
    assert all(sample.whole for sample in queries.samples(message))


def handed(people, office):
    (person,) = people(1)
    message = send_of().pk
    office.settle()
    return message, person


def waiting(people, office):
    (person,) = people(1)
    message = send_of().pk
    office.turn()
    return message, person


def bounced(message, person, monkeypatch):
    monkeypatch.setattr(bouncing, "read_verp", lambda to, key: (message, person))
    data = (
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n"
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\n"
        b"Final-Recipient: rfc822; p@example.jp\nAction: failed\nStatus: 5.1.1\n\n--x--\n"
    )
    assert services.bounce(data, to="b@example.jp", now=later(2)) is State.FAILED


VERBS = {
    "reply": (
        handed,
        lambda message, person, _: services.reply(
            message=message, person=person, channel="mail", answer=Reply.Answer.SEEN, now=later(2)
        ),
    ),
    "bounce": (handed, bounced),
    "withdraw": (
        waiting,
        lambda message, person, _: services.withdraw(message=message, now=later(2)),
    ),
    "leave": (
        waiting,
        lambda message, person, _: withdraw_person(resident=person, now=later(2)),
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_whatever_changes_the_ledger_is_counted(verb, people, office, monkeypatch):
    before, change = VERBS[verb]
    message, person = before(people, office)
    services.count(now=later(1))
    was = queries.standings([message], now=later(1))[message].split.states
    change(message, person, monkeypatch)
    assert services.count(now=later(3)) == (message,)
    found = queries.standings([message], now=later(3))[message]
    assert found.split.states != was
    assert found.split.states == tally(by_hand(message).values())


def test_answers_of_gateways_are_counted(people, office):
    people(1)
    message = send_of().pk
    office.turn()
    services.count(now=later(1))
    office.settle(Result.FAILED, code=554, text="no thanks")
    assert services.count(now=later(2)) == (message,)
    assert queries.samples(message)[-1].states[State.FAILED] == 1


def test_messages_to_an_account_are_not_counted(people, office):
    people(1)
    send_of(kind="account")
    assert Movement.objects.uncounted().exists()
    assert services.count(now=NOW) == ()
    assert not Standing.objects.exists()
    assert not Movement.objects.uncounted().exists()
