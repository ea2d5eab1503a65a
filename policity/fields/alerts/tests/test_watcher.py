"""The watcher against a real server on this machine, with real telegrams."""

import gzip
import os
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from policity.fields.alerts import queries, services
from policity.fields.alerts.formats import LIMIT
from policity.fields.alerts.models import Event, Feed, Telegram, Transition
from policity.fields.alerts.queries import AlarmReason
from policity.fields.alerts.sources import folder
from policity.fields.alerts.tasks import watcher as loop
from policity.fields.alerts.tasks.watcher import Watcher
from policity.fields.alerts.tests import feed_server
from policity.foundations.delivery.models import Message
from policity.foundations.places.models import City
from policity.kit.fetching import Fetcher

pytestmark = pytest.mark.django_db

NARA = [
    "15_08_01_130412_VPWW53.xml",  # 2011-09-03 12:00 heavy rain extreme, three advisories
    "15_08_02_130412_VPWW53.xml",  # 2011-09-04 00:10 continued
    "15_08_03_160628_VPWW53.xml",  # 2011-09-04 06:21 continued
    "15_08_04_160628_VPWW53.xml",  # 2011-09-05 10:26 lowered, the advisories end
    "15_08_05_130412_VPWW53.xml",  # 2011-09-07 11:46 all is over
]


class Clock:
    """Time that passes when told to."""

    def __init__(self, text: str) -> None:
        self.now = datetime.fromisoformat(text)

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text)

    def later(self, **words: float) -> None:
        self.now += timedelta(**words)


@pytest.fixture
def server():
    with feed_server.serving() as found:
        yield found


@pytest.fixture
def samples(shared_data: Path) -> Path:
    return shared_data / "jma" / "official-samples"


@pytest.fixture
def nara():
    return City.objects.create(
        code="29201", name="奈良市", kana="ならし", names={}, prefecture="奈良県",
        jma_code="2920100", lat=34.68, lon=135.8, is_here=True,
        boundary='{"type":"Polygon","coordinates":[[[135,34],[136,34],[136,35],[135,34]]]}',
    )  # fmt: skip


@pytest.fixture
def clock():
    return Clock("2011-09-03T12:01:00+09:00")


@pytest.fixture
def start(clock, tmp_path, monkeypatch, nara):
    """Start a watcher (anew); it looks at every turn."""
    monkeypatch.setattr(loop, "LOOK", 0.0)
    monkeypatch.setattr(loop, "PAUSE", 0.02)
    monkeypatch.setattr(loop, "CITY", 0.0)
    fetcher = Fetcher(total=timedelta(seconds=1), allow_private=True)

    def start() -> "Runner":
        return Runner(Watcher(fetcher, alive=tmp_path / "watcher.alive", clock=clock), clock)

    yield start
    fetcher.close()


class Runner:
    def __init__(self, watcher: Watcher, clock: Clock) -> None:
        self.watcher = watcher
        self.clock = clock

    def poll(self, *, seconds: float = 10) -> None:
        """Turn until every feed was read at this moment of the clock."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.watcher.turn(threading.Event())
            if all(feed.checked_at == self.clock.now for feed in queries.feeds()):
                return
        raise AssertionError([(f.url, f.checked_at, f.last_error) for f in queries.feeds()])


def watch(server, clock, *, long=False) -> Feed:
    server.put("/feed.xml", feed_server.feed([]))
    server.put("/long.xml", feed_server.feed([], clock.now))
    return services.add_feed(
        address=f"{server.base}/feed.xml",
        long_address=f"{server.base}/long.xml" if long else "",
        now=clock.now,
    )


def reported(samples: Path, name: str) -> datetime:
    text = (samples / name).read_text("utf-8")
    found = re.search("<ReportDateTime>([^<]+)", text)
    assert found
    return datetime.fromisoformat(found[1])


def listing(server, samples, names, updated=None) -> bytes:
    server.telegrams(samples / name for name in names)
    return feed_server.feed(
        [(f"{server.base}/data/{name}", reported(samples, name)) for name in names],
        updated and datetime.fromisoformat(updated),
    )


def fetched(server) -> list[str]:
    return [path.removeprefix("/data/") for path in server.paths() if path.startswith("/data/")]


def told() -> list[tuple[str, str, int | None]]:
    """What became messages, in order."""
    steps = Transition.objects.filter(message__isnull=False).order_by("pk")
    return [(s.event.phenomenon, s.change, s.level_to) for s in steps.select_related("event")]


def now_in_force() -> dict[str, int | None]:
    return {event.phenomenon.value: event.level for event in queries.in_force()}


# Reading in ordinary times


def test_each_telegram_is_fetched_once_and_in_order(server, samples, clock, start):
    clock.set("2011-09-03T11:59:00+09:00")
    watch(server, clock)
    runner = start()
    runner.poll()
    for until in range(1, 6):
        clock.set(reported(samples, NARA[until - 1]).isoformat())
        Feed.objects.update(answered_at=clock.now)  # never away
        server.put("/feed.xml", listing(server, samples, NARA[:until]))
        runner.poll()
    assert fetched(server) == NARA
    assert told()[0] == ("heavy_rain", "issued", 5)
    assert [change for phenomenon, change, _ in told() if phenomenon == "heavy_rain"] == [
        "issued",
        "lowered",
        "cancelled",
    ]
    assert now_in_force() == {}


def test_a_real_feed_with_local_links(server, shared_data, samples, clock, start):
    for name in ("extra", "eqvol"):
        body = (shared_data / "jma" / "feeds" / "mican3" / f"{name}.xml").read_text("utf-8")
        link = "https://mican3.github.io/jmaxml_test/"
        server.put(f"/{name}.xml", body.replace(link, f"{server.base}/data/").encode())
        for path in re.findall(rf'href="{link}([^"]+)"', body):
            sample = samples / Path(path).name
            server.put(f"/data/{path}", sample.read_bytes() if sample.exists() else 404)
        services.add_feed(address=f"{server.base}/{name}.xml", now=clock.now)
    clock.set("2024-03-19T00:00:00+09:00")
    City.objects.update(jma_code="1322900", other_jma_codes=["130013", "130010", "130000"])
    runner = start()
    runner.poll(seconds=60)
    names = Counter(Telegram.objects.values_list("kind", flat=True))
    assert (names["VPWW54"], names["VXSE53"], Telegram.objects.count()) == (4, 9, 20)
    # The warnings of 2016 for the city are in it, and told once, as what they are: long in force.
    assert told() == [("heavy_rain", "continued", 3), ("flood", "continued", 3)]
    # Some files of that feed are not among the samples: they are tried again, and given up.
    missing = [path for path in fetched(server) if server.pages[f"/data/{path}"] == 404]
    assert missing
    for _ in range(6):
        clock.later(minutes=1)
        runner.poll(seconds=60)
    counts = Counter(fetched(server))
    assert {counts[path] for path in missing} == {5}
    assert {count for path, count in counts.items() if path not in missing} == {1}
    assert all(feed.failures == 0 and feed.newest for feed in queries.feeds())


def test_what_has_not_changed_is_not_sent_again(server, samples, clock, start):
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:1]), etag='"one"')
    runner = start()
    runner.poll()
    clock.later(minutes=1)
    start().poll()
    headers = [headers for path, headers in server.asked if path == "/feed.xml"]
    assert "if-none-match" not in {name.lower() for name in headers[0]}
    assert {n.lower(): v for n, v in headers[1].items()}["if-none-match"] == '"one"'
    assert fetched(server) == NARA[:1]
    feed = Feed.objects.get()
    assert (feed.answered_at, feed.failures) == (clock.now, 0)


def test_a_restart_keeps_the_place_without_an_etag_too(server, samples, clock, start):
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    start().poll()
    clock.later(minutes=1)
    start().poll()
    assert fetched(server) == NARA[:1]
    assert Telegram.objects.count() == 1


def test_other_prefectures_are_not_fetched(server, clock, start):
    watch(server, clock)
    links = [
        f"{server.base}/data/20110903030000_0_{kind}_{office}.xml"
        for kind, office in [("VPWW54", "130000"), ("VPFD51", "290000"), ("VPWW54", "290000")]
    ]
    server.put("/feed.xml", feed_server.feed([(link, clock.now) for link in links]))
    start().poll()
    assert fetched(server) == ["20110903030000_0_VPWW54_290000.xml"]


def test_a_minute_passes_between_two_readings(server, clock, start):
    watch(server, clock)
    runner = start()
    runner.poll()
    clock.later(seconds=59)
    for _ in range(5):
        runner.watcher.turn(threading.Event())
    assert server.paths() == ["/feed.xml"]
    clock.later(seconds=1)
    runner.poll()
    assert server.paths() == ["/feed.xml", "/feed.xml"]


# When things go wrong


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (500, "500"),
        (feed_server.cut, "途中で切れました"),
        (feed_server.dripping, "時間内"),
        (feed_server.endless, "大きすぎます"),
        (b"<!DOCTYPE f [<!ENTITY a 'b'>]><f>&a;</f>", "DOCTYPE"),
        (b"<html>", "XML"),
    ],
    ids=["500", "cut", "slow", "endless", "doctype", "no feed"],
)
def test_a_bad_answer_is_kept_in_words_and_the_next_good_one_heals(
    server, samples, clock, start, page, words
):
    watch(server, clock)
    server.put("/feed.xml", page)
    runner = start()
    runner.poll()
    feed = Feed.objects.get()
    assert words in feed.last_error
    assert (feed.failures, feed.answered_at) == (1, None)
    assert timedelta(seconds=40) < feed.next_at - clock.now <= timedelta(seconds=60)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    clock.later(minutes=1)
    runner.poll()
    feed = Feed.objects.get()
    assert (feed.failures, feed.last_error, feed.answered_at) == (0, "", clock.now)
    assert now_in_force()["heavy_rain"] == 5


def test_failures_wait_longer_and_longer_over_restarts(server, clock, start):
    watch(server, clock)
    server.put("/feed.xml", 503)
    waits = []
    for _ in range(7):
        start().poll()
        feed = Feed.objects.get()
        waits.append((feed.next_at - clock.now).total_seconds())
        clock.now = feed.next_at
    expected = [60, 120, 240, 480, 900, 900, 900]
    assert all(0.75 * e <= w <= e for w, e in zip(waits, expected, strict=True))


def test_a_clock_that_was_set_back_does_not_silence_a_feed(server, clock, start):
    watch(server, clock)
    Feed.objects.update(next_at=clock.now + timedelta(days=400))
    start().poll()


def test_a_telegram_that_does_not_come_is_asked_for_again(server, samples, clock, start):
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:2]), etag='"two"')
    server.put(f"/data/{NARA[1]}", 500)
    runner = start()
    runner.poll()
    assert "1件" in Feed.objects.get().last_error
    server.telegrams([samples / NARA[1]])
    clock.later(minutes=1)
    runner.poll()
    assert Feed.objects.get().last_error == ""
    assert Counter(fetched(server)) == {NARA[0]: 1, NARA[1]: 2}
    assert Telegram.objects.count() == 2


def test_a_telegram_that_never_comes_holds_nobody_up(server, samples, clock, start):
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:4]))
    for name in NARA[:3]:
        server.put(f"/data/{name}", 404)
    runner = start()
    runner.poll()
    assert now_in_force() == {"heavy_rain": 2}
    for _ in range(6):
        clock.later(minutes=1)
        runner.poll()
    assert Counter(fetched(server)) == {NARA[0]: 5, NARA[1]: 5, NARA[2]: 5, NARA[3]: 1}
    assert Feed.objects.get().failures == 0


def test_a_server_that_hangs_is_not_asked_for_everything(server, samples, clock, start):
    watch(server, clock)
    names = [f"{i}.xml" for i in range(40)]
    links = [(f"{server.base}/data/{name}", clock.now) for name in names]
    server.put("/feed.xml", feed_server.feed(links))
    for name in names:
        server.put(f"/data/{name}", feed_server.dripping)
    start().poll()
    assert len(fetched(server)) <= 8
    assert "40件" in Feed.objects.get().last_error


def test_an_unreadable_telegram_is_recorded_as_refused(server, clock, start):
    watch(server, clock)
    server.put("/data/x.xml", b"<Report><cut")
    server.put("/feed.xml", feed_server.feed([(f"{server.base}/data/x.xml", clock.now)]))
    runner = start()
    runner.poll()
    clock.later(minutes=1)
    runner.poll()
    assert Telegram.objects.get().outcome == "refused"
    assert fetched(server) == ["x.xml"]


def test_a_link_to_another_host_is_refused_in_one_line(server, clock, start):
    with feed_server.serving() as other:
        watch(server, clock)
        link = other.put("/x.xml", b"<secret/>")
        server.put("/feed.xml", feed_server.feed([(link, clock.now)]))
        runner = start()
        with capture_logs() as logs:
            runner.poll()
            clock.later(minutes=1)
            runner.poll()
        assert other.asked == []
    assert [line["link"] for line in logs if line["event"] == "foreign_link"] == [link]
    assert not Telegram.objects.exists()


def test_a_defect_on_one_telegram_stops_neither_the_others_nor_the_loop(
    server, samples, clock, start, monkeypatch
):
    real = services.ingest

    def ingest(data, **words):
        if b"09-03T12:00" in data:
            raise RuntimeError("a defect")
        return real(data, **words)

    monkeypatch.setattr(services, "ingest", ingest)
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:4]))
    start().poll()
    assert now_in_force() == {"heavy_rain": 2}


def test_a_locked_database_is_waited_for(server, samples, clock, start, monkeypatch):
    real, calls = services.ingest, []

    def ingest(data, **words):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("database is locked")
        return real(data, **words)

    monkeypatch.setattr(services, "ingest", ingest)
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    runner = start()
    with pytest.raises(AssertionError):
        runner.poll(seconds=0.5)
    clock.later(seconds=5)
    runner.poll()
    assert now_in_force()["heavy_rain"] == 5


def test_the_alarm_begins_and_ends_with_one_line_each(server, clock, start):
    watch(server, clock)
    runner = start()
    runner.poll()
    server.put("/feed.xml", 500)
    with capture_logs() as logs:
        for _ in range(11):
            clock.later(minutes=1)
            Feed.objects.update(next_at=clock.now)
            runner.poll()
        assert queries.feed_alarms(clock.now)[0].reason is AlarmReason.UNANSWERED
        assert "500" in queries.feed_alarms(clock.now)[0].error
        runner.watcher.turn(threading.Event())
        server.put("/feed.xml", feed_server.feed([]))
        clock.later(minutes=1)
        Feed.objects.update(next_at=clock.now)
        runner.poll()
        runner.watcher.turn(threading.Event())
    assert queries.feed_alarms(clock.now) == ()
    lines = [line["event"] for line in logs if line["event"].startswith("feed_alarm")]
    assert lines == ["feed_alarm", "feed_alarm_over"]


def test_a_feed_that_answers_and_has_nothing_new_is_an_alarm(server, samples, clock, start):
    watch(server, clock)
    Feed.objects.update(quiet_hours=24)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    runner = start()
    runner.poll()
    assert queries.feed_alarms(clock.now) == ()
    clock.later(hours=25)
    runner.poll()
    (alarm,) = queries.feed_alarms(clock.now)
    assert (alarm.reason, alarm.since) == (AlarmReason.QUIET, reported(samples, NARA[0]))


def test_a_restart_after_an_outage_is_no_alarm_before_the_first_try(server, clock, start):
    watch(server, clock)
    start().poll()
    clock.later(hours=3)
    with capture_logs() as logs:
        start().poll()
    assert not [line for line in logs if line["event"].startswith("feed_alarm")]


# After an outage


def test_after_an_outage_what_is_in_force_comes_once(server, samples, clock, start):
    """Issued and told; away while it goes on and is lowered; told once that it is lower."""
    watch(server, clock, long=True)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    start().poll()
    assert told() == [("heavy_rain", "continued", 5)]
    clock.set("2011-09-05T10:30:00+09:00")
    server.put("/feed.xml", listing(server, samples, NARA[3:4]))
    server.put("/long.xml", listing(server, samples, NARA[:4], "2011-09-05T10:28:00+09:00"))
    start().poll()
    assert sorted(fetched(server)) == NARA[:4]
    taken = Telegram.objects.order_by("pk").values_list("reported_at", flat=True)
    assert list(taken) == [reported(samples, name) for name in NARA[:4]]
    assert told()[1:] == [("heavy_rain", "lowered", 2)]
    assert now_in_force() == {"heavy_rain": 2}
    recorded = Transition.objects.filter(message=None, event__phenomenon="thunder")
    assert [step.change for step in recorded] == ["continued", "cancelled"]
    assert Feed.objects.get().gap_until is None
    assert not Telegram.objects.filter(backlog=True).exists()


def test_who_was_told_hears_that_it_is_over(server, samples, clock, start):
    watch(server, clock, long=True)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    start().poll()
    clock.set("2011-09-07T13:00:00+09:00")
    server.put("/feed.xml", feed_server.feed([]))
    server.put("/long.xml", listing(server, samples, NARA, "2011-09-07T12:59:00+09:00"))
    start().poll()
    assert told()[1:] == [("heavy_rain", "cancelled", None)]
    assert now_in_force() == {}


def test_what_came_and_went_while_away_is_only_recorded(server, samples, clock, start):
    watch(server, clock, long=True)
    clock.set("2011-09-07T13:00:00+09:00")
    server.put("/long.xml", listing(server, samples, NARA, "2011-09-07T12:59:00+09:00"))
    start().poll()
    assert told() == []
    assert Message.objects.count() == 0
    assert Event.objects.count() == 4
    assert Telegram.objects.count() == 5


def test_landslides_after_an_outage(server, samples, clock, start):
    """Ten numbers of one announcement; away for the first six, in force when we come back."""
    City.objects.update(jma_code="3320200")
    names = sorted(file.name for file in samples.glob("17_03_*_VXWW50.xml"))
    watch(server, clock, long=True)
    clock.set("2013-09-04T11:30:00+09:00")
    server.put("/feed.xml", listing(server, samples, names[5:6]))
    server.put("/long.xml", listing(server, samples, names[:6], "2013-09-04T11:25:00+09:00"))
    runner = start()
    runner.poll()
    assert told() == [("landslide", "continued", 4)]
    clock.set("2013-09-04T14:40:00+09:00")
    Feed.objects.update(answered_at=clock.now)
    server.put("/feed.xml", listing(server, samples, names[6:8]))
    runner.poll()
    assert told() == [("landslide", "continued", 4), ("landslide", "cancelled", None)]


def test_a_long_feed_that_fails_does_not_hold_up_the_short_one(server, samples, clock, start):
    watch(server, clock, long=True)
    server.put("/feed.xml", listing(server, samples, NARA[3:4]))
    server.put("/long.xml", 500)
    clock.set("2011-09-05T10:30:00+09:00")
    runner = start()
    runner.poll()
    assert now_in_force() == {"heavy_rain": 2}
    assert Feed.objects.get().gap_until is not None
    assert Feed.objects.get().failures == 0
    server.put("/long.xml", listing(server, samples, NARA[:4], "2011-09-05T10:28:00+09:00"))
    clock.later(minutes=1)
    start().poll()
    assert sorted(fetched(server)) == NARA[:4]
    assert Feed.objects.get().gap_until is None
    assert now_in_force() == {"heavy_rain": 2}
    assert len(told()) <= 1


def test_a_long_feed_from_before_the_gap_is_read_again(server, samples, clock, start):
    """The agency renews its long feeds once an hour."""
    watch(server, clock, long=True)
    clock.set("2011-09-05T10:30:00+09:00")
    server.put("/feed.xml", listing(server, samples, NARA[3:4]))
    server.put("/long.xml", listing(server, samples, NARA[:2], "2011-09-05T10:00:00+09:00"))
    runner = start()
    runner.poll()
    assert Feed.objects.get().gap_until is not None
    for _ in range(9):
        clock.later(minutes=1)
        runner.poll()
    assert server.paths().count("/long.xml") == 1
    server.put("/long.xml", listing(server, samples, NARA[:4], "2011-09-05T11:00:00+09:00"))
    clock.later(minutes=1)
    runner.poll()
    assert server.paths().count("/long.xml") == 2
    assert sorted(fetched(server)) == NARA[:4]
    assert Feed.objects.get().gap_until is None
    clock.later(minutes=20)
    Feed.objects.update(answered_at=clock.now)
    runner.poll()
    assert server.paths().count("/long.xml") == 2


def test_killed_in_the_middle_of_a_backlog_it_is_still_told_once(
    server, samples, clock, start, monkeypatch
):
    watch(server, clock, long=True)
    clock.set("2011-09-05T10:30:00+09:00")
    server.put("/feed.xml", listing(server, samples, NARA[3:4]))
    server.put("/long.xml", listing(server, samples, NARA[:4], "2011-09-05T10:28:00+09:00"))
    real = services.settle

    def killed(**words):
        raise KeyboardInterrupt

    monkeypatch.setattr(services, "settle", killed)
    with pytest.raises(KeyboardInterrupt):
        start().poll()
    assert told() == []
    monkeypatch.setattr(services, "settle", real)
    start().poll()
    assert sorted(fetched(server)) == NARA[:4]
    assert told() == []  # an advisory already in force is nobody's news
    assert now_in_force() == {"heavy_rain": 2}
    assert not Telegram.objects.filter(backlog=True).exists()


# Folders


@pytest.fixture
def dropped(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(folder, "STILL", 0.5)
    path = tmp_path / "in"
    path.mkdir()
    services.add_feed(address=str(path), now=clock.now)
    return path


def drop(path: Path, data: bytes, name: str, at: datetime) -> None:
    part = path / f"{name}.part"
    part.write_bytes(data)
    os.utime(part, (at.timestamp(), at.timestamp()))
    part.rename(path / name)


def turns(runner: Runner, seconds: float = 0.4) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        runner.watcher.turn(threading.Event())


def until(runner: Runner, what: Callable[[], bool]) -> None:
    late = time.monotonic() + 20
    while not what():
        assert time.monotonic() < late, "it did not happen"
        runner.watcher.turn(threading.Event())
    for _ in range(3):
        runner.watcher.turn(threading.Event())


def test_a_folder_gives_its_telegrams_once_over_restarts(
    dropped, samples, clock, start, monkeypatch
):
    calls = Mock(side_effect=services.ingest)
    monkeypatch.setattr(services, "ingest", calls)
    runner = start()
    data = (samples / NARA[0]).read_bytes()
    drop(dropped, gzip.compress(data), "a.xml.gz", clock.now)
    until(runner, Telegram.objects.exists)
    assert told()[0] == ("heavy_rain", "issued", 5)
    drop(dropped, data, "same.xml", clock.now)
    turns(runner, 1.2)
    assert calls.call_count == 2
    clock.later(hours=1)
    until(start(), lambda: Feed.objects.get().answered_at == clock.now)
    assert Telegram.objects.count() == 1
    assert sorted(f.name for f in dropped.iterdir()) == ["a.xml.gz", "same.xml"]


def test_a_half_written_file_is_taken_when_it_is_whole(dropped, samples, clock, start):
    runner = start()
    data = (samples / NARA[0]).read_bytes()
    with (dropped / "a.xml").open("wb") as handle:
        for begin in range(0, len(data), 20_000):
            handle.write(data[begin : begin + 20_000])
            handle.flush()
            turns(runner, 0.05)
            assert not Telegram.objects.exists()
    until(runner, Telegram.objects.exists)
    assert Telegram.objects.get().outcome == "read"


def test_what_lay_in_the_folder_while_away_is_told_once(dropped, samples, clock, start):
    for name in NARA[:4]:
        drop(dropped, (samples / name).read_bytes(), name, reported(samples, name))
    clock.set("2011-09-05T11:00:00+09:00")
    until(start(), lambda: Feed.objects.get().answered_at == clock.now)
    assert Telegram.objects.count() == 4
    assert told() == []
    assert now_in_force() == {"heavy_rain": 2}


def test_unreadable_and_oversized_files_are_recorded_as_refused(dropped, clock, start):
    drop(dropped, b"no gzip", "a.gz", clock.now)
    drop(dropped, b"<cut", "b.cap", clock.now)
    drop(dropped, gzip.compress(b"\0" * (LIMIT * 3)), "c.xml.gz", clock.now)
    until(start(), lambda: Telegram.objects.count() == 3)
    assert [t.outcome for t in Telegram.objects.all()] == ["refused"] * 3
    assert Telegram.objects.filter(reason__contains="larger").count() == 1


def test_a_folder_that_is_gone_is_an_alarm(dropped, clock, start):
    runner = start()
    until(runner, lambda: Feed.objects.get().answered_at is not None)
    shutil.rmtree(dropped)
    clock.later(minutes=11)
    until(runner, lambda: Feed.objects.get().failures == 1)
    (alarm,) = queries.feed_alarms(clock.now)
    assert alarm.error == "フォルダーを読めません"
    dropped.mkdir()
    clock.later(minutes=1)
    until(runner, lambda: Feed.objects.get().failures == 0)
    assert queries.feed_alarms(clock.now) == ()


# The loop itself


def test_without_a_city_nothing_is_read(server, clock, start):
    City.objects.all().delete()
    watch(server, clock)
    runner = start()
    turns(runner, 0.1)
    assert server.asked == []


def test_the_loop_shows_that_it_lives_and_ends_what_has_had_its_time(
    samples, clock, start, tmp_path
):
    tornado = samples / "19_01_01_091210_VPHW50.xml"
    services.ingest(
        tornado.read_bytes(), source="x", now=reported(samples, tornado.name), place="130013"
    )
    assert now_in_force() == {"tornado": None}
    start().watcher.turn(threading.Event())
    assert now_in_force() == {}
    assert (tmp_path / "watcher.alive").exists()


def test_a_full_disk_and_a_defect_at_the_end_of_events_stop_no_reading(
    server, samples, clock, start, monkeypatch
):
    def defect(_now):
        raise RuntimeError("a defect")

    monkeypatch.setattr(queries, "ends_by_itself", defect)
    monkeypatch.setattr(Path, "touch", defect)
    watch(server, clock)
    server.put("/feed.xml", listing(server, samples, NARA[:1]))
    start().poll()
    assert now_in_force()["heavy_rain"] == 5
