"""What the log's files mean, which copies stay, and that a change comes back as it was packed."""

import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError, Change, pack, unpack
from policity.foundations.continuity.rules import age, keeping, lsn, wal
from policity.foundations.continuity.rules.wal import Changes, Index, NotALogError

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
moments = st.sets(
    st.integers(0, 40 * 24 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes)), max_size=40
)


@pytest.fixture
def database(tmp_path):
    """An open database whose log holds what was written to it."""
    with closing(sqlite3.connect(tmp_path / "d", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        for number in range(50):
            connection.execute("INSERT INTO t VALUES (?)", [str(number) * 500])
        yield tmp_path / "d"


def read(database):
    index = wal.index(database.with_name("d-shm").read_bytes()[: wal.INDEX_HEADER])
    log = database.with_name("d-wal").read_bytes()
    assert index is not None
    return index, log


def test_the_index_says_what_the_log_says(database):
    index, log = read(database)
    assert index.page_size == 4096
    assert wal.position(index.frames + 1, index.page_size) <= len(log)
    assert log[16:24] == index.begun.to_bytes(4, "big") + index.salt.to_bytes(4, "big")
    frames = log[wal.LOG_HEADER : wal.position(index.frames + 1, 4096)]
    whole = wal.changes([frames], page_size=4096, begun=index.begun, salt=index.salt)
    assert whole.size == index.pages
    # Written into an empty file they are the database.
    other = database.with_name("other")
    with other.open("wb") as file:
        for number, page in sorted(whole.pages.items()):
            file.seek((number - 1) * 4096)
            file.write(page)
    with closing(sqlite3.connect(other)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (50,)


@given(st.integers(1, 5))
def test_in_how_many_pieces_frames_are_read_does_not_matter(size):
    frame = b"\0\0\0\1" + b"\0\0\0\2" + b"\0\0\0\7" + b"\0\0\0\x08" + b"\0" * 8 + b"p" * 512
    frames = frame * 5
    step = size * len(frame)
    pieces = [frames[start : start + step] for start in range(0, len(frames), step)]
    made = wal.changes(pieces, page_size=512, begun=7, salt=8)
    assert made == Changes({1: b"p" * 512}, 2)


def test_a_page_beyond_the_end_is_left_out():
    def frame(page, size):
        return page.to_bytes(4, "big") + size.to_bytes(4, "big") + b"\0" * 16 + b"x" * 512

    shrunk = wal.changes([frame(9, 0), frame(1, 3)], page_size=512, begun=0, salt=0)
    assert shrunk == Changes({1: b"x" * 512}, 3)


@pytest.mark.parametrize("harm", ["short", "salt", "no commit", "no page", "nothing"])
def test_what_is_no_log_is_refused(harm):
    head = {"salt": (1, 1, 7, 9), "no commit": (1, 0, 7, 8), "no page": (0, 1, 7, 8)}
    words = head.get(harm, (1, 1, 7, 8))
    frame = b"".join(word.to_bytes(4, "big") for word in words) + b"\0" * 8 + b"x" * 512
    frames = {"short": [frame[:-1]], "nothing": []}.get(harm, [frame])
    with pytest.raises(NotALogError):
        wal.changes(frames, page_size=512, begun=7, salt=8)


def test_an_index_that_is_being_written_says_nothing(database):
    header = bytearray(database.with_name("d-shm").read_bytes()[: wal.INDEX_HEADER])
    assert wal.index(bytes(header))
    header[20] ^= 1
    assert wal.index(bytes(header)) is None
    assert wal.index(bytes(wal.INDEX_HEADER)) is None
    assert wal.index(b"") is None


AT = Index(frames=10, pages=3, page_size=4096, begun=7, salt=1)


@pytest.mark.parametrize(
    ("now", "follows"),
    [
        (AT, True),
        (AT._replace(frames=12), True),
        (AT._replace(frames=9), False),
        (AT._replace(salt=2), False),
        (AT._replace(begun=8, salt=2, frames=1), True),
        (AT._replace(begun=9, salt=2, frames=1), False),
        (AT._replace(begun=6, salt=2), False),
        (AT._replace(begun=7, salt=2), False),
    ],
)
def test_what_goes_on_from_what(now, follows):
    assert wal.follows(AT, now) is follows


def test_after_an_empty_log_comes_one_with_salts_of_its_own():
    assert wal.follows(AT._replace(frames=0), AT._replace(begun=99, salt=5))


def test_the_count_of_logs_goes_round():
    assert wal.follows(AT._replace(begun=2**32 - 1), AT._replace(begun=0, salt=5))


@given(moments)
def test_the_newest_and_one_of_each_day_stay(begun):
    gone = keeping.outlived(begun, now=NOW)
    stay = begun - gone
    assert gone <= begun
    assert set(sorted(begun)[-keeping.NEWEST :]) <= stay
    for day in {at.date() for at in begun}:
        if NOW.date() - day < timedelta(days=keeping.DAYS):
            assert max(at for at in begun if at.date() == day) in stay
    assert len(stay) <= keeping.NEWEST + keeping.DAYS


@given(moments)
def test_what_was_kept_is_kept_again(begun):
    stay = begun - keeping.outlived(begun, now=NOW)
    assert keeping.outlived(stay, now=NOW) == set()


@given(
    st.dictionaries(st.integers(1, 100), st.binary(min_size=512, max_size=512)),
    st.integers(0, 1000),
)
def test_a_change_comes_back_as_it_was(pages, size):
    change = Change("20261126T030000Z", 7, NOW, 512, Changes(pages, size))
    assert unpack(pack(change)) == change


@given(st.data())
def test_a_change_that_was_cut_off_is_refused(data):
    packed = pack(Change("g", 1, NOW, 512, Changes({1: b"x" * 512, 2: b"y" * 512}, 2)))
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(BadCopyError):
        unpack(packed[:cut])
    with pytest.raises(BadCopyError):
        unpack(zlib.compress(zlib.decompress(packed)[:-1]))


def test_names_are_read_back():
    assert copies.begun(copies.generation(NOW)) == NOW
    assert copies.change_number(copies.change_name(12)) == 12
    for name in ("lost+found", "20261126", "20261399T000000Z"):
        assert copies.begun(name) is None
    for name in ("base.age", "1.age", "00000001.age.part", "0000000a.age"):
        assert copies.change_number(name) is None


def test_when_a_copy_is_too_old():
    assert age.too_old(None, now=NOW)
    assert not age.too_old(NOW - age.TOO_OLD, now=NOW)
    assert age.too_old(NOW - age.TOO_OLD - timedelta(seconds=1), now=NOW)


positions = st.integers(0, 2**64 - 1)
segments = st.sampled_from([1 << 20, 16 << 20, 1 << 30])


@given(positions)
def test_a_position_is_read_as_it_is_written(position):
    assert lsn.number(lsn.text(position)) == position


def test_positions_and_files_are_named_as_the_server_names_them():
    assert lsn.number("16/B374D848") == 0x16B374D848
    assert lsn.text(0x16B374D848) == "16/B374D848"
    assert lsn.file(1, 0x16B374D848, segment=16 << 20) == "0000000100000016000000B3"
    assert lsn.file(2, 0x16B374D848, segment=1 << 30) == "000000020000001600000002"
    assert [lsn.size(said) for said in ("16MB", "1GB", "512kB", "7")] == [
        16 << 20, 1 << 30, 512 << 10, 7
    ]  # fmt: skip


@given(st.integers(0, 2**63), st.integers(0, 1 << 27), segments)
def test_what_lies_in_each_file_is_all_and_in_one_file(position, length, segment):
    parts = list(lsn.split(position, length, segment=segment))
    assert sum(some for _, some in parts) == length
    at = position
    for start, some in parts:
        assert start == at
        assert lsn.begin(start, segment=segment) == lsn.begin(start + some - 1, segment=segment)
        at += some


@given(st.binary(max_size=3000), st.integers(1, 10**8), positions)
def test_a_piece_of_the_log_comes_back_as_it_was_packed(data, number, start):
    logged = copies.Logged("20261126T000000Z", number, NOW, 1, start, data)
    packed = copies.pack_log(logged)
    assert copies.unpack_log(packed) == logged
    assert copies.moment(packed) == NOW
    with pytest.raises(BadCopyError):
        copies.unpack_log(packed[: len(packed) // 2])
    with pytest.raises(BadCopyError):
        copies.moment(b"no log")
