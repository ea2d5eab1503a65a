"""Fetching, feeds and folders, against a real server and real files."""

import os
import resource
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from policity.fields.alerts.sources import atom, folder
from policity.fields.alerts.tests import feed_server
from policity.fields.alerts.tests.feed_server import FeedServer
from policity.kit import network
from policity.kit.fetching import Fetcher, FetchError, Unreachable

AT = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def server():
    with feed_server.serving() as found:
        yield found


@pytest.fixture
def fetcher():
    found = Fetcher(total=timedelta(seconds=1), allow_private=True)
    yield found
    found.close()


def get(fetcher: Fetcher, url: str, **words):
    return fetcher.get(url, limit=words.pop("limit", 1_000_000), **words).result(timeout=5)


def test_an_answer_is_unpacked_and_asked_for_again_only_if_changed(server, fetcher):
    url = server.put("/feed.xml", b"hello", etag='"one"')
    first = get(fetcher, url)
    assert (first.body, first.etag) == (b"hello", '"one"')
    assert first.last_modified == "Mon, 05 Sep 2011 01:00:00 GMT"
    again = get(fetcher, url, etag=first.etag, last_modified=first.last_modified)
    assert again.unchanged
    # Both are this machine: their clocks agree, to the second that the header has.
    assert abs(again.ahead.total_seconds()) < 60
    headers = {name.lower(): value for name, value in server.asked[-1][1].items()}
    assert headers["if-none-match"] == '"one"'
    assert headers["if-modified-since"] == first.last_modified
    assert "gzip" in headers["accept-encoding"]


def test_what_goes_wrong_is_said_in_plain_words(server, fetcher):
    for page, words in ((500, "500"), (404, "404"), (304, "304")):
        with pytest.raises(FetchError, match=words):
            get(fetcher, server.put("/x", page))
    with pytest.raises(Unreachable, match="途中で切れました"):
        get(fetcher, server.put("/x", feed_server.cut))
    with pytest.raises(Unreachable, match="時間内"):
        get(fetcher, server.put("/x", feed_server.dripping))
    with pytest.raises(Unreachable, match="接続できない"):
        get(fetcher, "http://127.0.0.1:1/")
    for address in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://a@127.0.0.1/x"):
        with pytest.raises(FetchError, match="形が正しくありません"):
            get(fetcher, address)


def test_a_hundred_megabytes_are_refused_and_never_held(server, fetcher):
    url = server.put("/big", feed_server.endless)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    with pytest.raises(FetchError, match="大きすぎます"):
        get(fetcher, url, limit=2_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kilobytes


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(server, fetcher):
    url = server.put("/bomb", b"\0" * 20_000_000)  # 20 KB on the wire
    with pytest.raises(FetchError, match="大きすぎます"):
        get(fetcher, url, limit=1_000_000)


def redirect(to: str):
    def answer(request):
        request.send_response(302)
        request.send_header("Location", to)
        request.end_headers()

    return answer


def test_a_redirect_stays_with_its_host(server, fetcher):
    server.put("/there", b"found")
    assert get(fetcher, server.put("/here", redirect("/there"))).body == b"found"
    with feed_server.serving() as other:
        other.put("/there", b"stolen")
        with pytest.raises(FetchError, match="別のホスト"):
            get(fetcher, server.put("/here", redirect(f"{other.base}/there")))
        assert other.asked == []
    with pytest.raises(FetchError, match="転送が多すぎます"):
        get(fetcher, server.put("/loop", redirect("/loop")))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433"])
def test_nothing_inside_is_asked_where_the_city_did_not_say_so(server, host):
    url = server.put("/feed.xml", b"hello").replace("127.0.0.1", host)
    fetcher = Fetcher(total=timedelta(seconds=1))
    try:
        with pytest.raises(FetchError, match=r"POLICITY_FEEDS_ALLOW_PRIVATE|名前が見つかりません"):
            get(fetcher, url)
    finally:
        fetcher.close()
    assert server.asked == []


def leads(monkeypatch, *turns: str) -> list[str]:
    """Names lead to these addresses, one after the other."""
    asked: list[str] = []

    async def resolve(host, port):
        asked.append(host)
        return [turns[min(len(asked), len(turns)) - 1]]

    monkeypatch.setattr(network, "resolve", resolve)
    return asked


def test_the_address_that_was_judged_is_the_one_that_is_called(server, fetcher, monkeypatch):
    """A name that no resolver knows: who asked a second time would not get here."""
    asked = leads(monkeypatch, "127.0.0.1", "127.0.0.9")
    url = server.put("/feed.xml", b"hello").replace("127.0.0.1", "feed.invalid")
    assert [get(fetcher, url).body for _ in range(3)] == [b"hello"] * 3
    assert asked == ["feed.invalid"]


def test_a_server_that_moved_is_found_again(server, fetcher, monkeypatch):
    asked = leads(monkeypatch, "127.0.0.9", "127.0.0.1")
    url = server.put("/feed.xml", b"hello").replace("127.0.0.1", "feed.invalid")
    with pytest.raises(Unreachable):
        get(fetcher, url)
    assert get(fetcher, url).body == b"hello"
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_where_the_city_has_a_proxy_that_looks_names_up(server, fetcher, monkeypatch, name):
    proxy = server.put("/feed.xml", b"by the proxy").removesuffix("/feed.xml")
    asked = leads(monkeypatch, "127.0.0.9")
    monkeypatch.setenv(name, proxy)
    with pytest.raises(FetchError, match="404"):
        get(fetcher, "http://feed.invalid/feed.xml")
    assert asked == []
    assert server.asked[-1][0] == "http://feed.invalid/feed.xml"


def test_what_goes_past_the_proxy_is_judged_here(server, monkeypatch):
    """An address that the city excepts from its proxy is no way around the guard."""
    url = server.put("/feed.xml", b"inside").replace("127.0.0.1", "feed.invalid")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "feed.invalid")
    asked = leads(monkeypatch, "127.0.0.1")
    for private in (False, True):
        fetcher = Fetcher(total=timedelta(seconds=1), allow_private=private)
        try:
            if private:
                assert get(fetcher, url).body == b"inside"
            else:
                with pytest.raises(FetchError, match="POLICITY_FEEDS_ALLOW_PRIVATE"):
                    get(fetcher, url)
        finally:
            fetcher.close()
    assert asked == ["feed.invalid"] * 2
    assert len(server.asked) == 1


def test_closing_breaks_off_what_hangs(server):
    fetcher = Fetcher(allow_private=True)
    future = fetcher.get(server.put("/slow", feed_server.dripping), limit=1000)
    time.sleep(0.1)
    fetcher.close()
    assert future.done()


def test_real_feeds_are_read_oldest_first(shared_data):
    counts = {}
    for file in sorted((shared_data / "jma" / "feeds").glob("*/*.xml")):
        listing = atom.read(file.read_bytes(), base="https://example.org/feed.xml")
        times = [entry.updated for entry in listing.entries]
        assert times == sorted(times)
        assert all(entry.link.startswith("http") and entry.id for entry in listing.entries)
        assert listing.until is not None
        counts[file.name] = len(times)
    assert counts == {
        "eqvol.xml": 42,
        "extra.xml": 10,
        "earthquake-sample-1.xml": 1,
        "earthquake-sample-2.xml": 1,
        "weather-sample.xml": 2,
        "weather-sample2.xml": 1,
        "weather-sample3.xml": 1,
    }


def test_of_two_at_one_moment_the_lower_one_is_older():
    listed = feed_server.feed([("http://h/b", AT), ("http://h/a", AT)])
    assert [e.id for e in atom.read(listed, base="http://h/").entries] == [
        "http://h/a",
        "http://h/b",
    ]


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<feed xmlns="http://www.w3.org/2005/Atom"><title>&b;</title></feed>"""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LAUGHS, "DOCTYPE"),
        (b"", "XML"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>", "XML"),
        (b"<rss><channel/></rss>", "Atom"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id></entry></feed>", "どれも"),
    ],
)
def test_what_is_no_feed_is_refused(data, words):
    with pytest.raises(atom.BadFeed, match=words):
        atom.read(data, base="http://h/")


def test_a_week_of_entries_is_a_moment(server):
    """The agency's long feed: thousands of entries."""
    listed = feed_server.feed(
        (f"http://h/developer/xml/data/{i}_VPWW54_130000.xml", AT + timedelta(seconds=i))
        for i in range(20_000)
    )
    assert len(atom.read(listed, base="http://h/").entries) == 20_000


def test_a_half_written_file_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "STILL", 0.2)
    watched = folder.Folder(tmp_path)
    file = tmp_path / "a.xml"
    with file.open("wb") as handle:
        for _ in range(6):
            handle.write(b"<half>")
            handle.flush()
            time.sleep(0.05)
            assert watched.complete() == []
    time.sleep(0.25)
    assert [f.path.name for f in watched.complete()] == ["a.xml"]


def test_a_file_is_offered_until_taken_and_again_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "STILL", 0.02)
    watched = folder.Folder(tmp_path)
    for name in ("b.XML", "a.cap", "c.xml.gz", ".hidden.xml", "note.txt"):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (1_000_000 - ord(name[0]), 1_000_000 - ord(name[0])))
    (tmp_path / "folder.xml").mkdir()
    assert [f.path.name for f in watched.complete()] == ["c.xml.gz", "b.XML", "a.cap"]
    for file in watched.complete():
        watched.taken(file)
    assert watched.complete() == []
    (tmp_path / "a.cap").write_bytes(b"longer")
    time.sleep(0.05)
    assert [f.path.name for f in watched.complete()] == ["a.cap"]
    (tmp_path / "a.cap").unlink()
    assert watched.complete() == []


def test_a_file_is_read_only_as_far_as_the_limit(tmp_path):
    import gzip

    (tmp_path / "a.gz").write_bytes(gzip.compress(b"\0" * 10_000_000))
    assert len(folder.read(tmp_path / "a.gz", limit=1000)) == 1001
    (tmp_path / "b.xml").write_bytes(b"x" * 5000)
    assert len(folder.read(tmp_path / "b.xml", limit=1000)) == 1001
    (tmp_path / "c.gz").write_bytes(b"no gzip")
    assert folder.read(tmp_path / "c.gz", limit=1000) == b"no gzip"


def test_the_server_here_speaks_like_the_real_one(server: FeedServer):
    """The fake proves itself: what it lists is read as a feed, what it keeps is given."""
    listed = feed_server.feed([(f"{server.base}/data/a.xml", AT)], updated=AT)
    found = atom.read(listed, base=server.base)
    assert found.entries[0].link == f"{server.base}/data/a.xml"
    assert found.until == AT
