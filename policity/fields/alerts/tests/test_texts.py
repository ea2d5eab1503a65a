"""The texts residents read in danger: complete, plain, and never saying what they must not."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules.bulletin import CAP, Change, Phenomenon, Severity
from policity.fields.alerts.rules.texts import _SHIPPED, AlertText, Texts, _plan, load
from policity.fields.alerts.rules.texts import shipped as texts
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

CODES = tuple(language.code for language in LANGUAGES)
LEVELLED = (
    Phenomenon.HEAVY_RAIN,
    Phenomenon.LANDSLIDE,
    Phenomenon.STORM_SURGE,
    Phenomenon.FLOOD,
)
LANGUAGE = st.sampled_from(CODES)
PHENOMENON = st.sampled_from(Phenomenon)
SEVERITY = st.sampled_from(Severity)
LEVEL = st.sampled_from([None, 1, 2, 3, 4, 5])

# Words of leaving for another place. Level 5 never says one of them.
TRAVEL = {
    "ja": r"避難|移動|逃げ|にげ|向か|安全な場所|家へ|所へ|外へ出る|わたら",
    "ja-easy": r"避難|にげ|所へ|行って|行く|家でも|わたら|もどら",
    "en": r"evacuat|shelter|\bgo\b(?! outside)|leave|(?<!cannot )move|safe place|drive|walk|run",
    "zh-hans": r"避难|撤离|转移|前往|逃|跑|安全的地方|亲友|过河",
    "ko": r"대피|피난|이동|도망|벗어|안전한 곳|지인|건너|가십시오",
}
# The city announcing a 警報, which only JMA may (気象業務法 23条).
CITY_WARNING = {
    "ja": r"市(が|は|の|から)[^。、]{0,12}警報",
    "ja-easy": r"市(が|は|の|から)[^。、]{0,12}警報",
    "en": r"\bcity('s| has| issues)?\b[^.]{0,20}\b(warning|advisory)",
    "zh-hans": r"市(政府)?(的|发布)?[^。，]{0,8}(警报|注意报)",
    "ko": r"시(의|가|는|에서)\s[^.,]{0,10}(경보|주의보)",
}
# JMA ordering people to evacuate, which only the city may.
ORDER = {
    "ja": r"避難(して|せよ|しなさい|指示|命令)|全員",
    "ja-easy": r"避難して|みんな にげて",
    "en": r"\bevacuate\b|evacuation order|everyone must",
    "zh-hans": r"请(立即|马上)?避难|避难指示|全体",
    "ko": r"대피하십시오|대피 지시|전원",
}


def everything(code: str) -> Iterator[tuple[str, str]]:
    return (
        (key, text) for key, text in texts().words[code].items() if not key.endswith("checked_by")
    )


def alerts(code: str) -> Iterator[tuple[str, AlertText]]:
    for phenomenon in Phenomenon:
        for severity in Severity:
            for level in (None, 2, 3, 4, 5):
                said = texts().say(code, phenomenon, severity, level)
                yield f"{phenomenon} {severity} {level}", said


def plain_steps(said: AlertText) -> str:
    return ruby.plain(" / ".join(f"{step.title} {step.body}" for step in said.steps))


@given(LANGUAGE, PHENOMENON, SEVERITY, LEVEL)
def test_every_alert_says_what_it_is_and_what_to_do(
    code: str, phenomenon: Phenomenon, severity: Severity, level: int | None
) -> None:
    said = texts().say(code, phenomenon, severity, level)
    assert said.name
    assert said.headline
    assert "<" not in said.name
    assert 1 <= len(said.steps) <= 3
    assert len({step.title for step in said.steps}) == len(said.steps)
    assert all(step.title and step.body and step.icon for step in said.steps)


@given(PHENOMENON, SEVERITY, LEVEL)
def test_every_language_says_the_same(
    phenomenon: Phenomenon, severity: Severity, level: int | None
) -> None:
    icons = {
        tuple(step.icon for step in texts().say(code, phenomenon, severity, level).steps)
        for code in CODES
    }
    assert len(icons) == 1


@pytest.mark.parametrize("code", CODES)
def test_severities_are_told_apart(code: str) -> None:
    for phenomenon in Phenomenon:
        if "any" in texts().plan.alerts[phenomenon]:
            continue
        names = {texts().say(code, phenomenon, severity, None).name for severity in Severity}
        assert len(names) == len(Severity), phenomenon


@pytest.mark.parametrize("code", CODES)
def test_the_smaller_words_are_there(code: str) -> None:
    all_texts = texts()
    for change in (*Change, "withdrawn"):
        assert all_texts.change_name(code, change)
    for severity in Severity:
        assert all_texts.plain_severity(code, severity)
    for kind in ("emergency_site", "shelter", "welfare_shelter"):
        assert all_texts.site_kind(code, kind).body
    assert all_texts.hazard_name(code, "inland_flood")
    assert all_texts.source(code)
    assert len(all_texts.indoors(code).steps) == 3
    assert all_texts.calm(code).headline


def test_official_names() -> None:
    def names(phenomenon: Phenomenon, severity: Severity) -> dict[str, str]:
        return {
            code: ruby.plain(texts().say(code, phenomenon, severity, None).name) for code in CODES
        }

    assert names(Phenomenon.HEAVY_RAIN, Severity.MODERATE) == {
        "ja": "大雨警報",
        "ja-easy": "大雨警報（雨で 危ない）",
        "en": "Heavy rain warning",
        "zh-hans": "暴雨警报",
        "ko": "호우경보",
    }
    assert names(Phenomenon.LANDSLIDE, Severity.SEVERE)["ja"] == "土砂災害危険警報"
    assert names(Phenomenon.LANDSLIDE, Severity.SEVERE)["en"] == "Landslide urgent warning"
    assert names(Phenomenon.FOG, Severity.SEVERE)["ja"] == "濃い霧（危険）"


def test_the_level_decides_what_to_do() -> None:
    """The old 高潮特別警報 is level 4: leave before the wind rises."""
    old = texts().say("ja", Phenomenon.STORM_SURGE, Severity.EXTREME, 4)
    new = texts().say("ja", Phenomenon.STORM_SURGE, Severity.SEVERE, 4)
    assert old.name == "高潮特別警報"
    assert (old.headline, old.steps) == (new.headline, new.steps)


@pytest.mark.parametrize("code", CODES)
def test_level_5_never_tells_anyone_to_travel(code: str) -> None:
    for phenomenon in LEVELLED:
        for severity, level in ((Severity.EXTREME, None), (Severity.MODERATE, 5)):
            said = texts().say(code, phenomenon, severity, level)
            steps = plain_steps(said)
            assert not re.search(TRAVEL[code], steps, re.IGNORECASE), (phenomenon, steps)


@pytest.mark.parametrize("code", CODES)
def test_the_words_of_travel_are_found_where_travel_is_right(code: str) -> None:
    for phenomenon in LEVELLED:
        steps = plain_steps(texts().say(code, phenomenon, Severity.SEVERE, 4))
        assert re.search(TRAVEL[code], steps, re.IGNORECASE), (phenomenon, steps)


@pytest.mark.parametrize("code", CODES)
def test_level_4_points_to_the_citys_evacuation_information(code: str) -> None:
    city = {"ja": "市の避難情報", "ja-easy": "市の お知らせ", "en": "the city's evacuation"}
    city |= {"zh-hans": "市政府的避难信息", "ko": "시의 대피 정보"}
    for phenomenon in LEVELLED:
        assert city[code] in plain_steps(texts().say(code, phenomenon, Severity.SEVERE, 4))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("forbidden", [CITY_WARNING, ORDER])
def test_the_city_issues_no_warning_and_jma_no_order(code: str, forbidden: dict[str, str]) -> None:
    for key, text in everything(code):
        assert not re.search(forbidden[code], ruby.plain(text), re.IGNORECASE), (key, text)


def test_jmas_levels_are_equivalents() -> None:
    for level in range(1, 6):
        assert texts().level_name("ja", level) == f"警戒レベル{level}相当"
        assert texts().level_name("en", level) == f"Equivalent to Alert Level {level}"


def test_easy_japanese_has_a_reading_on_every_kanji() -> None:
    for key, text in everything("ja-easy"):
        assert not ruby.readings_missing(text), (key, text)
        for base, reading in ruby.readings(text):
            assert re.fullmatch(r"[ぁ-ゖー]+", reading), (key, base, reading)
            assert re.fullmatch(r"[一-鿿々]+", base), (key, base, reading)


def test_a_word_has_one_reading() -> None:
    """A slip in a reading shows as a second reading of the same word."""
    seen: dict[str, set[str]] = {}
    for _, text in everything("ja-easy"):
        for base, reading in ruby.readings(text):
            seen.setdefault(base, set()).add(reading)
    assert {base: found for base, found in seen.items() if len(found) > 1} == {
        "来": {"く", "き", "こ"},
        "入": {"い", "はい"},
        "出": {"で", "だ"},
        "変": {"へん", "か"},
        "急": {"きゅう", "いそ"},
        "弱": {"よわ", "じゃく"},
    }


def test_easy_japanese_is_easy() -> None:
    for key, text in everything("ja-easy"):
        words = ruby.plain(text)
        for sentence in re.split(r"[。？！「」（）]", words):
            assert len(sentence) <= 42, (key, sentence)
        for phrase in re.split(r"[ 、。「」（）・！]", words):
            assert len(phrase) <= 13, (key, phrase)
        assert not re.search(
            r"ございま|いたしま|いただ|なさ[いっ]|れますよう|おそれ|および|又は", words
        ), key


@pytest.mark.parametrize("code", ["ja", "en", "zh-hans", "ko"])
def test_only_easy_japanese_carries_readings(code: str) -> None:
    for key, text in everything(code):
        assert not re.search(r"[{}|]", text), (key, text)


# An encoding of the script's own country knows its characters and not the neighbour's.
@pytest.mark.parametrize(
    ("code", "encoding"),
    [("ja", "cp932"), ("ja-easy", "cp932"), ("zh-hans", "gb2312"), ("ko", "euc-kr")],
)
def test_each_language_in_its_own_characters(code: str, encoding: str) -> None:
    for key, text in everything(code):
        assert re.sub("ハザードマップ|・", "", text).encode(encoding), key


def test_scripts_do_not_mix() -> None:
    for key, text in everything("en"):
        assert re.fullmatch(r"[ -~“”]+", text), (key, text)
    for key, text in everything("zh-hans"):
        assert not re.search(r"[ぁ-ヺ]", text.replace("ハザードマップ", "")), (key, text)
    for key, text in everything("ko"):
        assert not re.search(r"[ぁ-ヺ一-鿿]", text.replace("ハザードマップ", "")), (key, text)


LONGEST = {  # name, title, headline, body
    "ja": (22, 22, 42, 60),
    "ja-easy": (40, 30, 48, 60),
    "en": (60, 90, 90, 150),
    "zh-hans": (20, 24, 36, 50),
    "ko": (30, 30, 60, 80),
}


@pytest.mark.parametrize("code", CODES)
def test_lines_are_short(code: str) -> None:
    name, title, headline, body = LONGEST[code]
    for where, said in alerts(code):
        assert len(ruby.plain(said.name)) <= name, (where, said.name)
        assert len(ruby.plain(said.headline)) <= headline, (where, said.headline)
        for step in said.steps:
            assert len(ruby.plain(step.title)) <= title, (where, step.title)
            assert len(ruby.plain(step.body)) <= body, (where, step.body)


def test_every_icon_and_every_group_has_its_use() -> None:
    plan = texts().plan
    used = {group for rows in plan.alerts.values() for group in rows.values()}
    assert used | {"indoors", "calm"} == set(plan.groups)
    assert {step for steps in plan.groups.values() for step in steps} == set(plan.icons)
    assert all(1 <= len(steps) <= 3 for steps in plan.groups.values())


def test_nobody_has_checked_the_texts_yet() -> None:
    assert {said.checked_by for code in CODES for _, said in alerts(code)} == {""}


def say_tornado(found: Texts) -> AlertText:
    return found.say("en", Phenomenon.TORNADO, Severity.MINOR, None)


def test_a_text_is_checked_when_all_its_parts_are() -> None:
    own = {"alerts.tornado.any.checked_by": "Ann"}
    assert say_tornado(load({"en": own})).checked_by == ""
    for part, who in (("inside", "Ann"), ("room", "Bo"), ("outside", "Ann")):
        own[f"steps.tornado-{part}.checked_by"] = who
    assert say_tornado(load({"en": own})).checked_by == "Ann, Bo"
    assert say_tornado(load({"en": {"checked_by": "Cy"}})).checked_by == "Cy"


def test_a_city_may_change_one_sentence() -> None:
    found = load({"ja": {"alerts.fog.minor.headline": "川ぞいに霧が出ます。"}})
    said = found.say("ja", Phenomenon.FOG, Severity.MINOR, None)
    assert (said.name, said.headline) == ("濃霧注意報", "川ぞいに霧が出ます。")
    assert said.steps == texts().say("ja", Phenomenon.FOG, Severity.MINOR, None).steps


def test_what_no_page_asks_for_any_more_is_left_out() -> None:
    assert load({"en": {"steps.wach": "x", "fog": "y"}}).words == texts().words


@pytest.mark.parametrize(
    ("code", "key", "text", "error", "says"),
    [
        (
            "ko", "steps.watch.body", "", KeyError,
            "ko.toml, language ko: the text steps.watch.body is missing",
        ),
        (
            "ja-easy", "source", "{気象庁}の お知らせ", ValueError,
            "ja-easy.toml, language ja-easy: source: unbalanced",
        ),
    ],
)  # fmt: skip
def test_a_slip_of_the_editor_is_one_clear_error(
    code: str, key: str, text: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as raised:
        load({code: {key: text}})
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"groups": {"fog": ["fly"]}}, "plan.toml: fly is not there"),
        ({"alerts": {"fog": {"minor": "mist"}}}, "mist is not there"),
    ],
)
def test_a_plan_that_names_what_is_not_there_is_refused(
    change: dict[str, dict[str, Any]], says: str
) -> None:
    plan = tomllib.loads((_SHIPPED / "plan.toml").read_text("utf-8"))
    for table, rows in change.items():
        plan[table] |= rows
    with pytest.raises(KeyError, match=says):
        _plan(plan)


@pytest.mark.parametrize("code", CODES)
def test_every_single_text_is_missed_when_it_goes(code: str) -> None:
    for key, _ in list(everything(code))[::7]:
        with pytest.raises(KeyError, match=re.escape(key)):
            load({code: {key: ""}})


@given(LANGUAGE, PHENOMENON, SEVERITY)
def test_only_jmas_telegrams_have_jmas_names(
    code: str, phenomenon: Phenomenon, severity: Severity
) -> None:
    def called(told: str, kind: str) -> str:
        return texts().called(code, phenomenon, severity, told=told, kind=kind)

    words = texts().words[code]
    theirs = called("Alert", CAP)
    assert words[f"phenomena.{phenomenon}"] in theirs
    assert words[f"severities.{severity}"] in theirs
    assert called("{とても}強い雨", CAP) == ("｛とても｝強い雨" if code == "ja" else theirs)
    ours = texts().say(code, phenomenon, severity, None).name
    assert called("", "VPWW54") == ours
    assert called("Ｘ", "VPWW54") == ("Ｘ" if code == "ja" else ours)
