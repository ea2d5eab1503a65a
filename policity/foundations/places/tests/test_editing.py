"""Staff correct a site's record."""

import pytest

from policity.foundations.places import queries
from policity.foundations.places.models import Site
from policity.foundations.places.services import BadSite, edit_site
from policity.foundations.places.tests.conftest import NOW


@pytest.fixture
def school(here):
    return Site.objects.get(source_id="E1322900002201")


def test_an_edit_renders_the_sites_pages_and_no_others(school, stale):
    edit_site(school.pk, by=None, now=NOW, name="新しい名前", kana="あたらしいなまえ")
    assert stale == [{"places:sites", f"places:site:{school.pk}"}]
    (view,) = [site for site in queries.sites() if site.id == school.pk]
    assert (view.name, view.kana) == ("新しい名前", "あたらしいなまえ")
    school.refresh_from_db()
    assert school.edited == ["kana", "name"]


def test_an_edit_that_changes_nothing_is_none(school, stale):
    edit_site(school.pk, by=None, now=NOW, name=school.name)
    school.refresh_from_db()
    assert (stale, school.edited) == ([], [])


def test_the_town_follows_the_address(school):
    edit_site(school.pk, by=None, now=NOW, address="西東京市泉町三丁目６－８")
    school.refresh_from_db()
    assert school.town.name == "泉町三丁目"
    edit_site(school.pk, by=None, now=NOW, address="武蔵野市八幡町1-1")
    school.refresh_from_db()
    assert school.town is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"address": ""},
        {"lat": 36.5},
        {"lon": float("nan")},
        {"hazards": ["meteor"]},
        {"receives": "高齢者"},
        {"name": "第一{小学校"},
        {"kana": "だいいち|しょうがっこう"},
        {"address": "西東京市泉町三丁目６－８}"},
        {"notes": "{北門|きたもん}から"},
    ],
)
def test_what_cannot_be_is_refused(school, stale, changes):
    with pytest.raises(BadSite):
        edit_site(school.pk, by=None, now=NOW, **changes)
    assert stale == []
    assert Site.objects.get(pk=school.pk).edited == []


def test_the_signs_of_readings_are_refused_in_plain_words(school):
    with pytest.raises(BadSite, match=r"^名前「第一{小学校」に { \| } は使えません$"):
        edit_site(school.pk, by=None, now=NOW, name="第一{小学校")


def test_a_shelter_takes_no_hazards_and_a_welfare_shelter_names_whom(here):
    shelter = Site.objects.filter(kind="shelter")[0]
    welfare = Site.objects.filter(kind="welfare_shelter")[0]
    with pytest.raises(BadSite):
        edit_site(shelter.pk, by=None, now=NOW, hazards=["flood"])
    with pytest.raises(BadSite):
        edit_site(welfare.pk, by=None, now=NOW, receives="")


@pytest.mark.parametrize("field", ["kind", "source_id", "city_id", "edited", "nothing"])
def test_other_fields_are_not_staffs(school, field):
    with pytest.raises(TypeError):
        edit_site(school.pk, by=None, now=NOW, **{field: "x"})  # type: ignore[arg-type]


def test_an_unknown_or_closed_site_is_not_there(school):
    with pytest.raises(Site.DoesNotExist):
        edit_site(0, by=None, now=NOW, name="x")
    Site.objects.filter(pk=school.pk).update(closed_at=NOW)
    with pytest.raises(Site.DoesNotExist):
        edit_site(school.pk, by=None, now=NOW, name="x")
