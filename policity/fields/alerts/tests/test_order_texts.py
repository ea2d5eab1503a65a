"""The city's own words in danger: complete, and never saying what they must not."""

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules.order_texts import _SHIPPED, _plan, load
from policity.fields.alerts.rules.order_texts import shipped as order_texts
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.rules.texts import shipped as texts
from policity.fields.alerts.tests.test_texts import TRAVEL
from policity.foundations.places.rules.sites import HAZARDS
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

CODES = tuple(language.code for language in LANGUAGES)
REASONS = order_texts().plan.reasons
CODE, LEVEL, REASON = st.sampled_from(CODES), st.sampled_from(Level), st.sampled_from(REASONS)
TOWNS = dict.fromkeys(CODES, "本町")


@given(CODE, LEVEL, REASON)
def test_every_order_says_what_why_and_what_to_do(code, level, reason):
    said = order_texts().say(code, level, reason)
    assert said.name
    assert said.headline
    assert said.reason
    assert 1 <= len(said.steps) <= 3
    told = order_texts().tell(level, reason, towns=TOWNS, notes={})[code]
    assert "<" not in told["title"] + told["body"]
    assert str(level.value) in told["title"]
    assert "本町" in told["body"]


@given(CODE, REASON)
def test_level_five_never_says_travel(code, reason):
    said = order_texts().say(code, Level.SECURE, reason)
    words = [said.headline, *(f"{step.title} {step.body}" for step in said.steps)]
    assert not re.search(TRAVEL[code], ruby.plain(" / ".join(words)), re.IGNORECASE)


def test_the_city_never_calls_it_a_warning():
    """気象業務法 23条."""
    for code, word in {"ja": "警報", "ja-easy": "警報", "zh-hans": "警报", "ko": "경보"}.items():
        for key, text in order_texts().words[code].items():
            assert word not in ruby.plain(text), key


def test_reasons_are_the_hazards_that_sites_are_designated_for():
    assert set(REASONS) == {*HAZARDS, "other"}


def test_every_icon_can_be_drawn():
    drawn = set(texts().plan.icons.values())
    assert set(order_texts().plan.icons.values()) <= drawn


def test_a_note_goes_out_only_in_its_language():
    told = order_texts().tell(Level.EVACUATE, "flood", towns=TOWNS, notes={"ja": "橋は通れません"})
    assert [code for code in CODES if "橋は通れません" in told[code]["body"]] == ["ja"]


@pytest.mark.parametrize(
    ("stands", "said", "silent"),
    [
        ([None, None], "避難情報は出ていません", "いま出ているのは"),
        ([Level.ELDERLY], "「高齢者等避難（警戒レベル3）」", "出ていません"),
        ([Level.ELDERLY, None], "まちがって", "いま"),
    ],
)
def test_an_error_says_what_stands_instead(stands, said, silent):
    told = order_texts().tell_error(Level.EVACUATE, towns=TOWNS, stands=stands)["ja"]
    assert "避難指示" in told["title"]
    assert said in told["body"]
    assert silent not in told["body"]


def test_a_lifting_sent_in_error_says_that_it_still_stands():
    told = order_texts().tell_error(None, towns=TOWNS, stands=[Level.EVACUATE])["ja"]
    assert told["title"] == "【訂正】避難指示の解除は、まちがいです"
    assert "「避難指示（警戒レベル4）」" in told["body"]


def test_nothing_was_checked_yet_and_it_says_so():
    assert order_texts().unchecked(Level.EVACUATE, "flood") == CODES
    assert order_texts().unchecked(None, "") == CODES


def test_a_city_lays_its_own_words_over_ours():
    found = load({"ja": {"checked_by": "見本", "levels.4.name": "避難指示 "}})
    assert found.unchecked(Level.EVACUATE, "flood") == CODES[1:]
    assert found.say("ja", Level.EVACUATE, "flood").name == "避難指示 "


def test_a_city_hears_what_is_wrong_with_its_words():
    with pytest.raises(ValueError, match=re.escape("levels.4.name")):
        load({"en": {"levels.4.name": "{broken"}})


@pytest.mark.parametrize("rows", [{"flood": ["fly"]}, {"storm": ["ready"]}])
def test_a_plan_that_names_what_is_not_there_is_refused(rows):
    plan = tomllib.loads((_SHIPPED / "plan.toml").read_text("utf-8"))
    plan["levels"]["4"] |= rows
    with pytest.raises(KeyError):
        _plan(plan)
