"""Two who do something at one instant, on PostgreSQL: as if one had done it after the other.

SQLite has one writer at a time, and needs no proof. Here each test has a database of its own, and
its two threads commit: what is begun second, while the first has not committed, waits or sees.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from policity.fields.alerts.queries import orders as order_queries
from policity.fields.alerts.rules.drill_texts import drill_texts
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import drilling, orders, records
from policity.fields.alerts.services.orders import ChangedError, Draft, OrderError
from policity.foundations.accounts.models import AuditEntry, Role, User
from policity.foundations.accounts.services import audit, create_staff
from policity.foundations.delivery import services as delivery
from policity.foundations.delivery.models import Alarm, Dispatch, LedgerRow, Reply
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services import expanding
from policity.foundations.delivery.tests.conftest import NOW, TEXTS, send_of
from policity.foundations.places.models import Site, Town
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.services import set_opening
from policity.foundations.publishing.services import mark_stale
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Label, Place, Resident
from policity.foundations.residents.rules.addresses import Subscription
from policity.foundations.residents.services import BadRegistrationError, add_place, register
from policity.foundations.work import services as work
from policity.foundations.work.channels import Ear
from policity.kit.declare import Lane
from policity.project.tests import plugin, postgresql

pytestmark = pytest.mark.skipif(plugin.SERVER is None, reason="SQLite has one writer at a time")
MINUTE = timedelta(minutes=1)
NUMBERS = count(1)


@pytest.fixture(autouse=True)
def _apart(with_city, django_db_blocker, tmp_path, settings) -> Iterator[None]:
    """A database of the test's own; whoever connects in this process connects to it."""
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()
    name = plugin.unused()
    plugin.SERVER.create(name, like=with_city)
    with django_db_blocker.unblock(), postgresql.connected_to(name):
        residents.forget()
        yield


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, bool]:
    """What `second` came to, begun before `first` had committed; and whether it had to wait.

    Where it raised, that is what it came to.
    """
    done, go = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            first()
            done.set()
            go.wait(20)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(_closing, hold)
        while not done.wait(0.02):
            if one.done():
                one.result()
        two = pool.submit(_closing, second)
        waited = _waits(two)
        go.set()
        one.result(20)
        return two.exception(20) or two.result(), waited


def _closing(what: Callable[[], Any]) -> Any:
    try:
        return what()
    finally:
        connection.close()


def _waits(other: Future[Any]) -> bool:
    deadline = monotonic() + 15
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not other.done():
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return True
        assert monotonic() < deadline, "neither done nor waiting"
        sleep(0.02)
    return False


def somebody(role: Role, name: str = "") -> User:
    return create_staff(
        username=name or f"sample-{role}", password="correct-horse-battery",
        display_name=f"見本 {name or role}", roles=[role], starts=date(2026, 11, 1),
    )  # fmt: skip


def towns() -> list[int]:
    return [town.pk for town in Town.objects.here()]


def resident() -> int:
    number = next(NUMBERS)
    push = Subscription(f"https://push.example/{number}", "BA" + "A" * 85, "A" * 22)
    return register(town=towns()[0], language="ja", push=push, now=NOW)


# Work.


def test_two_claims_take_different_items_and_neither_waits():
    work.put("k", "abcd", lane=Lane.URGENT, due=NOW)
    taken: list[work.Claim] = []

    def claim() -> set[str]:
        found = work.claim("k", lane=Lane.URGENT, now=NOW, lease=MINUTE, limit=2)
        taken.extend(found)
        return {one.key for one in found}

    second, waited = meanwhile(claim, claim)
    assert (second, waited) == ({"c", "d"}, False)
    assert len(taken) == 4


def test_whoever_waits_for_work_hears_of_it_when_it_is_committed():
    ear, stop = Ear(), Event()
    try:
        with transaction.atomic():
            work.put("k", ["a"], lane=Lane.URGENT, due=NOW)
            assert not ear.wait(0.2, stop)
        began = monotonic()
        assert ear.wait(10, stop)
        assert monotonic() - began < 5
        assert not ear.wait(0.1, stop)
    finally:
        ear.close()


def test_of_two_machines_one_is_the_worker_until_it_ends():
    one, other, stop = Ear(), Ear(), Event()
    assert one.hold("worker", stop)
    held: list[bool] = []
    waiting = Thread(target=lambda: held.append(other.hold("worker", stop)))
    waiting.start()
    sleep(0.3)
    assert not held
    one.close()
    waiting.join(10)
    assert held == [True]
    stop.set()
    third = Ear()
    assert not third.hold("worker", stop)
    for ear in (other, third):
        ear.close()


def test_who_lost_the_connection_knows_that_another_may_have_taken_over():
    ear, stop = Ear(), Event()
    assert ear.hold("worker", stop)
    ear.still()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(OperationalError):
        ear.still()
    other = Ear()
    assert other.hold("worker", stop)
    other.close()
    ear.close()


# Orders.


def _draft(chosen: list[int], level: Level = Level.EVACUATE) -> Draft:
    return Draft(level, tuple(chosen), "flood", {}, {})


def _asked(chosen: list[int], officer: User, level: Level = Level.EVACUATE) -> int:
    made = orders.compose(draft=_draft(chosen, level), by=officer, now=NOW)
    orders.submit(order=made.pk, seen=made.version, by=officer, now=NOW)
    return made.pk


def _issue(order: int, commander: User) -> Callable[[], Any]:
    return lambda: orders.issue(order=order, seen=1, by=commander, now=NOW + MINUTE)


def test_of_two_orders_at_one_instant_the_second_goes_on_from_the_first():
    officer, commander = somebody(Role.DUTY_OFFICER), somebody(Role.COMMANDER)
    chosen = towns()[:2]
    first = _asked(chosen, officer, Level.ELDERLY)
    second = _asked(chosen, officer)
    issued, waited = meanwhile(_issue(first, commander), _issue(second, commander))
    assert waited
    assert issued.story == first
    assert {view.id for view in order_queries.stands().values()} == {second}
    # Who waited for the first is not told what no longer holds.
    withdrawn = Dispatch.objects.get(
        message__thread=f"alerts:order:{first}", ahead=True, stage="withdrawn"
    )
    assert withdrawn.withdrawn_at is not None


def test_an_order_that_two_issue_is_issued_once():
    officer, commander = somebody(Role.DUTY_OFFICER), somebody(Role.COMMANDER)
    other = somebody(Role.COMMANDER, "other")
    order = _asked(towns()[:1], officer)
    refused, _ = meanwhile(_issue(order, commander), _issue(order, other))
    assert isinstance(refused, ChangedError)
    assert Dispatch.objects.count() == 1


def test_an_order_is_not_withdrawn_twice():
    officer, commander = somebody(Role.DUTY_OFFICER), somebody(Role.COMMANDER)
    order = _asked(towns()[:1], officer)
    _issue(order, commander)()

    def withdraw() -> Any:
        return orders.withdraw(order=order, why="見本", by=commander, now=NOW + 2 * MINUTE)

    refused, _ = meanwhile(withdraw, withdraw)
    assert isinstance(refused, OrderError)


def test_one_state_of_emergency_at_a_time():
    one, other = somebody(Role.COMMANDER), somebody(Role.COMMANDER, "other")
    refused, waited = meanwhile(
        lambda: records.declare_emergency(why="見本の地震", by=one, now=NOW),
        lambda: records.declare_emergency(why="見本の地震", by=other, now=NOW),
    )
    assert waited
    assert isinstance(refused, records.RecordError)


def test_a_site_is_opened_while_an_order_is_issued_and_neither_waits_for_ever():
    """Both mark pages stale and write into the trail, in the same order."""
    shelter = somebody(Role.COMMANDER)
    site = Site.objects.here()[0].pk

    def issue() -> None:
        mark_stale({"alerts:in-force"}, now=NOW)
        sleep(0.3)
        audit.record("order.issued", by=shelter, now=NOW)

    def open_it() -> Any:
        return set_opening(
            site=site, state=Openness.OPEN, evacuees=None, note="", seen=0, by=shelter, now=NOW
        )

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(_closing, transaction.atomic(issue))
        sleep(0.1)
        two = pool.submit(_closing, open_it)
        one.result(20)
        assert two.result(20).site_id == site


# Drills to real people.


def _drill() -> int:
    return delivery.propose_drill(
        thread="drill:1", texts=TEXTS, by=somebody(Role.DUTY_OFFICER), now=NOW
    ).message_id


@pytest.mark.parametrize("real_first", [True, False])
def test_no_drill_goes_out_beside_what_is_severe(real_first):
    one, other = somebody(Role.COMMANDER), somebody(Role.COMMANDER, "other")
    message = _drill()
    delivery.approve_drill(message=message, by=one, now=NOW)

    def approve() -> Any:
        return delivery.approve_drill(message=message, by=other, now=NOW)

    def tell() -> Any:
        return send_of()

    result, waited = meanwhile(*((tell, approve) if real_first else (approve, tell)))
    assert waited
    assert Dispatch.objects.get(message=message).stage == Dispatch.Stage.WITHDRAWN
    assert isinstance(result, delivery.DrillRefusedError) is real_first


def test_no_drill_is_composed_beside_a_state_of_emergency_that_is_just_declared():
    commander, officer = somebody(Role.COMMANDER), somebody(Role.DUTY_OFFICER)
    refused, waited = meanwhile(
        lambda: records.declare_emergency(why="見本の地震", by=commander, now=NOW),
        lambda: drilling.compose(text=next(iter(drill_texts())), by=officer, now=NOW),
    )
    assert waited
    assert isinstance(refused, drilling.DrillError)


# The ledger.


def _expansion(dispatch: Dispatch) -> expanding.Expansion:
    found = expanding.begin(lane=Lane.URGENT, now=NOW)
    assert found is not None
    assert found.message == dispatch.message_id
    return found


@pytest.mark.parametrize("expanded_first", [True, False])
def test_nothing_is_queued_once_it_is_withdrawn(expanded_first):
    for _ in range(3):
        resident()
    dispatch = send_of()
    message = dispatch.message_id
    expansion = _expansion(dispatch)

    def expand() -> Any:
        return expanding.step(expansion, now=NOW)

    def withdraw() -> Any:
        return delivery.withdraw(message=message, now=NOW)

    meanwhile(*((expand, withdraw) if expanded_first else (withdraw, expand)))
    rows = LedgerRow.objects.filter(message=message)
    assert rows.count() == (3 if expanded_first else 0)
    assert not rows.filter(state=State.QUEUED).exists()


def test_who_asks_for_help_twice_at_one_instant_has_one_alarm():
    person = resident()
    dispatch = send_of()
    expanding.step(_expansion(dispatch), now=NOW)

    def say(answer: Reply.Answer) -> Any:
        return delivery.reply(
            message=dispatch.message_id, person=person, channel="push", answer=answer, now=NOW
        )

    def ask() -> Any:
        return say(Reply.Answer.HELP)

    # The ledger has nothing more to note of who has answered.
    say(Reply.Answer.SAFE)

    second, _ = meanwhile(ask, ask)
    assert isinstance(second, Alarm)
    assert Alarm.objects.get().pk == second.pk
    assert Reply.objects.count() == 3


# Residents.


def test_a_person_has_no_more_places_than_there_may_be():
    person = resident()
    chosen = towns()[1:7]
    for town in chosen[:3]:
        add_place(resident=person, town=town, label=Label.WORK, now=NOW)
    refused, _ = meanwhile(
        lambda: add_place(resident=person, town=chosen[4], label=Label.WORK, now=NOW),
        lambda: add_place(resident=person, town=chosen[5], label=Label.WORK, now=NOW),
    )
    assert isinstance(refused, BadRegistrationError)
    assert Place.objects.filter(resident=person).count() == 5


def test_whoever_reads_changes_by_number_misses_none():
    """The first of all changes, too: no number is committed after a higher one."""
    before = residents.version()
    _, waited = meanwhile(resident, resident)
    assert waited
    numbers = sorted(Resident.objects.values_list("version", flat=True))
    assert before < numbers[0] < numbers[1] <= residents.version()


# The audit trail.


def test_the_trail_has_one_order():
    by = somebody(Role.COMMANDER)
    began = AuditEntry.objects.count()
    _, waited = meanwhile(
        lambda: audit.record("one", by=by, now=timezone.now()),
        lambda: audit.record("other", by=by, now=timezone.now()),
    )
    assert waited
    acts = list(AuditEntry.objects.order_by("number").values_list("act", flat=True))
    assert acts[began:] == ["one", "other"]
