"""What is on at a facility stands on its page, which knows nothing of events."""

from datetime import timedelta
from typing import Any

import pytest
from lxml import html

from policity.foundations.events import services
from policity.foundations.events.declarations import MOST_HERE
from policity.foundations.events.rules.repeating import Every
from policity.foundations.events.tests.conftest import LASTS, NOW, STARTS, joined, off, written
from policity.foundations.events.tests.test_pages import rendered
from policity.foundations.places.declarations import PAGES
from policity.foundations.places.rules.facilities import Facility
from policity.foundations.places.services import close_facility, write_facility
from policity.foundations.publishing.models import PageKey
from policity.foundations.publishing.services import render_due
from policity.foundations.work.models import Item
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")
(FAMILY,) = (family for family in PAGES if family.name == "facility")


def hall(name: str) -> int:
    written_ = Facility(source_id="", kind="library", name=name)
    return write_facility(number=None, written=written_, by=None, now=NOW).pk


def shown(facility: int, prefix: str = "/") -> list[str]:
    """What stands on a facility's page as being on there."""
    ((_, one),) = FAMILY.render([f"{prefix}places/{facility}/"])
    assert one is not None
    page: Any = html.document_fromstring(one.body)
    rows = page.xpath("//section[@aria-labelledby='h-on']//ul[@class='happen']/li/a")
    return [f"{row.get('href')} {' '.join(row.text_content().split())}" for row in rows]


def test_each_event_stands_there_once_with_its_next_time_and_leads_to_its_page(event, staff):
    here, elsewhere = hall("見本図書館"), hall("見本公民館")
    first = event(facility=here, every=Every.WEEK, until=(STARTS + timedelta(days=7)).date())
    event(facility=elsewhere, texts={"ja": {"title": "よそ"}})
    event(texts={"ja": {"title": "どこか"}})
    services.draft(event=written(facility=here), by=staff, now=NOW)
    (row,) = shown(here)
    assert row.startswith(f"/events/{first.event_id}/ ")
    assert "12月3日" in row
    assert shown(here, "/en/")[0].startswith(f"/en/events/{first.event_id}/ ")
    page: Any = html.document_fromstring(rendered("event")[f"/events/{first.event_id}/"])
    (link,) = page.xpath(f"//a[@href='/places/{here}/']")
    assert link.text_content() == "見本図書館"
    services.end_what_is_over(now=STARTS + LASTS)
    assert "12月10日" in shown(here)[0]
    off(first.event_id, by=staff)
    assert "中止" in shown(here)[0]
    services.end_what_is_over(now=STARTS + timedelta(days=8))
    assert shown(here) == []


def test_a_facilitys_page_has_the_next_few_and_a_way_to_all(event):
    here = hall("見本図書館")
    for day in range(MOST_HERE + 1):
        moved = timedelta(days=day)
        event(facility=here, starts=STARTS + moved, ends=STARTS + moved + LASTS)
        ((_, one),) = FAMILY.render([f"/places/{here}/"])
        assert one is not None
        assert ("events/places/" in one.body.decode()) is (day == MOST_HERE)
    assert len(shown(here)) == MOST_HERE


def test_a_facility_that_is_no_more_is_named_and_not_linked(event, staff):
    here = hall("見本図書館")
    number = event(facility=here).event_id
    close_facility(number=here, by=staff, now=NOW)
    page: Any = html.document_fromstring(rendered("event")[f"/events/{number}/"])
    assert "見本図書館" in page.text_content()
    assert page.xpath(f"//a[@href='/places/{here}/']") == []


def test_many_facilities_take_as_many_queries_as_one(event, django_assert_max_num_queries):
    pages = []
    for number in range(6):
        here = hall(f"見本{number}")
        event(facility=here)
        pages += [f"{language.prefix}places/{here}/" for language in LANGUAGES]
    with django_assert_max_num_queries(6):
        assert len(dict(FAMILY.render(pages))) == len(pages)


@pytest.mark.django_db(transaction=True)
def test_what_changes_is_written_anew_on_its_facilitys_pages_and_no_others(request):
    request.getfixturevalue("city")
    event, staff = (request.getfixturevalue(name) for name in ("event", "staff"))
    one, two, three = (hall(f"見本{number}") for number in range(3))
    time = event(facility=one)
    render_due(now=NOW)
    Item.objects.all().delete()
    number, revision = time.event_id, iter(range(9))

    def rewritten() -> set[int]:
        keys = Item.objects.filter(key__contains="/places/").values_list("key", flat=True)
        found = {hall for hall in (one, two, three) for key in keys if key.endswith(f"/{hall}/")}
        Item.objects.all().delete()
        return found

    def change(**other: Any) -> set[int]:
        services.change(
            number=number, event=written(**other), seen=next(revision), by=staff, now=NOW
        )
        return rewritten()

    assert PageKey.objects.filter(key=f"events:at:{one}").count() == len(LANGUAGES)
    assert rewritten() == set()
    joined(time, 1)
    assert rewritten() == {one}
    assert change(facility=one, texts={"ja": {"title": "新しい名前"}}) == {one}
    assert change(facility=two) == {one, two}
    assert change() == {two}
    assert change() == set()
    off(number, seen=1, by=staff)
    assert rewritten() == set()
