"""Drills to real people: who is reached, by whose leave, how they look, and what ends them."""

import json
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes, policy
from itertools import permutations
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from policity.design import drills as marks
from policity.foundations.accounts.models import User
from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Dispatch, DrillStep, LedgerRow, Message
from policity.foundations.delivery.rules import drilling
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.services import (
    DrillRefusedError,
    NotAwaitingError,
    UnsoundDrillError,
    approve,
    approve_drill,
    hold_routine,
    propose_drill,
    send,
    tell,
    withdraw_drill,
)
from policity.foundations.delivery.services.composing import Composer
from policity.foundations.delivery.tests.conftest import NOW, TEXTS, Office, send_of, tell_of
from policity.foundations.delivery.tests.test_drill import MARKS, unread
from policity.foundations.residents.queries import Recipient
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT, kinds
from policity.kit import ruby
from policity.kit.declare import Lane
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

ACT = DrillStep.Act
MINUTE = timedelta(minutes=1)
NUMBERS = st.integers(1, 6)


# The rules.


@given(composer=NUMBERS, approved=st.lists(NUMBERS))
def test_two_others_let_it_out_and_nothing_less_does(composer, approved):
    others = {person for person in approved if person != composer}
    assert drilling.is_approved(composer=composer, approved=approved) is (len(others) >= 2)


@given(composer=NUMBERS, approved=st.lists(NUMBERS), approver=NUMBERS)
def test_nobody_approves_their_own_nor_twice(composer, approved, approver):
    refused = drilling.refusal(composer=composer, approved=approved, approver=approver)
    assert bool(refused) is (approver == composer or approver in approved)


@given(composer=NUMBERS, presses=st.lists(NUMBERS, max_size=12))
def test_whoever_presses_in_whatever_order_two_others_have_agreed(composer, presses):
    approved: list[int] = []
    for person in presses:
        if not drilling.refusal(composer=composer, approved=approved, approver=person):
            approved.append(person)
    if drilling.is_approved(composer=composer, approved=approved):
        assert len(set(presses) - {composer}) >= 2


@given(kind=st.sampled_from([*kinds(), ACCOUNT]), severity=st.sampled_from(Severity))
def test_what_is_severe_and_real_ends_drills(kind, severity):
    ends = drilling.ends_drills(kind, severity)
    real = kind not in ("drill", "account")
    assert ends is (real and severity in (Severity.SEVERE, Severity.EXTREME))


SOUND: dict[str, Any] = {
    "kind": "drill",
    "severity": "minor",
    "level": None,
    "texts": {"ja": {"title": "【訓練】あ", "body": "これは訓練です。い"}},
    "marks": {"ja": ("【訓練】", "これは訓練です。")},
    "audience": drilling.AUDIENCE,
    "leads": False,
}
AUDIENCES = st.builds(
    Audience,
    kind=st.sampled_from(list(kinds())),
    severity=st.sampled_from(Severity),
    towns=st.none() | st.frozensets(NUMBERS),
    persons=st.none() | st.tuples(NUMBERS),
    followers_of=st.just(()) | st.tuples(st.just("story:1")),
    only_followers=st.booleans(),
)


@given(audience=AUDIENCES)
def test_a_drill_is_for_those_alone_who_take_part(audience):
    faults = drilling.faults(**SOUND | {"audience": audience})
    assert bool(faults) is (audience != Audience("drill", Severity.MINOR))


@given(title=st.text(max_size=8), body=st.text(max_size=12))
def test_a_drill_without_its_mark_is_none(title, body):
    texts = {"ja": {"title": title, "body": body}}
    sound = title.startswith("【訓練】") and body.startswith("これは訓練です。")
    assert bool(drilling.faults(**SOUND | {"texts": texts})) is not sound


@pytest.mark.parametrize(
    "change",
    [{"kind": "weather"}, {"severity": "severe"}, {"level": 4}, {"leads": True}, {"texts": {}}],
    ids=str,
)
def test_nothing_of_a_drill_is_like_an_order(change):
    assert drilling.faults(**SOUND) == ()
    assert drilling.faults(**SOUND | change)


def test_nobody_takes_part_who_has_not_asked_to():
    kind = kinds()["drill"]
    assert (kind.lane, kind.default, kind.degrees) == (Lane.ROUTINE, None, False)


# The road.


@pytest.fixture
def crew(db) -> list[User]:
    names = ("作る人", "一人目", "二人目", "三人目")
    return [User.objects.create(username=f"crew{n}", display_name=name) for n, name in
            enumerate(names)]  # fmt: skip


def proposed(by: User, now=NOW) -> int:
    return propose_drill(thread="drill:1", texts=TEXTS, by=by, now=now).message_id


def let_out(crew, now=NOW) -> int:
    message = proposed(crew[0], now)
    assert approve_drill(message=message, by=crew[1], now=now) is False
    assert approve_drill(message=message, by=crew[2], now=now) is True
    return message


@pytest.fixture
def routine(people, tmp_path) -> Office:
    """Four take part in drills, three do not."""
    people(4, wants="drill:minor;weather:minor")
    people(2, wants="weather:minor;notice:minor")
    people(1)
    return Office(tmp_path / "routine", Lane.ROUTINE)


def test_two_approvals_reach_those_alone_who_take_part(routine, crew):
    message = proposed(crew[0])
    routine.settle()
    assert not LedgerRow.objects.filter(message=message).exists()
    assert approve_drill(message=message, by=crew[1], now=NOW) is False
    routine.settle()
    assert Dispatch.objects.get(message=message).stage == Dispatch.Stage.AWAITING
    assert not LedgerRow.objects.filter(message=message).exists()
    assert approve_drill(message=message, by=crew[2], now=NOW + MINUTE) is True
    routine.settle(now=NOW + MINUTE)
    status = queries.status(message)
    assert (status.targets, status.states["handed"], status.whole) == (4, 4, True)
    assert Message.objects.get(pk=message).told_at == NOW + MINUTE
    (shown,) = queries.drill_sendings(9)
    assert [(step.act, step.by) for step in shown.steps] == [
        (ACT.COMPOSED, "作る人"),
        (ACT.APPROVED, "一人目"),
        (ACT.APPROVED, "二人目"),
        (ACT.SENT, "二人目"),
    ]
    assert shown.open is False
    with pytest.raises(DrillRefusedError, match="もう送り"):
        approve_drill(message=message, by=crew[3], now=NOW)


@pytest.mark.parametrize("order", sorted(set(permutations([0, 1, 1]))))
def test_the_composer_and_one_other_are_not_two(city, crew, order):
    message = proposed(crew[0])
    for number in order:
        with suppress(DrillRefusedError):
            assert approve_drill(message=message, by=crew[number], now=NOW) is False
    assert Dispatch.objects.get(message=message).stage == Dispatch.Stage.AWAITING
    assert DrillStep.objects.filter(act=ACT.APPROVED).count() == 1


def test_the_database_takes_one_approval_a_person(city, crew):
    message = proposed(crew[0])
    approve_drill(message=message, by=crew[1], now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        DrillStep.objects.create(message_id=message, act=ACT.APPROVED, at=NOW, by=crew[1])


def test_the_road_of_one_approval_is_closed_to_drills(city, crew):
    message = proposed(crew[0])
    assert [(one.message, one.drill) for one in queries.awaiting()] == [(message, True)]
    with pytest.raises(NotAwaitingError):
        approve(message=message, by=crew[1], now=NOW)


def test_a_real_message_is_not_approved_as_a_drill(city, crew):
    message = tell_of(severity=Severity.MINOR)
    audience = Audience("weather", Severity.MINOR)
    send(messages=[message], audience=audience, by=None, now=NOW, approved=False)
    with pytest.raises(DrillRefusedError):
        approve_drill(message=message.pk, by=crew[1], now=NOW)
    with pytest.raises(DrillRefusedError):
        withdraw_drill(message=message.pk, by=crew[1], now=NOW)


def unsound(**changes):
    message: dict[str, Any] = {
        "kind": "drill",
        "severity": "minor",
        "level": None,
        "texts": marked(),
    }
    message |= {name: changes.pop(name) for name in list(changes) if name in message}
    told = tell(thread="drill:9", told_at=NOW, now=NOW, **message)
    options: dict[str, Any] = {
        "audience": drilling.AUDIENCE,
        "approved": False,
        "leads_to": "",
    } | changes
    return send(messages=[told], by=None, now=NOW, **options)


def marked():
    return {
        one.code: {"title": f"{marks.mark(one.code).prefix}あ",
                   "body": f"{marks.mark(one.code).sentence}い"} for one in LANGUAGES
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"approved": True},
        {"texts": TEXTS},
        {"texts": marked() | {"ko": TEXTS["ko"]}},
        {"leads_to": "reply"},
        {"paths": {1: "evacuation/1/"}},
        {"severity": "moderate"},
        {"level": 3},
        {"audience": Audience("weather", Severity.MINOR)},
        {"audience": Audience("drill", Severity.MINOR, persons=(1,))},
        {"audience": Audience("drill", Severity.MINOR, followers_of=("story:1",))},
        {"kind": "weather"},
    ],
    ids=str,
)
def test_the_road_takes_no_drill_that_could_be_taken_for_real(city, changes):
    assert unsound().stage == Dispatch.Stage.AWAITING
    with pytest.raises(UnsoundDrillError):
        unsound(**changes)


# How it looks.


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
@pytest.mark.parametrize("in_a_drill", [True, False])
@pytest.mark.parametrize("texts", [None, TEXTS], ids=["as sent", "as if nobody had marked it"])
def test_every_copy_begins_with_the_mark_and_leads_to_no_order(
    city, crew, settings, language, in_a_drill, texts
):
    settings.DRILL = in_a_drill
    dispatch = Dispatch.objects.get(message=proposed(crew[0]))
    if texts:
        Message.objects.filter(pk=dispatch.message_id).update(texts=texts)
    composer = Composer(dispatch)
    prefix, sentence = MARKS[language.code]
    to = Recipient(7, language.code, "p7@example.jp", "", "")
    mail = message_from_bytes(b"".join(composer.mail(to)), policy=policy.default)
    shown = json.loads(b"".join(composer.push(to)))
    text = unread(mail.get_content())
    assert str(mail["subject"]).startswith(prefix)
    assert str(mail["subject"]).count(prefix.strip()) == 1
    assert text.startswith(prefix)
    assert text.count(prefix.strip()) == 1
    assert sentence in text.splitlines()[:4]
    assert unread(shown["title"]).startswith(prefix)
    assert unread(shown["body"]).startswith(sentence)
    assert unread(shown["body"]).count(sentence) == 1
    for address in (text, shown["url"]):
        for page in ("/evacuation/", "/alerts/", "/reply/"):
            assert page not in address
    assert "/me/" in shown["url"]


def test_staff_read_the_mark_in_the_ledger_too(city, crew):
    let_out(crew)
    (sent,) = queries.sent(9, now=NOW)
    assert ruby.plain(sent.title).startswith("【訓練】")


# What ends it.


def stopped(message: int) -> str:
    """What stopped a drill; empty while it goes on."""
    steps = DrillStep.objects.filter(message=message, act=ACT.STOPPED)
    dispatch = Dispatch.objects.get(message=message)
    assert (dispatch.stage == Dispatch.Stage.WITHDRAWN) is steps.exists()
    found = steps.first()
    return found.because.thread if found and found.because else "somebody" if found else ""


@pytest.mark.parametrize("severity", [Severity.SEVERE, Severity.EXTREME])
@pytest.mark.parametrize("kind", ["weather", "evacuation", "earthquake"])
def test_something_severe_stops_what_waits_and_what_is_under_way(
    routine, crew, tmp_path, kind, severity
):
    waits = proposed(crew[3])
    goes = let_out(crew)
    routine.turn()
    routine.turn()
    (first, *_) = routine.take(1)
    routine.answer([first])
    routine.turn()
    real = send_of("story:1", severity, kind)
    assert stopped(waits) == stopped(goes) == "story:1"
    rows = LedgerRow.objects.filter(message=goes)
    assert rows.filter(state=State.QUEUED).count() == 0
    assert rows.filter(state=State.WITHDRAWN).count() == 3
    Office(tmp_path / "urgent").settle()
    routine.settle()
    assert rows.filter(state=State.HANDED).count() == 1
    # The real one, and no correction.
    assert set(Dispatch.objects.values_list("message", flat=True)) == {waits, goes, real.pk}
    with pytest.raises(DrillRefusedError, match="取りやめ"):
        approve_drill(message=waits, by=crew[1], now=NOW)
    assert queries.drill_sendings(9)[0].who(ACT.STOPPED)[0].because == TEXTS["ja"]["title"]


def test_nothing_is_stopped_where_the_real_thing_was_not_told_after_all(routine, crew):
    goes = let_out(crew)
    with transaction.atomic():
        send_of("story:1", Severity.EXTREME)
        assert stopped(goes)
        transaction.set_rollback(True)
    assert stopped(goes) == ""


@pytest.mark.parametrize("severity", [Severity.MINOR, Severity.MODERATE])
def test_what_is_less_grave_stops_nothing(routine, crew, severity):
    goes = let_out(crew)
    send_of("story:1", severity)
    assert stopped(goes) == ""


@pytest.mark.parametrize("how", ["told only", "awaiting", "its audience alone", "approved later"])
def test_it_is_enough_that_it_is_told_or_waits(routine, crew, how):
    audience = Audience("weather", Severity.SEVERE)
    if how == "approved later":
        real = tell_of()
        send(messages=[real], audience=audience, by=None, now=NOW, approved=False)
        goes = let_out(crew)
        approve(message=real.pk, by=crew[0], now=NOW)
    elif how == "its audience alone":
        goes = let_out(crew)
        send(messages=[tell_of(severity=Severity.MINOR)], audience=audience, by=None, now=NOW)
    else:
        goes = let_out(crew)
        real = tell_of()
        if how == "awaiting":
            send(messages=[real], audience=audience, by=None, now=NOW, approved=False)
    assert stopped(goes) == "story:1"


def test_what_everybody_has_is_not_taken_back(routine, crew):
    goes = let_out(crew)
    routine.settle()
    send_of("story:1", Severity.EXTREME)
    assert stopped(goes) == ""
    with pytest.raises(DrillRefusedError, match="もう送り終わり"):
        withdraw_drill(message=goes, by=crew[0], now=NOW)


def test_a_state_of_emergency_stops_drills_and_lets_none_out(routine, crew):
    goes, waits = let_out(crew), proposed(crew[0])
    hold_routine(by=crew[3], now=NOW)
    assert stopped(goes) == stopped(waits) == "somebody"
    later = proposed(crew[0])
    with pytest.raises(DrillRefusedError, match="緊急時"):
        approve_drill(message=later, by=crew[1], now=NOW)


def test_while_something_severe_is_being_sent_none_is_let_out(routine, crew, tmp_path):
    send_of("story:1", Severity.SEVERE)
    message = proposed(crew[0])
    with pytest.raises(DrillRefusedError, match="本物"):
        approve_drill(message=message, by=crew[1], now=NOW)
    Office(tmp_path / "urgent").settle()
    approve_drill(message=message, by=crew[1], now=NOW)


def test_staff_take_one_back_and_the_log_says_who(routine, crew):
    goes = let_out(crew)
    withdraw_drill(message=goes, by=crew[0], now=NOW + MINUTE)
    routine.settle()
    assert not LedgerRow.objects.filter(message=goes, state=State.HANDED).exists()
    log = queries.drill_log(NOW, NOW + 2 * MINUTE)
    assert [(step.act, step.by) for step in log][-1] == (ACT.WITHDRAWN, "作る人")
    assert queries.drill_log(NOW, NOW + MINUTE) == log[:-1]
    assert queries.sending_log(NOW, NOW + 9 * MINUTE) == ()
