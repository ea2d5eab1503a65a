"""Spots and courses as files, in every language; writing them, showing them, taking them back."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from lxml import html
from PIL import Image

from policity.fields.charm import queries, services
from policity.fields.charm.declarations import PAGES
from policity.fields.charm.models import Course, Spot
from policity.fields.charm.queries import SHOWN, course_key, spot_key
from policity.fields.charm.tests.conftest import LAT, LON, NOW, TEXTS, spot
from policity.foundations.publishing.models import CityImage
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.usefixtures("city")
FAMILIES = {family.name: family for family in PAGES}


def rendered(name: str) -> dict[str, bytes]:
    family = FAMILIES[name]
    found = dict(family.render(list(family.addresses())))
    return {address: one.body for address, one in found.items() if one}


def text(body: bytes) -> str:
    page: Any = html.document_fromstring(body)
    return " ".join(page.xpath("//main")[0].text_content().split())


def test_a_page_for_each_in_every_language(shown):
    first, second, course = shown
    prefixes = [language.prefix for language in LANGUAGES]
    assert set(rendered("charm-spots")) == {
        f"{prefix}charm/spots/{number}/" for prefix in prefixes for number in (first, second)
    }
    pages = rendered("charm-courses")
    assert set(pages) == {f"{prefix}charm/courses/{course}/" for prefix in prefixes}
    said = text(pages[f"/charm/courses/{course}/"])
    # 0.007 degrees of latitude: 778 metres, ten minutes.
    assert "780 m" in said
    assert "10分" in said
    assert "16分" in said
    assert "EN イチョウ" in text(pages[f"/en/charm/courses/{course}/"])
    assert "<trkpt" in rendered("charm-ways")[f"/charm/courses/{course}/course.gpx"].decode()


def test_the_calendar_has_each_in_its_months(shown):
    page: Any = html.document_fromstring(rendered("charm-calendar")["/charm/calendar/"])
    found = {
        row.findtext("dt"): [a.text_content() for a in row.xpath(".//a")]
        for row in page.xpath("//dl/div")
    }
    assert [month for month, titles in found.items() if titles] == ["11月", "12月"]
    assert "いこいの森" in text(rendered("charm-calendar")["/charm/calendar/"])


def test_what_is_not_public_is_on_no_page(shown, staff):
    first, _, course = shown
    services.withdraw_spot(number=first, by=staff, now=NOW)
    services.draft_spot(spot=spot(texts={"ja": {"title": "見えない"}}), by=staff, now=NOW)
    for name in FAMILIES:
        for address, body in rendered(name).items():
            assert "見えない".encode() not in body
            assert f"spots/{first}/".encode() not in body, address
    services.withdraw_course(number=course, by=staff, now=NOW)
    assert rendered("charm-courses") == rendered("charm-ways") == {}
    with pytest.raises(services.CharmRefused, match="公開しているものだけ"):
        services.withdraw_course(number=course, by=staff, now=NOW)


def test_every_page_is_born_of_its_keys(shown):
    first, second, course = shown
    keys = (SHOWN, spot_key(first), spot_key(second), course_key(course), "places:city")
    for family in PAGES:
        born = {address for key in keys for address in family.born_of(key)}
        assert born == set(family.addresses()), family.name


@pytest.mark.parametrize("name", FAMILIES)
def test_pages_take_as_many_queries_for_one_as_for_many(
    shown, staff, name, django_assert_max_num_queries
):
    for _ in range(8):
        row = services.draft_spot(spot=spot(), by=staff, now=NOW)
        services.publish_spot(number=row.pk, by=staff, now=NOW)
    addresses = list(FAMILIES[name].addresses())
    with django_assert_max_num_queries(5):
        list(FAMILIES[name].render(addresses))


def test_easy_japanese_reads_every_kanji_but_names(shown):
    for name in ("charm-spots", "charm-courses", "charm-calendar"):
        for address, body in rendered(name).items():
            if not address.startswith("/easy/"):
                continue
            page: Any = html.document_fromstring(body)
            for ruby in page.xpath("//main//ruby | //main//rt | //main//rp | //main//*[@lang]"):
                ruby.text = ""
            left = "".join(page.xpath("//main")[0].text_content())
            assert not [sign for sign in left if "一" <= sign <= "鿿"], (address, left)


def test_a_spot_that_is_withdrawn_keeps_its_name_among_the_stops_without_leading_there(
    shown, staff
):
    first, _, course = shown
    services.withdraw_spot(number=first, by=staff, now=NOW)
    page: Any = html.document_fromstring(rendered("charm-courses")[f"/charm/courses/{course}/"])
    stop = page.xpath("//ol/li")[0]
    assert "いこいの森" in stop.text_content()
    assert not stop.xpath(".//a")
    english = text(rendered("charm-courses")[f"/en/charm/courses/{course}/"])
    assert "EN いこいの森" in english
    assert "いこいの森" in rendered("charm-ways")[f"/charm/courses/{course}/course.gpx"].decode()


def test_a_course_follows_a_spot_that_is_put_elsewhere(shown, staff):
    first, _, course = shown
    moved = spot(lat=LAT - 0.01)
    services.change_spot(number=first, spot=moved, seen=0, by=staff, now=NOW)
    assert queries.shown().courses[course].stops[0].at == (LON, LAT - 0.01)
    with pytest.raises(services.CharmRefused, match="先に変えました"):
        services.change_spot(number=first, spot=moved, seen=0, by=staff, now=NOW)


def test_a_spot_lies_in_its_town_or_near_the_city(staff, city):
    row = services.draft_spot(spot=spot(), by=staff, now=NOW)
    assert row.town is not None
    with pytest.raises(services.CharmRefused, match="20km"):
        services.draft_spot(spot=spot(lat=43.0, lon=141.3), by=staff, now=NOW)
    assert Spot.objects.count() == 1


def test_a_way_stays_until_another_comes_or_it_is_to_go_straight(shown, staff):
    course = shown[2]
    stops = f"トイレ {LAT} {LON}\nベンチ {LAT + 0.001} {LON}"
    line = ((LON, LAT), (LON + 0.001, LAT))
    for seen, given, kept in ((0, line, 2), (1, None, 2), (2, (), 0)):
        draft = services.CourseDraft(texts=TEXTS, stops=stops, line=given)
        services.change_course(number=course, course=draft, seen=seen, by=staff, now=NOW)
        assert len(Course.objects.get(pk=course).line) == kept


def test_a_picture_is_published_in_each_size_with_what_it_shows_and_goes_with_it(
    staff, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    image = picture(credit="見本 写真部")
    with pytest.raises(services.CharmRefused, match="写真の説明"):
        services.draft_spot(spot=spot(picture=image.pk), by=staff, now=NOW)
    texts = {"ja": TEXTS["ja"] | {"alt": "木かげの原っぱ"}}
    row = services.draft_spot(spot=spot(picture=image.pk, texts=texts), by=staff, now=NOW)
    assert rendered("charm-pictures") == {}
    services.publish_spot(number=row.pk, by=staff, now=NOW)
    files = rendered("charm-pictures")
    assert {address.rpartition(".")[2] for address in files} == {"webp", "jpg"}
    assert set(FAMILIES["charm-pictures"].born_of(spot_key(row.pk))) == set(files)
    page: Any = html.document_fromstring(rendered("charm-spots")[f"/charm/spots/{row.pk}/"])
    (shown,) = page.xpath("//main//img")
    assert (shown.get("alt"), shown.get("src") in files) == ("木かげの原っぱ", True)
    assert "見本 写真部" in page.text_content()
    image.delete()
    assert rendered("charm-pictures") == {}
    assert b"<img" not in rendered("charm-spots")[f"/charm/spots/{row.pk}/"]


def picture(**more: Any) -> Any:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((1600, 1200)).save(out, "JPEG")
    file = SimpleUploadedFile("IMG_0001.jpg", out.getvalue(), "image/jpeg")
    return CityImage.objects.create(title="原っぱ", file=file, **more)
