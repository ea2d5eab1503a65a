"""Events as files: the list, months, places, a page each, calendars; in every language."""

import json
from datetime import timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from lxml import html

from policity.foundations.events import services
from policity.foundations.events.declarations import PAGES
from policity.foundations.events.queries import TO_COME, event_key
from policity.foundations.events.rules.reasons import Reason
from policity.foundations.events.rules.repeating import Every
from policity.foundations.events.tests.conftest import (
    LASTS,
    NOW,
    STARTS,
    TEXTS,
    joined,
    off,
    written,
)
from policity.foundations.places.models import Site
from policity.foundations.publishing.formats import cards
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")
FAMILIES = {family.name: family for family in PAGES}


def rendered(name: str) -> dict[str, bytes]:
    family = FAMILIES[name]
    found = dict(family.render(list(family.addresses())))
    return {address: one.body for address, one in found.items() if one}


def text(body: bytes) -> str:
    page: Any = html.document_fromstring(body)
    return " ".join(page.text_content().split())


def test_an_empty_calendar_says_so_in_every_language(city):
    pages = rendered("event-lists")
    assert len(pages) == 2 * len(LANGUAGES)
    assert "いま、予定はありません" in text(pages["/events/"])
    assert "Nothing is planned" in text(pages["/en/events/"])
    feed = icalendar.Calendar.from_ical(rendered("event-calendars")["/events/events.ics"])
    assert not feed.walk("VEVENT")


def test_what_is_public_stands_in_every_list_and_what_is_not_in_none(event, staff):
    time = event()
    hidden = services.draft(event=written(texts={"ja": {"title": "見えない"}}), by=staff, now=NOW)
    for name in FAMILIES:
        pages = rendered(name)
        for body in pages.values():
            assert "見えない".encode() not in body
            assert "リース".encode() in body
        assert not [address for address in pages if f"/{hidden.pk}/" in address]
    assert set(rendered("event")) == {
        f"{language.prefix}events/{time.event_id}/" for language in LANGUAGES
    }
    assert "/easy/events/month/2026-12/" in rendered("event-months")


def test_a_page_says_what_where_when_and_that_a_translation_is_missing(event):
    site = Site.objects.here()[0]
    texts = TEXTS | {"en": {"title": "Wreaths", "body": "Leaves.\nNuts.", "place": ""}}
    time = event(texts=texts, site=site.pk, contact="042-000-0000", most=2)
    pages = rendered("event")
    page = f"events/{time.event_id}/"
    said = text(pages[f"/{page}"])
    assert "12月3日(木) 12時00分〜14時00分" in said
    assert site.name in said
    assert "あと2人" in said
    assert "この言葉の文は" not in said
    assert "Wreaths" in text(pages[f"/en/{page}"])
    korean: Any = html.document_fromstring(pages[f"/ko/{page}"])
    assert "일본어로 된 글입니다" in korean.text_content()
    assert korean.xpath("//h1/@lang") == ["ja"]
    form = korean.xpath("//a[contains(@class, 'btn--main')]/@href")
    assert form == [f"/ko/events/register/{time.pk}/"]


def test_a_course_has_one_way_in_and_names_its_days(event, client):
    until = (STARTS + timedelta(days=14)).date()
    first = event(whole=True, every=Every.WEEK, until=until, most=2)
    page: Any = html.document_fromstring(rendered("event")[f"/events/{first.event_id}/"])
    ways = page.xpath("//a[contains(@class, 'btn--main')]/@href")
    assert ways == [f"/events/register/{first.pk}/"]
    assert "全3回の講座です" in page.text_content()
    for path in (ways[0], f"/easy{ways[0]}"):
        with time_machine.travel(NOW, tick=False):
            form: Any = html.document_fromstring(client.get(path).content)
        assert len(form.xpath("//main//ul[@class='marks']/li")) == 3
    services.end_what_is_over(now=STARTS + LASTS)
    page = html.document_fromstring(rendered("event")[f"/events/{first.event_id}/"])
    assert page.xpath("//a[contains(@class, 'btn--main')]") == []
    assert "あと2人" not in page.text_content()


def test_a_full_event_says_so_and_offers_the_waiting_list(event):
    time = event(capacity=1)
    joined(time, 1)
    said = text(rendered("event")[f"/events/{time.event_id}/"])
    assert "満席・キャンセル待ちできます" in said
    assert "キャンセル待ちをする" in said
    closed = event(capacity=1, waits=False)
    joined(closed, 2)
    page: Any = html.document_fromstring(rendered("event")[f"/events/{closed.event_id}/"])
    assert page.xpath("//a[contains(@href, 'register/')][contains(@class, 'btn')]") == []


def test_what_is_called_off_stays_and_says_so(event, staff):
    time = event()
    off(time.event_id, reason=Reason.VENUE, words="{雨|もり}がしました。", by=staff)
    pages = rendered("event")
    said = text(pages[f"/events/{time.event_id}/"])
    assert "中止になりました" in said
    assert "会場が使えなくなったためです。 ｛雨｜もり｝がしました。" in said
    assert "place cannot be used" in text(pages[f"/en/events/{time.event_id}/"])
    assert "中止" in text(rendered("event-lists")["/events/"])
    one = icalendar.Calendar.from_ical(
        rendered("event-calendars")[f"/events/{time.event_id}/event.ics"]
    )
    (entry,) = one.walk("VEVENT")
    assert entry["STATUS"] == "CANCELLED"
    assert str(entry["DESCRIPTION"]).startswith("会場が使えなくなったためです。")


def test_what_is_over_leaves_the_lists_and_its_month(event):
    time = event()
    assert services.end_what_is_over(now=STARTS + LASTS) == 1
    assert "いま、予定はありません" in text(rendered("event-lists")["/events/"])
    assert rendered("event-months") == {}
    ((_, gone),) = FAMILIES["event-months"].render(["/events/month/2026-12/"])
    assert gone is None
    assert "終わりました" in text(rendered("event")[f"/events/{time.event_id}/"])


def test_a_calendar_is_read_back_as_it_was_written(event):
    until = (STARTS + timedelta(days=14)).date()
    title = "長い名前、記号; と改行\\n" + "あ" * 80
    time = event(texts={"ja": {"title": title, "body": "一\n二"}}, every=Every.WEEK, until=until)
    feed = icalendar.Calendar.from_ical(rendered("event-calendars")["/events/events.ics"])
    entries = feed.walk("VEVENT")
    assert [entry.decoded("DTSTART") for entry in entries] == [
        STARTS + timedelta(days=7 * week) for week in range(3)
    ]
    assert {str(entry["SUMMARY"]) for entry in entries} == {title}
    assert len({str(entry["UID"]) for entry in entries}) == 3
    for line in rendered("event-calendars")[f"/events/{time.event_id}/event.ics"].split(b"\r\n"):
        assert len(line) <= 75


def test_search_engines_are_told_and_nothing_ends_their_script(event):
    time = event(texts={"ja": {"title": "</script x ><b data-planted=1 >", "body": "&<>"}})
    page: Any = html.document_fromstring(rendered("event")[f"/events/{time.event_id}/"])
    assert page.xpath("//*[@data-planted]") == []
    (script,) = page.xpath("//script[@type='application/ld+json']/text()")
    (data,) = json.loads(script)
    assert data["@type"] == "Event"
    assert data["name"] == "</script x ><b data-planted=1 >"
    assert data["startDate"] == "2026-12-03T12:00+09:00"
    assert data["maximumAttendeeCapacity"] == 2


@pytest.mark.parametrize("name", FAMILIES)
def test_pages_take_as_many_queries_for_one_as_for_many(event, name, django_assert_max_num_queries):
    for day in range(12):
        moved = timedelta(days=day)
        event(starts=STARTS + moved, ends=STARTS + moved + LASTS)
    family = FAMILIES[name]
    addresses = list(family.addresses())
    with django_assert_max_num_queries(8):
        list(family.render(addresses))


def test_every_page_is_born_of_its_keys(event):
    time = event()
    keys = (TO_COME, event_key(time.event_id), "places:city")
    for family in PAGES:
        born = {address for key in keys for address in family.born_of(key)}
        assert born == set(family.addresses()), family.name


def test_easy_japanese_reads_every_kanji_of_ours_on_every_page(event):
    event(texts={"ja": {"title": "リース", "body": "リース", "place": "にわ"}})
    for name in ("event", "event-lists", "event-months"):
        for address, body in rendered(name).items():
            if not address.startswith("/easy/"):
                continue
            page: Any = html.document_fromstring(body)
            for ruby in page.xpath("//main//ruby | //main//rt | //main//rp"):
                ruby.text = ""
            left = "".join(page.xpath("//main")[0].text_content())
            assert not [sign for sign in left if "一" <= sign <= "鿿"], (address, left)


def test_what_is_shared_is_told_in_each_language(event, settings):
    settings.PUBLIC_URL = "https://www.example.lg.jp"
    time = event()
    path = f"/events/{time.event_id}/"
    pages = rendered("event")
    for prefix, section in (("/", "イベント"), ("/en/", "Events")):
        body = pages[prefix + path[1:]]
        page: Any = html.document_fromstring(body)
        told = {meta.get("property"): meta.get("content") for meta in page.iter("meta")}
        assert told["og:image"] == f"https://www.example.lg.jp{cards.address(cards.read(body))}"
        assert told["og:url"] == f"https://www.example.lg.jp{prefix}{path[1:]}"
        assert told["og:title"] in page.findtext(".//h1")
        assert told["article:section"] == section
