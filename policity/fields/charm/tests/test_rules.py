"""Seasons, ways and stops, for all inputs."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.fields.charm.formats import gpx
from policity.fields.charm.rules import stops, walking
from policity.fields.charm.rules.seasons import MONTHS, in_season, spans
from policity.fields.charm.rules.stops import BadStops, Sort, Stop

months = st.sets(st.integers(1, 12))
points = st.tuples(st.floats(139, 140), st.floats(35, 36))


@given(months)
def test_runs_of_months_hold_just_these_months(some):
    held = set()
    for first, last in spans(some):
        held |= {month for month in MONTHS if (month - first) % 12 <= (last - first) % 12}
    assert held == (set() if len(some) == 12 else some)


@given(months, st.integers(1, 12))
def test_what_names_no_month_is_in_season_all_year(some, month):
    assert in_season(some, month) == (not some or month in some)


@given(st.lists(points, min_size=2, max_size=20))
def test_a_way_is_as_long_in_both_directions_and_no_shorter_than_straight(line):
    there = walking.metres(line)
    assert there == pytest.approx(walking.metres(line[::-1]), abs=1e-6)
    assert there >= walking.metres([line[0], line[-1]]) - 1e-3


def test_a_degree_of_latitude_is_as_long_as_it_is():
    assert walking.metres([(139.5, 35), (139.5, 36)]) == pytest.approx(111_195, abs=10)


@pytest.mark.parametrize(("length", "taken"), [(0, 0), (1, 1), (80, 1), (81, 2), (2400, 30)])
def test_a_minute_is_eighty_metres_and_parts_count_whole(length, taken):
    assert walking.minutes(length) == taken


places = st.builds(
    Stop,
    st.sampled_from([Sort.TOILET, Sort.BENCH, Sort.PLACE]),
    st.integers(13_900_000, 14_000_000).map(lambda n: n / 100_000),
    st.integers(3_500_000, 3_600_000).map(lambda n: n / 100_000),
    st.text("あいう公園", max_size=10),
)


@given(st.lists(places, min_size=2, max_size=stops.MOST))
def test_stops_are_read_back_as_they_were_written(some):
    spot = Stop(Sort.SPOT, 139.5, 35.7, spot=3)
    listed = (spot, *some[1:])
    assert stops.read(stops.write(listed), {3: (139.5, 35.7)}) == listed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "2つから"),
        ("トイレ 35.7 139.5", "2つから"),
        ("見どころ 3\n見どころ 4", "2行目"),
        ("見どころ 3\n見どころ ²", "2行目"),
        ("見どころ 3\n階段 35.7 139.5", "トイレ"),
        ("見どころ 3\nトイレ nan inf", "緯度と経度"),
        ("見どころ 3\nトイレ 139.5 35.7", "緯度と経度"),
        ("見どころ 3\nトイレ 35.7 139.5 " + "あ" * 61, "60文字"),
    ],
)
def test_what_is_no_list_of_stops_is_refused_with_what_to_do(text, said):
    with pytest.raises(BadStops, match=said):
        stops.read(text, {3: (139.5, 35.7)})


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(BadStops):
        stops.read(text, {3: (139.5, 35.7)})


def test_a_way_comes_back_from_its_file():
    line = ((139.5, 35.7), (139.51, 35.71), (139.5, 35.72))
    made = gpx.write("森と<川>", line, ((Stop(Sort.TOILET, 139.5, 35.7), "トイレ & 水"),))
    assert gpx.read(made) == line
    assert b"<time>" not in made


TRACK = '<gpx version="1.1" creator="x"><trk><trkseg>{}</trkseg></trk></gpx>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "読めません"),
        (b"\xff\xfe", "読めません"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "読めません|道すじ"),
        (b'<!DOCTYPE gpx [<!ENTITY a "aaaa">]><gpx>&a;</gpx>', "DOCTYPE"),
        (b'<gpx version="1.1" creator="x"/>', "道すじ"),
        (TRACK.format('<trkpt lat="0" lon="0"/>' * 2).encode(), "日本の外"),
        (TRACK.format('<trkpt lat="nan" lon="139"/>' * 2).encode(), "日本の外|読めません"),
        (TRACK.format('<trkpt lat="35" lon="139"/>' * 2).encode(), "1点だけ"),
        (TRACK.format('<trkpt lat="35" lon="139"/>' * 20_001).encode(), "多すぎます"),
        (b"x" * (gpx.LARGEST + 1), "900KB"),
    ],
    ids=range(10),
)
def test_what_is_no_way_is_refused_with_what_to_do(data, said):
    with pytest.raises(gpx.BadWay, match=said):
        gpx.read(data)
