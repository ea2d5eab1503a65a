"""Which feeds are watched; and the process that watches, started and stopped."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as the_database

from policity.fields.alerts import queries, services
from policity.fields.alerts.models import Feed
from policity.fields.alerts.rules.feeds import feed_rules
from policity.fields.alerts.tests import feed_server

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_the_feeds_we_ship_are_put_in_once_and_stay_away_when_removed():
    services.ensure_feeds(now=NOW)
    services.ensure_feeds(now=NOW)
    shipped = [feed.address for feed in feed_rules().feeds]
    assert [feed.url for feed in queries.feeds()] == shipped
    assert all(feed.long_url and feed.quiet_hours for feed in queries.feeds())
    for address in shipped:
        services.remove_feed(address=address)
    services.ensure_feeds(now=NOW)
    assert queries.feeds() == ()
    again = services.add_feed(address=shipped[0], now=NOW)
    assert queries.feeds() == (again,)


@pytest.mark.django_db
def test_a_removed_feed_begins_anew():
    address = "https://example.org/feed.xml"
    feed = services.add_feed(address=address, now=NOW)
    services.answered(feed=feed, newest=NOW, etag='"one"', now=NOW)
    services.remove_feed(address=address)
    again = services.add_feed(address=address, now=NOW)
    assert (again.etag, again.newest) == ("", None)


@pytest.mark.django_db
def test_removing_a_feed_while_it_is_read_is_not_undone():
    feed = services.add_feed(address="https://example.org/feed.xml", now=NOW)
    services.remove_feed(address=feed.url)
    services.answered(feed=feed, now=NOW)
    services.failed(feed=feed, error="x", wait=timedelta(0), now=NOW)
    assert queries.feeds() == ()


@pytest.mark.django_db
def test_an_entry_from_the_future_does_not_move_the_place_past_now():
    feed = services.add_feed(address="https://example.org/feed.xml", now=NOW)
    services.answered(feed=feed, newest=NOW + timedelta(days=9), now=NOW)
    assert Feed.objects.get().newest == NOW
    services.answered(feed=feed, newest=NOW - timedelta(days=9), now=NOW)
    assert Feed.objects.get().newest == NOW


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "long", "words"),
    [
        ("ftp://example.org/x", "", "http"),
        ("http://user@example.org/x", "", "http"),
        ("https://example.org/x", "gopher://example.org/", "http"),
        ("/nowhere/at/all", "", "フォルダーが見つかりません"),
        ("relative", "", "フォルダーが見つかりません"),
        ("/tmp", "https://example.org/x", "長期フィード"),  # noqa: S108
    ],
)
def test_what_cannot_be_watched_is_refused(address, long, words):
    with pytest.raises(services.BadAddressError, match=words):
        services.add_feed(address=address, long_address=long, now=NOW)


@pytest.mark.django_db
def test_the_command_lists_adds_and_removes(tmp_path, capsys):
    call_command("watcher", "add", str(tmp_path))
    with pytest.raises(CommandError, match="すでに"):
        call_command("watcher", "add", str(tmp_path))
    call_command("watcher", "list")
    assert f"new\t-\t{tmp_path}\t\t" in capsys.readouterr().out
    call_command("watcher", "remove", str(tmp_path))
    with pytest.raises(CommandError, match="登録されていません"):
        call_command("watcher", "remove", str(tmp_path))
    call_command("watcher", "list")
    assert str(tmp_path) not in capsys.readouterr().out


def put(database: Path, table: str, **row: object) -> None:
    names, marks = ",".join(row), ",".join("?" * len(row))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
            tuple(row.values()),
        )


@pytest.mark.process
@pytest.mark.skipif(the_database.vendor != "sqlite", reason="fills a SQLite file by hand")
def test_the_process_takes_in_and_stops_within_a_second(lived_in, samples):
    """Even while one server hangs in the middle of an answer."""
    database = lived_in / "policity.sqlite3"
    put(
        database, "places_city", code="29201", name="奈良市", kana="", names="{}",
        prefecture="奈良県", jma_code="2920100", other_jma_codes="[]", lat=34.7, lon=135.8,
        is_here=1, map_version="", areas_version="",
        boundary='{"type":"Polygon","coordinates":[[[135,34],[136,34],[136,35],[135,34]]]}',
    )  # fmt: skip
    with feed_server.serving() as server:
        for path in ("/slow.xml", "/good.xml"):
            put(
                database, "alerts_feed", kind="atom", url=server.base + path, long_url="",
                quiet_hours=0, active=1, added_at=NOW.isoformat(), etag="", last_modified="",
                failures=0, last_error="",
            )  # fmt: skip
        server.put("/slow.xml", feed_server.dripping)
        server.telegrams([samples])
        link = f"{server.base}/data/{samples.name}"
        server.put("/good.xml", feed_server.feed([(link, NOW)]))
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "watcher", "run"],
            env=os.environ
            | {
                "POLICITY_HOME": str(lived_in),
                "POLICITY_FEEDS_ALLOW_PRIVATE": "1",
                "DJANGO_SETTINGS_MODULE": "policity.project.settings.embedded",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        try:
            wait_for(lambda: f"/data/{samples.name}" in server.paths(), seconds=60)
            wait_for(lambda: transitions(database) > 0, seconds=10)
            alive = lived_in / "run" / "watcher.alive"
            assert time.time() - alive.stat().st_mtime < 3
            began, told = time.monotonic(), time.time()
            process.send_signal(signal.SIGTERM)
            lines = list(iter(process.stderr.readline, ""))
            stopped = time.monotonic()
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert '"watcher_stopped"' in lines[-1]
    assert not any("Traceback" in line for line in lines)
    # The rest is Python putting itself away, which takes its time where others work too.
    said = datetime.fromisoformat(json.loads(lines[-1])["at"])
    assert said.timestamp() - told < 1
    assert stopped - began < 10


@pytest.fixture
def samples(shared_data: Path) -> Path:
    return shared_data / "jma" / "official-samples" / "15_08_01_130412_VPWW53.xml"


def transitions(database: Path) -> int:
    with closing(sqlite3.connect(database, timeout=5)) as connection:
        return int(connection.execute("SELECT count(*) FROM alerts_transition").fetchone()[0])


def wait_for(what, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
