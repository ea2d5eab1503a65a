"""What a lost machine had told, noted where the copies are: nobody waits for it, or hears twice."""

import os
import shutil
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.delivery.channels import counterfoil as counterfoil_module
from policity.foundations.delivery.channels.counterfoil import Counterfoil
from policity.foundations.delivery.channels.desk import Log, Tray, logs
from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.models import Dispatch, LedgerRow, Message, Movement, Target
from policity.foundations.delivery.rules.handing import Answer, Item, Result
from policity.foundations.delivery.rules.ledger import IN_DOUBT
from policity.foundations.delivery.services import counterfoils, expanding
from policity.foundations.delivery.tests.conftest import NOW, Office, send_of, states
from policity.foundations.residents.models import Address
from policity.foundations.work.models import Item as WorkItem
from policity.kit.declare import Lane
from policity.kit.severity import Severity

ITEM = Item(1, 1, 4711, "taro@example.jp", (), mark="ab12")
EVENTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, *Result])), max_size=30)


def written(events) -> bytes:
    """As engines write it: None is a beginning."""
    return b"".join(
        handlog.counterfoil([], [ITEM._replace(mark=mark)])
        if result is None
        else handlog.counterfoil([Answer(ITEM._replace(mark=mark), result, 250)], [])
        for mark, result in events
    )


def meant(events):
    """The same, said plainly."""
    found = {}
    for mark in {mark for mark, _ in events}:
        mine = [result for one, result in events if one == mark]
        last = Result.DOUBT if mine[-1] is None else mine[-1]
        last = Result.HANDED if Result.HANDED in mine else last
        if last is not Result.LATER:
            found[mark] = last
    return found


@given(EVENTS, st.integers(0, 30))
def test_who_was_handed_it_has_it_and_what_is_open_is_in_doubt(events, split):
    files = [written(events[:split]), written(events[split:])]
    assert {mark: one.result for mark, one in handlog.known(files).items()} == meant(events)


@given(EVENTS, st.data())
def test_wherever_the_machine_ended_nobody_is_known_too_early(events, data):
    whole = written(events)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    lines = cut.count(b"\n")
    assert {mark: one.result for mark, one in handlog.known([cut]).items()} == meant(events[:lines])


def test_it_holds_nobody():
    said = handlog.counterfoil(
        [Answer(ITEM, Result.GONE, 550, "5.1.1 <taro@example.jp> unknown")], [ITEM]
    )
    assert said == b"A\tab12\t4\t550\nB\tab12\n"


@pytest.fixture
def share(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    return folder


@contextmanager
def kept(share):
    found = Counterfoil(share / "hand" / "home" / "urgent-mail")
    try:
        yield found
    finally:
        found.end()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def lying(share):
    return {file.name: file.read_bytes() for file in share.glob("hand/home/urgent-mail/*")}


def test_each_log_has_its_own(share, tmp_path):
    with kept(share) as counterfoil:
        tray = Tray(Log(tmp_path / "log"), counterfoil=counterfoil)
        other = ITEM._replace(person=2, mark="cd34")
        tray.note([], [ITEM, other])
        tray.log.next()
        tray.note([Answer(ITEM, Result.HANDED, 250, "ok")], [])
        first, second = (file.name for file in logs(tray.log.folder))
        until(lambda: len(lying(share)) == 2)
        until(lambda: lying(share)[second])
    assert lying(share) == {first: b"B\tab12\nB\tcd34\n", second: b"A\tab12\t1\t250\n"}
    (file, _) = share.glob("hand/home/urgent-mail/*")
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_a_full_log_leaves_open_stands_in_the_next_ones(share, tmp_path, monkeypatch):
    monkeypatch.setattr("policity.foundations.delivery.channels.desk.LONGEST", 10)
    with kept(share) as counterfoil:
        tray = Tray(Log(tmp_path / "log"), counterfoil=counterfoil)
        tray.note([], [ITEM])
        until(lambda: len(lying(share)) == 2)
    assert list(lying(share).values()) == [b"B\tab12\n"] * 2


def test_a_share_that_hangs_holds_up_nobody(share, tmp_path, monkeypatch):
    monkeypatch.setattr(counterfoil_module, "BEHIND_SECONDS", 0.05)
    there, real = threading.Event(), os.fdatasync

    def hang(file):
        there.wait(20)
        real(file)

    monkeypatch.setattr(os, "fdatasync", hang)
    with kept(share) as counterfoil:
        tray = Tray(Log(tmp_path / "log"), counterfoil=counterfoil)
        began = time.monotonic()
        for _ in range(100):
            tray.note([], [ITEM])
        assert time.monotonic() - began < 2
        until(lambda: counterfoil.behind)
        there.set()
        until(lambda: not counterfoil.behind)
    (said,) = lying(share).values()
    assert said == b"B\tab12\n" * 100


def test_a_share_that_is_away_is_not_made_and_gets_it_when_it_is_back(share, monkeypatch):
    monkeypatch.setattr(counterfoil_module, "BEHIND_SECONDS", 0.05)
    monkeypatch.setattr(counterfoil_module, "AGAIN_SECONDS", 0.01)
    shutil.rmtree(share)
    with kept(share) as counterfoil:
        counterfoil.append("1.log", b"B\tab12\n")
        until(lambda: counterfoil.behind)
        assert not share.exists()
        share.mkdir()
        until(lambda: not counterfoil.behind)
    assert lying(share) == {"1.log": b"B\tab12\n"}


def test_what_a_full_share_took_by_half_is_said_again(share, monkeypatch):
    monkeypatch.setattr(counterfoil_module, "AGAIN_SECONDS", 0.01)
    real, room = os.write, [9]

    def write(file, data):
        return real(file, data[: room.pop()] if room else data)

    monkeypatch.setattr(os, "write", write)
    with kept(share) as counterfoil:
        counterfoil.append("1.log", b"B\tab12\nB\tcd34\n")
        until(lambda: b"cd34" in lying(share).get("1.log", b""))
    # Half a mark is nobody's.
    assert handlog.known(lying(share).values()).keys() >= {"ab12", "cd34"}


def test_more_than_a_memory_holds_is_left_out(share, monkeypatch):
    monkeypatch.setattr(counterfoil_module, "MOST", 10)
    monkeypatch.setattr(counterfoil_module, "AGAIN_SECONDS", 0.01)
    shutil.rmtree(share)
    with kept(share) as counterfoil:
        for _ in range(3):
            counterfoil.append("1.log", b"B\tab12\n")
        share.mkdir()
        until(lambda: lying(share).get("1.log"))
    assert lying(share) == {"1.log": b"B\tab12\n"}


# The sender of a city that was brought back.


def answered(items, *results):
    """What the lost machine's counterfoil says of these; None: it was begun and no more."""
    pairs = zip(items, results, strict=True)
    return handlog.known([written([(item.mark, result) for item, result in pairs])])


def lost_with(office, people, count, **said):
    """A message that a machine has begun to send to some when it is lost."""
    people(count)
    message = send_of(**said).pk
    office.turn()
    office.turn()
    items = office.take()
    assert len({item.mark for item in items}) == count
    return message, items


def unsent():
    """The database as the copy has it: of before any of it was claimed."""
    WorkItem.objects.update(leased_until=None, attempt=0)


@pytest.mark.usefixtures("city")
def test_nobody_is_told_twice(people, office, tmp_path):
    message, items = lost_with(office, people, 4)
    unsent()
    told = answered(items, Result.HANDED, Result.FAILED, Result.LATER, None)
    again = Office(tmp_path / "again", known=told)
    again.settle()
    # Severe: who is in doubt hears it once more. Who was to be tried again is.
    assert [item.person for item in again.begun] == [item.person for item in items[2:]]
    assert sorted(states(message).values()) == [2, 4, 4, 4]
    row = LedgerRow.objects.get(message=message, person=items[1].person)
    assert row.reason == "250"


@pytest.mark.usefixtures("city")
def test_below_severe_what_is_in_doubt_is_listed(people, office, tmp_path):
    message, items = lost_with(office, people, 2, severity=Severity.MODERATE)
    unsent()
    again = Office(tmp_path / "again", known=answered(items, Result.HANDED, None))
    again.settle()
    assert again.begun == []
    row = LedgerRow.objects.get(message=message, person=items[1].person)
    assert (row.state, row.reason) == (2, IN_DOUBT)


@pytest.mark.usefixtures("city")
def test_rows_that_the_copy_does_not_have_yet_are_known_when_they_are_made(
    people, office, tmp_path, monkeypatch
):
    monkeypatch.setattr(expanding, "CHUNK", 2)
    message, items = lost_with(office, people, 2)
    office.turn()
    # The copy is older: nobody has been expanded.
    for model in (LedgerRow, Target):
        model.objects.filter(message=message).delete()
    WorkItem.objects.exclude(kind="expand").delete()
    unsent()
    Dispatch.objects.update(cursor=0, targets=0, expanded_at=None)
    if not WorkItem.objects.filter(kind="expand").exists():
        WorkItem.objects.create(kind="expand", key=f"{message}:", lane=Lane.URGENT, due=NOW)
    people(1)
    again = Office(tmp_path / "again", known=answered(items, *[Result.HANDED] * 2))
    again.settle()
    assert len(again.begun) == 1
    assert set(states(message).values()) == {4}


@pytest.mark.usefixtures("city")
def test_a_message_that_the_copy_does_not_have_is_known_by_what_it_says(people, office, tmp_path):
    message, items = lost_with(office, people, 2)
    for model in (LedgerRow, Target, Dispatch, Movement):
        model.objects.all().delete()
    WorkItem.objects.all().delete()
    Message.objects.filter(pk=message).delete()
    told = answered(items, *[Result.HANDED] * 2)
    # Another has its number now: what was told of the one says nothing of the other.
    other = send_of(thread="story:2")
    same = send_of()
    again = Office(tmp_path / "again", known=told)
    again.settle()
    assert {item.message for item in again.begun} == {other.pk}
    assert len(again.begun) == 2
    assert set(states(same.pk).values()) == {4}


@pytest.mark.usefixtures("city")
def test_who_has_another_address_now_is_told(people, office, tmp_path):
    _, items = lost_with(office, people, 2)
    unsent()
    Address.objects.filter(resident=items[0].person).update(value="new@example.jp")
    again = Office(tmp_path / "again", known=answered(items, *[Result.HANDED] * 2))
    again.settle()
    assert [item.to for item in again.begun] == ["new@example.jp"]


# Files: where they lie, and how long.


@pytest.fixture
def places(settings, tmp_path, share):
    settings.HOME, settings.BACKUP_FOLDER = tmp_path / "home", share
    (tmp_path / "home" / "run").mkdir(parents=True)
    return settings.HOME / "run", share


def test_each_home_and_lane_has_a_folder_of_its_own(places, settings, tmp_path):
    found = {counterfoils.place(lane) for lane in Lane}
    assert len(found) == 2
    assert found == {counterfoils.place(lane) for lane in Lane}
    settings.HOME = tmp_path / "another"
    assert not found & {counterfoils.place(lane) for lane in Lane}
    settings.BACKUP_FOLDER = None
    assert counterfoils.place(Lane.URGENT) is None
    assert counterfoils.over(now=NOW) == []


def test_what_is_in_the_ledger_may_go_and_what_is_another_homes_when_it_is_old(places):
    run, share = places
    mine = counterfoils.place(Lane.URGENT) / "urgent-mail"
    theirs = share / "hand" / "theirs" / "urgent-mail"
    for folder in (mine, theirs, run / "hand" / "urgent-mail"):
        folder.mkdir(parents=True)
        (folder / "2.log").touch()
    for folder in (mine, theirs):
        (folder / "1.log").touch()
    now = datetime.now(UTC)
    assert counterfoils.over(now=now) == [mine / "1.log"]
    later = now + counterfoils.OLD + timedelta(minutes=1)
    assert set(counterfoils.over(now=later)) == {mine / "1.log", theirs / "1.log", theirs / "2.log"}


def test_a_lost_machine_is_known_for_a_day(places):
    run, _ = places
    for name, data in (
        ("a-urgent-mail", b"B\tab12\n"),
        ("b-urgent-mail", b"A\tab12\t1\t250\n"),
        ("c-urgent-mail", b"B\tab12\n"),
    ):
        (run / "lost" / name).mkdir(parents=True)
        (run / "lost" / name / "1.log").write_bytes(data)
    now = datetime.now(UTC)
    assert counterfoils.known(now=now) == {"ab12": handlog.Known(Result.HANDED, 250)}
    assert counterfoils.known(now=now + counterfoils.REMEMBERED + timedelta(minutes=1)) == {}
    assert list((run / "lost").iterdir()) == []
