"""What lies beside the database follows within seconds: forms that wait, pictures. Encrypted."""

import random
import shutil
import threading
from datetime import timedelta

import pytest

from policity.foundations.continuity import queries
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.services import accompanying, restore
from policity.foundations.continuity.services.accompanying import Files
from policity.foundations.continuity.services.packing import differing, taken
from policity.foundations.continuity.tests.test_copying import brought_back, same

FORM = "1-00001764000000-0123456789abcdef-0123456789abcdef.json"
SECRET = b'{"body": "answer=help&phone=090-1234-5678"}'


@pytest.fixture
def files(place):
    return Files(place.home, place.store, place.keys, clock=place.clock)


def waits(place, name=FORM):
    file = place.home / "spool" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(SECRET)
    return file


def lying(place):
    (generation,) = place.generations()
    return [name for name in place.store.names(generation) if copies.files_number(name)]


def test_a_form_that_waits_comes_back_and_nobody_reads_it(place, streamer, files):
    streamer.step()
    waits(place)
    waits(place, f"refused/{FORM}")
    files.step()
    assert lying(place) == ["files-00000001.age"]
    for file in place.to.rglob("*"):
        assert file.is_dir() or file.read_bytes().startswith(b"age-encryption.org/v1\n")
        assert FORM not in file.name
    done = brought_back(place)
    assert done.files == 1
    back = place.root / "restored" / "spool" / FORM
    assert back.read_bytes() == SECRET
    assert differing(place.home, place.root / "restored") == []
    files.step()
    assert lying(place) == ["files-00000001.age"], "nothing was new"


def test_it_is_copied_while_the_database_is_away(place, streamer, files):
    streamer.step()
    place.database.unlink()
    waits(place)
    files.step()
    brought_back(place)
    assert (place.root / "restored" / "spool" / FORM).exists()


def test_what_came_in_goes_only_when_the_copy_has_the_database_of_then(place, streamer, files):
    streamer.step()
    form = waits(place)
    files.step()
    place.add(1)
    form.unlink()
    files.step()
    files.step()
    # Until the database follows, the form is what there is of it.
    brought_back(place, "before")
    assert (place.root / "before" / "spool" / FORM).exists()
    streamer.step()
    files.step()
    brought_back(place, "after")
    assert not (place.root / "after" / "spool" / FORM).exists()
    assert same(place, "after") == 1


def test_what_was_half_written_is_nobodys(place, streamer, files):
    streamer.step()
    waits(place, f".{FORM}")
    files.step()
    assert lying(place) == []


def test_what_the_whole_copy_holds_is_not_copied_again(place, streamer, files):
    waits(place)
    streamer.step()
    files.step()
    assert lying(place) == []
    brought_back(place)
    assert (place.root / "restored" / "spool" / FORM).exists()
    # Whoever starts anew goes on in what is there.
    (place.home / "media" / "new.png").write_bytes(b"new")
    files.step()
    other = Files(place.home, place.store, place.keys, clock=place.clock)
    (place.home / "media" / "newer.png").write_bytes(b"newer")
    other.step()
    assert len(lying(place)) == 2
    assert brought_back(place, "again").files == 2
    assert differing(place.home, place.root / "again") == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_and_goes_the_copy_is_the_home(place, streamer, files, seed):
    chance = random.Random(seed)
    streamer.step()
    for _step in range(12):
        for _ in range(chance.randrange(4)):
            file = place.home / "media" / str(chance.randrange(5))
            if chance.random() < 0.4:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(chance.randbytes(chance.randrange(1, 9000)))
        if chance.random() < 0.2:
            # A new day: a whole copy.
            place.now += timedelta(days=1)
        for step in chance.sample([streamer.step, files.step], 2):
            step()
    # Looked at, the database copied, and looked at again.
    files.step()
    streamer.step()
    files.step()
    brought_back(place)
    assert differing(place.home, place.root / "restored") == []
    notes = list((place.home / "run").glob(queries.files_note("*")))
    assert len(notes) == 1


def test_what_vanishes_while_it_is_packed_is_left_out(place, streamer, files, monkeypatch):
    streamer.step()
    form = waits(place)

    def seen(home):
        found = taken(home)
        form.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(accompanying, "taken", seen)
    files.step()
    streamer.step()
    files.step()
    brought_back(place)
    assert not (place.root / "restored" / "spool" / FORM).exists()


def test_a_hole_is_told_and_another_generations_files_are_refused(place, streamer, files):
    streamer.step()
    for number in range(3):
        (place.home / "media" / str(number)).write_bytes(b"x")
        files.step()
    (generation,) = place.generations()
    first, second, third = (place.to / generation / name for name in lying(place))
    kept = second.read_bytes()
    second.unlink()
    said: list[str] = []
    assert brought_back_saying(place, said, "hole").files == 1
    assert any("ファイルの写し2がありません" in line for line in said)
    assert queries.files_synced(place.home, generation) == 3
    second.write_bytes(kept)
    shutil.copy(first, third)
    with pytest.raises(BadCopyError, match="ほかの写し"):
        brought_back(place, "mixed")


def brought_back_saying(place, said, name):
    return restore(place.store, [place.identity], place.root / name, report=said.append)


def test_a_place_that_is_away_is_asked_again(place, streamer, files, monkeypatch):
    monkeypatch.setattr(accompanying, "PAUSE", 0.01)
    streamer.step()
    waits(place)
    away = place.to.with_name("away")
    place.to.rename(away)
    stop = threading.Event()
    running = threading.Thread(target=files.run, args=(stop,))
    running.start()
    stop.wait(0.1)
    assert not place.to.exists()
    away.rename(place.to)
    for _ in range(500):
        if lying(place):
            break
        stop.wait(0.01)
    stop.set()
    running.join()
    assert lying(place) == ["files-00000001.age"]
