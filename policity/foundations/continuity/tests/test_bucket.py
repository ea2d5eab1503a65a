"""Copies on an S3 store: as in a folder, and on its bad days."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels import bucket
from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.channels.store import lies
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.rules.keeping import NEWEST
from policity.foundations.continuity.services import streaming
from policity.foundations.continuity.services.restoring import changes, generations
from policity.foundations.continuity.tests.buckets import ADDS, S3
from policity.foundations.continuity.tests.test_copying import brought_back, same

# As small as parts may be.
PART = 5 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    found = S3()
    yield found
    found.close()


@pytest.fixture
def s3(server, monkeypatch):
    monkeypatch.setattr(bucket, "PART", PART)
    monkeypatch.setattr(bucket, "AGAIN", timedelta(seconds=1))
    server.mend()
    return server


@pytest.fixture
def name(s3):
    return s3.bucket()


@pytest.fixture
def on_s3(place, s3, name):
    """A home whose copies go there, with a key that may do all of it."""
    place.store = s3.store(name, s3.key("s3:*"))
    return place


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path, s3, name):
    return Folder(tmp_path) if request.param == "folder" else s3.store(name)


def put(store, name, data=b"x"):
    with store.writing(name) as file:
        file.write(data)


def every_other() -> Callable[[str, str], bool]:
    count = itertools.count(1)
    return lambda method, query: next(count) % 2 == 1


def test_both_kinds_of_place_mean_the_same(store):
    assert store.names() == store.names("none") == []
    large = bytes(range(256)) * (PART // 100)
    put(store, "b/2", large)
    put(store, "b/1", b"one")
    put(store, "a/x.age")
    assert (store.names(), store.names("b")) == (["a", "b"], ["1", "2"])
    assert (store.size("b/1"), store.size("b/2")) == (3, len(large))
    with store.reading("b/2") as file:
        assert file.read(10) == large[:10]
        assert file.read() == large[10:]
    put(store, "b/1", b"another")
    with store.reading("b/1") as file:
        assert file.read() == b"another"
    for ask in (store.size, store.reading):
        with pytest.raises(FileNotFoundError):
            ask("b/3")
    assert lies(store, "b/1")
    assert not lies(store, "b/3")
    store.remove("b")
    assert (store.names(), store.names("b")) == (["a"], [])


def broken_off(store, size, fault):
    with store.writing("g") as file:
        file.write(b"x" * size)
        raise fault


@pytest.mark.parametrize("size", [1, 3 * PART])
@pytest.mark.parametrize("fault", [ValueError(), FileNotFoundError(2, "went"), KeyboardInterrupt()])
def test_what_breaks_off_leaves_nothing(store, s3, name, size, fault):
    with pytest.raises(type(fault)) as raised:
        broken_off(store, size, fault)
    assert raised.value is fault
    assert store.names() == []
    assert s3.lying(name) == []


@pytest.mark.parametrize("fault", ["busy", "breaks"])
def test_a_store_that_fails_now_and_then_is_asked_again(s3, name, fault):
    store = s3.store(name)
    setattr(s3, fault, every_other())
    put(store, "g/x", b"x" * 3 * PART)
    with store.reading("g/x") as file:
        assert file.read() == b"x" * 3 * PART
    assert store.names("g") == ["x"]
    store.remove("g")
    s3.mend()
    assert s3.lying(name) == []


def test_an_answer_that_breaks_off_is_gone_on_with(s3, name):
    store = s3.store(name)
    put(store, "g", bytes(range(256)) * (3 * PART // 256))
    s3.cut = PART // 2
    with store.reading("g") as file:
        assert file.read() == bytes(range(256)) * (3 * PART // 256)
    assert len(s3.asked) > 4


@pytest.mark.parametrize("when", ["uploads", "partNumber", "uploadId"])
def test_an_upload_that_the_store_does_not_take_leaves_nothing(on_s3, s3, name, when):
    s3.busy = lambda method, query: method != "DELETE" and when in query
    on_s3.add(3000, pad=PART // 1000)
    with pytest.raises(OSError, match=r"いま応じません（503）"):
        on_s3.streamer().step()
    assert s3.lying(name) == []
    s3.busy = lambda method, query: False
    one = on_s3.streamer()
    one.step()
    one.end()
    brought_back(on_s3)
    assert same(on_s3) == 3000


def test_wrong_keys_and_places_are_told_in_plain_words_and_no_secret_is(s3, name, on_s3):
    known, secret = s3.key(*ADDS)
    wrong = {
        "鍵が違います": s3.store(name, (known, "planted-secret")),
        "鍵が違います。": s3.store(name, ("planted-name", "planted-secret")),
        "バケットがありません": s3.store("nowhere", (known, secret)),
        "許されていません": s3.store(name, s3.key("s3:ListAllMyBuckets")),
        "届きません": bucket.Bucket("x", endpoint="http://127.0.0.1:9", region="", key=("a", "b")),
    }
    for words, store in wrong.items():
        on_s3.store = store
        with pytest.raises(OSError, match=words) as raised:
            on_s3.streamer().step()
        said = f"{raised.value!r}{raised.value.__cause__!r}{store!r}{vars(store)!r}"
        assert "planted" not in said
        assert secret not in said
    assert s3.lying(name) == []


def test_a_bucket_that_wants_something_else_is_told_with_its_code(s3):
    """This server takes nothing into a locked bucket without a header that only SDKs send."""
    with pytest.raises(OSError, match=r"断られました（400、MissingUpload\w+）"):
        put(s3.store(s3.bucket(locked=True)), "g/x")


def test_from_a_locked_bucket_nobody_takes_the_copies(place, s3):
    """Whoever has the machine's key may write over them; what was there stays, and comes back.

    In one piece each: this server forgets to lock what comes up in parts.
    """
    s3.takes_checksums = True
    name = s3.bucket(locked=True)
    key = s3.key(*ADDS)
    place.store = s3.store(name, key)
    one = place.streamer()
    one.step()
    place.add(10)
    one.step()
    one.end()
    intruder = s3.store(name, key)
    (generation,) = intruder.names()
    for file in intruder.names(generation):
        put(intruder, f"{generation}/{file}", b"nothing")
    with pytest.raises(PermissionError):
        intruder.remove(generation)
    with pytest.raises(BadCopyError):
        brought_back(place, "spoilt")
    with s3.open():
        client = s3.client()
        found = client.list_object_versions(Bucket=name)["Versions"]
        before = [one for one in found if not one["IsLatest"]]
        assert len(before) == len(found) / 2 == 2
        for one in before:
            whole = {"Bucket": name, "Key": one["Key"], "VersionId": one["VersionId"]}
            # Not even its administrator removes them.
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                client.delete_object(**whole)
            body = client.get_object(**whole)["Body"].read()
            client.put_object(Bucket=name, Key=one["Key"], Body=body, ChecksumAlgorithm="SHA256")
    brought_back(place)
    assert same(place) == 10


def test_a_city_is_copied_and_comes_back(on_s3):
    one = on_s3.streamer()
    for number in range(5):
        on_s3.add(10)
        one.step()
        brought_back(on_s3, f"r{number}")
        assert same(on_s3, f"r{number}") == 10 * (number + 1)
    one.end()


def test_what_is_not_listed_yet_is_found_by_its_name(on_s3, s3):
    one = on_s3.streamer()
    for _ in range(4):
        on_s3.add(10)
        one.step()
    one.end()
    (generation,) = generations(on_s3.store)
    s3.late = {copies.BASE, copies.change_name(1), copies.change_name(3)}
    assert on_s3.store.names(generation) == [copies.change_name(2)]
    assert generations(on_s3.store) == [generation]
    assert changes(on_s3.store, generation) == [1, 2, 3]
    brought_back(on_s3)
    assert same(on_s3) == 40


def test_old_copies_go_also_what_was_never_finished(on_s3, s3, name):
    first = copies.generation(on_s3.now - timedelta(days=15))
    fresh = copies.generation(on_s3.now - timedelta(days=13))
    for one in (first, fresh):
        put(on_s3.store, f"{one}/{copies.SERVER}")
    for _ in range(6):
        one = on_s3.streamer()
        one.step()
        one.end()
    assert len(generations(on_s3.store)) == NEWEST
    assert fresh in on_s3.store.names()
    assert first not in on_s3.store.names()


def test_a_key_that_may_only_add_copies_on_and_tells_once_for_each_whole_copy(
    on_s3, s3, name, monkeypatch
):
    on_s3.store = s3.store(name, s3.key(*ADDS))
    told = []
    monkeypatch.setattr(streaming.log, "warning", lambda event, **said: told.append((event, said)))
    for number in range(1, 6):
        one = on_s3.streamer()
        for _ in range(3):
            on_s3.add(1)
            one.step()
        one.end()
        assert len(told) == max(0, number - NEWEST)
    assert len(generations(on_s3.store)) == 5
    assert told[0][0] == "copies_not_removed"
    assert "許されていません" in told[0][1]["error"]
    assert queries.synced(on_s3.home).changes == 2
    brought_back(on_s3)
    same(on_s3)


def test_a_store_that_is_away_is_waited_for_and_its_reason_is_kept(on_s3, s3, monkeypatch):
    monkeypatch.setattr(streaming, "PAUSE", 0.05)
    monkeypatch.setattr(streaming, "LONGEST_PAUSE", 0.1)
    s3.busy = lambda method, query: True
    stop = threading.Event()
    runner = threading.Thread(target=on_s3.streamer().run, args=(stop,))
    runner.start()
    try:
        deadline = time.monotonic() + 20
        while not queries.copy_fault(on_s3.home):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "503" in queries.copy_fault(on_s3.home)
        assert queries.synced(on_s3.home) is None
        # The whole database is not read for a place that takes nothing.
        assert {query.partition("=")[0] for _, _, query in s3.asked} == {"delimiter"}
        s3.mend()
        while queries.copy_fault(on_s3.home):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        on_s3.add(7)
    finally:
        stop.set()
        runner.join()
    assert brought_back(on_s3).rows == 7


def test_changes_are_read_while_others_are_on_their_way(on_s3, s3):
    one = on_s3.streamer()
    for _ in range(40):
        on_s3.add(1)
        one.step()
    one.end()
    s3.slow = 0.1
    began = time.monotonic()
    done = brought_back(on_s3)
    assert (done.changes, done.rows) == (39, 40)
    # One by one 39 of them would take four seconds.
    assert time.monotonic() - began < 3.5
    same(on_s3)


def test_a_store_that_goes_while_a_city_is_brought_back_is_told(on_s3, s3, monkeypatch):
    one = on_s3.streamer()
    on_s3.add(3000, pad=PART // 1000)
    one.step()
    one.end()
    s3.busy = lambda method, query: method == "GET" and "delimiter" not in query
    with pytest.raises((OSError, BadCopyError), match="いま応じません"):
        brought_back(on_s3)
