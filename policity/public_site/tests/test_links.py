"""Links of published pages: ours are judged from the tree, others' are asked on several nights."""

import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest
from wagtail.models import Page

from policity.foundations.accounts.models import Role
from policity.kit.fetching import Fetcher, FetchError
from policity.public_site import tasks
from policity.public_site.models import ArticlePage, PageLink
from policity.public_site.services import links
from policity.public_site.sources import fault_of
from policity.public_site.tests.content import article, begun, department, text
from policity.public_site.tests.test_content_access import DOOR, signed_in, staff

NIGHT = datetime(2026, 11, 27, 2, tzinfo=ZoneInfo("Asia/Tokyo"))
OUT = "https://www.example.com/a"
AT = f"{DOOR}reports/broken-links/"


@pytest.fixture
def page(city, db):
    begun()
    section = department()
    other = article(section, slug="ato", title="あとで消すページ")
    return article(section, body=[text(
        f'<p><a href="{OUT}">国</a><a linktype="page" id="{other.pk}">あと</a></p>'
    )])  # fmt: skip


def gathered(now=NIGHT):
    after = links.gather(after=0, now=now)
    while after:
        after = links.gather(after=after, now=now)


def test_a_link_of_ours_is_broken_as_soon_as_its_page_is_taken_down(page):
    gathered()
    assert PageLink.objects.filter(page=page).count() == 2
    assert not PageLink.objects.filter(failed__gt=0).exists()
    Page.objects.get(slug="ato").specific.unpublish()
    gathered(NIGHT + timedelta(days=1))
    [row] = PageLink.objects.filter(failed__gt=0)
    assert row.since.isoformat() == "2026-11-28"
    said = signed_in(staff(Role.ADMINISTRATOR)).get(AT).content.decode()
    assert "公開されていません" in said
    assert "保育園に入りたい" in said
    # The page that had it goes, and its links with it.
    ArticlePage.objects.get(pk=page.pk).unpublish()
    gathered(NIGHT + timedelta(days=2))
    assert not PageLink.objects.filter(page=page).exists()


def test_anothers_is_broken_after_three_nights_and_mended_by_one_answer(page):
    gathered()
    client = signed_in(staff(Role.ADMINISTRATOR))
    for night in range(3):
        now = NIGHT + timedelta(days=night)
        assert links.due(now=now) == OUT
        assert "example.com" not in client.get(AT).content.decode()
        links.note(OUT, fault="サーバーが 404 を返しました", now=now)
        links.note(OUT, fault="サーバーが 404 を返しました", now=now)
        assert links.due(now=now) == ""
    assert "サーバーが 404 を返しました" in client.get(AT).content.decode()
    table = client.get(AT, {"export": "csv"}).getvalue().decode("utf-8-sig")
    assert "2026-11-27" in table
    links.note(OUT, fault="", now=NIGHT + timedelta(days=3))
    assert "example.com" not in client.get(AT).content.decode()
    assert links.due(now=NIGHT + timedelta(days=5)) == ""
    assert links.due(now=NIGHT + timedelta(days=6)) == OUT


def test_others_are_asked_at_night_alone(page, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(tasks._asker, "begin", asked.append)
    monkeypatch.setattr(tasks, "_gathered", {"day": None, "after": 0})
    tasks.look_at_links(NIGHT + timedelta(hours=10))
    assert asked == []
    tasks.look_at_links(NIGHT)
    assert asked == [OUT]


@pytest.mark.parametrize(
    ("status", "fault"), [(200, ""), (301, ""), (403, ""), (404, "404"), (500, "500")]
)
def test_who_does_not_talk_to_programs_is_there(status, fault):
    assert fault in fault_of(status)
    assert bool(fault) == bool(fault_of(status))


def test_asking_is_by_head_then_get_and_never_inside_the_city():
    asked = []

    class Server(BaseHTTPRequestHandler):
        def _answer(self):
            asked.append(self.command)
            gone = self.path == "/gone" or (self.command == "HEAD" and self.path == "/old")
            self.send_response(404 if gone else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET = _answer  # noqa: N815

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    inside, outside = Fetcher(allow_private=True), Fetcher()
    try:
        assert inside.status(f"{base}/").result() == 200
        assert asked == ["HEAD"]
        assert inside.status(f"{base}/old").result() == 200
        assert inside.status(f"{base}/gone").result() == 404
        before = len(asked)
        for address in (base, "http://localhost/", "ftp://www.example.com/"):
            with pytest.raises(FetchError):
                outside.status(address).result()
        assert len(asked) == before
    finally:
        inside.close()
        outside.close()
        server.shutdown()
        server.server_close()
