"""Registering, confirming, changing, leaving: in time, in one transaction, known to all."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from policity.foundations.places.models import Town
from policity.foundations.residents import queries, services
from policity.foundations.residents.models import Address, Departure, Label, Place, Resident
from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.addresses import BadAddress, Subscription
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services import BadRegistrationError, Dead
from policity.foundations.residents.services.registering import (
    MAIL_AGAIN_AFTER,
    MOST_PLACES,
    UNCONFIRMED_FOR,
    forget_unconfirmed,
)
from policity.foundations.residents.signals import left, link_wanted
from policity.kit.severity import Severity

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
EVERYBODY = Audience("evacuation", Severity.EXTREME)
MAIL, OTHER = "a@example.jp", "b@example.jp"

pytestmark = pytest.mark.usefixtures("city")


def waiting(resident):
    """The number of somebody's mail address that was added last, whether confirmed or not."""
    last = Address.objects.filter(resident=resident, channel="mail").order_by("pk").last()
    return last.pk if last else 0


@pytest.fixture
def towns():
    return [town.pk for town in Town.objects.here()]


@pytest.fixture
def told():
    """What other rooms were told, each with whether it was in a transaction."""
    found = []

    def hear(signal, **said):
        said.pop("sender")
        name = "link" if signal is link_wanted else "left"
        found.append((name, said.get("purpose"), said["resident"]))
        # The transaction of a test is the outer one: this is a savepoint of the service's.
        assert connection.savepoint_ids

    for signal in (link_wanted, left):
        signal.connect(hear, weak=False, dispatch_uid="told")
    yield found
    for signal in (link_wanted, left):
        signal.disconnect(dispatch_uid="told")


def browser(number=1):
    return Subscription(f"https://push.example/{number}", "B" + "A" * 86, "A" * 22)


@pytest.fixture
def register(towns):
    def register(email=MAIL, confirmed=True, at=NOW, **said):
        number = services.register(
            **{"town": towns[0], "language": "ja", "email": email, "now": at} | said
        )
        if confirmed and email:
            services.confirm_mail(resident=number, address=waiting(number), now=at)
        return number

    return register


def heard():
    return queries.find(EVERYBODY).persons.tolist()


def state():
    """All that is kept of people, as it is stored."""
    tables = (Resident, Place, Address, Departure)
    return [list(table.objects.order_by("pk").values_list()) for table in tables]


def recipients(number):
    return [one.value for one in queries.recipients("mail", [number])]


# Coming.


def test_somebody_registers_confirms_and_is_reached(register, told, towns):
    number = register(confirmed=False, town=towns[3], language="ko")
    assert told == [("link", Purpose.CONFIRM, number)]
    assert recipients(number) == []
    assert heard() == [number]
    services.confirm_mail(resident=number, address=waiting(number), now=NOW + MOMENT)
    assert recipients(number) == [MAIL]
    who = queries.registration(number)
    assert (who.language, who.wants, who.quiet) == ("ko", choices.defaults(), None)
    assert [place.town.id for place in who.places] == [towns[3]]


def test_a_browser_is_reached_at_once(register, told):
    number = register(email="", push=browser())
    assert told == []
    assert [one.value for one in queries.recipients("push", [number])] == [browser().endpoint]


@pytest.mark.parametrize("wants", [None, choices.defaults()], ids=["none", "the same"])
def test_who_takes_the_defaults_follows_them(register, wants):
    register(wants=wants)
    assert Resident.objects.get().wants == ""


def test_who_wants_nothing_hears_nothing(register):
    register(wants={}, quiet=choices.Quiet(1320, 360))
    assert heard() == []
    assert queries.registration(Resident.objects.get().pk).quiet == choices.Quiet(1320, 360)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"email": ""}, BadRegistrationError),
        ({"email": "x"}, BadAddress),
        ({"language": "fr"}, BadRegistrationError),
        ({"town": 10**9}, BadRegistrationError),
    ],
)
def test_what_cannot_be_registered_leaves_nothing(register, told, said, error):
    with pytest.raises(error):
        register(confirmed=False, **said)
    assert state() == [[], [], [], []]
    assert told == []


def test_a_town_that_is_gone_cannot_be_chosen(register, towns):
    Town.objects.filter(pk=towns[0]).update(closed_at=NOW)
    with pytest.raises(BadRegistrationError):
        register()


# A known address.


def test_a_known_address_is_sent_its_link_and_nothing_is_changed(register, told, towns):
    number = register()
    before, version = state(), queries.version()
    told.clear()
    later = NOW + MAIL_AGAIN_AFTER
    assert register(confirmed=False, at=later, town=towns[5], language="en") == number
    assert told == [("link", Purpose.CHANGE, number)]
    assert state()[:2] == before[:2]
    assert (queries.version(), Address.objects.count()) == (version, 1)


def test_an_unconfirmed_address_is_asked_again_and_has_its_time_anew(register, told):
    number = register(confirmed=False)
    late = NOW + UNCONFIRMED_FOR - MOMENT
    assert register(confirmed=False, at=late) == number
    assert told == [("link", Purpose.CONFIRM, number)] * 2
    services.confirm_mail(
        resident=number, address=waiting(number), now=NOW + 2 * UNCONFIRMED_FOR - 2 * MOMENT
    )
    assert recipients(number) == [MAIL]


def test_nobodys_mailbox_is_filled(register, told):
    number = register()
    told.clear()
    for seconds in range(0, int(MAIL_AGAIN_AFTER.total_seconds()), 30):
        assert register(confirmed=False, at=NOW + timedelta(seconds=seconds)) == number
    assert told == []


def test_a_dead_address_is_not_written_to(register, told):
    number = register()
    services.retire([Dead(number, "mail", MAIL, "550")], now=NOW)
    told.clear()
    assert register(confirmed=False, at=NOW + MAIL_AGAIN_AFTER) == number
    assert told == []


def test_who_confirmed_an_address_is_its_owner(register, told):
    """Somebody else may have typed it too, as theirs, and cannot confirm it."""
    typed = register(email=OTHER)
    services.change_mail(resident=typed, email=MAIL, now=NOW)
    owner = register(at=NOW, email="c@example.jp")
    services.change_mail(resident=owner, email=MAIL, now=NOW)
    services.confirm_mail(resident=owner, address=waiting(owner), now=NOW)
    told.clear()
    assert register(confirmed=False, at=NOW + MAIL_AGAIN_AFTER) == owner
    assert told == [("link", Purpose.CHANGE, owner)]


def test_the_same_browser_begins_anew(register, told):
    old = register(email="", push=browser())
    new = register(email="", push=browser(), at=NOW + MOMENT)
    assert new != old
    assert told == [("left", None, old)]
    assert heard() == [new]
    assert Departure.objects.get().resident == old


# Confirming.


def test_confirming_twice_is_once(register):
    number = register()
    before, version = state(), queries.version()
    services.confirm_mail(resident=number, address=waiting(number), now=NOW + 9 * UNCONFIRMED_FOR)
    assert (state(), queries.version()) == (before, version)


@pytest.mark.parametrize(("late", "taken"), [(timedelta(0), True), (MOMENT, False)])
def test_an_address_is_confirmed_in_time_or_not_at_all(register, late, taken):
    number = register(confirmed=False)
    if taken:
        services.confirm_mail(
            resident=number, address=waiting(number), now=NOW + UNCONFIRMED_FOR + late
        )
    else:
        with pytest.raises(BadRegistrationError):
            services.confirm_mail(
                resident=number, address=waiting(number), now=NOW + UNCONFIRMED_FOR + late
            )
    assert bool(recipients(number)) == taken


@pytest.mark.parametrize("gone", ["left", "never", "push only"])
def test_where_no_address_waits_nothing_is_confirmed(register, gone):
    number = register(email="", push=browser())
    if gone == "left":
        services.leave(resident=number, now=NOW)
    with pytest.raises(BadRegistrationError):
        services.confirm_mail(
            resident=number if gone != "never" else 10**9, address=waiting(number), now=NOW
        )


def test_an_unconfirmed_registration_is_forgotten(register, told):
    late = register(confirmed=False)
    kept = register(email=OTHER, confirmed=False, at=NOW + MOMENT)
    both = register(email="c@example.jp", confirmed=False, push=browser())
    told.clear()
    heard()
    forget_unconfirmed(now=NOW + UNCONFIRMED_FOR + MOMENT)
    assert told == [("left", None, late)]
    assert heard() == [kept, both]
    assert [one.value for one in queries.recipients("push", [both])]


def test_one_of_a_list_is_never_forgotten(register):
    number = register(confirmed=False)
    Resident.objects.filter(pk=number).update(external_id="p1")
    forget_unconfirmed(now=NOW + 100 * UNCONFIRMED_FOR)
    assert heard() == [number]


def test_registering_forgets_those_who_never_confirmed(register):
    register(confirmed=False)
    number = register(email=OTHER, at=NOW + 2 * UNCONFIRMED_FOR)
    assert heard() == [number]
    assert set(Address.objects.values_list("value", flat=True)) == {OTHER}


# Changing.


def test_new_choices_are_heard_at_once(register):
    number = register()
    assert heard() == [number]
    quiet = choices.Quiet(0, 60)
    services.change(
        resident=number,
        language="en",
        wants={"notice": Severity.MINOR},
        quiet=quiet,
        born=1950,
        now=NOW,
    )
    assert heard() == []
    found = queries.find(Audience("notice", Severity.MINOR))
    assert (found.persons.tolist(), found.quiet_from.tolist(), found.quiet_to.tolist()) == (
        [number], [0], [60],
    )  # fmt: skip
    services.change(
        resident=number, language="en", wants=choices.defaults(), quiet=None, born=None, now=NOW
    )
    assert (heard(), Resident.objects.get().wants) == ([number], "")
    assert Resident.objects.get().born is None
    with pytest.raises(BadRegistrationError):
        services.change(resident=number, language="x", wants={}, quiet=None, born=None, now=NOW)


def test_places_are_added_and_removed(register, towns):
    number = register()
    audience = Audience("evacuation", Severity.EXTREME, frozenset([towns[1]]))
    assert queries.find(audience).persons.tolist() == []
    services.add_place(resident=number, town=towns[1], label=Label.WORK, now=NOW)
    assert queries.find(audience).persons.tolist() == [number]
    place = next(p for p in queries.registration(number).places if p.town.id == towns[1])
    assert place.label is Label.WORK
    services.remove_place(resident=number, place=place.id, now=NOW)
    assert queries.find(audience).persons.tolist() == []


def test_the_last_place_stays(register):
    number = register()
    with pytest.raises(BadRegistrationError):
        services.remove_place(resident=number, place=Place.objects.get().pk, now=NOW)
    assert heard() == [number]


def test_anothers_place_is_not_removed(register, towns):
    mine, theirs = register(), register(email=OTHER)
    services.add_place(resident=mine, town=towns[1], label=Label.WORK, now=NOW)
    place = Place.objects.get(resident=theirs)
    services.remove_place(resident=mine, place=place.pk, now=NOW)
    assert Place.objects.count() == 3


def test_a_place_is_watched_once_and_not_too_many(register, towns):
    number = register()
    for town in towns[1:MOST_PLACES]:
        services.add_place(resident=number, town=town, label=Label.FAMILY, now=NOW)
    for town in (towns[0], towns[MOST_PLACES], 10**9):
        with pytest.raises(BadRegistrationError):
            services.add_place(resident=number, town=town, label=Label.FAMILY, now=NOW)
    assert Place.objects.count() == MOST_PLACES


def test_another_mail_address_is_used_once_it_is_confirmed(register, told):
    number = register()
    told.clear()
    services.change_mail(resident=number, email="B@EXAMPLE.jp", now=NOW)
    assert told == [("link", Purpose.CONFIRM, number)]
    # Until then the one before is: nobody falls silent by a slip of the hand.
    assert recipients(number) == [MAIL]
    services.confirm_mail(resident=number, address=waiting(number), now=NOW)
    assert recipients(number) == ["B@example.jp"]
    with pytest.raises(services.AlreadyConfirmedError):
        services.change_mail(resident=number, email="B@example.jp", now=NOW)


def test_an_address_that_was_mistyped_ends_nothing(register):
    number = register()
    services.change_mail(resident=number, email=OTHER, now=NOW)
    forget_unconfirmed(now=NOW + UNCONFIRMED_FOR + MOMENT)
    assert recipients(number) == [MAIL]
    assert Address.objects.count() == 1


def test_a_link_proves_its_own_mailbox_and_no_other(register):
    number = register(confirmed=False)
    own = waiting(number)
    services.change_mail(resident=number, email=OTHER, now=NOW + MAIL_AGAIN_AFTER)
    with pytest.raises(BadRegistrationError):
        services.confirm_mail(resident=number, address=own, now=NOW + MAIL_AGAIN_AFTER)
    assert recipients(number) == []


def test_nobody_fills_a_mailbox_by_changing_to_it(register, told):
    number = register()
    told.clear()
    services.change_mail(resident=number, email=OTHER, now=NOW)
    with pytest.raises(BadRegistrationError):
        services.change_mail(resident=number, email=OTHER, now=NOW + MAIL_AGAIN_AFTER - MOMENT)
    assert len(told) == 1


def test_a_browser_belongs_to_one_registration(register):
    first, second = register(), register(email=OTHER)
    services.set_push(resident=first, push=browser(), now=NOW)
    services.set_push(resident=first, push=browser(2), now=NOW)
    services.set_push(resident=second, push=browser(2), now=NOW)
    assert queries.channels([first, second]) == [
        (first, "mail"), (second, "mail"), (second, "push"),
    ]  # fmt: skip


def test_notifications_end_where_mail_is_left(register):
    number = register(push=browser())
    services.drop_push(resident=number, now=NOW)
    assert queries.channels([number]) == [(number, "mail")]
    alone = register(email="", push=browser())
    with pytest.raises(BadRegistrationError):
        services.drop_push(resident=alone, now=NOW)
    assert queries.channels([alone]) == [(alone, "push")]


# Dead addresses.


def test_a_dead_address_is_used_no_more(register):
    one, two = register(push=browser()), register(email=OTHER)
    dead = [Dead(one, "push", browser().endpoint, "gone" * 100), Dead(two, "mail", "", "550")]
    assert services.retire(dead, now=NOW) == 2
    assert queries.channels([one, two]) == [(one, "mail")]
    assert queries.preview(EVERYBODY).unreachable == 1
    assert services.retire(dead, now=NOW) == 0
    reasons = Address.objects.filter(retired_at=NOW).values_list("retired_for", flat=True)
    assert sorted(map(len, reasons)) == [3, 200]


def test_an_address_that_is_another_by_now_stays(register):
    number = register(push=browser())
    services.set_push(resident=number, push=browser(2), now=NOW)
    version = queries.version()
    assert services.retire([Dead(number, "push", browser().endpoint, "410")], now=NOW) == 0
    assert (len(queries.channels([number])), queries.version()) == (2, version)


def test_a_dead_browser_comes_back(register):
    number = register(email="", push=browser())
    services.retire([Dead(number, "push", "", "410")], now=NOW)
    services.set_push(resident=number, push=browser(), now=NOW)
    assert queries.channels([number]) == [(number, "push")]


# Leaving.


def test_who_leaves_is_forgotten_by_the_tables_and_in_memory(register, told, towns):
    number, other = register(push=browser()), register(email=OTHER)
    services.add_place(resident=number, town=towns[1], label=Label.WORK, now=NOW)
    assert heard() == [number, other]
    told.clear()
    services.leave(resident=number, now=NOW)
    assert told == [("left", None, number)]
    assert heard() == [other]
    assert [row.resident for row in Departure.objects.all()] == [number]
    assert queries.registration(number) is None
    for table in (Place, Address):
        assert set(table.objects.values_list("resident", flat=True)) == {other}
    assert queries.find(Audience("account", Severity.MINOR, persons=(number,))).persons.size == 0
    services.leave(resident=number, now=NOW)
    assert len(told) == Departure.objects.count() == 1


# Versions and transactions.


def test_every_change_counts(register, towns):
    number = register(push=browser())
    steps = [
        lambda: services.change(
            resident=number, language="en", wants={}, quiet=None, born=None, now=NOW
        ),
        lambda: services.add_place(resident=number, town=towns[1], label=Label.WORK, now=NOW),
        lambda: services.remove_place(resident=number, place=Place.objects.first().pk, now=NOW),
        lambda: services.drop_push(resident=number, now=NOW),
        lambda: services.set_push(resident=number, push=browser(), now=NOW),
        lambda: services.change_mail(resident=number, email=OTHER, now=NOW),
        lambda: services.confirm_mail(resident=number, address=waiting(number), now=NOW),
        lambda: services.retire([Dead(number, "mail", "", "550")], now=NOW),
    ]
    for step in steps:
        before = queries.version()
        step()
        assert queries.version() > before
        assert Resident.objects.get().version == queries.version()
    before = queries.version()
    services.leave(resident=number, now=NOW)
    assert Departure.objects.get().version == queries.version() > before


def test_what_is_kept_in_memory_is_what_reading_anew_gives(register, towns):
    numbers = [register(email=f"p{n}@example.jp", town=towns[n % 3]) for n in range(9)]
    heard()
    services.leave(resident=numbers[2], now=NOW)
    services.add_place(resident=numbers[4], town=towns[7], label=Label.WORK, now=NOW)
    services.change(resident=numbers[6], language="en", wants={}, quiet=None, born=None, now=NOW)
    asked = [EVERYBODY, *(Audience("weather", Severity.SEVERE, frozenset([t])) for t in towns[:8])]
    kept = [queries.find(audience).persons.tolist() for audience in asked]
    queries.forget()
    assert [queries.find(audience).persons.tolist() for audience in asked] == kept


@pytest.mark.parametrize(
    ("signal", "service", "more"),
    [(link_wanted, services.change_mail, {"email": OTHER}), (left, services.leave, {})],
    ids=["link", "left"],
)
def test_where_another_room_fails_nothing_is_done(register, signal, service, more):
    number = register()
    before = state()

    def fail(**_):
        raise RuntimeError

    signal.connect(fail, weak=False, dispatch_uid="fails")
    try:
        with pytest.raises(RuntimeError):
            service(resident=number, now=NOW, **more)
    finally:
        signal.disconnect(dispatch_uid="fails")
    assert state() == before
    assert heard() == [number]


def test_a_home_that_went_back_is_read_anew(register):
    first = register()
    with transaction.atomic():
        register(email=OTHER)
        assert len(heard()) == 2
        transaction.set_rollback(True)
    assert heard() == [first]


def test_an_area_reaches_the_towns_it_touches_and_who_gave_no_point(register, towns):
    town = Town.objects.get(pk=towns[0])
    inside, unknown, outside = (register(email=f"p{n}@example.jp", town=towns[0]) for n in range(3))
    far = register(email="far@example.jp", town=towns[-1])
    Place.objects.filter(resident=inside).update(lat=town.lat, lon=town.lon)
    Place.objects.filter(resident=outside).update(lat=town.lat + 0.01, lon=town.lon)
    size = 0.0005
    ring = tuple(
        (town.lon + x * size, town.lat + y * size) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )
    audience = queries.within([ring], kind="evacuation", severity=Severity.EXTREME)
    assert queries.find(audience).persons.tolist() == [inside, unknown]
    found = queries.preview(audience)
    assert (found.persons, found.with_point, found.without_point) == (2, 1, 1)
    # Each town that the area touches has its own line, and says the same in sum.
    assert {one.town: one.persons for one in found.towns}[towns[0]] == 2
    assert sum(one.persons for one in found.towns) == 2
    assert far not in queries.find(audience).persons
    assert queries.find(Audience.thaw(audience.freeze())).persons.tolist() == [inside, unknown]


def test_a_question_costs_the_same_for_one_and_for_fifty(register, django_assert_num_queries):
    numbers = [register()]
    heard()
    for count in (1, 50):
        numbers += [register(email=f"p{count}-{n}@example.jp") for n in range(count)]
        with django_assert_num_queries(3):
            heard()
        with django_assert_num_queries(1):
            heard()
        with django_assert_num_queries(1):
            queries.recipients("mail", numbers)
        with django_assert_num_queries(1):
            queries.channels(numbers)


def test_homes_are_counted_once_on_each_channel(register, towns):
    numbers = [register(email=f"p{n}@example.jp", town=towns[n % 2]) for n in range(5)]
    for number, home in zip(numbers, (7, 7, 7, -9, None), strict=True):
        services.add_place(resident=number, town=towns[5], label=Label.WORK, now=NOW)
        Resident.objects.filter(pk=number).update(household=home)
    queries.forget()
    services.set_push(resident=numbers[0], push=browser(), now=NOW)
    services.retire([Dead(numbers[3], "mail", "", "550")], now=NOW)
    found = queries.preview(EVERYBODY)
    assert found.homes == queries.Homes(households=2, mail=1, push=1, unreachable=1, unknown=1)
    there = {one.town: one.homes for one in found.towns}
    # The third lives with the first in one town, the second in the other.
    assert (there[towns[0]].households, there[towns[0]].unknown) == (1, 1)
    assert (there[towns[1]].households, there[towns[1]].unreachable) == (2, 1)
    assert there[towns[5]] == found.homes


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL decides by its statistics")
@pytest.mark.parametrize("persons", [range(1, 501), range(1, 5001, 10)])
@pytest.mark.parametrize("unconfirmed", [False, True])
def test_a_batch_reads_its_own_addresses_and_no_others(persons, unconfirmed):
    with CaptureQueriesContext(connection) as seen:
        queries.recipients("mail", list(persons), unconfirmed=unconfirmed)
        queries.channels(list(persons), unconfirmed=unconfirmed)
    for query in seen:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
            (address, *_) = [row[3] for row in cursor.fetchall()]
        assert re.search(r"SEARCH residents_address .*resident_id[=>]", address), address
