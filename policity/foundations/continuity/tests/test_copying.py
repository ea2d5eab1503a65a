"""A copy follows its city, whatever is written and whenever it is asked; it comes back whole."""

import os
import random
import shutil
import sqlite3
import threading
import time
from contextlib import closing

import pyrage
import pytest

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.rules.keeping import NEWEST
from policity.foundations.continuity.services import packing, restore, streaming
from policity.foundations.continuity.services.tables import compare


def quiet(line):
    """Nobody reads how it goes on."""


def brought_back(place, name="restored", **options):
    return restore(place.store, [place.identity], place.root / name, report=quiet, **options)


def same(place, name="restored"):
    restored = place.root / name / "policity.sqlite3"
    with closing(place.connect()) as one, closing(sqlite3.connect(restored)) as other:
        found = compare(one, other)
    assert found.different == {}
    return found.rows


def test_a_home_comes_back_as_it_was(place, streamer):
    place.add(100)
    streamer.step()
    done = brought_back(place)
    assert (done.rows, done.changes) == (100, 0)
    assert same(place) == 100
    back = place.root / "restored"
    assert (back / "secret.key").read_text() == "secret\n"
    assert (back / "secret.key").stat().st_mode & 0o777 == 0o600
    assert (back / "policity.sqlite3").stat().st_mode & 0o777 == 0o600
    assert (back / "media" / "deep" / "picture.png").read_bytes() == b"\x89PNG"
    assert not (back / "manifest.json").exists()
    assert not (place.home / "run" / "copy.sqlite3").exists()


def test_what_changes_follows_in_small_files(place, streamer):
    streamer.step()
    for number in range(1, 6):
        place.add(10)
        streamer.step()
        assert brought_back(place, f"r{number}").changes == number
        same(place, f"r{number}")
    streamer.step()
    assert len(place.store.names(place.generations()[0])) == 6
    assert len(place.generations()) == 1


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_written_the_copy_is_the_database(place, streamer, seed, monkeypatch):
    monkeypatch.setattr(streaming, "LONG", 60)
    chance = random.Random(seed)
    streamer.step()
    held = place.connect()
    for number in range(25):
        for _ in range(chance.randrange(4)):
            place.add(chance.choice([1, 20, 200]), pad=chance.choice([1, 300, 5000]))
            if chance.random() < 0.3:
                place.write("DELETE FROM thing WHERE id % 7 = 0")
            if chance.random() < 0.1:
                place.write("VACUUM")
            if chance.random() < 0.2:
                place.write(f"CREATE TABLE t{number}_{chance.randrange(10**6)} (x)")
        if chance.random() < 0.3 and not held.in_transaction:
            # Somebody looks for a while: then the log cannot be begun anew.
            held.execute("BEGIN")
            held.execute("SELECT count(*) FROM thing").fetchone()
        elif held.in_transaction:
            held.execute("COMMIT")
        streamer.step()
        if number % 6 == 5:
            brought_back(place, f"r{number}")
            same(place, f"r{number}")
    held.close()
    streamer.step()
    brought_back(place)
    same(place)
    assert len(place.generations()) == 1, "something was missed, and all was copied again"


def test_the_log_does_not_grow_without_end(place, streamer, monkeypatch):
    monkeypatch.setattr(streaming, "LONG", 60)
    streamer.step()
    log = place.database.with_name(place.database.name + "-wal")
    with closing(place.connect()) as connection:
        for number in range(60):
            connection.execute("INSERT INTO thing (pad) VALUES (randomblob(60000))")
            if number % 3 == 2:
                streamer.step()
    assert log.stat().st_size < 200 * 4120
    brought_back(place)
    same(place)


def test_where_something_was_missed_all_is_copied_again(place, streamer):
    streamer.step()
    place.add(5)
    streamer.step()
    streamer._reader.close()
    for _ in range(2):
        # Nobody of ours looks: SQLite begins its log anew, more than once.
        place.add(5)
        place.write("PRAGMA wal_checkpoint(RESTART)")
        place.add(5)
        place.write("PRAGMA wal_checkpoint(RESTART)")
        place.add(5)
    with pytest.raises(streaming.MissedError):
        streamer.step()
    streamer.end()
    streamer.step()
    assert len(place.generations()) == 2
    brought_back(place)
    same(place)


def test_a_copy_that_is_killed_half_way_leaves_the_one_before(place, streamer, monkeypatch):
    place.add(10)
    streamer.step()
    before = brought_back(place, "before")
    streamer.end()

    def killed(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(streaming, "pack_home", killed)
    with pytest.raises(OSError, match="no space"):
        streamer.step()
    assert brought_back(place, "after").generation == before.generation
    assert not (place.home / "run" / "copy.sqlite3").exists()


def test_a_disk_that_is_away_is_waited_for_and_never_written_beside(place, monkeypatch):
    monkeypatch.setattr(streaming, "PAUSE", 0.05)
    monkeypatch.setattr(streaming, "LONGEST_PAUSE", 0.1)
    away = place.to.rename(place.root / "unplugged")
    stop = threading.Event()
    runner = threading.Thread(target=place.streamer().run, args=(stop,))
    runner.start()
    try:
        time.sleep(0.3)
        assert not place.to.exists()
        assert queries.synced(place.home) is None
        away.rename(place.to)
        deadline = time.monotonic() + 10
        while queries.synced(place.home) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        place.add(7)
    finally:
        stop.set()
        runner.join()
    # What was written until the end is in it.
    assert brought_back(place).rows == 7


@pytest.mark.parametrize("size", [0, 3, 5_000_000])
def test_a_file_that_is_written_while_it_is_copied_spoils_nothing(
    place, streamer, monkeypatch, size
):
    picture = place.home / "media" / "deep" / "picture.png"
    picture.write_bytes(b"0" * 1_000_000)
    entry = packing._plain

    def changed(info):
        if info.name.endswith("picture.png"):
            picture.write_bytes(b"1" * size)
        return entry(info)

    monkeypatch.setattr(packing, "_plain", changed)
    place.add(3)
    streamer.step()
    assert brought_back(place).rows == 3


def test_a_file_that_goes_while_it_is_copied_spoils_nothing(place, streamer, monkeypatch):
    going = place.home / "media" / "a"
    going.write_bytes(b"x")
    entry = packing._plain

    def gone(info):
        going.unlink(missing_ok=True)
        return entry(info)

    monkeypatch.setattr(packing, "_plain", gone)
    streamer.step()
    brought_back(place)
    assert not (place.root / "restored" / "media" / "a").exists()
    assert (place.root / "restored" / "media" / "deep" / "picture.png").exists()


def test_old_copies_go_when_a_new_one_is_whole(place):
    for _ in range(8):
        one = place.streamer()
        one.step()
        one.end()
    assert len(place.generations()) == NEWEST
    brought_back(place)


@pytest.mark.process
def test_lost_at_any_moment_nothing_older_than_seconds_is(place, monkeypatch):
    """Four write without pause; at some moments the machine is lost, and comes back elsewhere."""
    monkeypatch.setattr(streaming, "PAUSE", 0.2)
    stop, halt = threading.Event(), threading.Event()
    runner = threading.Thread(target=place.streamer().run, args=(stop,))
    runner.start()
    committed: list[tuple[float, int]] = []

    def write():
        with closing(place.connect()) as connection:
            while not halt.is_set():
                connection.execute("BEGIN IMMEDIATE")
                rows = [("w", os.urandom(random.choice([10, 2000]))) for _ in range(20)]
                connection.executemany("INSERT INTO thing (word, pad) VALUES (?, ?)", rows)
                (newest,) = connection.execute("SELECT max(id) FROM thing").fetchone()
                connection.execute("COMMIT")
                committed.append((time.monotonic(), newest))
                time.sleep(0.01)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        lost = []
        for number in range(5):
            time.sleep(1.5)
            lost.append(time.monotonic())
            shutil.copytree(
                place.to, place.root / f"saved{number}", ignore=shutil.ignore_patterns("*.part")
            )
    finally:
        halt.set()
        for writer in writers:
            writer.join()
        stop.set()
        runner.join()
    for number, moment in enumerate(lost):
        store = Folder(place.root / f"saved{number}")
        into = place.root / f"r{number}"
        restore(store, [place.identity], into, report=quiet)
        with closing(sqlite3.connect(into / "policity.sqlite3")) as connection:
            (newest,) = connection.execute("SELECT max(id) FROM thing").fetchone()
            (count,) = connection.execute("SELECT count(*) FROM thing").fetchone()
        assert count == newest, "a hole"
        assert max(at for at, last in committed if last <= newest) > moment - 10
    brought_back(place)
    same(place)


# What is wrong with a copy.


def refused(place, words, **options):
    with pytest.raises(BadCopyError, match=words):
        brought_back(place, **options)


def first_change(place):
    return place.to / place.generations()[0] / copies.change_name(1)


@pytest.fixture
def copied(place, streamer):
    place.add(10)
    streamer.step()
    place.add(10)
    streamer.step()
    place.add(10)
    streamer.step()
    return place


def test_only_who_holds_the_key_can_read_it(copied):
    copied.identity = pyrage.x25519.Identity.generate()
    refused(copied, "この鍵では")
    base = (copied.to / copied.generations()[0] / copies.BASE).read_bytes()
    assert b"secret" not in base


def test_everybody_it_was_encrypted_for_can_read_it(place):
    other = pyrage.x25519.Identity.generate()
    place.keys = [*place.keys, other.to_public()]
    one = place.streamer()
    one.step()
    place.add(3)
    one.step()
    one.end()
    for number, identity in enumerate((place.identity, other)):
        place.identity = identity
        assert brought_back(place, f"r{number}").rows == 3


@pytest.mark.parametrize("at", [0, 100, -20])
def test_a_changed_byte_in_the_whole_copy_is_found(copied, at):
    base = copied.to / copied.generations()[0] / copies.BASE
    data = bytearray(base.read_bytes())
    data[at] ^= 1
    base.write_bytes(data)
    refused(copied, "こわれて")


@pytest.mark.parametrize("at", [0, -1])
def test_a_changed_byte_in_a_change_is_found(copied, at):
    data = bytearray(first_change(copied).read_bytes())
    data[at] ^= 1
    first_change(copied).write_bytes(data)
    refused(copied, "こわれています")


def test_beyond_a_hole_nothing_is_laid_on_and_it_is_said(copied):
    first_change(copied).unlink()
    told: list[str] = []
    done = restore(copied.store, [copied.identity], copied.root / "restored", report=told.append)
    assert (done.changes, done.rows, done.beyond) == (0, 10, 1)
    assert any("変更1の写しがありません" in line for line in told)


def test_a_change_of_another_copy_is_refused(copied):
    second = first_change(copied).with_name(copies.change_name(2))
    second.write_bytes(first_change(copied).read_bytes())
    refused(copied, "ほかの写しのもの")


def test_a_folder_with_anything_in_it_is_left_alone(copied):
    (copied.root / "restored").mkdir()
    (copied.root / "restored" / "city").touch()
    refused(copied, "空ではありません")
    assert [path.name for path in (copied.root / "restored").iterdir()] == ["city"]


def test_what_is_not_there_is_said(place):
    refused(place, "写しがありません")
    (place.to / "20261126T000000Z").mkdir()
    refused(place, "写しがありません")
    refused(place, "20200101T000000Z の写しはありません", generation="20200101T000000Z")


def test_an_older_copy_can_be_chosen(place, streamer):
    place.add(1)
    streamer.step()
    old = place.generations()[0]
    streamer.end()
    place.add(1)
    streamer.step()
    assert brought_back(place, "new").rows == 2
    assert brought_back(place, "old", generation=old).rows == 1
