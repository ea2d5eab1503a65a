"""The city's rules as a file: what it may say of the front page."""

import re
from importlib.resources import files

import pytest

from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.response import FrontState, parse
from policity.fields.alerts.rules.response import shipped as responses

SHIPPED = (files("policity.fields.alerts") / "facts" / "responses.toml").read_text("utf-8")


def test_any_standing_order_says_evacuate_and_nothing_ranks_above() -> None:
    assert {responses().order_front(level) for level in Level} == {FrontState.EVACUATE}
    assert max(FrontState, key=lambda state: state.rank) is FrontState.EVACUATE
    assert FrontState.EVACUATE not in responses().fronts.values()


def test_a_city_may_show_a_level_otherwise() -> None:
    found = parse(SHIPPED.replace('3 = "evacuate"', '3 = "danger"'))
    assert found.order_front(Level.ELDERLY) is FrontState.DANGER
    assert found.order_front(Level.SECURE) is FrontState.EVACUATE


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('extreme = "danger"', 'extreme = "evacuate"', "only [front_order]"),
        ('3 = "evacuate"', '3 = "caution"', "calmer than a warning"),
        ('5 = "evacuate"\n', "", "'5' is missing"),
    ],
)
def test_what_would_mislead_is_refused(old: str, new: str, said: str) -> None:
    assert old in SHIPPED
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(SHIPPED.replace(old, new))
