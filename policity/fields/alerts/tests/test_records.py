"""Notes, hand-overs and the state of emergency: kept as they were written, by who may."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from policity.fields.alerts.models import Emergency, HandOver, Note
from policity.fields.alerts.models.records import RecordChanged
from policity.fields.alerts.queries import records as queries
from policity.fields.alerts.services.records import (
    RecordError,
    declare_emergency,
    end_emergency,
    hand_over,
    receive,
    write_note,
)
from policity.foundations.accounts.models import Role
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.tests.conftest import NOW
from policity.foundations.publishing.models import Page, PageKey
from policity.foundations.work.models import Item
from policity.kit.declare import Lane

MINUTE = timedelta(minutes=1)
CRISIS_ROOM = {Role.COMMANDER, Role.DUTY_OFFICER}


@pytest.fixture
def officer(staff):
    return staff(Role.DUTY_OFFICER)


@pytest.fixture
def commander(staff):
    return staff(Role.COMMANDER)


@pytest.mark.parametrize("role", Role)
def test_the_services_refuse_whoever_may_not(staff, officer, commander, role):
    by = staff(role, f"other-{role}")
    over = hand_over(text="川を見る", summary=[], by=officer, now=NOW)
    acts = {
        "note": lambda: write_note(text="電話", at=NOW, by=by, now=NOW),
        "hand over": lambda: hand_over(text="川", summary=[], by=by, now=NOW),
        "receive": lambda: receive(hand_over=over.pk, by=by, now=NOW),
        "declare": lambda: declare_emergency(why="大雨", by=by, now=NOW),
        "end": lambda: end_emergency(
            emergency=Emergency.objects.get(ended_at=None).pk, by=by, now=NOW
        ),
    }
    for name, act in acts.items():
        if role in CRISIS_ROOM:
            act()
            continue
        if name == "end":
            declare_emergency(why="大雨", by=commander, now=NOW)
        with pytest.raises(RecordError, match="権限がありません"):
            act()
    assert Note.objects.count() == (role in CRISIS_ROOM)
    assert (queries.emergency() is None) == (role in CRISIS_ROOM)


def test_what_was_written_is_never_changed(officer):
    note = write_note(text="橋が見えない", at=NOW - 5 * MINUTE, by=officer, now=NOW)
    over = hand_over(text="川を見る", summary=[], by=officer, now=NOW)
    note.text = over.text = "橋は見える"
    for change in (
        note.save,
        note.delete,
        over.save,
        over.delete,
        lambda: note.save(update_fields=["text"]),
        lambda: Note.objects.update(text="橋は見える"),
        lambda: Note.objects.filter(pk=note.pk).delete(),
        lambda: Note.objects.bulk_update([note], ["text"]),
        lambda: HandOver.objects.update(text="川は見ない"),
        lambda: HandOver.objects.all().delete(),
    ):
        with pytest.raises(RecordChanged), transaction.atomic():
            change()
    assert Note.objects.get().text == "橋が見えない"
    assert HandOver.objects.get().text == "川を見る"


def test_a_correction_is_a_row_of_its_own_and_comes_once(officer, commander):
    wrong = write_note(text="水位 2.1m", at=NOW, by=officer, now=NOW)
    right = write_note(text="水位 1.2m", at=NOW, by=officer, now=NOW + MINUTE, corrects=wrong.pk)
    with pytest.raises(RecordError, match="もう訂正しました"):
        write_note(text="水位 3m", at=NOW, by=commander, now=NOW + MINUTE, corrects=wrong.pk)
    with pytest.raises(RecordError, match="ありません"):
        write_note(text="水位 3m", at=NOW, by=commander, now=NOW, corrects=999)
    first, second = queries.notes(NOW, NOW + MINUTE)
    assert (first.id, first.text, first.corrected, first.corrects) == (
        wrong.pk, "水位 2.1m", True, None,
    )  # fmt: skip
    assert (second.id, second.corrected, second.corrects) == (right.pk, False, NOW)


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("  ", NOW, "書いてください"),
        ("あ" * 501, NOW, "500字"),
        ("電話", NOW + 5 * MINUTE, "これからの時刻"),
    ],
)
def test_what_is_no_note(officer, text, at, said):
    with pytest.raises(RecordError, match=said):
        write_note(text=text, at=at, by=officer, now=NOW)


def test_a_second_tap_is_no_second_record(officer):
    for _ in range(2):
        write_note(text="電話", at=NOW, by=officer, now=NOW)
        hand_over(text="川を見る", summary=[], by=officer, now=NOW)
    write_note(text="電話", at=NOW, by=officer, now=NOW + 2 * MINUTE)
    assert (Note.objects.count(), HandOver.objects.count()) == (2, 1)


def test_the_next_officer_takes_over_once(officer, commander, staff):
    summary = [{"name": "出ている避難情報", "lines": ["ありません"]}]
    over = hand_over(text="川を見る", summary=summary, by=officer, now=NOW)
    with pytest.raises(RecordError, match="自分の引き継ぎ"):
        receive(hand_over=over.pk, by=officer, now=NOW)
    receive(hand_over=over.pk, by=commander, now=NOW + MINUTE)
    receive(hand_over=over.pk, by=commander, now=NOW + 2 * MINUTE)
    with pytest.raises(RecordError, match="もう引き継ぎました"):
        receive(hand_over=over.pk, by=staff(Role.DUTY_OFFICER, "third"), now=NOW)
    kept = queries.hand_over(over.pk)
    assert (kept.received_by, kept.received_at) == (str(commander), NOW + MINUTE)
    assert kept.summary == summary
    with pytest.raises(RecordError, match="ありません"):
        receive(hand_over=999, by=commander, now=NOW)
    with pytest.raises(RecordError, match="特になし"):
        hand_over(text=" ", summary=[], by=officer, now=NOW)


def test_one_switch_and_one_act_back(officer, commander):
    made = declare_emergency(why="石神井川の水位", by=commander, now=NOW)
    standing = queries.emergency()
    assert (standing.began_at, standing.began_by) == (NOW, str(commander))
    assert delivery.held(Lane.ROUTINE)
    with pytest.raises(RecordError, match="もう切り替えました"):
        declare_emergency(why="大雨", by=officer, now=NOW + MINUTE)
    end_emergency(emergency=made.pk, by=officer, now=NOW + 2 * MINUTE)
    assert queries.emergency() is None
    assert not delivery.held(Lane.ROUTINE)
    (past,) = queries.emergencies(NOW, NOW + 9 * MINUTE)
    assert (past.ended_at, past.ended_by) == (NOW + 2 * MINUTE, str(officer))
    with pytest.raises(RecordError, match="もう終わって"):
        end_emergency(emergency=made.pk, by=officer, now=NOW)
    declare_emergency(why="また大雨", by=commander, now=NOW + 3 * MINUTE)
    # The screen that was read is of the one before.
    with pytest.raises(RecordError, match="もう終わって"):
        end_emergency(emergency=made.pk, by=officer, now=NOW)
    assert queries.emergency() is not None
    with pytest.raises(RecordError, match="理由"):
        declare_emergency(why=" ", by=commander, now=NOW)


def test_there_is_never_a_second_emergency(commander):
    Emergency.objects.create(began_at=NOW, began_by=commander, why="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        Emergency.objects.create(began_at=NOW, began_by=commander, why="b")
    Emergency.objects.update(ended_at=NOW, ended_by=commander)
    with pytest.raises(RecordChanged):
        Emergency.objects.update(why="c")


def test_the_first_page_waits_to_be_written_at_each_turn_of_the_switch(commander):
    page = Page.objects.create(address="/", family="home", digest="a", rendered_at=NOW)
    PageKey.objects.create(page=page, key=queries.EMERGENCY)
    Item.objects.all().delete()
    made = declare_emergency(why="大雨", by=commander, now=NOW)
    waiting = Item.objects.filter(key__startswith="home")
    assert [item.lane for item in waiting] == [Lane.URGENT]
    waiting.delete()
    end_emergency(emergency=made.pk, by=commander, now=NOW)
    assert [item.lane for item in waiting.all()] == [Lane.URGENT]
