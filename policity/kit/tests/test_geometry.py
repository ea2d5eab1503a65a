"""Which towns a polygon touches."""

import json

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from policity.kit.geometry import BadPolygon, Cells, beyond_km, from_geojson, polygon, rings

SQUARE = polygon([(139.5, 35.7), (139.6, 35.7), (139.6, 35.8), (139.5, 35.8)])
inside = st.tuples(
    st.integers(0, 10_000).map(lambda n: 139.5 + n / 100_000),
    st.integers(0, 10_000).map(lambda n: 35.7 + n / 100_000),
)
many = st.lists(inside, min_size=1, max_size=30)


@given(many, inside)
def test_every_point_is_in_the_cell_of_its_nearest_town(points, where):
    cells = Cells.divide(SQUARE, points)
    spot = shapely.Point(where)
    holding = {points[i] for i, area in enumerate(cells.areas) if area.distance(spot) < 1e-9}
    assert holding
    inner = {points[i] for i, area in enumerate(cells.areas) if area.buffer(-1e-9).contains(spot)}
    assert len(inner) <= 1
    assert bool(inner) or len(holding) > 1 or SQUARE.exterior.distance(spot) < 1e-6


@given(many)
def test_the_cells_fill_the_city_without_overlap(points):
    cells = Cells.divide(SQUARE, list(dict.fromkeys(points)))
    assert shapely.union_all(cells.areas).area == pytest.approx(SQUARE.area, rel=1e-6)
    assert sum(area.area for area in cells.areas) == pytest.approx(SQUARE.area, rel=1e-6)


@given(many, inside, st.floats(1e-6, 0.05))
def test_a_polygon_around_a_towns_point_touches_it(points, where, size):
    cells = Cells.divide(SQUARE, points)
    area = shapely.Point(where).buffer(size)
    covered = {i for i, point in enumerate(points) if area.contains(shapely.Point(point))}
    assert covered <= set(cells.touched(area))


@given(many, inside, st.floats(1e-6, 0.05), st.floats(0, 0.05))
def test_growing_a_polygon_never_loses_a_town(points, where, size, more):
    cells = Cells.divide(SQUARE, points)
    area = shapely.Point(where).buffer(size)
    assert set(cells.touched(area)) <= set(cells.touched(area.buffer(more)))


def test_nearness_is_counted_in_metres():
    # At this latitude a degree of longitude is 0.81 of a degree of latitude.
    east, north = (139.55 + 0.011, 35.75), (139.55, 35.75 + 0.010)
    cells = Cells.divide(SQUARE, [east, north])
    assert cells.areas[0].contains(shapely.Point(139.55, 35.75))


def test_a_town_with_a_polygon_holds_exactly_that():
    own = polygon([(139.50, 35.70), (139.52, 35.70), (139.52, 35.72), (139.50, 35.72)])
    points = [(139.51, 35.71), (139.53, 35.71), (139.58, 35.78)]
    cells = Cells.divide(SQUARE, points, {0: own})
    assert cells.areas[0].equals(own)
    assert cells.touched(shapely.Point(139.519, 35.719)) == (0,)
    assert sum(area.area for area in cells.areas) == pytest.approx(SQUARE.area)


def test_towns_at_one_place_share_a_cell():
    cells = Cells.divide(SQUARE, [(139.55, 35.75)] * 2 + [(139.51, 35.71)])
    assert cells.touched(shapely.Point(139.56, 35.76)) == (0, 1)


def test_empty_space_touches_nothing():
    assert Cells.divide(SQUARE, [(139.55, 35.75)]).touched(shapely.Point(0, 0).buffer(1)) == ()
    assert Cells.divide(SQUARE, []).touched(SQUARE) == ()


@pytest.mark.parametrize(
    "ring",
    [
        [],
        [(139.5, 35.7), (139.6, 35.7), (139.5, 35.7)],
        [(0, 0), (1, 1), (1, 0), (0, 1)],
        [(0, 0), (1, 1), (2, 2)],
        [(0, 0), (1, float("nan")), (1, 1), (0, 1)],
        [(0, 0), (1, float("inf")), (1, 1), (0, 1)],
    ],
)
def test_what_is_no_polygon_is_refused(ring):
    with pytest.raises(BadPolygon):
        polygon(ring)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type": "Point", "coordinates": [1, 2]}',
        '{"type": "FeatureCollection", "features": []}',
        '{"type": "FeatureCollection", "features": [3]}',
        '{"type": "Polygon", "coordinates": [[[0,0],[1,1],[1,0],[0,1],[0,0]]]}',
        '{"type": "Polygon", "coordinates": [[["a",0],[1,1],[1,0],[0,0]]]}',
        '{"type": "Polygon", "coordinates": []}',
        '{"type": "Feature", "geometry": null}',
    ],
)
def test_what_is_no_surface_is_refused(text):
    with pytest.raises(BadPolygon):
        from_geojson(text)


def test_a_surface_keeps_its_holes():
    outer, hole = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]
    area = from_geojson(json.dumps({"type": "Polygon", "coordinates": [outer, hole]}))
    assert sorted(map(len, rings(area))) == [4, 5]


def test_distance_is_counted_from_the_box():
    assert beyond_km(SQUARE, (139.55, 35.75)) == 0
    assert beyond_km(SQUARE, (139.55, 35.9)) == pytest.approx(11.13, abs=0.01)
    assert beyond_km(SQUARE, (139.7, 35.75)) == pytest.approx(9.03, abs=0.01)


def test_a_fine_polygon_over_a_whole_city(shared_data):
    boundary = from_geojson(
        (shared_data / "geo/boundary/geolonia-japanese-admins/13229.json").read_text()
    )
    towns = json.loads((shared_data / "geo/towns/geolonia_西東京市.json").read_text())
    cells = Cells.divide(boundary, [(town["lng"], town["lat"]) for town in towns])
    area = boundary.centroid.buffer(0.02, quad_segs=125)
    assert len(area.exterior.coords) == 501
    assert len(cells.touched(area)) > 50


def test_where_lines_cross_is_said_in_plain_words():
    tie = [(139.53, 35.72), (139.55, 35.74), (139.55, 35.72), (139.53, 35.74)]
    with pytest.raises(BadPolygon, match=r"東経139\.5400、北緯35\.7300のあたり"):
        polygon(tie)
