"""Others' calendars: ownership is kept, nothing is lost, nothing is slow, whatever is in them."""

import contextlib
import threading
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policity.foundations.events import services, sources, tasks
from policity.foundations.events.formats import mending, reading
from policity.foundations.events.formats.reading import BadCalendar, Item, Reading
from policity.foundations.events.models import Event, Occurrence, Source
from policity.foundations.events.queries import to_come
from policity.foundations.events.tests.conftest import LASTS, NOW, STARTS, off

pytestmark = pytest.mark.usefixtures("city")
SINCE, UNTIL = date(2026, 11, 22), date(2027, 12, 28)
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"


def entry(
    uid: str = "a", starts: str = "20261203T100000", more: str = "", title: str = "会"
) -> str:
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:{starts}\r\n"
        f"SUMMARY:{title}\r\n{more}END:VEVENT\r\n"
    )


def calendar(*entries: str) -> bytes:
    return (HEAD + "".join(entries) + "END:VCALENDAR\r\n").encode()


def read(data: bytes) -> Reading:
    return reading.read(data, since=SINCE, until=UNTIL)


def moments(found: Reading) -> list[str]:
    return [starts for item in found.items for starts, _, _ in item.times]


def test_a_time_without_a_zone_is_the_citys_and_utc_is_utc():
    zone = "BEGIN:VEVENT\r\nUID:z\r\nDTSTART;TZID=America/New_York:20261203T100000\r\nSUMMARY:z\r\n"
    data = calendar(
        entry("a"), entry("b", "20261203T100000Z"), entry("c", "20261203"), zone + "END:VEVENT\r\n"
    )
    assert sorted(moments(read(data))) == [
        "2026-12-02T15:00:00+00:00", "2026-12-03T01:00:00+00:00",
        "2026-12-03T10:00:00+00:00", "2026-12-03T15:00:00+00:00",
    ]  # fmt: skip


def test_what_repeats_has_its_exceptions_and_its_moved_times():
    more = "RRULE:FREQ=WEEKLY;COUNT=4\r\nEXDATE:20261210T100000\r\n"
    moved = entry("a", "20261218T150000", "RECURRENCE-ID:20261217T100000\r\n")
    assert moments(read(calendar(entry("a", more=more), moved))) == [
        "2026-12-03T01:00:00+00:00", "2026-12-18T06:00:00+00:00", "2026-12-24T01:00:00+00:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16"]
)
def test_whatever_it_is_written_in_it_is_read(encoding):
    text = calendar(entry(title="落ち葉のリース作り、公民館で")).decode()
    (item,) = read(text.encode(encoding)).items
    assert item.title == "落ち葉のリース作り、公民館で"


def test_what_cannot_be_taken_is_counted_and_the_rest_is_taken():
    data = calendar(
        entry("a"),
        entry("b", more="RRULE:FREQ=SECONDLY\r\n"),
        entry("c", "99999999T999999"),
        entry("d", title=""),
    )
    found = read(data)
    assert [item.uid for item in found.items] == ["a"]
    assert found.left == [
        ("会（2026-12-03）", mending.TOO_OFTEN),
        ("会", mending.NO_START),
        ("名前のない予定（2026-12-03）", mending.NO_TITLE),
    ]


def test_long_texts_are_cut_and_only_web_addresses_are_links():
    long = "あ" * 10_000
    links = ["javascript:alert(1)", "https://a.example/x", "https://a@b.example/", "file:///etc"]
    data = calendar(
        *(entry(str(n), more=f"URL:{link}\r\n", title=long) for n, link in enumerate(links))
    )
    items = read(data).items
    assert {len(item.title) for item in items} == {reading.LONGEST_TITLE}
    assert [item.link for item in items] == ["", "https://a.example/x", "", ""]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ファイルではありません"),
        (b"<html>\xff\xfe", "ファイルではありません"),
        (b"BEGIN:VCALENDAR\r\nnothing", "読めません"),
        (calendar(*(entry(str(n)) for n in range(2_001))), "2,001件"),
        (calendar(entry(more="RDATE:" + ",".join(
            f"{STARTS + timedelta(minutes=n):%Y%m%dT%H%M%S}" for n in range(6_000)
        ) + "\r\n")), "5,000回まで"),
        (b"x" * (reading.LARGEST + 1), "大きすぎます"),
    ],
    ids=["nothing", "no calendar", "broken", "100,000 entries", "100,000 times", "too large"],
)  # fmt: skip
def test_what_is_no_calendar_or_too_much_is_said_plainly(data, said):
    with pytest.raises(BadCalendar, match=said):
        read(data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEAD + text).encode()))
def test_whatever_the_bytes_are_it_is_a_reading_or_a_refusal(data):
    with contextlib.suppress(BadCalendar):
        assert isinstance(read(data), Reading)


@pytest.mark.process
def test_a_rule_that_never_comes_true_ends_by_itself(monkeypatch):
    """In a process with a limit: ten thousand of them would take hours."""
    never = [entry(str(n), more="RRULE:FREQ=DAILY;BYMONTH=2;BYYEARDAY=200\r\n") for n in range(200)]
    with pytest.raises(BadCalendar, match="時間がかかりすぎます"):
        sources.read(calendar(*never), now=NOW)


@pytest.mark.process
def test_a_hundred_thousand_times_are_those_that_are_to_come():
    data = calendar(entry(starts="20200101T100000", more="RRULE:FREQ=DAILY;COUNT=100000\r\n"))
    (item,) = sources.read(data, now=NOW).items
    assert 400 <= len(item.times) <= 402


@pytest.mark.process
def test_the_real_feeds_that_we_write_are_read_again(event):
    from policity.foundations.events.tests.test_pages import rendered

    time = event()
    data = rendered("event-calendars")["/events/events.ics"]
    (item,) = sources.read(data, now=NOW).items
    assert item.title == "落ち葉のリース作り"
    assert datetime.fromisoformat(item.times[0][0]) == time.starts


def said(*uids: str, title: str = "会", starts: datetime = STARTS) -> Reading:
    times = [(starts.isoformat(), (starts + LASTS).isoformat(), False)]
    return Reading([Item(uid, title, times=list(times)) for uid in uids])


@pytest.fixture
def source(staff) -> Source:
    return services.add_source(name="見本の団体", address="", by=staff, now=NOW)


def shown() -> list[str]:
    return [time.event.texts["ja"]["title"] for time in to_come()]


def test_what_is_read_is_shown_what_goes_leaves_and_what_comes_back_is_the_same(source):
    assert services.take(source=source.pk, reading=said("a", "b"), now=NOW) == 2
    assert shown() == ["会", "会"]
    assert services.take(source=source.pk, reading=said("a", "b"), now=NOW) == 0
    first = Event.objects.get(uid="b").pk
    assert services.take(source=source.pk, reading=said("a"), now=NOW) == 1
    assert shown() == ["会"]
    assert Event.objects.get(uid="b").gone_at == NOW
    services.take(source=source.pk, reading=said("a", "b", title="新しい会"), now=NOW)
    assert shown() == ["新しい会", "新しい会"]
    assert Event.objects.get(uid="b").pk == first


def test_a_time_that_moved_is_one_time_and_what_is_over_stays(source):
    services.take(source=source.pk, reading=said("a"), now=NOW)
    services.take(source=source.pk, reading=said("a", starts=STARTS + LASTS), now=NOW)
    assert Occurrence.objects.get().starts == STARTS + LASTS
    over = STARTS + 3 * LASTS
    services.end_what_is_over(now=over)
    services.take(source=source.pk, reading=Reading([]), now=over)
    assert Event.objects.get().gone_at is None


def test_a_calendar_that_could_not_be_read_takes_nothing_away(source):
    services.take(source=source.pk, reading=said("a"), now=NOW)
    services.note_fault(source=source.pk, fault="読めません。", now=NOW)
    assert shown() == ["会"]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from("abc"))), max_size=5))
def test_no_source_touches_what_is_anothers_or_the_citys(event, staff, steps):
    """The same numbers in two calendars, and an event of the city's own with one of them."""
    own = event()
    Event.objects.filter(pk=own.event_id).update(uid="a")
    kept = Event.objects.filter(pk=own.event_id).values().get()
    pair = [services.add_source(name=n, address="", by=staff, now=NOW) for n in ("一", "二")]
    says: dict[int, set[str]] = {one.pk: set() for one in pair}
    for which, uids in steps:
        source = pair[which].pk
        says[source] = uids
        services.take(source=source, reading=said(*sorted(uids), title=str(source)), now=NOW)
        for one, read in says.items():
            there = Event.objects.filter(source=one, gone_at=None)
            assert set(there.values_list("uid", flat=True)) == read
            assert {row.texts["ja"]["title"] for row in there} <= {str(one)}
    assert Event.objects.filter(pk=own.event_id).values().get() == kept


def test_what_is_from_elsewhere_is_changed_there(source, staff):
    services.take(source=source.pk, reading=said("a"), now=NOW)
    number = Event.objects.get().pk
    with pytest.raises(services.EventRefused, match="そちらで変えて"):
        off(number, seen=0, by=staff)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/x.ics", "http://[::1]/", "http://localhost/"]
)
def test_an_address_inside_is_not_fetched_and_that_is_said(staff, address):
    source = services.add_source(name="中", address=address, by=staff, now=NOW)
    tasks._looked.clear()
    tasks.calendars(NOW)
    for future in list(tasks._desk._under_way.values()):
        future.exception(timeout=20)
    tasks.calendars(NOW)
    source.refresh_from_db()
    assert "庁内のネットワーク" in source.fault
    assert source.read_at == NOW
    assert services.due(now=NOW) == []


class Circling(BaseHTTPRequestHandler):
    """Every address leads to one more of the same server."""

    asked = 0

    def do_GET(self) -> None:
        Circling.asked += 1
        self.send_response(302)
        self.send_header("Location", f"/{Circling.asked}.ics")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_an_address_that_leads_on_for_ever_ends_and_what_was_read_stays(staff, settings):
    settings.FEEDS_ALLOW_PRIVATE = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Circling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/a.ics"
    source = services.add_source(name="輪", address=address, by=staff, now=NOW)
    services.take(source=source.pk, reading=said("a"), now=NOW)
    later = NOW + 2 * services.importing.EVERY
    Circling.asked = 0
    tasks._looked.clear()
    tasks.calendars(later)
    for future in list(tasks._desk._under_way.values()):
        future.exception(timeout=20)
    tasks.calendars(later)
    server.shutdown()
    server.server_close()
    source.refresh_from_db()
    assert "転送が多すぎます" in source.fault
    assert "アドレスを確かめて" in source.fault
    assert Circling.asked <= 4
    assert shown() == ["会"]


@pytest.mark.parametrize("address", ["x", "file:///etc/passwd", "https://user@example.jp/"])
def test_what_is_no_web_address_is_no_source(staff, address):
    with pytest.raises(services.SourceRefused, match="https://"):
        services.add_source(name="x", address=address, by=staff, now=NOW)
    services.add_source(name="x", address="https://example.jp/a.ics", by=staff, now=NOW)
    with pytest.raises(services.SourceRefused, match="もう登録"):
        services.add_source(name="y", address="https://example.jp/a.ics", by=staff, now=NOW)
