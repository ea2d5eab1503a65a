"""What other rooms read, and with how many queries."""

from collections.abc import Iterable

import pytest
import shapely

from policity.foundations.places import queries
from policity.foundations.places.models import Town
from policity.foundations.places.services import load_city
from policity.foundations.places.tests.conftest import CITIES, NOW
from policity.foundations.places.tests.test_facts import own
from policity.kit import geometry, ruby
from policity.kit.languages import LANGUAGES


def names(towns: Iterable[queries.TownView]) -> list[str]:
    return [town.name for town in towns]


def test_the_city(here, django_assert_num_queries):
    queries.lineage("1322900")
    with django_assert_num_queries(1):
        city = queries.city()
    assert (city.name, city.kana, city.code) == ("西東京市", "にしとうきょうし", "13229")
    assert set(city.names) == {language.code for language in LANGUAGES}
    assert ruby.readings_missing(city.names["ja-easy"]) == ()
    assert city.lineage == ("1322900", "130013", "130010", "130000", "010300", "351", "13")
    (ring,) = city.boundary
    assert shapely.Polygon(ring).contains(shapely.Point(city.lon, city.lat))


def test_an_empty_home_says_so(db):
    for ask in (queries.city, lambda: queries.towns_of_area("130000"),
                lambda: queries.towns_touched(shapely.Point(139.5, 35.7).buffer(1))):  # fmt: skip
        with pytest.raises(queries.NoCity):
            ask()
    assert queries.lineage("1322900") == ("1322900",)
    assert (queries.towns(), queries.sites()) == ((), ())


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("130013", ("130013", "130010", "130000", "010300")),
        ("472000", ("472000", "011100")),
        ("351", ("351", "13")),
        ("0110000", ("0110000", "016012", "016010", "016000", "010100")),
        ("999", ("999",)),
        ("", ("",)),
    ],
)
def test_lineages_over_both_trees(here, code, found):
    assert queries.lineage(code) == found


def test_a_lineage_costs_one_query(here, django_assert_num_queries):
    queries.lineage("1322900")
    with django_assert_num_queries(1):
        queries.lineage("130013")


def test_codes_that_the_table_does_not_know_are_the_citys_own(db, folder):
    text = (folder / "city.toml").read_text()
    (folder / "city.toml").write_text(text.replace("codes = []", 'codes = ["312"]'))
    load_city(folder, by=None, now=NOW)
    assert queries.city().lineage[-1] == "312"
    assert queries.lineage("1322900")[-1] == "312"
    assert "312" not in queries.lineage("1320400")
    assert len(queries.towns_of_area("312")) == 114


@pytest.mark.parametrize("code", ["1322900", "130013", "130010", "130000", "010300", "351", "13"])
def test_an_area_that_holds_the_city_is_all_its_towns(here, code):
    assert queries.towns_of_area(code) == queries.towns()


@pytest.mark.parametrize("code", ["1320400", "130020", "352", "", "13229"])
def test_another_area_is_no_town(here, code):
    assert queries.towns_of_area(code) == ()


def test_towns_are_read_as_they_are_said(here, django_assert_num_queries):
    with django_assert_num_queries(1):
        towns = {town.name: town for town in queries.towns()}
    assert len(towns) == 114
    hill = towns["ひばりが丘北一丁目"]
    assert hill.full_kana == "ひばりがおかきたいっちょうめ"
    assert hill.easy_name == "ひばりが{丘北|おかきた}{一丁目|いっちょうめ}"
    for town in towns.values():
        assert ruby.plain(town.easy_name) == town.name
        assert ruby.readings_missing(town.easy_name) == ()


def test_sites_come_in_three_kinds(here, django_assert_num_queries):
    with django_assert_num_queries(1):
        sites = queries.sites()
    assert len(sites) == 110
    for site in sites:
        assert site.town is not None
        assert bool(site.receives) == (site.kind == "welfare_shelter")
        assert bool(site.hazards) <= (site.kind == "emergency_site")
    fit = [site for site in sites if "flood" in site.hazards]
    assert len(fit) == 26
    assert not any({"inland_flood", "storm_surge"} & site.hazards for site in sites)


def test_the_town_of_a_site_is_near_it(here):
    """The address and the coordinates agree: no town was taken for another."""
    far = [
        site.name
        for site in queries.sites()
        if site.town and abs(site.lat - site.town.lat) + abs(site.lon - site.town.lon) > 0.008
    ]
    assert far == []


def test_a_polygon_finds_every_town_it_touches(here, django_assert_num_queries):
    town = Town.objects.get(name="泉町三丁目")
    small = shapely.Point(town.lon, town.lat).buffer(0.0001)
    assert names(queries.towns_touched(small)) == ["泉町三丁目"]
    wide = small.buffer(0.004)
    with django_assert_num_queries(2):
        found = names(queries.towns_touched(wide))
    assert "泉町三丁目" in found
    assert 3 < len(found) < 20
    assert len(queries.towns_touched(shapely.box(139, 35, 140, 36))) == 114
    with django_assert_num_queries(1):
        assert queries.towns_touched(shapely.box(0, 0, 1, 1)) == ()


def test_a_crossing_polygon_is_refused(here):
    bow = shapely.Polygon([(139.5, 35.7), (139.6, 35.8), (139.6, 35.7), (139.5, 35.8)])
    with pytest.raises(geometry.BadPolygon, match="線が交わる"):
        queries.towns_touched(bow)


def test_a_town_with_its_own_polygon_is_found_by_it(here, folder):
    town = Town.objects.get(name="泉町三丁目")
    spot = shapely.Point(town.lon, town.lat).buffer(0.0001)
    assert names(queries.towns_touched(spot)) == ["泉町三丁目"]
    (folder / "towns.geojson").write_text(own("泉町一丁目"))
    load_city(folder, by=None, now=NOW)
    inside = shapely.Point(139.555, 35.732).buffer(0.0001)
    assert names(queries.towns_touched(inside)) == ["泉町一丁目"]


def test_a_closed_town_is_not_found(here, folder):
    town = Town.objects.get(name="泉町三丁目")
    spot = shapely.Point(town.lon, town.lat).buffer(0.0001)
    assert names(queries.towns_touched(spot)) == ["泉町三丁目"]
    text = (folder / "towns.csv").read_text()
    (folder / "towns.csv").write_text(
        "".join(x for x in text.splitlines(keepends=True) if not x.startswith("泉町三丁目"))
    )
    load_city(folder, by=None, now=NOW)
    (found,) = queries.towns_touched(spot)
    assert found.base == "泉町"
    assert found.name != "泉町三丁目"


def test_a_fine_polygon_touches_many_towns(here):
    city = queries.city()
    area = shapely.Point(city.lon, city.lat).buffer(0.02, quad_segs=125)
    assert len(area.exterior.coords) == 501
    assert len(queries.towns_touched(area)) > 50


def test_both_shipped_cities_know_where_they_are(db):
    for folder in sorted(CITIES.iterdir()):
        load_city(folder, by=None, now=NOW, switch=True)
        assert queries.city().lineage[1:] == ("130013", "130010", "130000", "010300", "351", "13")
