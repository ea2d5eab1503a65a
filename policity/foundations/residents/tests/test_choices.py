"""What is chosen is kept as it was chosen, and quiet hours hold exactly their minutes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.choices import DAY, BadChoice, Quiet
from policity.kit.severity import Severity

MINUTES = st.integers(0, DAY - 1)
WANTS = st.dictionaries(st.sampled_from(list(choices.kinds())), st.sampled_from(Severity))


@given(WANTS)
def test_choices_are_kept(wants):
    assert choices.unpack(choices.pack(wants)) == wants


@given(WANTS)
def test_choices_have_one_spelling(wants):
    again = dict(reversed(wants.items()))
    assert choices.pack(again) == choices.pack(wants)


def test_everything_that_can_be_chosen_fits_its_column():
    longest = max((severity for severity in Severity), key=lambda s: len(s.value))
    assert len(choices.pack(dict.fromkeys(choices.kinds(), longest))) <= 300


def test_nothing_at_all_is_a_choice_and_no_choice_is_the_defaults():
    assert choices.unpack(choices.pack({})) == {}
    assert choices.unpack("") == choices.defaults() != {}


def test_a_kind_that_is_gone_is_left_out():
    assert choices.unpack("gone:minor;weather:severe") == {"weather": Severity.SEVERE}


def test_an_account_message_is_no_kind_to_choose():
    assert choices.ACCOUNT not in choices.kinds()
    assert choices.kind(choices.ACCOUNT).wakes is Severity.MINOR


@pytest.mark.parametrize("kind", choices.kinds().values(), ids=lambda kind: kind.code)
def test_danger_to_life_is_never_quieter_than_what_is_heard(kind):
    assert kind.default is None or kind.default.rank <= kind.wakes.rank


def test_levels_are_warning_levels():
    assert choices.parse_levels(" weather : 3 ;evacuation:4;") == {
        "weather": Severity.MODERATE,
        "evacuation": Severity.SEVERE,
    }


@pytest.mark.parametrize(
    "text",
    [
        "rain:3", "weather", "weather:", "weather:0", "weather:6", "weather:３", "weather:03",
        "weather:-1", "weather:3:3", "weather:3;weather:4", ":3", f"weather:{'9' * 5000}",
        "account:3",
    ],
)  # fmt: skip
def test_what_is_no_level_is_refused(text):
    with pytest.raises(BadChoice):
        choices.parse_levels(text)


@pytest.mark.parametrize("text", ["", ";", " ; "])
def test_a_list_makes_nobody_deaf(text):
    with pytest.raises(BadChoice, match="種類"):
        choices.parse_levels(text)


@given(MINUTES)
def test_a_clock_is_read(minute):
    assert choices.parse_clock(f" {minute // 60}:{minute % 60:02} ") == minute
    assert choices.parse_clock(f"{minute // 60:02}:{minute % 60:02}") == minute


@pytest.mark.parametrize(
    "text",
    ["", "22", "22:0", "22:000", "24:00", "22:60", "-1:00", "２２:00", "22：00", "022:00", "a:00",
     f"{'0' * 5000}:00"],
)  # fmt: skip
def test_what_is_no_clock_is_refused(text):
    with pytest.raises(BadChoice):
        choices.parse_clock(text)


def walked(quiet):
    """The minutes of a night, by walking from its start to its end."""
    held = set()
    minute = quiet.starts
    while minute != quiet.ends:
        held.add(minute)
        minute = (minute + 1) % DAY
    return held


@given(MINUTES, MINUTES)
def test_quiet_hours_hold_from_their_start_to_their_end_over_midnight_too(starts, ends):
    quiet = Quiet(starts, ends)
    held = walked(quiet)
    assert {minute for minute in range(DAY) if quiet.holds(minute)} == held


@given(MINUTES, MINUTES, MINUTES)
def test_what_is_left_of_them_ends_where_they_end(starts, ends, minute):
    quiet = Quiet(starts, ends)
    left = quiet.minutes_left(minute)
    assert (left > 0) == quiet.holds(minute)
    assert all(quiet.holds((minute + more) % DAY) for more in range(left))
    assert not quiet.holds((minute + left) % DAY)
