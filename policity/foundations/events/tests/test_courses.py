"""A course is signed up for as a whole: one line, kept alike on each of its times."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policity.foundations.delivery.models import Message
from policity.foundations.events import queries, services
from policity.foundations.events.models import Occurrence, Registration
from policity.foundations.events.rules.repeating import Every
from policity.foundations.events.services.leaving import fade
from policity.foundations.events.tests.conftest import (
    LASTS,
    NOW,
    STARTS,
    event_of,
    joined,
    off,
    sign_up,
    standing,
    told,
    written,
)
from policity.foundations.residents import services as residents_services

pytestmark = pytest.mark.usefixtures("city")
WEEK = timedelta(days=7)
LAST = (STARTS + 2 * WEEK).date()


@pytest.fixture
def course(event):
    """Its first time; three times, a week apart."""

    def course(**other):
        return event(**{"whole": True, "every": Every.WEEK, "until": LAST, **other})

    return course


def again(**other):
    return written(**{"whole": True, "every": Every.WEEK, "until": LAST, **other})


def times(first: Occurrence) -> list[Occurrence]:
    rows = Occurrence.objects.select_related("event").filter(event=first.event_id)
    return list(rows.order_by("starts"))


def newest() -> int:
    return Message.objects.latest("pk").pk


def test_one_signs_up_once_for_all_of_it_and_is_told_once_of_all_its_days(course):
    first = course()
    sign_up(times(first)[2], 1)
    one = joined(first, 1)
    assert [standing(time) for time in times(first)] == [[(1, True)]] * 3
    assert told() == [("申込みの確認", (one.person,)), ("申し込みました", (one.person,))]
    for message in Message.objects.all():
        for day in ("全3回の講座です", "12月3日", "12月10日", "12月17日"):
            assert day in message.texts["ja"]["body"]
    assert len(queries.mine(one.person)) == 1
    # By whichever of its times somebody comes again: they stand there.
    services.sign_up_known(person=one.person, time=times(first)[1].pk, name="", seats=1, now=NOW)
    assert [standing(time) for time in times(first)] == [[(1, True)]] * 3


def test_who_waits_for_the_whole_moves_up_on_each_day_and_is_told_once(course):
    first = course(capacity=1)
    one, two, three = (joined(first, number) for number in (1, 2, 3))
    assert [standing(time) for time in times(first)] == [[(1, True), (2, False), (3, False)]] * 3
    last = newest()
    assert services.cancel(registration=one.pk, person=one.person, now=NOW)
    assert [standing(time) for time in times(first)] == [[(2, True), (3, False)]] * 3
    assert told(last) == [("席が空きました", (two.person,))]
    assert [found.ahead for found in queries.mine(three.person)] == [0]
    assert queries.mine(one.person) == ()


def test_each_of_its_days_is_reminded_of_and_the_first_alone_says_how_to_cancel(course):
    first = course(capacity=2, reminds=24)
    one, two = joined(first, 1), joined(first, 2)
    joined(first, 3)
    last = newest()
    day = timedelta(hours=24)
    assert services.remind(now=STARTS - day) == 1
    assert services.cancel(registration=two.pk, person=two.person, now=STARTS + LASTS)
    assert services.remind(now=STARTS + WEEK - day) == 1
    assert services.remind(now=STARTS + WEEK - day) == 0
    both = tuple(sorted((one.person, two.person)))
    assert told(last) == [("もうすぐです", both), ("もうすぐです", (one.person,))]
    bodies = [m.texts["ja"]["body"] for m in Message.objects.filter(pk__gt=last).order_by("pk")]
    assert ["取り消してください" in body for body in bodies] == [True, False]
    assert "12月10日" in bodies[1]
    assert "12月17日" not in bodies[1]


def test_nobody_signs_up_or_moves_up_once_it_has_begun_and_who_leaves_keeps_the_days_before(course):
    first = course(capacity=1)
    one, two = joined(first, 1), joined(first, 2)
    begun = STARTS + LASTS
    services.end_what_is_over(now=begun)
    with pytest.raises(services.SignUpRefused, match="申込みは、終わりました"):
        sign_up(times(first)[2], 3, now=begun)
    assert services.cancel(registration=one.pk, person=one.person, now=begun)
    assert [standing(time) for time in times(first)] == [
        [(1, True), (2, False)], [(2, False)], [(2, False)],
    ]  # fmt: skip
    assert not queries.mine(two.person)[0].seated
    assert not services.cancel(registration=one.pk, person=one.person, now=STARTS + 3 * WEEK)


def test_who_comes_late_to_the_desk_has_the_days_to_come_and_what_is_free(course, staff):
    first = course(capacity=2)
    joined(first, 1)
    begun = STARTS + LASTS
    for _ in range(2):
        services.add_by_staff(
            time=times(first)[1].pk, name="見本", phone="1", seats=1, by=staff, now=begun
        )
    assert [standing(time) for time in times(first)] == [
        [(1, True)], [(1, True), (2, True), (3, False)], [(1, True), (2, True), (3, False)],
    ]  # fmt: skip
    assert not Registration.objects.filter(to_call=True).exists()
    found = queries.told([time.pk for time in times(first)])
    assert (found.messages, found.calls) == (1, 2)


def test_one_day_is_called_off_or_all_of_it_each_is_told_once(course, staff):
    first = course()
    one = joined(first, 1)
    last = newest()
    second = times(first)[1]
    off(first.event_id, time=second.pk, seen=1, by=staff)
    assert told(last) == [("中止になりました", (one.person,))]
    assert "12月10日" in Message.objects.latest("pk").texts["ja"]["body"]
    assert queries.mine(one.person)[0].time.id == first.pk
    joined(first, 2)
    assert [len(standing(time)) for time in times(first)] == [2, 1, 2]
    last = newest()
    off(first.event_id, seen=2, by=staff)
    ((title, persons),) = told(last)
    assert (title, len(persons)) == ("中止になりました", 2)
    assert event_of(first).stage == "cancelled"
    assert queries.mine(one.person)[0].time.cancelled


@pytest.mark.parametrize(
    ("other", "days"),
    [
        ({"starts": STARTS + timedelta(days=1), "ends": STARTS + timedelta(days=1) + LASTS,
          "until": (STARTS + timedelta(days=15)).date()}, ["12-04", "12-11", "12-18"]),
        ({"until": (STARTS + WEEK).date()}, ["12-03", "12-10"]),
        ({"until": (STARTS + 3 * WEEK).date()}, ["12-03", "12-10", "12-17", "12-24"]),
        ({"skips": (STARTS.date(),), "until": (STARTS + 3 * WEEK).date()},
         ["12-10", "12-17", "12-24"]),
    ],
    ids=["another weekday", "fewer", "more", "a day off first"],
)  # fmt: skip
def test_other_days_lose_nobody_and_tell_everybody_once(course, staff, other, days):
    first = course(capacity=1)
    one, two = joined(first, 1), joined(first, 2)
    sign_up(first, 3)
    last = newest()
    services.change(
        number=first.event_id, event=again(capacity=1, **other), seen=0, by=staff, now=NOW
    )
    found = times(first)
    assert [f"{time.starts:%m-%d}" for time in found] == days
    assert [standing(time) for time in found] == [[(1, True), (2, False)]] * len(days)
    assert told(last) == [
        ("内容が変わりました", (one.person,)), ("内容が変わりました", (two.person,)),
    ]  # fmt: skip
    body = Message.objects.latest("pk").texts["ja"]["body"]
    assert f"全{len(days)}回" in body
    joined(first if first in found else found[0], 4)
    assert [standing(time)[-1] for time in found] == [(3, False)] * len(days)


def test_what_is_signed_up_for_day_by_day_does_not_become_a_course_under_peoples_feet(
    event, course, staff
):
    single = event(every=Every.WEEK, until=LAST)
    joined(single, 1)
    with pytest.raises(services.EventRefused, match="まとめて受けるかどうか"):
        services.change(number=single.event_id, event=again(), seen=0, by=staff, now=NOW)
    for other, said in (
        ({"every": Every.ONCE, "until": None}, "くり返しがあって"),
        ({"takes": False}, "申込みを受けるもの"),
        ({"until": (STARTS + 60 * WEEK).date()}, "50回まで"),
    ):
        with pytest.raises(services.EventRefused, match=said):
            course(**other)


def test_who_came_is_said_of_each_day_what_they_thought_is_asked_once(course, staff):
    first = course(asks=True)
    one = joined(first, 1)
    second = Registration.objects.get(occurrence=times(first)[1], number=1)
    services.set_attended(registration=second.pk, attended=True, by=staff, now=STARTS + WEEK)
    came = [queries.people(time.pk)[0].attended for time in times(first)]
    assert came == [None, True, None]
    last = newest()
    for week in range(3):
        services.ask_who_came(now=STARTS + week * WEEK + LASTS)
    assert told(last) == [("ありがとうございました", (one.person,))]
    mine = queries.mine(one.person)
    assert [found.may_answer for found in mine] == [True]
    now = STARTS + 2 * WEEK + LASTS
    assert services.answer(registration=mine[0].id, person=one.person, score=5, text="", now=now)


def test_it_fades_day_by_day_and_nobody_before_its_last(course):
    first = course()
    joined(first, 1)
    end = STARTS + LASTS
    assert fade(before=end + timedelta(seconds=1), now=end) == 1
    assert [time.had for time in times(first)] == [1, 0, 0]
    assert Registration.objects.exclude(person=None).count() == 2
    assert fade(before=end + 3 * WEEK, now=end) == 2
    assert not Registration.objects.exists()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "desk", "cancel", "leave", "capacity", "weeks", "off", "later"]),
        st.integers(0, 3),
    ),
    max_size=10,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_happens_each_day_to_come_has_the_same_line(course, staff, steps):
    first, capacity, weeks, newest_, now = course(capacity=2), 2, 3, 0, NOW
    for act, number in steps:
        event = event_of(first)
        coming = [t for t in times(first) if t.starts > now and not t.cancelled_at]
        if not coming or event.stage == "cancelled":
            break
        rows = list(Registration.objects.in_line().filter(occurrence=coming[0]).order_by("number"))
        if act == "join" and now < STARTS:
            newest_ += 1
            joined(coming[-1], first.pk * 100 + newest_, now=now)
        elif act == "desk":
            services.add_by_staff(
                time=coming[number % len(coming)].pk, name="見本", phone="", seats=1, by=staff,
                now=now,
            )  # fmt: skip
        elif act in ("capacity", "weeks"):
            capacity = number + 1 if act == "capacity" else capacity
            weeks = number + 2 if act == "weeks" else weeks
            until = (STARTS + (weeks - 1) * WEEK).date()
            if now < STARTS:
                services.change(
                    number=event.pk, event=again(capacity=capacity, until=until),
                    seen=event.revision, by=staff, now=now,
                )  # fmt: skip
        elif act == "off":
            seen = queries.told([coming[0].pk])
            off(event.pk, time=coming[0].pk, seen=seen.messages + seen.calls, by=staff, now=now)
        elif act == "later":
            now = STARTS + LASTS
            services.end_what_is_over(now=now)
        elif rows:
            row = rows[number % len(rows)]
            if act == "cancel" or row.person is None:
                services.cancel_by_staff(registration=row.pk, by=staff, now=now)
                if number % 2:
                    services.take_back_cancelling(registration=row.pk, by=staff, now=now)
            else:
                residents_services.leave(resident=row.person, now=now)
                services.settle_after_leaving(now=now)
        lines = [standing(t) for t in times(first) if t.starts > now and not t.cancelled_at]
        assert all(line == lines[0] for line in lines)
        for line in lines:
            seats = [has for _, has in line]
            assert sum(seats) <= capacity
            assert now >= STARTS or seats == sorted(seats, reverse=True)
