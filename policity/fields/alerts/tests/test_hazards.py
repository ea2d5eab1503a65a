"""Where people may be sent, and when nobody is."""

from itertools import product

import pytest

from policity.fields.alerts.rules.bulletin import Phenomenon, Severity
from policity.fields.alerts.rules.hazards import hazards_of, may_go
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.texts import shipped as texts

PLAN = texts().plan
MINOR, MODERATE, SEVERE, EXTREME = Severity
RAIN_3 = (Phenomenon.HEAVY_RAIN, MODERATE, 3)
RAIN_4 = (Phenomenon.HEAVY_RAIN, SEVERE, 4)
# The steps that say: stay where you are.
STAY = {"stay-in", "stay-in-wind", "whiteout", "snow-stay", "tornado-inside", "protect-life"}


def steps(phenomenon: Phenomenon, severity: Severity, level: int | None) -> set[str]:
    row, _ = PLAN.entry(phenomenon, PLAN.deeds(phenomenon, severity, level))
    return set(PLAN.groups[PLAN.alerts[phenomenon][row]])


def test_no_site_is_offered_beside_a_step_that_says_stay() -> None:
    every = list(product(Phenomenon, Severity, (None, 2, 3, 4, 5)))
    told_to_stay = [event for event in every if steps(*event) & STAY]
    assert told_to_stay
    assert [event for event in told_to_stay if may_go(PLAN, [RAIN_4, event])] == []


@pytest.mark.parametrize(
    ("event", "may"),
    [
        (RAIN_4, True),
        ((Phenomenon.HEAVY_RAIN, EXTREME, 5), False),
        ((Phenomenon.FLOOD, EXTREME, None), False),
        ((Phenomenon.OTHER, EXTREME, None), False),
        ((Phenomenon.STORM, MINOR, None), True),
        ((Phenomenon.STORM, MODERATE, None), False),
        ((Phenomenon.STORM, EXTREME, None), False),
        ((Phenomenon.SNOWSTORM, MODERATE, None), False),
        ((Phenomenon.TORNADO, MODERATE, None), False),
        # The old 高潮特別警報 is level 4: leave before the wind rises.
        ((Phenomenon.STORM_SURGE, EXTREME, 4), True),
        # From these one has to get away, however grave they are.
        ((Phenomenon.TSUNAMI, EXTREME, None), True),
        ((Phenomenon.EARTHQUAKE, EXTREME, None), True),
        ((Phenomenon.VOLCANO, EXTREME, None), True),
    ],
)
def test_one_that_keeps_people_inside_is_enough(
    event: tuple[Phenomenon, Severity, int | None], may: bool
) -> None:
    assert may_go(PLAN, [event]) is may
    assert may_go(PLAN, [RAIN_3, event]) is may


def test_level_five_of_the_city_keeps_everybody_inside() -> None:
    quake = (Phenomenon.EARTHQUAKE, EXTREME, None)
    for events in ([], [RAIN_3], [quake]):
        assert not may_go(PLAN, events, [Level.EVACUATE, Level.SECURE])


@pytest.mark.parametrize("level", [Level.ELDERLY, Level.EVACUATE])
def test_whom_the_city_orders_to_leave_wind_does_not_hold_back(level: Level) -> None:
    storm = (Phenomenon.STORM, MODERATE, None)
    assert not may_go(PLAN, [storm])
    assert may_go(PLAN, [storm], [level])
    assert not may_go(PLAN, [(Phenomenon.STORM, EXTREME, None)], [level])
    assert not may_go(PLAN, [(Phenomenon.FLOOD, EXTREME, 5)], [level])


def test_the_citys_reason_comes_first_and_one_of_its_own_brings_none() -> None:
    rain = [Phenomenon.HEAVY_RAIN]
    assert hazards_of(rain, ["landslide", "flood", "other"]) == (
        "landslide",
        "flood",
        "inland_flood",
    )
    assert hazards_of([], ["other"]) == ()


def test_wind_asks_for_no_site() -> None:
    assert hazards_of([Phenomenon.STORM, Phenomenon.FLOOD, Phenomenon.HEAVY_RAIN]) == (
        "flood",
        "inland_flood",
    )
