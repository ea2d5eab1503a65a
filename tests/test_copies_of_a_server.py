"""Copies of a city whose data is in PostgreSQL, on a server of the tests' own."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyrage
import pytest
from django.core.management import CommandError, call_command

from policity.foundations.continuity import queries
from policity.foundations.continuity.channels import bucket, programs
from policity.foundations.continuity.channels.folder import Folder
from policity.foundations.continuity.channels.replication import AwayError
from policity.foundations.continuity.formats import copies
from policity.foundations.continuity.formats.copies import BadCopyError
from policity.foundations.continuity.services import restore
from policity.foundations.continuity.services.following import Follower
from policity.foundations.continuity.services.recovering import compared
from policity.foundations.continuity.services.restoring import generations
from policity.foundations.continuity.tests.buckets import ADDS, S3
from policity.project.tests import postgresql

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.Server]:
    # What is committed is in the log, as in a city.
    with postgresql.running(careless="-c fsync=off") as found:
        with psycopg.connect(found.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE copies LOGIN REPLICATION")
            connection.execute("CREATE ROLE city LOGIN")
            connection.execute("CREATE DATABASE city OWNER city TEMPLATE template0")
            # As a city may have set it.
            connection.execute("ALTER SYSTEM SET timezone = 'Asia/Tokyo'")
            connection.execute("SELECT pg_reload_conf()")
        yield found


class Place:
    """A home, its database with one table, and where its copies go."""

    def __init__(self, root: Path, server: postgresql.Server) -> None:
        self.root, self.home, self.to = root, root / "home", root / "copies"
        (self.home / "run").mkdir(parents=True)
        self.to.mkdir()
        (self.home / "secret.key").write_text("secret\n")
        self.identity = pyrage.x25519.Identity.generate()
        self.store = Folder(self.to)
        self.now = datetime.now(UTC)
        self.server = server
        self.url = server.url("city").replace("postgres@", "city@")
        self.ask("DROP TABLE IF EXISTS thing")
        self.ask(
            "CREATE TABLE thing (id bigserial PRIMARY KEY, word text, at timestamptz DEFAULT now())"
        )

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def ask(self, query: str, *, url: str = "") -> list[tuple[object, ...]]:
        with psycopg.connect(url or self.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def add(self, count: int) -> None:
        words = f"repeat(md5(random()::text), 10) FROM generate_series(1, {count})"
        self.ask(f"INSERT INTO thing (word) SELECT {words}")  # a number

    def follower(self) -> Follower:
        return Follower(
            self.home, self.store, [self.identity.to_public()], database=self.url,
            server=self.server.url("postgres").replace("postgres@", "copies@"), clock=self.clock,
        )  # fmt: skip

    def back(self, name: str = "restored", *, lasting: bool = False):
        """Brought back, and held against the city: (what was brought back, what differs)."""
        into = self.root / name
        done = restore(self.store, [self.identity], into, report=lambda line: None, lasting=lasting)
        return done, compared(self.url, into, done).different


@pytest.fixture
def place(tmp_path: Path, server: postgresql.Server) -> Iterator[Place]:
    found = Place(tmp_path, server)
    yield found
    deadline = time.monotonic() + 20
    while found.ask("SELECT 1 FROM pg_replication_slots WHERE active"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    found.ask(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots",
        url=server.url("postgres"),
    )


@pytest.fixture
def follower(place: Place) -> Iterator[Follower]:
    found = place.follower()
    yield found
    found.end()


def test_a_city_comes_back_as_it_was(place, follower):
    place.add(100)
    follower.step()
    for _ in range(3):
        place.add(10)
        follower.step()
    done, different = place.back(lasting=True)
    assert different == {}
    assert (done.rows, done.server, done.beyond) == (130, postgresql_version(place), 0)
    assert done.changes >= 3
    assert done.at <= place.now
    back = place.root / "restored"
    assert (back / "secret.key").read_text() == "secret\n"
    assert (back / "postgresql").stat().st_mode & 0o777 == 0o700
    # Nothing is left to be recovered, nor any setting of ours.
    assert not (back / "postgresql" / "recovery.signal").exists()
    assert not (back / "postgresql" / "postmaster.pid").exists()
    assert "restore_command" not in (back / "postgresql" / "postgresql.auto.conf").read_text()
    # Nothing in the clear where copies are kept.
    for file in place.to.rglob("*.age"):
        assert file.read_bytes().startswith(b"age-encryption.org/v1\n")


def stepped(follower: Follower) -> None:
    """A step, once the server has seen that the connection before was closed."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(AwayError):
            return follower.step()
        follower.end()
        time.sleep(0.1)
    raise AssertionError("it does not go on")


def postgresql_version(place: Place) -> int:
    ((number,),) = place.ask("SHOW server_version_num")
    return int(str(number)) // 10000


def test_what_is_written_meanwhile_is_as_of_one_moment(place, follower):
    """Rows and log are larger than what is held in memory, and a writer never rests."""
    stop, written = threading.Event(), []

    def write() -> None:
        with psycopg.connect(place.url) as connection:
            while not stop.is_set():
                connection.execute(
                    "INSERT INTO thing (word) SELECT (SELECT string_agg(md5(random()::text), '')"
                    " FROM generate_series(1, 300) WHERE n > 0) FROM generate_series(1, 100) n"
                )
                connection.commit()
                written.append(100)

    writer = threading.Thread(target=write)
    follower.step()
    writer.start()
    try:
        for _ in range(4):
            time.sleep(0.5)
            follower.step()
    finally:
        stop.set()
        writer.join()
    told = sum(written)
    follower.step()
    sizes = [
        len(copies.unpack_log(pyrage.decrypt(file.read_bytes(), [place.identity])).data)
        for file in place.to.rglob("0*.age")
    ]
    assert len(sizes) > 2
    assert max(sizes) < 17 << 20
    done, different = place.back()
    assert different == {}
    assert done.rows >= told


def test_it_goes_on_after_everything_that_may_happen_to_it(place, follower):
    follower.step()
    # The process ends and another begins.
    follower.end()
    place.add(3)
    second = place.follower()
    stepped(second)
    # The server closes our connections.
    place.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'",
        url=place.server.url("postgres"),
    )
    place.add(4)
    with pytest.raises(RuntimeError):
        second.step()
    second.end()
    stepped(second)
    # The copies' disk is away, and comes back.
    place.to.rename(place.root / "away")
    place.add(5)
    with pytest.raises(OSError, match="copies"):
        second.step()
    second.end()
    (place.root / "away").rename(place.to)
    place.add(6)
    stepped(second)
    second.end()
    assert len(place.store.names()) == 1, "all was copied again"
    done, different = place.back()
    assert (done.rows, different) == (18, {})


def test_where_the_log_is_gone_all_is_copied_again(place, follower):
    follower.step()
    follower.end()
    administrator = place.server.url("postgres")
    place.ask(f"SELECT pg_drop_replication_slot('{follower.slot}')", url=administrator)
    place.add(7)
    with pytest.raises(RuntimeError, match="does not exist"):
        follower.step()
    follower.end()
    stepped(follower)
    assert len(place.store.names()) == 2
    done, different = place.back()
    assert (done.rows, different) == (7, {})


def test_two_do_not_copy_one_city(place, follower):
    follower.step()
    other = Follower(
        place.root / "other", place.store, follower.keys, server=follower.server,
        database=place.url, clock=place.clock,
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="is active"):
        other.step()
    other.end()
    assert len(place.store.names()) == 1
    place.add(1)
    follower.step()


def test_the_daily_copy_is_made_while_changes_follow(place, follower):
    follower.step()
    first = place.store.names()
    place.now += timedelta(days=1)
    deadline = time.monotonic() + 60
    while True:
        place.add(1)
        follower.step()
        if len([n for n in place.store.names() if copies.BASE in place.store.names(n)]) == 2:
            break
        assert queries.noted(place.home, queries.FILE)["generation"] == first[0]
        assert time.monotonic() < deadline
    follower.step()
    place.add(1)
    follower.step()
    assert queries.noted(place.home, queries.FILE)["generation"] == place.store.names()[1]
    done, different = place.back()
    assert (done.generation, different) == (place.store.names()[1], {})


def test_a_copy_by_hand_does_not_stand_before_the_one_that_follows(place, follower):
    follower.step()
    time.sleep(1.1)
    place.now = datetime.now(UTC)
    assert place.follower().backup() == place.store.names()[1]
    place.add(9)
    follower.step()
    done, different = place.back()
    assert (done.generation, different) == (place.store.names()[0], {})


def test_what_is_wrong_with_a_copy_is_said(place, follower, monkeypatch):
    follower.step()
    for _ in range(3):
        place.add(1)
        follower.step()
    generation = place.to / place.store.names()[0]
    last = max(generation.glob("0*.age"))
    away = place.root / "away.age"
    (generation / "00000002.age").rename(away)
    done, different = place.back("holed")
    assert done.beyond == int(last.stem) - 2
    assert different["thing"] > 0
    # One that belongs elsewhere, and one that was changed by a byte.
    (generation / "00000002.age").write_bytes((generation / "00000001.age").read_bytes())
    with pytest.raises(BadCopyError, match="ほかの写しのもの"):
        place.back("elsewhere")
    data = bytearray(away.read_bytes())
    data[-20] ^= 1
    (generation / "00000002.age").write_bytes(data)
    with pytest.raises(BadCopyError, match="こわれています"):
        place.back("changed")
    away.rename(generation / "00000002.age")
    whole = generation / copies.SERVER
    kept = whole.read_bytes()
    whole.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(BadCopyError, match="こわれています"):
        place.back("cut")
    whole.write_bytes(kept)
    monkeypatch.setattr(programs, "PLACE", place.root)
    monkeypatch.setenv("PATH", str(place.root))
    with pytest.raises(BadCopyError, match="apt-get install postgresql"):
        place.back("nothing")
    with pytest.raises(RuntimeError, match="apt-get install postgresql-client"):
        place.follower().backup()


def test_the_commands_say_the_same_as_for_a_file(place, settings, capsys):
    (place.root / "identity").write_text(f"{place.identity}\n")
    (place.root / "recipients").write_text(f"{place.identity.to_public()}\n")
    settings.HOME, settings.BACKUP = place.home, str(place.to)
    settings.BACKUP_RECIPIENTS = str(place.root / "recipients")
    settings.SECRET_DATABASE = place.url
    settings.SECRET_BACKUP_DATABASE = place.follower().server
    opened = ("--identity", str(place.root / "identity"))
    place.add(12)
    call_command("continuity", "backup")
    assert "写しを取りました" in capsys.readouterr().out
    call_command("continuity", "verify", *opened)
    assert "すべてもどせます" in capsys.readouterr().out
    place.add(3)
    call_command("continuity", "drill", "--json", *opened)
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["rows_compared"], said["rows_different"]) == (12, 15, {"thing": 3})
    assert 0 <= said["recovery_point_s"] < 60
    assert 0 <= said["recovery_time_s"] < 60
    # Only its own copy was destroyed.
    left = {path.name for path in (place.home / "run").iterdir()}
    assert left == {queries.FILE, queries.DRILLED, queries.files_note(place.store.names()[0])}
    call_command("continuity", "status", "--json")
    status = json.loads(capsys.readouterr().out)
    assert (status["old"], status["copies"], status["fault"]) == (False, 1, "")
    call_command("continuity", "restore", "--into", str(place.root / "new"), *opened)
    told = capsys.readouterr().out
    assert f"{place.root}/new/postgresql にあります" in told
    # The city's own role may not copy its server.
    settings.SECRET_BACKUP_DATABASE = place.url
    with pytest.raises(CommandError, match="replication role"):
        call_command("continuity", "backup")
    settings.SECRET_BACKUP_DATABASE = place.url.replace("city@", "nobody@")
    with pytest.raises(CommandError, match="できません"):
        call_command("continuity", "backup")


def test_copies_on_s3_go_on_where_they_stopped_also_when_it_lists_late_or_was_away(
    place, monkeypatch
):
    monkeypatch.setattr(bucket, "AGAIN", timedelta(seconds=1))
    s3 = S3()
    name = s3.bucket()
    place.store = s3.store(name, s3.key(*ADDS))
    try:
        for number in range(3):
            # Each time anew, as after a restart of the city.
            one = place.follower()
            one.step()
            place.add(50)
            s3.busy = lambda method, query: True
            with pytest.raises(OSError, match="503"):
                one.step()
            # As `run` does after whatever failed.
            one.end()
            s3.busy = lambda method, query: False
            one.step()
            one.end()
            s3.late |= {copies.change_name(found + 1) for found in range(number, 9)}
        (generation,) = generations(place.store)
        done, different = place.back()
    finally:
        s3.close()
    assert queries.synced(place.home).generation == generation
    assert done.changes == queries.synced(place.home).changes >= 3
    assert (done.beyond, different) == (0, {})
