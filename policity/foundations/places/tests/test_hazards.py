"""Hazard maps: files as cities have them, cut to the city, shown and taken off."""

import io
import json
import zipfile
from contextlib import suppress
from datetime import date
from typing import Any

import brotli
import pytest
import shapefile
import shapely
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from shapely.geometry import mapping

from policity.foundations.accounts.models import AuditEntry, Role, User
from policity.foundations.accounts.services import create_staff
from policity.foundations.places import queries, services
from policity.foundations.places.declarations import PAGES
from policity.foundations.places.formats.hazards import BadHazardFile, read
from policity.foundations.places.models import HazardLayer
from policity.foundations.places.presenters import hazards as presenters
from policity.foundations.places.queries.hazards import HAZARDS, hazard_layers
from policity.foundations.places.rules import hazards as rules
from policity.foundations.places.rules.hazards import Area, BadAreas, State, Then
from policity.foundations.places.tests.conftest import NOW
from policity.kit import geometry
from policity.kit.languages import LANGUAGES

WGS84 = 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984"]]'
BOX = shapely.box(139.53, 35.72, 139.56, 35.75)
CITY = shapely.box(139.5, 35.7, 139.6, 35.8)


def commander(name: str = "commander") -> User:
    """Somebody of the crisis room."""
    return create_staff(
        username=name, password="keyaki-michi-2026-see", display_name=f"見本 {name}",
        roles=[Role.COMMANDER], starts=NOW.date(),
    )  # fmt: skip


def geojson(*areas, **other) -> bytes:
    """Areas, each with its depth's code."""
    features = [
        {
            "type": "Feature",
            "geometry": mapping(area),
            "properties": {"A31a_105": code, "name": "x"},
        }
        for area, code in areas
    ]
    return json.dumps({"type": "FeatureCollection", "features": features} | other).encode()


def packed(*areas, prj=WGS84, without=()) -> bytes:
    """The same as a shapefile in a zip."""
    parts = {kind: io.BytesIO() for kind in ("shp", "shx", "dbf")}
    with shapefile.Writer(**parts, shapeType=shapefile.POLYGON, encoding="cp932") as writer:
        writer.field("A31a_105", "N", size=2)
        writer.field("河川名", "C", size=20)
        for area, code in areas:
            writer.shape(mapping(area))
            writer.record(code, "石神井川")
    said = {kind: part.getvalue() for kind, part in parts.items()} | {"prj": prj.encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for kind, data in said.items():
            if kind not in without:
                pack.writestr(f"A31a/areas.{kind}", data)
    return out.getvalue()


@pytest.mark.parametrize("write", [geojson, packed])
def test_both_forms_say_the_same(write):
    found = read(write((BOX, 2), (CITY, 5)))
    assert found.attributes == ("A31a_105",)
    assert [one.depth for one in found.areas("A31a_105")] == [2, 5]
    assert [one.depth for one in found.areas("")] == [0, 0]
    assert found.areas("")[0].surface.equals(BOX)
    with pytest.raises(BadHazardFile, match="ほかの属性"):
        found.areas("name")


def test_real_boundaries_are_read(shared_data):
    path = shared_data / "geo" / "boundary" / "smartnews-n03-2021" / "13229.geojson"
    assert read(path.read_bytes()).shapes


TOKYO = 'PROJCS["JGD_2011_Japan_Zone_9",GEOGCS["GCS_JGD_2011"]]'
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::6677"}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ファイルを選んで"),
        (b"{}", "GeoJSONとして読めません"),
        (b"PK\x03\x04", "シェープファイルとして読めません"),
        (geojson(), "面が一つもありません"),
        (geojson((shapely.Point(139.5, 35.7), 1)), "面ではないもの"),
        (geojson((shapely.box(1000, 2000, 1100, 2100), 1)), "緯度・経度ではありません"),
        (geojson((BOX, 1), crs=CRS), "座標系が"),
        (packed((BOX, 1), prj=TOKYO), "座標系（.prj）が"),
        (packed((BOX, 1), without=("prj",)), ".prj がありません"),
        (packed((BOX, 1), without=("dbf",)), ".dbf がありません"),
        (b" " * (20 * 2**20 + 1), "大きすぎます"),
    ],
)
def test_what_cannot_be_taken_says_what_to_do(data, said):
    with pytest.raises(BadHazardFile) as refused:
        read(data)
    assert said in str(refused.value)
    assert str(refused.value).endswith("。")


def test_a_pack_that_unfolds_without_end_is_not_unfolded():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a.shp", b"\0" * (101 * 2**20))
    with pytest.raises(BadHazardFile, match="開いて100MB"):
        read(out.getvalue())


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b'{"type":']))
def test_any_bytes_are_read_or_refused(data, start):
    with pytest.raises(BadHazardFile):
        read(start + data)


@given(st.integers(0, 99), st.binary(min_size=1, max_size=4))
def test_a_spoilt_pack_is_read_or_refused(share, junk):
    whole = packed((BOX, 2))
    at = len(whole) * share // 100
    with suppress(BadHazardFile):
        assert read(whole[:at] + junk + whole[at + len(junk) :]).shapes


def test_what_lies_outside_is_cut_away_and_depths_stay():
    half = shapely.box(139.55, 35.72, 139.65, 35.75)
    found = rules.cut([Area(2, half), Area(4, BOX)], CITY)
    assert [one.depth for one in found.areas] == [2, 4]
    assert found.areas[0].surface.bounds[2] == pytest.approx(139.6)
    assert found.within == 5
    assert rules.deepest_at(found.areas, 139.555, 35.73) == 4
    assert rules.deepest_at(found.areas, 139.59, 35.73) == 2
    assert rules.deepest_at(found.areas, 139.59, 35.79) is None


def test_no_gap_opens_between_two_depths():
    # Two neighbours whose common line is a saw, which simplifying makes straight in its own way.
    saw = [(139.55 + (number % 2) * 0.00004, 35.72 + number * 0.00002) for number in range(1500)]
    low = shapely.Polygon([(139.53, 35.72), *saw, (139.53, saw[-1][1])])
    deep = shapely.Polygon([(139.57, 35.72), *saw, (139.57, saw[-1][1])])
    found = rules.cut([Area(1, low), Area(4, deep)], CITY)
    for number in range(10, 1400, 7):
        assert rules.deepest_at(found.areas, 139.55, 35.72 + number * 0.00002) is not None


def test_another_places_map_is_refused():
    with pytest.raises(BadAreas, match="9割より多く"):
        rules.cut([Area(0, shapely.box(139.599, 35.7, 140.5, 35.8))], CITY)


def test_lines_that_cross_are_repaired():
    bow = shapely.Polygon([(139.53, 35.72), (139.56, 35.75), (139.56, 35.72), (139.53, 35.75)])
    (area,) = rules.cut([Area(1, bow)], CITY).areas
    assert area.surface.is_valid
    assert area.surface.area == pytest.approx(0.03 * 0.03 / 2, rel=0.01)


@given(
    st.lists(st.tuples(st.floats(139.51, 139.59), st.floats(35.71, 35.79)), min_size=3, max_size=9)
)
def test_any_ring_is_cut_or_refused(corners):
    ring = shapely.Polygon(corners)
    try:
        found = rules.cut([Area(3, ring)], CITY)
    except BadAreas:
        return
    for area in found.areas:
        assert area.surface.is_valid
        assert CITY.buffer(0.00002).covers(area.surface)


@pytest.mark.parametrize(
    ("hazard", "depth", "what"),
    [
        ("flood", 0, Then.UNKNOWN_DEPTH),
        ("flood", 1, Then.SHALLOW),
        ("inland_flood", 2, Then.UP_OR_LEAVE),
        ("flood", 3, Then.LEAVE),
        ("storm_surge", 6, Then.LEAVE),
        ("landslide", 0, Then.LEAVE),
        ("landslide", 1, Then.LEAVE),
        ("volcano", 0, Then.LEAVE),
        ("tsunami", 1, Then.AT_ONCE),
    ],
)
def test_what_to_do_there(hazard, depth, what):
    assert rules.then(hazard, depth) is what


def layer(here, *, by=None, hazard="flood", depth=3, **other):
    """A draft: a half of the city lies in it."""
    west, south, east, north = geometry.from_geojson(here.boundary).bounds
    half = shapely.box(west, south, (west + east) / 2, north)
    said: dict[str, Any] = {
        "title": "石神井川の浸水",
        "source": "東京都",
        "as_of": date(2026, 4, 1),
    } | other
    return services.take_hazard_layer(
        hazard=hazard,
        areas=(Area(depth, half),),
        by=by or commander(),
        now=NOW,
        **said,
    )


def test_a_map_is_a_draft_shown_taken_off_and_shown_again(here, stale):
    by = commander()
    row = layer(here, by=by)
    assert row.state == State.DRAFT
    assert stale == []
    services.publish_hazard_layer(number=row.pk, by=by, now=NOW)
    (shown,) = hazard_layers(State.PUBLISHED)
    hit = rules.hits(shown.areas, queries.surfaces().items())
    assert {one.whole for one in hit} == {True, False}
    assert {one.deepest for one in hit} == {3}
    assert 20 < len(hit) < 100
    services.withdraw_hazard_layer(number=row.pk, by=by, now=NOW)
    assert hazard_layers(State.PUBLISHED) == ()
    services.publish_hazard_layer(number=row.pk, by=by, now=NOW)
    assert stale == [{"places:hazards"}] * 3
    assert list(AuditEntry.objects.order_by("number").values_list("act", flat=True))[-4:] == [
        "hazard.added", "hazard.published", "hazard.withdrawn", "hazard.published",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"hazard": "fire"}, "種類を選んで"),
        ({"title": " "}, "地図の名前を入れて"),
        ({"source": "{都|と}"}, "使えません"),
        ({"as_of": date(2030, 1, 1)}, "きょうまでの日"),
    ],
)
def test_what_is_wrong_is_refused_with_words(here, other, said):
    with pytest.raises(services.HazardRefused, match=said):
        layer(here, **other)
    assert not HazardLayer.objects.exists()


def test_nothing_is_done_twice(here):
    by = commander()
    row = layer(here, by=by)
    services.publish_hazard_layer(number=row.pk, by=by, now=NOW)
    with pytest.raises(services.HazardRefused, match="もう公開"):
        services.publish_hazard_layer(number=row.pk, by=by, now=NOW)
    services.withdraw_hazard_layer(number=row.pk, by=by, now=NOW)
    with pytest.raises(services.HazardRefused, match="もう取り下げ"):
        services.withdraw_hazard_layer(number=row.pk, by=by, now=NOW)
    with pytest.raises(services.HazardRefused, match="もうありません"):
        services.publish_hazard_layer(number=99, by=by, now=NOW)


def test_together_they_stay_small_enough_for_a_phone(here, monkeypatch):
    monkeypatch.setattr(rules, "MOST_POINTS_TOGETHER", 10)
    row = layer(here)
    with pytest.raises(services.HazardRefused, match="大きすぎます"):
        services.publish_hazard_layer(number=row.pk, by=commander("other"), now=NOW)


FAMILIES = {family.name: family for family in PAGES}


def rendered(name: str, *addresses: str) -> dict[str, str]:
    """What a family makes of addresses."""
    made = FAMILIES[name].render(addresses or tuple(FAMILIES[name].addresses()))
    return {address: page.body.decode() for address, page in made if page}


def test_without_a_map_the_page_says_what_to_do(here):
    pages = rendered("hazards")
    assert len(pages) == len(LANGUAGES)
    assert "まだ、ハザードマップがありません" in pages["/places/hazards/"]
    assert 'href="/shelters/"' in pages["/places/hazards/"]
    assert "hazards.js" not in pages["/places/hazards/"]
    assert '"layers":[]' in rendered("hazard-shapes")["/places/hazards.json"]


def test_the_page_says_towns_depths_and_what_then_in_every_language(here):
    by = commander()
    for depth, hazard in ((3, "flood"), (0, "landslide")):
        row = layer(here, by=by, hazard=hazard, depth=depth, title=f"地図{depth}")
        services.publish_hazard_layer(number=row.pk, by=by, now=NOW)
    pages = rendered("hazards")
    said = {
        address: " ".join(html.document_fromstring(page).find(".//main").text_content().split())
        for address, page in pages.items()
    }
    assert "深さ 3〜5メートル" in said["/places/hazards/"]
    assert "家にいると危ない所です。" in said["/places/hazards/"]
    assert "東京都、2026年4月1日" in said["/places/hazards/"]
    assert "3–5 m deep" in said["/en/places/hazards/"]
    assert "Towns wholly inside" in said["/en/places/hazards/"]
    assert "深度3～5米" in said["/zh-hans/places/hazards/"]
    assert "깊이 3~5m" in said["/ko/places/hazards/"]
    assert "/easy/shelters/#landslide" in pages["/easy/places/hazards/"]
    # A place is looked up by the rows that the page has.
    assert pages["/places/hazards/"].count("data-layer=") == 2


def test_the_file_has_the_same_lines_and_is_small(here):
    row = layer(here)
    services.publish_hazard_layer(number=row.pk, by=row.by, now=NOW)
    said = json.loads(rendered("hazard-shapes")["/places/hazards.json"])
    (one,) = said["layers"]
    ((depth, (ring,)),) = one["areas"]
    assert (one["id"], depth) == (row.pk, 3)
    assert [ring[0] / 100_000, ring[1] / 100_000] == pytest.approx([35.7, 139.5], abs=0.1)
    # As many points as may be shown together, on lines as restless as may be.
    zigzag = [(139.5 + number * 1e-5, 35.7 + number % 97 * 1e-5) for number in range(5000)]
    packed_ = json.dumps(presenters._steps(tuple(zigzag)), separators=(",", ":")).encode()
    assert len(brotli.compress(packed_)) < 100_000 / 4


def test_each_page_is_made_again_with_the_maps(here):
    for name in ("hazards", "hazard-shapes"):
        family = FAMILIES[name]
        for _, page in family.render(tuple(family.addresses())):
            assert page
            assert HAZARDS in page.keys
