"""Signing up, waiting, moving up: everybody is told by the one road, and nobody by another."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policity.foundations.delivery.models import Dispatch, LedgerRow, Message
from policity.foundations.delivery.tests.conftest import Office
from policity.foundations.events import queries, services
from policity.foundations.events.models import Answer, Occurrence, Registration
from policity.foundations.events.rules.reasons import Reason
from policity.foundations.events.rules.repeating import Every
from policity.foundations.events.services.lining import MAIL_AGAIN_AFTER, MOST_WAITING
from policity.foundations.events.tests.conftest import (
    LASTS,
    NOW,
    STARTS,
    event_of,
    joined,
    mail_of,
    off,
    sign_up,
    standing,
    told,
    written,
)
from policity.foundations.residents import queries as residents
from policity.foundations.residents import services as residents_services
from policity.foundations.residents.models import Address, Place, Resident
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.services.registering import UNCONFIRMED_FOR
from policity.kit.declare import Lane
from policity.kit.severity import Severity

pytestmark = pytest.mark.usefixtures("city")


def test_signing_up_counts_once_the_mailbox_says_so(event):
    time = event()
    sign_up(time, 1)
    assert standing(time) == []
    address = Address.objects.get(value=mail_of(1))
    assert told() == [("申込みの確認", (address.resident_id,))]
    services.join(person=address.resident_id, address=address.pk, now=NOW)
    assert standing(time) == [(1, True)]
    assert told()[1:] == [("申し込みました", (address.resident_id,))]
    services.join(person=address.resident_id, address=address.pk, now=NOW)
    assert len(told()) == 2


def test_who_comes_too_late_waits_and_moves_up_when_somebody_cancels(event):
    time = event(capacity=2)
    first, second, third, fourth = (joined(time, number) for number in range(1, 5))
    assert standing(time) == [(1, True), (2, True), (3, False), (4, False)]
    last = Message.objects.latest("pk").pk
    assert services.cancel(registration=first.pk, person=first.person, now=NOW)
    assert standing(time) == [(2, True), (3, True), (4, False)]
    assert told(last) == [("席が空きました", (third.person,))]
    assert [one.ahead for one in queries.mine(fourth.person)] == [0]
    # Pressing twice gives nobody a second seat.
    assert not services.cancel(registration=first.pk, person=first.person, now=NOW)
    assert standing(time) == [(2, True), (3, True), (4, False)]
    # Nor does a stranger's press.
    assert not services.cancel(registration=second.pk, person=fourth.person, now=NOW)


@pytest.mark.parametrize("course", [False, True])
def test_a_reminder_that_waits_for_the_morning_is_not_sent_to_who_cancelled(
    event, tmp_path, course
):
    weekly = {"whole": True, "every": Every.WEEK, "until": (STARTS + timedelta(days=7)).date()}
    time = event(**(weekly if course else {}))
    ours, theirs = joined(time, 1), joined(time, 2)
    Office(tmp_path / "a").settle()
    office = Office(tmp_path / "b", Lane.ROUTINE)
    office.settle()
    night = {"quiet_from": 11 * 60, "quiet_to": 13 * 60}
    Resident.objects.filter(pk__in=[ours.person, theirs.person]).update(**night)
    eve, morning = STARTS - timedelta(hours=24), STARTS - timedelta(hours=22)
    assert services.remind(now=eve) == 1
    office.begun.clear()
    office.settle(now=eve)
    assert office.begun == []
    assert services.cancel(registration=ours.pk, person=ours.person, now=eve)
    office.settle(now=morning)
    assert [item.person for item in office.begun] == [theirs.person]


def test_the_guest_of_an_event_hears_of_that_event_alone(event):
    one = joined(event(), 1)
    totals = residents.totals()
    assert (totals.residents, totals.mail) == (0, 0)
    everybody = Audience("evacuation", Severity.EXTREME)
    assert residents.find(everybody).persons.tolist() == []
    named = Audience("event", Severity.MINOR, persons=(one.person,))
    assert residents.find(named).persons.tolist() == [one.person]


def test_what_is_told_reaches_the_ledger_of_a_guest(event, tmp_path):
    time = event()
    one = joined(time, 1)
    urgent, routine = Office(tmp_path / "a"), Office(tmp_path / "b", Lane.ROUTINE)
    for office in (urgent, routine):
        office.settle()
    ask, seat = Message.objects.order_by("pk")
    # The address was confirmed before the question went out: there is nobody left to ask.
    assert LedgerRow.objects.filter(message=seat, person=one.person, channel="mail").exists()
    (item,) = routine.begun
    assert item.person == one.person
    assert Dispatch.objects.get(message=ask).leads_to == "join_new"


def test_the_question_goes_to_the_address_that_awaits_its_owners_word(event, tmp_path):
    time = event()
    sign_up(time, 1)
    office = Office(tmp_path / "a")
    office.settle()
    (item,) = office.begun
    assert mail_of(1) in item.to
    # Whoever is known already is asked at the address that they confirmed.
    joined(time, 2)
    other = event(starts=STARTS + LASTS, ends=STARTS + 2 * LASTS)
    sign_up(other, 2)
    office.settle()
    assert Dispatch.objects.order_by("-message_id").first().leads_to == "join"
    assert mail_of(2) in office.begun[-1].to


def test_a_line_that_grows_and_shrinks_tells_each_what_became_of_them(event, staff):
    time = event(capacity=3)
    people = [joined(time, number) for number in range(1, 5)]
    last = Message.objects.latest("pk").pk
    services.change(number=time.event_id, event=written(capacity=1), seen=0, by=staff, now=NOW)
    assert standing(time) == [(1, True), (2, False), (3, False), (4, False)]
    down = tuple(sorted(one.person for one in people[1:3]))
    assert told(last) == [("キャンセル待ちになりました", down)]
    last = Message.objects.latest("pk").pk
    services.change(number=time.event_id, event=written(capacity=9), seen=1, by=staff, now=NOW)
    assert told(last) == [("席が空きました", tuple(sorted(one.person for one in people[1:])))]


def test_undoing_a_cancellation_gives_the_same_place_back(event, staff):
    time = event(capacity=1)
    first, second = joined(time, 1), joined(time, 2)
    services.cancel_by_staff(registration=first.pk, by=staff, now=NOW)
    assert standing(time) == [(2, True)]
    services.take_back_cancelling(registration=first.pk, by=staff, now=NOW)
    assert standing(time) == [(1, True), (2, False)]
    assert told()[-2:] == [
        ("席が空きました", (second.person,)), ("キャンセル待ちになりました", (second.person,)),
    ]  # fmt: skip


def test_who_was_written_down_by_staff_stands_in_the_same_line_and_is_called(event, staff):
    time = event(capacity=1)
    first = joined(time, 1)
    services.add_by_staff(
        time=time.pk, name="見本 電話", phone="042-000-0000", seats=1, by=staff, now=NOW
    )
    assert standing(time) == [(1, True), (2, False)]
    assert not Registration.objects.filter(to_call=True).exists()
    services.cancel(registration=first.pk, person=first.person, now=NOW)
    (called,) = Registration.objects.filter(to_call=True)
    assert called.phone == "042-000-0000"
    services.called(registration=called.pk, by=staff, now=NOW)
    assert not Registration.objects.filter(to_call=True).exists()


def test_whoever_leaves_the_citys_lists_leaves_the_line(event):
    time = event(capacity=1)
    first, second = joined(time, 1), joined(time, 2)
    residents_services.leave(resident=first.person, now=NOW)
    services.settle_after_leaving(now=NOW)
    assert standing(time) == [(2, True)]
    assert told()[-1] == ("席が空きました", (second.person,))
    gone = Registration.objects.get(pk=first.pk)
    assert (gone.person, gone.name) == (None, "")


def test_an_address_that_nobody_confirms_is_forgotten_with_its_registration(event):
    time = event()
    sign_up(time, 1)
    later = NOW + UNCONFIRMED_FOR + timedelta(minutes=1)
    sign_up(time, 2, now=later)
    assert not Address.objects.filter(value=mail_of(1)).exists()
    assert Registration.objects.count() == 1


def test_nobodys_mailbox_is_filled_by_who_types_its_address(event):
    time = event()
    for _ in range(3):
        sign_up(time, 1)
    assert len(told()) == 1
    sign_up(time, 1, now=NOW + MAIL_AGAIN_AFTER)
    assert len(told()) == 2
    for day in range(1, 9):
        moved = timedelta(days=day)
        sign_up(event(starts=STARTS + moved, ends=STARTS + moved + LASTS), 1)
    assert len(told()) == 2 + MOST_WAITING - 1


def test_a_guest_who_registers_before_confirming_is_asked_once_for_both(event):
    sign_up(event(), 1)
    from policity.foundations.places.models import Town

    town = Town.objects.here()[0].pk
    residents_services.register(
        town=town, language="en", email=mail_of(1), now=NOW + MAIL_AGAIN_AFTER
    )
    (resident,) = Resident.objects.all()
    assert (resident.language, resident.wants) == ("en", "")
    assert Place.objects.get().town_id == town


def test_a_stranger_changes_nothing_of_a_guest_who_is_known(event):
    one = joined(event(), 1)
    from policity.foundations.places.models import Town

    town = Town.objects.here()[0].pk
    residents_services.register(
        town=town, language="en", email=mail_of(1), now=NOW + MAIL_AGAIN_AFTER
    )
    resident = Resident.objects.get(pk=one.person)
    assert (resident.language, resident.wants) == ("ja", "-")
    assert not Place.objects.exists()


@pytest.mark.parametrize(
    ("other", "seats", "now", "said"),
    [
        ({"takes": False}, 1, NOW, "申込みがいりません"),
        ({"opens": NOW + LASTS}, 1, NOW, "まだ始まっていません"),
        ({"closes": 24}, 1, STARTS - timedelta(hours=24), "申込みは、終わりました"),
        ({}, 2, NOW, "人数が、多すぎます"),
        ({"most": 2, "waits": False, "capacity": 2}, 3, NOW, "人数が、多すぎます"),
        ({}, 1, STARTS + LASTS, "このイベントは、終わりました"),
    ],
)
def test_one_cannot_sign_up_so(event, other, seats, now, said):
    time = event(**other)
    with pytest.raises(services.SignUpRefused, match=said):
        sign_up(time, 1, seats=seats, now=now)
    assert not Registration.objects.exists()


def test_without_a_waiting_list_a_full_event_is_full(event):
    time = event(capacity=1, waits=False)
    joined(time, 1)
    with pytest.raises(services.SignUpRefused, match="満席です"):
        sign_up(time, 2)


def test_who_signed_up_while_there_was_room_and_confirms_too_late_is_told(event):
    time = event(capacity=1, waits=False)
    sign_up(time, 1)
    sign_up(time, 2)
    addresses = [Address.objects.get(value=mail_of(number)) for number in (1, 2)]
    said = [services.join(person=one.resident_id, address=one.pk, now=NOW) for one in addresses]
    assert [one.times for one in said] == [1, 0]
    assert "満席" in said[1].refusal
    assert standing(time) == [(1, True)]


def test_who_is_known_signs_up_at_one_press_and_only_once(event):
    time, person = event(), joined(event(), 1).person
    for _ in range(2):
        services.sign_up_known(person=person, time=time.pk, name="", seats=1, now=NOW)
    assert standing(time) == [(1, True)]


def test_calling_off_tells_everybody_in_the_line_and_takes_back_what_waits(event, staff):
    time = event(capacity=1)
    people = tuple(sorted(joined(time, number).person for number in (1, 2)))
    found = queries.told([time.pk])
    assert (found.messages, found.calls) == (2, 0)
    with pytest.raises(services.EventRefused, match="もう一度、確かめて"):
        off(time.event_id, seen=1, by=staff)
    off(time.event_id, seen=2, by=staff)
    assert told() == [("中止になりました", people)]
    assert event_of(time).stage == "cancelled"


def test_another_hour_tells_everybody_and_loses_nobody(event, staff):
    time = event(capacity=1)
    first, second = joined(time, 1), joined(time, 2)
    last = Message.objects.latest("pk").pk
    moved = written(capacity=1, starts=STARTS + LASTS, ends=STARTS + 2 * LASTS)
    services.change(number=time.event_id, event=moved, seen=0, by=staff, now=NOW)
    assert standing(time) == [(1, True), (2, False)]
    assert told(last) == [
        ("内容が変わりました", (first.person,)), ("内容が変わりました", (second.person,)),
    ]  # fmt: skip
    with pytest.raises(services.EventRefused, match="ほかの人が、先に"):
        services.change(number=time.event_id, event=moved, seen=0, by=staff, now=NOW)


def test_a_time_for_which_somebody_signed_up_is_not_lost_by_the_way(event, staff):
    until = (STARTS + timedelta(days=21)).date()
    first = event(every=Every.WEEK, until=until)
    second, third, _ = Occurrence.objects.exclude(pk=first.pk).order_by("starts")
    joined(third, 1)
    shorter = written(every=Every.WEEK, until=(STARTS + timedelta(days=7)).date())
    last = Message.objects.latest("pk").pk
    with pytest.raises(services.EventRefused, match="12月17日には、申込みがあります"):
        services.change(number=first.event_id, event=shorter, seen=0, by=staff, now=NOW)
    assert Occurrence.objects.filter(cancelled_at=None).count() == 4
    off(first.event_id, time=third.pk, seen=1, by=staff)
    services.change(number=first.event_id, event=shorter, seen=1, by=staff, now=NOW)
    assert set(Occurrence.objects.filter(cancelled_at=None)) == {first, second}
    assert set(Occurrence.objects.exclude(cancelled_at=None)) == {third}
    assert [title for title, _ in told(last)] == ["中止になりました"]


@pytest.mark.parametrize(
    ("reason", "words", "ja", "en"),
    [
        (Reason.WEATHER, "", "天気が悪くなるためです。", "weather"),
        (Reason.HOST, "入院。", "担当の都合が悪くなったためです。\n入院。", "入院。"),
        (Reason.OTHER, "道路工事。", "中止になりました。\n道路工事。\n日時", "道路工事。"),
    ],
)  # fmt: skip
def test_who_signed_up_is_told_why_it_is_called_off(event, staff, reason, words, ja, en):
    time = event()
    joined(time, 1)
    off(time.event_id, seen=1, reason=reason, words=words, by=staff)
    texts = Message.objects.latest("pk").texts
    assert ja in texts["ja"]["body"]
    assert en in texts["en"]["body"]


def test_nothing_is_called_off_without_a_reason(event, staff):
    time = event()
    for words, said in (("  ", "言葉で書いて"), ("あ" * 201, "200文字まで")):
        with pytest.raises(services.EventRefused, match=said):
            off(time.event_id, reason=Reason.OTHER, words=words, by=staff)
    assert event_of(time).stage == "published"


def test_reminders_and_questions_go_once_to_who_has_a_place(event, staff):
    time = event(capacity=1, reminds=24, asks=True)
    first, second = joined(time, 1), joined(time, 2)
    last = Message.objects.latest("pk").pk
    assert services.remind(now=STARTS - timedelta(hours=25)) == 0
    assert services.remind(now=STARTS - timedelta(hours=24)) == 1
    assert services.remind(now=STARTS - timedelta(hours=23)) == 0
    assert services.ask_who_came(now=STARTS) == 0
    assert services.ask_who_came(now=STARTS + LASTS) == 1
    assert services.ask_who_came(now=STARTS + LASTS) == 0
    assert told(last) == [
        ("もうすぐです", (first.person,)), ("ありがとうございました", (first.person,)),
    ]  # fmt: skip
    assert services.answer(
        registration=first.pk, person=first.person, score=5, text="よかった", now=STARTS + LASTS
    )
    for one in (first, second):
        assert not services.answer(
            registration=one.pk, person=one.person, score=1, text="", now=STARTS + LASTS
        )
    (answer,) = Answer.objects.all()
    assert (answer.score, answer.text) == (5, "よかった")


def test_nobody_moves_up_once_it_has_begun(event):
    time = event(capacity=1)
    first = joined(time, 1)
    joined(time, 2)
    assert not services.cancel(registration=first.pk, person=first.person, now=STARTS)
    residents_services.leave(resident=first.person, now=STARTS)
    services.settle_after_leaving(now=STARTS)
    assert standing(time)[-1] == (2, False)


STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "cancel", "leave", "capacity"]), st.integers(0, 5)),
    max_size=12,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_the_line_holds_and_everybody_knows_how_they_stand(event, staff, steps):
    """Never over capacity, order kept, nobody lost, nobody twice; what each was told last is so."""
    time, capacity, revision, newest = event(capacity=2, most=2), 2, 0, 0
    start = Message.objects.count() and Message.objects.latest("pk").pk
    for act, number in steps:
        rows = list(Registration.objects.in_line().filter(occurrence=time).order_by("number"))
        if act == "join":
            newest += 1
            joined(time, time.pk * 100 + newest, seats=1 + number % min(3, capacity))
        elif act == "capacity":
            new = written(capacity=number + 1, most=min(3, number + 1))
            with contextlib.suppress(services.EventRefused):
                services.change(number=time.event_id, event=new, seen=revision, by=staff, now=NOW)
                capacity, revision = number + 1, revision + 1
        elif rows:
            row = rows[number % len(rows)]
            if act == "cancel":
                services.cancel(registration=row.pk, person=row.person, now=NOW)
            else:
                residents_services.leave(resident=row.person, now=NOW)
                services.settle_after_leaving(now=NOW)
        rows = list(Registration.objects.in_line().filter(occurrence=time).order_by("number"))
        seated = [row for row in rows if row.seated]
        assert sum(row.seats for row in seated) <= capacity
        assert rows[: len(seated)] == seated
        last: dict[int, str] = {}
        for title, persons in told(start):
            last |= dict.fromkeys(persons, title)
        for row in rows:
            assert (last[row.person] in ("申し込みました", "席が空きました")) == row.seated
