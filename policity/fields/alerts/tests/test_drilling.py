"""Drills to real people, from the crisis room: who may, in which words, and not beside the real."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.design import drills as marks
from policity.fields.alerts.queries.drilling import obstacle
from policity.fields.alerts.queries.words import order_texts
from policity.fields.alerts.rules import drilling as law
from policity.fields.alerts.rules.drill_texts import drill_texts
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import drilling, orders
from policity.fields.alerts.services.drilling import DrillError
from policity.fields.alerts.services.records import declare_emergency, end_emergency
from policity.fields.alerts.tests import test_ingest
from policity.fields.alerts.tests.test_ingest import CAP, ELSEWHERE, HERE, cap
from policity.fields.alerts.tests.test_orders import draft
from policity.foundations.accounts.models import Role
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.models import Dispatch, DrillStep, LedgerRow, Message
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.tests.conftest import NOW, Office
from policity.kit import ruby
from policity.kit.declare import Lane
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

CREW = {Role.COMMANDER, Role.DUTY_OFFICER}
MINUTE = timedelta(minutes=1)
CALM = {
    "ja": "災害は起きていません。",
    "ja-easy": "災害は 起きていません。",
    "en": "There is no disaster.",
    "zh-hans": "没有发生灾害。",
    "ko": "재해는 일어나지 않았습니다.",
}


# Words.


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
@pytest.mark.parametrize("text", drill_texts().values(), ids=lambda one: one.code)
def test_no_drill_reads_like_an_order(text, language):
    said = text.texts[language.code]
    assert said.keys() == {"title", "body"}
    plain = ruby.plain(f"{said['title']} {said['body']}").casefold()
    for level in Level:
        assert ruby.plain(order_texts().name(language.code, level)).casefold() not in plain
    for word in (
        "避難",
        "逃げ",
        "にげ",
        "evacuat",
        "避难",
        "대피",
        "警報",
        "warning",
        "警报",
        "경보",
    ):
        assert word not in plain
    assert not re.search(r"https?:|www\.|<", plain)
    assert ruby.plain(said["body"]).startswith(CALM[language.code])
    if language.code == "ja-easy":
        assert ruby.readings_missing(said["title"] + said["body"]) == ()
    else:
        assert "{" not in said["title"] + said["body"]
    # The mark is put there by whoever sends it, and nobody else.
    assert marks.mark(language.code).prefix not in said["title"]


# The rule.


@given(
    emergency=st.booleans(),
    orders=st.booleans(),
    found=st.lists(st.tuples(st.text(max_size=3), st.sampled_from(Severity))),
)
def test_no_drill_beside_anything_severe(emergency, orders, found):
    severe = any(one in (Severity.SEVERE, Severity.EXTREME) for _, one in found)
    hindered = law.obstacle(emergency=emergency, orders=orders, in_force=found)
    assert bool(hindered) is (emergency or orders or severe)


# The crisis room.


@pytest.fixture
def crew(staff):
    return [staff(Role.DUTY_OFFICER), staff(Role.COMMANDER), staff(Role.DUTY_OFFICER, "other")]


def composed(crew) -> int:
    return drilling.compose(text="receive", by=crew[0], now=NOW)


def sent(crew) -> int:
    message = composed(crew)
    assert not drilling.approve(message=message, by=crew[1], now=NOW)
    assert drilling.approve(message=message, by=crew[2], now=NOW)
    return message


def stage(message: int) -> str:
    return Dispatch.objects.get(message=message).stage


@pytest.mark.parametrize("role", Role)
def test_the_services_refuse_whoever_may_not(staff, crew, role):
    by = staff(role, f"somebody-{role}")
    message = composed(crew)
    acts = (
        lambda: drilling.compose(text="receive", by=by, now=NOW),
        lambda: drilling.approve(message=message, by=by, now=NOW),
        lambda: drilling.withdraw(message=message, by=by, now=NOW),
    )
    for act in acts:
        if role in CREW:
            act()
        else:
            with pytest.raises(DrillError, match="権限がありません"):
                act()


def test_from_three_persons_to_those_who_take_part(crew, resident, towns, tmp_path):
    part = resident(towns[0], wants="drill:minor", language="en")
    resident(towns[0], wants="notice:minor;weather:minor;evacuation:minor;earthquake:minor")
    resident(towns[1])
    message = sent(crew)
    Office(tmp_path / "routine", Lane.ROUTINE).settle()
    rows = LedgerRow.objects.filter(message=message)
    assert list(rows.values_list("person", "state")) == [(part, State.HANDED)]
    texts = Message.objects.get(pk=message).texts
    for language in LANGUAGES:
        mark = marks.mark(language.code)
        assert texts[language.code]["title"].startswith(mark.prefix)
        assert texts[language.code]["body"].startswith(mark.sentence)


def test_who_composed_it_is_refused_and_so_is_a_second_press(crew):
    message = composed(crew)
    with pytest.raises(DrillError, match="作った人"):
        drilling.approve(message=message, by=crew[0], now=NOW)
    drilling.approve(message=message, by=crew[1], now=NOW)
    with pytest.raises(DrillError, match="もう承認しました"):
        drilling.approve(message=message, by=crew[1], now=NOW)
    assert stage(message) == "awaiting"


@pytest.mark.parametrize("text", ["", "nothing", "evacuation"])
def test_there_are_no_words_but_those_that_there_are(crew, text):
    with pytest.raises(DrillError, match="えらんで"):
        drilling.compose(text=text, by=crew[0], now=NOW)
    assert not Message.objects.exists()


@pytest.mark.parametrize("severity", ["Severe", "Extreme"])
@pytest.mark.parametrize("when", ["waiting", "half approved", "under way"])
def test_a_real_severe_bulletin_stops_it(crew, resident, towns, when, severity):
    resident(towns[0], wants="drill:minor")
    message = sent(crew) if when == "under way" else composed(crew)
    if when == "half approved":
        drilling.approve(message=message, by=crew[1], now=NOW)
    cap("a", 1, severity=severity)
    assert stage(message) == "withdrawn"
    step = DrillStep.objects.get(act=DrillStep.Act.STOPPED)
    assert step.because is not None
    assert step.because.severity == severity.lower()
    # The real one went out, and nothing about the drill.
    assert set(Dispatch.objects.values_list("message", flat=True)) == {message, step.because_id}
    with pytest.raises(DrillError):
        drilling.approve(message=message, by=crew[2], now=NOW + MINUTE)
    with pytest.raises(DrillError, match="が出ている間"):
        composed(crew)


@pytest.mark.parametrize("change", ["an exercise", "less grave", "elsewhere"])
def test_what_is_not_real_or_not_severe_or_not_here_stops_nothing(crew, monkeypatch, change):
    message = sent(crew)
    if change == "an exercise":
        exercise = CAP.replace("<status>Actual</status>", "<status>Exercise</status>")
        assert exercise != CAP
        monkeypatch.setattr(test_ingest, "CAP", exercise)
    cap(
        "a",
        1,
        severity="Moderate" if change == "less grave" else "Extreme",
        polygon=ELSEWHERE if change == "elsewhere" else HERE,
    )
    assert stage(message) == "accepted"
    assert obstacle() == ""


@pytest.mark.parametrize("level", [Level.EVACUATE, Level.SECURE])
def test_the_citys_own_order_stops_it_and_forbids_the_next(crew, towns, level):
    message = sent(crew)
    order = orders.compose(draft=draft(towns[:1], level), by=crew[0], now=NOW)
    order = orders.submit(order=order.pk, seen=order.version, by=crew[0], now=NOW)
    assert stage(message) == "accepted"
    orders.issue(order=order.pk, seen=order.version, by=crew[1], now=NOW)
    assert stage(message) == "withdrawn"
    with pytest.raises(DrillError, match="避難情報が出ている"):
        composed(crew)


def test_in_a_state_of_emergency_there_are_no_drills(crew):
    waits, goes = composed(crew), sent(crew)
    emergency = declare_emergency(why="大雨", by=crew[1], now=NOW)
    assert stage(waits) == stage(goes) == "withdrawn"
    with pytest.raises(DrillError, match="緊急時"):
        composed(crew)
    end_emergency(emergency=emergency.pk, by=crew[1], now=NOW + MINUTE)
    assert sent(crew)


def test_what_came_between_two_approvals_is_seen_by_the_second(crew, monkeypatch):
    message = composed(crew)
    drilling.approve(message=message, by=crew[1], now=NOW)
    monkeypatch.setattr(drilling, "obstacle", lambda: "「津波警報」が出ている間は、送れません。")
    with pytest.raises(DrillError, match="津波警報"):
        drilling.approve(message=message, by=crew[2], now=NOW)
    assert stage(message) == "awaiting"
    assert [step.by for step in delivery.drill_sendings(1)[0].who(DrillStep.Act.APPROVED)] == [
        str(crew[1])
    ]


def test_whoever_took_it_back_is_kept(crew):
    message = composed(crew)
    drilling.withdraw(message=message, by=crew[1], now=NOW)
    assert stage(message) == "withdrawn"
    with pytest.raises(DrillError, match="取りやめ"):
        drilling.withdraw(message=message, by=crew[0], now=NOW)
    assert delivery.drill_log(NOW, NOW + MINUTE)[-1].by == str(crew[1])
