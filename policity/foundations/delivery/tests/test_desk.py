"""Between engines and sender: a full disk stops the sending and loses nothing; staff are told."""

import errno
import json
import os
import threading
import time
from collections import Counter

import pytest

from policity.foundations.delivery import queries
from policity.foundations.delivery.channels import desk as desk_module
from policity.foundations.delivery.channels.desk import Hatch, Log, Tray, TwoHatches, logs
from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.formats.handlog import Key
from policity.foundations.delivery.rules.handing import Answer, Item, Result
from policity.foundations.delivery.services import engines
from policity.foundations.residents.models import Channel
from policity.kit.declare import Lane

ITEM = Item(1, 1, 1, "a@example.jp", ())


@pytest.fixture
def tray(tmp_path):
    return Tray(Log(tmp_path))


def test_a_full_disk_holds_the_engine_until_there_is_room(tray, monkeypatch):
    monkeypatch.setattr(desk_module, "FULL_DISK_SECONDS", 0.01)
    real, full, room = os.write, [True], []

    def write(handle, data):
        if not full[0]:
            return real(handle, data)
        room.append(3)
        if len(room) == 1:
            # What still fits is written.
            return real(handle, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    engine = threading.Thread(target=tray.note, args=([], [ITEM]))
    engine.start()
    for _ in range(1000):
        if tray.trouble:
            break
        threading.Event().wait(0.002)
    assert "No space left" in tray.trouble
    assert engine.is_alive()
    full[0] = False
    engine.join(5)
    assert not engine.is_alive()
    assert tray.trouble == ""
    # The half line of the first try was completed, not written twice.
    (file,) = logs(tray.log.folder)
    assert handlog.read(file.read_bytes()).open == (Key(1, 1, 1),)


def test_nobody_writes_into_the_middle_of_a_line(tray, monkeypatch):
    monkeypatch.setattr(desk_module, "FULL_DISK_SECONDS", 0.01)
    real, room = os.write, [3, 0, 0]

    def write(handle, data):
        if not room:
            return real(handle, data)
        if size := room.pop(0):
            return real(handle, data[:size])
        raise OSError(errno.ENOSPC, "No space left on device")

    other = Item(2, 1, 2, "b@example.jp", ())
    tray.put([other], deadline=1e9, first=False)
    monkeypatch.setattr(os, "write", write)
    engine = threading.Thread(target=tray.note, args=([], [ITEM]))
    engine.start()
    tray.drop({2})
    engine.join(5)
    (file,) = logs(tray.log.folder)
    data = file.read_bytes()
    assert handlog.read(data).open == (Key(1, 1, 1),)
    assert handlog.read_on(data) == ([], [Key(2, 1, 2)])


def test_who_waits_for_a_slow_domain_does_not_spin(tmp_path):
    tray = Tray(Log(tmp_path), pace=lambda item, now: 1.0)
    tray.put([ITEM], deadline=1e9, first=False)
    assert tray.take(1) == []
    began = time.monotonic()
    assert tray.wait(60)
    assert 0.015 < time.monotonic() - began < 10


def test_what_an_engine_says_outlives_it(tray):
    tray.note([], [ITEM])
    tray.note([Answer(ITEM, Result.HANDED, 250, "ok\nX\t1")], [])
    (file,) = logs(tray.log.folder)
    found = handlog.read(file.read_bytes())
    assert [(line.key.person, line.result) for line in found.answers] == [(1, Result.HANDED)]
    assert found.open == ()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_end_wakes_an_engine_that_waits(tray):
    heard = []
    engine = threading.Thread(target=lambda: heard.append(tray.wait(60)))
    engine.start()
    tray.end()
    engine.join(5)
    assert heard == [False]


def test_staff_are_told_why_nothing_moves(settings, tmp_path):
    settings.HOME = tmp_path
    (tmp_path / "run").mkdir()
    assert queries.troubles() == {}
    alive = tmp_path / "run" / "sender-urgent.alive"
    alive.write_text(json.dumps({"mail": "connection refused"}))
    (tmp_path / "run" / "sender-routine.alive").write_text("{}")
    assert queries.troubles() == {"urgent": {"mail": "connection refused"}}
    alive.write_text("{half")
    assert queries.troubles() == {}


def test_two_engines_of_a_channel_are_one_to_the_sender(tmp_path):
    """Each item goes to one of them, always the same; an order for all reaches both."""
    trays = [Tray(Log(tmp_path / name)) for name in ("one", "other")]
    hatch = TwoHatches(
        *(
            Hatch(tray.log.folder, lambda name, *words, tray=tray: getattr(tray, name)(*words))
            for tray in trays
        ),
        second=lambda item: item.person > 2,
    )
    items = [Item(claim, 1, person, "", ()) for claim in (7, 8) for person in (1, 2, 3, 4)]
    hatch.put(items, deadline=time.monotonic() + 60, first=False)
    hatch.pause(True)
    assert [tray.take(10) for tray in trays] == [[], []]
    hatch.pause(False)
    hatch.drop({8})
    taken = [tray.take(10) for tray in trays]
    assert [[item.person for item in some] for some in taken] == [[1, 2], [3, 4]]
    for tray, some in zip(trays, taken, strict=True):
        tray.note([], some)
        tray.note([Answer(item, Result.HANDED, 201, "") for item in some], [])
    answers, back = hatch.collect()
    assert sorted((line.key.claim, line.key.person) for line in answers) == [
        (7, 1), (7, 2), (7, 3), (7, 4),
    ]  # fmt: skip
    assert sorted((key.claim, key.person) for key in back) == [(8, 1), (8, 2), (8, 3), (8, 4)]
    for tray in trays:
        tray.log.next()
    assert hatch.collect() == ([], [])
    hatch.forget()
    assert [len(logs(tray.log.folder)) for tray in trays] == [1, 1]


@pytest.mark.parametrize("lane", Lane)
def test_every_engine_has_its_log_and_its_channel(lane, settings, tmp_path):
    settings.HOME = tmp_path
    found = engines._names(lane)
    assert set(found.values()) == set(Channel.values)
    assert list(found) == list(engines.folders(lane))
    assert len(set(engines.folders(lane).values())) == len(found)


def test_a_browser_is_always_the_same_engines():
    halves = Counter(engines._is_second(bytes(15) + bytes([n])) for n in range(256))
    assert halves == {False: 128, True: 128}
