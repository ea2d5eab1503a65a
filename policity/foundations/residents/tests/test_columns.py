"""Whom a message is for, against an oracle that looks at everybody, one by one, exactly."""

import dataclasses
import json
import math
from fractions import Fraction

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policity.foundations.residents.rules import choices, columns
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.columns import NO_QUIET, Columns, Row
from policity.kit import geometry
from policity.kit.severity import Severity

KINDS = [*choices.kinds(), "unknown"]
TOWNS = range(1, 6)
NUMBERS = st.integers(1, 12) | st.integers(1, 2**40)
# A small board, so that points often lie on a line or in a corner.
PLACES = st.integers(-1, 9).map(lambda n: n / 2)
# A comb, a spiral, and a triangle: lines that come back.
COMB = ((0, 0), (4, 0), (4, 4), (3, 1), (2, 4), (1, 1), (0, 4))
SPIRAL = ((0, 0), (4, 0), (4, 4), (0, 4), (0, 1), (3, 1), (3, 3), (1, 3), (1, 2), (2, 2), (2, 1.5),
          (0.5, 1.5), (0.5, 3.5), (3.5, 3.5), (3.5, 0.5), (0, 0.5))  # fmt: skip
TRIANGLE = ((1, 1), (4, 2), (1.5, 3))


@st.composite
def residents(draw, numbers=NUMBERS, most=12):
    """Everybody's places by number."""
    found = {}
    wants = st.dictionaries(st.sampled_from(KINDS[:-1]), st.sampled_from(Severity))
    for number in draw(st.lists(numbers, unique=True, max_size=most)):
        chosen = draw(st.just("") | wants.map(choices.pack))
        quiet = draw(st.just((None, None)) | st.tuples(st.integers(0, 1439), st.integers(0, 1439)))
        points = st.just((None, None)) | st.tuples(PLACES, PLACES)
        places = draw(st.lists(st.tuples(st.sampled_from(TOWNS), points), min_size=1, max_size=4))
        found[number] = [Row(number, town, lat, lon, chosen, *quiet) for town, (lat, lon) in places]
    return found


def star(corners):
    """The corners in the order in which they stand around their middle."""
    x, y = (sum(values) / len(corners) for values in zip(*corners, strict=True))
    return tuple(sorted(corners, key=lambda at: math.atan2(at[1] - y, at[0] - x)))


CORNERS = st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=9, unique=True)
RINGS = st.sampled_from([COMB, SPIRAL, TRIANGLE]) | CORNERS.map(star)
SOME_TOWNS = st.none() | st.frozensets(st.sampled_from([*TOWNS, 99]))


@st.composite
def audiences(draw):
    kind, severity = draw(st.sampled_from(KINDS)), draw(st.sampled_from(Severity))
    if draw(st.integers(0, 3)) == 0:
        return Audience(kind, severity, persons=tuple(draw(st.lists(NUMBERS, max_size=8))))
    lines = draw(st.just(()) | st.lists(RINGS, min_size=1, max_size=2).map(tuple))
    return Audience(kind, severity, draw(SOME_TOWNS), lines)


def surface(audience):
    """What the rings enclose; only what is a polygon is asked for."""
    try:
        parts = [geometry.polygon(ring) for ring in audience.rings]
    except geometry.BadPolygon:
        assume(False)
    return geometry.together(parts) if parts else None


def test_a_point_on_a_line_counts_also_where_areas_overlap():
    """Joining rounds: this one was lost once."""
    rings = (
        ((0, 0), (4, 0), (4, 4), (3, 1), (2, 4), (1, 1), (0, 4)),
        ((-0.5, 1.5), (0.0, 0.0), (3.5, 3.5)),
    )
    audience = Audience("evacuation", Severity.MINOR, rings=rings)
    people = {1: [Row(1, 1, 3.0, 2.5, "", None, None)]}
    assert told(filled(people), audience) == ([(1, -1, -1)], 1)


def encloses(ring, point):
    """Whether a point lies inside or on the line, in fractions: nothing is rounded."""
    x, y = map(Fraction, point)
    inside = False
    ends = [tuple(map(Fraction, end)) for end in ring]
    for (ax, ay), (bx, by) in zip(ends, [*ends[1:], ends[0]], strict=True):
        turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return True
        if (ay > y) != (by > y) and (turn > 0) == (by > ay):
            inside = not inside
    return inside


def oracle(people, audience):
    """(number, quiet hours) of whom it is for, and how many of them have a point."""
    found, pointed = [], 0
    for number, places in sorted(people.items()):
        hit = [place for place in places if meant(place, audience)]
        if hit:
            quiet = places[0].quiet_from, places[0].quiet_to
            found.append((number, *(NO_QUIET if one is None else one for one in quiet)))
            pointed += any(place.lat is not None for place in hit)
    return found, pointed


def meant(place, audience):
    if audience.persons is not None:
        return place.resident in audience.persons
    least = choices.unpack(place.wants).get(audience.kind)
    if least is None or least.rank > audience.severity.rank:
        return False
    if audience.towns is not None and place.town not in audience.towns:
        return False
    if not audience.rings or place.lat is None:
        return True
    return any(encloses(ring, (place.lon, place.lat)) for ring in audience.rings)


def told(table, audience):
    found = table.find(audience, surface(audience))
    hours = (found.persons.tolist(), found.quiet_from.tolist(), found.quiet_to.tolist())
    return list(zip(*hours, strict=True)), found.with_point


def filled(people):
    table = Columns(choices.unpack)
    table.update([place for places in people.values() for place in places], (), version=1)
    return table


@pytest.fixture(scope="module", params=["each point", "a coarse grid", "a fine grid"])
def _way(request):
    """Points are asked for one by one, and by a grid that spares most of them."""
    from_, cell = {"each point": (10**9, 1), "a coarse grid": (9, 9), "a fine grid": (1, 1)}[
        request.param
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "POINTS_A_GRID", from_)
        patch.setattr(columns, "POINTS_A_CELL", cell)
        yield


@pytest.mark.usefixtures("_way")
@settings(deadline=None)
@given(residents(), audiences())
def test_a_message_is_for_those_an_oracle_names(people, audience):
    assert told(filled(people), audience) == oracle(people, audience)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("ring", [COMB, SPIRAL, TRIANGLE], ids=["comb", "spiral", "triangle"])
def test_on_the_line_is_inside_at_every_point_of_the_board(ring):
    """All points of a fine board, the corners among them, in the town itself and beside it."""
    board = [n / 8 for n in range(-4, 37)]
    points = [(lat, lon) for lat in board for lon in board]
    people = {
        number: [Row(number, 1 + number % 2, *point, "", None, None)]
        for number, point in enumerate(points, start=1)
    }
    audience = Audience("evacuation", Severity.EXTREME, frozenset([2]), (ring,))
    expected = oracle(people, audience)
    assert told(filled(people), audience) == expected
    assert len(expected[0]) > 50


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("severity", list(Severity))
def test_every_kind_and_severity_is_heard_by_who_chose_it(kind, severity):
    wants = [{}, *({k: least} for k in KINDS[:-1] for least in Severity)]
    people = {
        number: [Row(number, 1, None, None, choices.pack(one), None, None)]
        for number, one in enumerate(wants, start=1)
    }
    audience = Audience(kind, severity)
    assert told(filled(people), audience) == oracle(people, audience)


def test_somebody_who_watches_several_places_hears_once():
    places = [Row(7, town, lat, lat, "", 1320, 360) for town in (1, 2) for lat in (None, 1.0)]
    audience = Audience("evacuation", Severity.EXTREME)
    assert told(filled({7: places}), audience) == ([(7, 1320, 360)], 1)


def test_a_line_is_an_area_too():
    people = {n: [Row(n, 1, 2.0, float(n), "", None, None)] for n in range(1, 6)}
    audience = Audience("evacuation", Severity.EXTREME)
    found = filled(people).find(audience, shapely.LineString([(2, 2), (4, 2)]))
    assert found.persons.tolist() == [2, 3, 4]


STEPS = st.lists(
    st.tuples(residents(st.integers(1, 9), most=5), st.sets(st.integers(1, 9), max_size=3)),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(STEPS, st.lists(audiences(), min_size=1, max_size=4))
def test_changes_and_departures_give_what_building_anew_gives(steps, asked):
    table = Columns(choices.unpack)
    people: dict[int, list[Row]] = {}
    for version, (changed, gone) in enumerate(steps, start=1):
        rows = [place for places in changed.values() for place in places]
        table.update(rows, gone, version=version)
        people = {number: kept for number, kept in people.items() if number not in gone} | changed
        anew = filled(people)
        assert (len(table), table.version) == (len(anew), version)
        for audience in asked:
            assert told(table, audience) == told(anew, audience) == oracle(people, audience)


def test_what_is_being_looked_at_stays_as_it_was():
    table = filled({1: [Row(1, 1, None, None, "", None, None)]})
    found = table.find(Audience("evacuation", Severity.EXTREME))
    table.update([Row(2, 1, None, None, "weather:minor", None, None)], [1], version=2)
    assert found.persons.tolist() == [1]
    assert table.find(Audience("weather", Severity.MINOR)).persons.tolist() == [2]


@given(audiences(), st.lists(st.text(), max_size=2).map(tuple), st.booleans())
def test_an_audience_is_kept_as_json(audience, followed, only):
    audience = dataclasses.replace(audience, followers_of=followed, only_followers=only)
    kept = Audience.thaw(json.loads(json.dumps(audience.freeze())))
    assert kept == audience
    assert kept.freeze() == audience.freeze()
