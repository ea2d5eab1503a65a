"""What is on, on a map: numbered places with what is next there, and what no map leads to."""

import json
import math
from datetime import timedelta
from typing import Any

import pytest
from lxml import html

from policity.foundations.events import services
from policity.foundations.events.declarations import PAGES
from policity.foundations.events.presenters.mapping import MOST
from policity.foundations.events.rules.repeating import Every
from policity.foundations.events.tests.conftest import LASTS, NOW, STARTS, off, written
from policity.foundations.places.models import Site
from policity.foundations.places.rules.facilities import Facility
from policity.foundations.places.services import close_facility, write_facility
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")
FAMILIES = {family.name: family for family in PAGES}
HERE = {"lat": 35.7391, "lon": 139.5375}


def hall(name: str, **position: float) -> int:
    written_ = Facility(source_id="", kind="library", name=name, **position)  # type: ignore[arg-type]
    return write_facility(number=None, written=written_, by=None, now=NOW).pk


def drawn(prefix: str = "/") -> Any:
    ((_, one),) = FAMILIES["event-map"].render([f"{prefix}events/map/"])
    assert one is not None
    return html.document_fromstring(one.body)


def said(element: Any) -> str:
    return " ".join(element.text_content().split())


def marks(page: Any) -> list[str]:
    return [str(mark.text) for mark in page.xpath("//svg//text[@class='pin__number']")]


def spots(page: Any) -> list[tuple[str, list[str]]]:
    """The numbered places, and the pages of what is on there."""
    return [
        (said(spot.xpath("h3")[0]), spot.xpath(".//a[@class='happen__row']/@href"))
        for spot in page.xpath("//ol[@class='spots']/li")
    ]


def elsewhere(page: Any) -> str:
    return " ".join(map(said, page.xpath("//section[@aria-labelledby='h-elsewhere']")))


def test_a_place_has_one_number_and_each_event_its_next_time(event, staff):
    library, site = hall("見本図書館", **HERE), Site.objects.here()[0]
    later = event(site=site.pk, starts=STARTS + timedelta(days=1), ends=STARTS + timedelta(days=2))
    weekly = event(facility=library, every=Every.WEEK, until=(STARTS + timedelta(days=21)).date())
    other = event(facility=library, starts=STARTS + timedelta(days=3), ends=STARTS + 4 * LASTS
                  + timedelta(days=3))  # fmt: skip
    services.draft(event=written(facility=hall("見えない館", **HERE)), by=staff, now=NOW)
    page = drawn()
    assert marks(page) == ["1", "2"]
    assert spots(page) == [
        ("1 見本図書館", [f"/events/{weekly.event_id}/", f"/events/{other.event_id}/"]),
        (f"2 {site.name}", [f"/events/{later.event_id}/"]),
    ]
    assert page.xpath(f"//ol//h3/a[@href='/places/{library}/']")
    assert "12月3日" in said(page.xpath("//ol[@class='spots']/li[1]//a[@class='happen__row']")[0])
    assert elsewhere(page) == ""
    korean = drawn("/ko/")
    assert spots(korean)[0][1][0] == f"/ko/events/{weekly.event_id}/"
    assert korean.xpath("//ol//h3/a/@lang") == ["ja"]
    off(weekly.event_id, by=staff)
    assert "中止" in said(drawn().xpath("//ol[@class='spots']/li[1]")[0])


def test_the_map_that_moves_leads_to_the_list(event):
    event(facility=hall("見本図書館", **HERE))
    (shown,) = drawn().xpath("//*[@class='moving']/@data-shown")
    assert json.loads(shown) == {"points": [[HERE["lat"], HERE["lon"], "1 見本図書館", "#p1"]]}
    assert drawn().xpath("//*[@id='p1']")


def test_what_no_map_leads_to_stands_below_by_its_place(event):
    event()
    event(facility=hall("どこかの館"))
    site = Site.objects.here()[0]
    event(site=site.pk)
    Site.objects.filter(pk=site.pk).update(name="遠い学校", lat=43.06, lon=141.35)
    event(texts={"ja": {"title": "集合", "body": "", "place": ""}})
    page = drawn()
    assert page.xpath("//svg[@class='citymap']") == []
    assert page.xpath("//*[@class='moving']") == []
    assert page.xpath("//section[@aria-labelledby='h-elsewhere']//h3/text()") == [
        "どこかの館", "中庭", "遠い学校", "場所は、ページの中",
    ]  # fmt: skip
    assert "Places not on the map" in elsewhere(drawn("/en/"))
    event(facility=hall("見本図書館", **HERE))
    assert marks(drawn()) == ["1"]
    assert "中庭" in elsewhere(drawn())


def test_a_place_has_the_next_few_and_a_way_to_all(event):
    here = hall("見本図書館", **HERE)
    for day in range(MOST + 1):
        moved = timedelta(days=day)
        event(facility=here, starts=STARTS + moved, ends=STARTS + moved + LASTS)
        more = drawn().xpath("//ol[@class='spots']//*[@class='more']/a/@href")
        assert more == (["/events/places/"] if day == MOST else [])
    assert len(spots(drawn())[0][1]) == MOST


def test_a_facility_that_is_no_more_keeps_its_number_and_is_not_linked(event, staff):
    here = hall("見本図書館", **HERE)
    event(facility=here)
    close_facility(number=here, by=staff, now=NOW)
    assert spots(drawn())[0][0] == "1 見本図書館"
    assert drawn().xpath("//ol//h3/a") == []


def test_an_empty_map_says_so_in_every_language(event):
    event()
    services.end_what_is_over(now=STARTS + LASTS)
    for language in LANGUAGES:
        page = drawn(language.prefix)
        (none,) = page.xpath("//section[@aria-labelledby='h-none']")
        assert said(none)
        assert marks(page) == []
    assert "いま、予定はありません" in said(drawn())


def test_neighbours_do_not_cover_each_other(event):
    for number in range(9):
        event(facility=hall(f"見本{number}", lat=35.7391 + number % 3 * 0.0002, lon=139.5375))
    page = drawn()
    centres = [
        (float(one.get("cx")), float(one.get("cy"))) for one in page.xpath("//circle[@class='pin']")
    ]
    assert len(centres) == 9
    assert all(math.dist(a, b) > 22 for n, a in enumerate(centres) for b in centres[:n])


def test_it_is_made_anew_with_the_list(event):
    event()
    (listed,), (mapped,) = (
        FAMILIES[name].render([address])
        for name, address in (("event-lists", "/events/"), ("event-map", "/events/map/"))
    )
    assert listed[1].keys == mapped[1].keys


def test_easy_japanese_reads_every_kanji_of_ours(event):
    event(texts={"ja": {"title": "リース", "body": "リース", "place": "にわ"}})
    event(texts={"ja": {"title": "リース", "body": "リース"}}, facility=hall("けやきかん", **HERE))
    page = drawn("/easy/")
    for ruby in page.xpath("//main//ruby | //main//rt | //main//rp"):
        ruby.text = ""
    left = "".join(page.xpath("//main")[0].text_content())
    assert not [sign for sign in left if "一" <= sign <= "鿿"], left
