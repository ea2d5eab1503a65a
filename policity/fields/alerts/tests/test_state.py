"""What a telegram changes against what we hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules.areas import spoken
from policity.fields.alerts.rules.bulletin import (
    Bulletin,
    Change,
    Event,
    Format,
    Generation,
    InfoType,
    Phenomenon,
    Severity,
    Status,
)
from policity.fields.alerts.rules.response import Responses, Rule
from policity.fields.alerts.rules.response import shipped as responses
from policity.fields.alerts.rules.state import Held, Step, steps

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
RAIN = (Phenomenon.HEAVY_RAIN, "")

TIERS = list(Severity)


def bulletin(at=NOON, generation=Generation.NEW, scope=frozenset({Phenomenon.HEAVY_RAIN})):
    return Bulletin(
        format=Format.JMX,
        kind="VPWW55",
        generation=generation,
        title="気象警報・注意報（Ｒ０６）（大雨）",
        status=Status.ACTUAL,
        info_type=InfoType.ISSUE,
        reported_at=at,
        identity="VPWW55 気象庁",
        serial="",
        office="気象庁",
        headline="",
        events=(),
        scope=scope,
        stated=frozenset({"1"}),
    )


def rain(severity, change=Change.ISSUED):
    return Event(
        phenomenon=Phenomenon.HEAVY_RAIN,
        severity=severity,
        level=severity.rank + 1,
        change=change,
        code=str(severity.rank),
        name=f"大雨{severity}",
        area="1",
    )


def held(severity, *, open_=True, at=NOON - timedelta(hours=1), generation=Generation.NEW):
    return Held(
        phenomenon=Phenomenon.HEAVY_RAIN,
        subject="",
        severity=severity,
        level=severity.rank + 1,
        code=str(severity.rank),
        name=f"大雨{severity}",
        generation=generation,
        reported_at=at,
        open=open_,
    )


def run(b, events, last=None, stated=True) -> tuple[Step, ...]:
    return steps(b, events, stated=stated, held={RAIN: last} if last else {}, newer_rules=WEEK)


def test_continued_at_a_held_level_says_nothing():
    assert (
        run(bulletin(), [rain(Severity.MODERATE, Change.CONTINUED)], held(Severity.MODERATE)) == ()
    )


def test_continued_at_an_unknown_level_is_first_knowledge():
    (step,) = run(bulletin(), [rain(Severity.MODERATE, Change.CONTINUED)])
    assert (step.change, step.level_from, step.level_to) == (Change.CONTINUED, None, 3)


def test_continued_at_another_level_than_ours_is_a_change():
    (step,) = run(bulletin(), [rain(Severity.SEVERE, Change.CONTINUED)], held(Severity.MODERATE))
    assert (step.change, step.level_from, step.level_to) == (Change.RAISED, 3, 4)


def test_the_end_names_the_level_that_ended():
    (step,) = run(bulletin(), [rain(Severity.MINOR, Change.CANCELLED)], held(Severity.SEVERE))
    assert (step.change, step.level_from, step.level_to) == (Change.CANCELLED, 4, None)


def test_an_end_of_something_unknown_is_recorded_once():
    (step,) = run(bulletin(), [rain(Severity.MINOR, Change.CANCELLED)])
    assert step.change is Change.CANCELLED
    ended = held(Severity.MINOR, open_=False, at=NOON)
    assert run(bulletin(), [rain(Severity.MINOR, Change.CANCELLED)], ended) == ()


def test_silence_within_the_scope_is_the_end():
    (step,) = run(bulletin(), [], held(Severity.SEVERE))
    assert (step.change, step.severity_from, step.event) == (
        Change.CANCELLED,
        Severity.SEVERE,
        None,
    )
    assert run(bulletin(), [], held(Severity.SEVERE), stated=False) == ()
    assert run(bulletin(scope=frozenset()), [], held(Severity.SEVERE)) == ()


def test_a_rivers_own_flood_does_not_end_with_the_citys():
    river = replace(held(Severity.SEVERE), subject="8303110001")
    key = (Phenomenon.HEAVY_RAIN, river.subject)
    assert steps(bulletin(), [], stated=True, held={key: river}, newer_rules=WEEK) == ()


def test_an_older_telegram_changes_nothing():
    late = held(Severity.SEVERE, at=NOON + timedelta(minutes=1))
    assert run(bulletin(), [rain(Severity.MINOR)], late) == ()
    assert run(bulletin(), [], late) == ()


def test_the_older_generation_is_silent_where_the_newer_speaks():
    old = bulletin(generation=Generation.OLD)
    newer = held(Severity.SEVERE)
    assert run(old, [rain(Severity.MODERATE)], newer) == ()
    assert run(old, [], newer) == ()
    over = replace(newer, open=False)
    assert run(old, [rain(Severity.MODERATE, Change.CONTINUED)], over) == ()
    long_ago = replace(over, reported_at=NOON - WEEK - timedelta(hours=1))
    assert len(run(old, [rain(Severity.MODERATE)], long_ago)) == 1


def test_what_is_in_force_goes_before_what_ended_in_one_telegram():
    (step,) = run(bulletin(), [rain(Severity.MODERATE, Change.CANCELLED), rain(Severity.MINOR)])
    assert (step.change, step.severity_to) == (Change.ISSUED, Severity.MINOR)


said = st.tuples(st.sampled_from(TIERS), st.sampled_from(list(Change)))


@given(st.lists(said, max_size=12))
def test_state_follows_the_telegrams_and_repeating_one_changes_nothing(telegrams):
    """After any series, what is open is what the last telegram named, and no step is idle."""
    last: Held | None = None
    for n, (severity, change) in enumerate(telegrams):
        b = bulletin(at=NOON + timedelta(minutes=n))
        event = rain(severity, change)
        before = last
        for step in run(b, [event], last):
            known = before is not None and before.open
            if known:
                assert step.level_from == before.level
            assert (step.severity_from, step.level_from) != (step.severity_to, step.level_to)
            if known and step.change is Change.RAISED:
                assert step.level_to > step.level_from
            if known and step.change is Change.LOWERED:
                assert step.level_to < step.level_from
            last = held(severity, open_=change is not Change.CANCELLED, at=b.reported_at)
        assert run(b, [event], last) == ()
        assert (last is not None and last.open) == (change is not Change.CANCELLED)
        if change is not Change.CANCELLED:
            assert last.severity is severity


def test_first_rule_that_fits_decides():
    rules = responses()
    thunder = (Phenomenon.THUNDER, Severity.MINOR)
    assert rules.publishes(*thunder, Change.ISSUED, ("1",))
    assert not rules.publishes(*thunder, Change.CONTINUED, ("1",))
    assert rules.publishes(Phenomenon.HEAVY_RAIN, Severity.SEVERE, Change.CONTINUED, ("1",))
    assert not rules.publishes(Phenomenon.DRY, Severity.MINOR, Change.ISSUED, ("1",))


def test_a_rule_for_an_area_decides_there_alone():
    rules = replace(responses(), rules=(Rule(publish=False, areas=frozenset({"130013"})),))
    change = (Phenomenon.HEAVY_RAIN, Severity.SEVERE, Change.ISSUED)
    assert not rules.publishes(*change, ("1322900", "130013"))
    assert rules.publishes(*change, ("1320900", "130012"))


def test_three_digits_are_an_intensity_area_only_in_an_earthquake():
    """A volcano may bear the number of the intensity area that a place lies in."""
    told = replace(bulletin(), stated=frozenset({"350"}))
    assert spoken(told, ("1322900", "350", "130000")) is None
    assert spoken(told, ("350",)) == "350"
    shaken = replace(rain(Severity.SEVERE), phenomenon=Phenomenon.EARTHQUAKE, area="350")
    assert spoken(replace(told, events=(shaken,)), ("1322900", "350")) == "350"


@given(st.sampled_from(list(Phenomenon)), st.sampled_from(TIERS))
def test_weather_alone_never_says_evacuate_and_graver_is_never_calmer(phenomenon, severity):
    rules: Responses = responses()
    state = rules.front(phenomenon, severity)
    assert state in {"calm", "caution", "warning", "danger"}
    for graver in TIERS[severity.rank :]:
        assert rules.front(phenomenon, graver).rank >= state.rank
