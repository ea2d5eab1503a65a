"""The city's own evacuation information as residents meet it: whole, in every language, or gone."""

import json
import re
from typing import Any

import pytest
from lxml import html

from policity.fields.alerts import declarations as alert_pages
from policity.fields.alerts.queries import IN_FORCE, ORDERS, order_key
from policity.fields.alerts.rules.bulletin import Phenomenon
from policity.fields.alerts.rules.order_texts import shipped as order_texts
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.tests.test_texts import TRAVEL
from policity.foundations.places.declarations import CITY, SITES
from policity.foundations.places.rules.sites import Kind
from policity.kit import ruby
from policity.kit.languages import LANGUAGES
from policity.public_site.tests import states
from policity.public_site.tests.states import EIGHT, FIVE, STATES, opened, order, sites, wrong
from policity.public_site.tests.test_open_sites import lists
from policity.public_site.tests.test_pages import document, published, published_as

CODES = {language.code: language.prefix for language in LANGUAGES}
LEVELS = {"order 3": 3, "order 4": 4, "order 5": 5}
# How each language says that a level is JMA's, an equivalent: never the city's own.
EQUIVALENT = {
    "ja": "相当",
    "ja-easy": "同じくらい",
    "en": "equivalent",
    "zh-hans": "相当",
    "ko": "상당",
}
ALL_OPEN = {site.name: "open" for site in sites()}
NO_ORDER = [name for name in STATES if name not in states.ORDERS]


def show(monkeypatch, name, *decided, in_force=(), **more):
    """Stands in a state that is decided here and now."""
    monkeypatch.setitem(STATES, name, (tuple(in_force), ()))
    monkeypatch.setitem(states.ORDERS, name, decided)
    states.stand(monkeypatch, name, **more)
    return published()


@pytest.fixture
def pages(monkeypatch):
    """The pages of a state by name."""

    def pages(name, **more):
        if not more:
            return published_as(monkeypatch, name)
        states.stand(monkeypatch, name, **more)
        return published()

    return pages


def unread(element) -> str:
    """What it says, without readings."""
    whole: Any = html.fromstring(html.tostring(element, encoding="unicode"))
    for reading in whole.xpath(".//rt | .//rp"):
        reading.drop_tree()
    return str(whole.text_content())


def plain(element):
    """What it says, without readings and without space."""
    return re.sub(r"\s", "", unread(element))


def said(text):
    return re.sub(r"\s", "", ruby.plain(text))


def block(page):
    """The block of the city's own order, or None."""
    found = page.xpath("//section[contains(@class, 'order--own')]")
    return found[0] if found else None


def standing(page):
    """What a page says of where each level stands: {4: "東伏見1〜3丁目"}."""
    return {
        int(one.get("class")[-1]): plain(one)
        for one in page.xpath("//div[contains(@class, 'areas__one--')]")
    }


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", LEVELS)
def test_home_says_how_bad_what_why_where_and_who_says_so(pages, name, code):
    level, text = LEVELS[name], order_texts()
    tree = pages(name)
    for rest in ("", "evacuation/1/"):
        page = document(tree[CODES[code] + rest].body)
        found = block(page)
        assert f"order--{level}" in found.get("class")
        assert len(found.xpath(".//svg[@class='ladder']/path[@class='on']")) == level
        assert found.xpath("string(.//p[@class='order__level']/b)") == str(level)
        assert plain(found.xpath(".//h1")[0]) == said(text.name(code, Level(level)))
        words = text.say(code, Level(level), "flood")
        for part in (words.headline, words.reason, text.source(code, states.CITY.names[code])):
            assert said(part) in plain(found)
        assert "泉町" in plain(found)
        assert EQUIVALENT[code] not in plain(found)
        steps = page.xpath("//section[@id='now']//li/b")
        assert [plain(step) for step in steps] == [said(step.title) for step in words.steps]
        assert page.findtext(".//title").startswith(ruby.plain(text.name(code, Level(level))))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", states.ORDERS)
def test_jmas_word_for_its_own_levels_is_never_on_the_citys(pages, name, code):
    tree = pages(name)
    for address, rendered in tree.items():
        if not address.startswith(CODES[code]) or not address.endswith("/"):
            continue
        own = document(rendered.body).xpath(
            "//section[contains(@class, 'order--own')] | //div[@class='areas'] |"
            "//figure | //li[.//a[contains(@href, 'evacuation/')]]"
        )
        for one in own:
            assert EQUIVALENT[code] not in plain(one), address


@pytest.mark.parametrize("name", states.ORDERS)
def test_the_city_never_calls_its_own_information_a_warning(pages, name):
    """気象業務法 23条."""
    words = {"": "警報", "easy/": "警報", "zh-hans/": "警报", "ko/": "경보", "en/": "arning"}
    tree = pages(name)
    for prefix, word in words.items():
        for rest in ("", "evacuation/1/"):
            page = document(tree[f"/{prefix}{rest}"].body)
            for own in page.xpath(
                "//section[contains(@class, 'order--own')] | //div[@class='areas'] | //figure"
            ):
                assert word not in plain(own), (prefix, rest)


@pytest.mark.parametrize("code", CODES)
def test_two_levels_stand_side_by_side_each_with_its_towns(pages, code):
    page = document(pages("two levels")[CODES[code]].body)
    assert "order--4" in block(page).get("class")
    found = standing(page)
    assert list(found) == [4, 3]
    inside, beside = states.towns()[0].base, states.towns()[10].base
    assert inside != beside
    assert inside in found[4]
    assert beside not in found[4]
    assert beside in found[3]
    assert inside not in found[3]


@pytest.mark.parametrize("code", CODES)
def test_two_places_at_one_level_are_both_named_in_the_block(pages, code):
    """Who lives in the one must not read that it is about the other."""
    page = document(pages("two places")[CODES[code]].body)
    text = plain(block(page))
    assert states.towns()[0].base in text
    assert states.towns()[10].base in text
    for reason in ("flood", "landslide"):
        assert said(order_texts().reason(code, Level.EVACUATE, reason)) in text
    assert list(standing(page)) == [4]


@pytest.mark.parametrize("code", CODES)
def test_the_map_repeats_the_list_and_says_that_it_is_an_estimate(pages, code):
    page = document(pages("two levels")[CODES[code]].body)
    (drawing,) = page.xpath("//svg[@role='img']")
    assert drawing.get("aria-label")
    zones = [path.get("class") for path in drawing.xpath("./path[starts-with(@class, 'zone')]")]
    # The worst is drawn last, above the others.
    assert zones == ["zone zone--3", "zone zone--4"]
    key = plain(page.xpath("//figcaption")[0])
    for level in (Level.EVACUATE, Level.ELDERLY):
        assert said(order_texts().name(code, level)) in key
    words = {
        "ja": "斜線", "ja-easy": "斜めの線", "en": "Striped", "zh-hans": "斜线", "ko": "빗금",
    }  # fmt: skip
    rough = {
        "ja": "おおよそ", "ja-easy": "だいたい", "en": "approximate", "zh-hans": "大致",
        "ko": "대략",
    }  # fmt: skip
    assert words[code] in key
    assert rough[code] in key


def test_sites_that_may_be_gone_to_are_on_the_map_and_no_others(pages):
    near = min(
        (site for site in sites() if site.kind is Kind.EMERGENCY_SITE and "flood" in site.hazards),
        key=lambda site: abs(site.lat - states.towns()[3].lat) + abs(site.lon - 139.55),
    )
    for state, count in (("open", 1), ("full", 0), ("closed", 0)):
        tree = pages("order 4", with_openings=opened({near.name: state}))
        page = document(tree["/"].body)
        assert len(page.xpath("//svg[@role='img']/path[@class='house']")) == count, state


@pytest.mark.parametrize("code", CODES)
def test_what_is_lifted_is_gone_from_home_and_says_so_on_its_page(pages, code):
    tree = pages("lifted")
    home = document(tree[CODES[code]].body)
    assert block(home) is None
    assert standing(home) == {}
    minute = {"ja": "22時40分", "ja-easy": "午後10時40分", "ko": "22시40분"}.get(code, "22:40")
    for story, level in ((1, Level.ELDERLY), (2, Level.EVACUATE)):
        page = document(tree[f"{CODES[code]}evacuation/{story}/"].body)
        assert block(page) is None
        assert standing(page) == {}
        assert page.xpath("//section[@id='now']") == []
        title, mind = order_texts().lifted(code, level)
        assert plain(page.xpath("//h1")[0]) == said(title)
        assert said(mind) in plain(page)
        assert minute in plain(page.xpath("//p[@class='page-head__lead']")[0])


def test_towns_that_were_lifted_are_not_listed(monkeypatch):
    """A part is lifted, the rest stands."""
    tree = show(
        monkeypatch,
        "calm",
        order(1, 4, [*EIGHT, *FIVE]),
        order(2, None, FIVE, story=1, minutes=90),
    )
    lifted = states.towns()[10].base
    for address in ("/", "/evacuation/1/", "/alerts/"):
        page = document(tree[address].body)
        listed = page.xpath(
            "//section[contains(@class, 'order--own')] |"
            "//div[@class='areas'] | //ul[@class='force']"
        )
        assert listed
        for one in listed:
            assert lifted not in plain(one), address
    state = json.loads(tree["/state.json"].body)
    assert state["orders"][0]["towns"] == [town.name for town in states.towns()[:8]]
    thread = plain(document(tree["/"].body).xpath("//ol[@class='thread']")[0])
    assert "解除避難指示5町" in thread


@pytest.mark.parametrize("code", CODES)
def test_an_error_vanishes_and_its_page_apologises(pages, code):
    tree = pages("an error")
    home = document(tree[CODES[code]].body)
    assert block(home) is None
    assert home.xpath("//*[@class='scene']")
    page = document(tree[f"{CODES[code]}evacuation/1/"].body)
    assert block(page) is None
    assert page.xpath("//section[@id='now']") == []
    words = order_texts().words[code]
    name = order_texts().name(code, Level.EVACUATE)
    text = plain(page)
    assert plain(page.xpath("//h1")[0]) == said(words["error.title"].replace("<name>", name))
    assert said(words["error.headline"].replace("<name>", name)) in text
    assert said(words["error.none"]) in text
    state = json.loads(tree["/state.json"].body)
    assert (state["state"], state["orders"]) == ("calm", [])


@pytest.mark.parametrize("code", CODES)
def test_what_stood_before_an_error_shows_again(pages, code):
    tree = pages("an error above")
    name = order_texts().name(code, Level.SECURE)
    for rest in ("", "evacuation/1/"):
        page = document(tree[CODES[code] + rest].body)
        assert "order--3" in block(page).get("class")
        assert list(standing(page)) == [3]
        assert said(name) not in plain(block(page))
    (note,) = page.xpath("//main//div[contains(@class, 'note--act')]")
    assert said(order_texts().words[code]["error.title"].replace("<name>", name)) in plain(note)


def test_an_error_that_was_followed_by_a_decision_is_history(monkeypatch):
    tree = show(
        monkeypatch,
        "calm",
        order(1, 3, EIGHT),
        wrong(2, 5, EIGHT, story=1, minutes=90),
        order(3, 4, EIGHT, story=1, minutes=120),
    )
    page = document(tree["/evacuation/1/"].body)
    assert page.xpath("//main//div[contains(@class, 'note--act')]") == []
    assert "まちがいの訂正" in plain(page.xpath("//ol[@class='thread']")[0])


def test_a_lifting_sent_in_error_says_that_the_order_still_stands(pages):
    page = document(pages("an error of lifting")["/evacuation/1/"].body)
    assert "order--4" in block(page).get("class")
    (note,) = page.xpath("//main//div[contains(@class, 'note--act')]")
    assert "避難指示の解除は、まちがいです" in plain(note)


def test_a_story_that_another_went_on_with_leads_there(monkeypatch):
    """Two of three towns were raised by a story of its own, the third as well later."""
    tree = show(
        monkeypatch,
        "calm",
        order(1, 3, [1, 2, 3]),
        order(2, 4, [1, 2], minutes=70),
        order(3, 4, [3], story=2, minutes=80),
    )
    page = document(tree["/evacuation/1/"].body)
    assert block(page) is None
    assert page.xpath("//p[@class='more']/a/@href") == ["/evacuation/2/"]
    assert "新しい避難情報に変わりました" in plain(page)


@pytest.mark.parametrize("name", NO_ORDER)
def test_without_an_order_nothing_of_it_is_left(pages, name):
    tree = pages(name)
    assert not [address for address in tree if "evacuation/" in address]
    for address, rendered in tree.items():
        if address.endswith("/"):
            page = document(rendered.body)
            assert block(page) is None, address
            assert not page.xpath("//a[contains(@href, 'evacuation/')]"), address
    state = json.loads(tree["/state.json"].body)
    assert state["orders"] == []
    assert state["state"] != "evacuate"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("reason", order_texts().plan.reasons)
def test_level_five_never_says_travel(monkeypatch, reason, code):
    notes = {"ja": "ガスもれ"} if reason == "other" else {}
    tree = show(
        monkeypatch,
        "calm",
        order(1, 5, EIGHT, reason=reason, notes=notes),
        with_openings=opened(ALL_OPEN),
    )
    for rest in ("", "evacuation/1/"):
        page = document(tree[CODES[code] + rest].body)
        main = [
            *page.xpath("//section[contains(@class, 'order--own')]//h1/.."),
            *page.xpath("//section[@id='now']//ol"),
            *page.xpath("//div[@class='areas']//h3"),
        ]
        assert len(main) == 3
        for part in main:
            text = unread(part)
            assert not re.search(TRAVEL[code], text, re.IGNORECASE), (rest, text)


@pytest.mark.parametrize("code", CODES)
def test_beside_level_five_no_site_is_offered_anywhere(monkeypatch, code):
    """Level 5 in one town, level 4 in others, every site open."""
    tree = show(
        monkeypatch,
        "calm",
        order(1, 4, FIVE),
        order(2, 5, EIGHT, minutes=90),
        in_force=[states.RAIN_4],
        with_openings=opened(ALL_OPEN),
    )
    for rest in ("", "shelters/", "evacuation/1/", "evacuation/2/"):
        page = document(tree[CODES[code] + rest].body)
        assert lists(page) == {}, rest
        assert page.xpath("//p[contains(@class, 'note--act')]"), rest
        assert page.xpath("//path[@class='house']") == []
    alert = document(tree[f"{CODES[code]}alerts/1/"].body)
    assert alert.xpath("//section[@aria-labelledby='h-now']//a") == []
    uses = {one["use"] for one in json.loads(tree["/state.json"].body)["shelters_open"]}
    assert uses == {"unsaid"}


def test_wind_does_not_hold_back_whom_the_city_orders_to_leave(monkeypatch):
    storm = states.history(4, Phenomenon.STORM, (states.MODERATE, None))
    opening = opened(ALL_OPEN)
    held = show(monkeypatch, "calm", in_force=[storm], with_openings=opening)
    assert lists(document(held["/"].body)) == {}
    tree = show(monkeypatch, "calm", order(1, 4, EIGHT), in_force=[storm], with_openings=opening)
    assert "いま、行ける所" in lists(document(tree["/"].body))
    # What is extreme does.
    tree = show(
        monkeypatch, "calm", order(1, 4, EIGHT), in_force=[states.STORM], with_openings=opening
    )
    assert lists(document(tree["/"].body)) == {}


def test_sites_are_for_the_citys_reason_and_for_what_jma_says(monkeypatch):
    slide = order(1, 4, EIGHT, reason="landslide")
    flood = states.history(2, Phenomenon.FLOOD, (states.MODERATE, 3))
    both = {
        site.name
        for site in sites()
        if site.kind is Kind.EMERGENCY_SITE and {"flood", "landslide"} <= site.hazards
    }
    tree = show(monkeypatch, "calm", slide, in_force=[flood], with_openings=opened(ALL_OPEN))
    for address in ("/", "/evacuation/1/", "/shelters/"):
        assert set(lists(document(tree[address].body))["いま、行ける所"]) == both, address


def test_a_reason_of_its_own_asks_for_no_hazard(monkeypatch):
    other = order(1, 4, EIGHT, reason="other", notes={"ja": "ガスもれ"})
    tree = show(monkeypatch, "calm", other, with_openings=opened(ALL_OPEN))
    page = document(tree["/"].body)
    assert "not now" not in lists(page)
    assert "ガスもれ" in plain(block(page))


def test_what_is_added_stands_in_its_language_alone_and_is_escaped(pages):
    tree = pages("order 4")
    for code, prefix in CODES.items():
        text = block(document(tree[prefix].body)).text_content()
        assert ("橋は<通れません>" in text) == (code == "ja"), code
    assert "<通れません>".encode() not in tree["/"].body


def test_what_nobody_checked_is_not_shown(monkeypatch):
    notes = {"ja": "橋は通れません", "en": "The bridge is closed", "ko": "다리 통행금지"}
    checked = {"en": "見本"}
    tree = show(monkeypatch, "calm", order(1, 4, EIGHT, notes=notes, checked=checked))
    assert "The bridge is closed" in document(tree["/en/"].body).text_content()
    assert "다리" not in document(tree["/ko/"].body).text_content()


def test_the_strip_on_every_page_says_what_stands_and_where(pages):
    tree = pages("two levels")
    says = {
        "ja": "避難指示8町・高齢者等避難5町",
        "ja-easy": "避難指示8の町、高齢者等避難5の町",
        "en": "Evacuationorder:8areas,Evacuationoftheelderlyandothers:5areas",
        "zh-hans": "避难指示8个町、高龄者等避难5个町",
        "ko": "대피지시:8개지역,고령자등대피:5개지역",
    }
    for code, prefix in CODES.items():
        for rest in ("alerts/", "shelters/", "evacuation/2/"):
            (strip,) = document(tree[prefix + rest].body).xpath(
                "//div[starts-with(@class,'state')]"
            )
            assert plain(strip) == says[code]
            assert "state--alert" in strip.get("class")
    assert ruby.plain(json.loads(tree["/state.json"].body)["summary"]["en"]) == (
        "Evacuation order: 8 areas, Evacuation of the elderly and others: 5 areas"
    )


def test_the_whole_city_is_called_so(monkeypatch):
    tree = show(monkeypatch, "calm", order(1, 3, range(1, 115)))
    page = document(tree["/"].body)
    assert "市の全体" in plain(block(page))
    assert "泉町" not in plain(block(page))
    (strip,) = document(tree["/alerts/"].body).xpath("//div[starts-with(@class,'state')]")
    assert plain(strip) == "高齢者等避難市の全体"


def test_machines_are_told_what_stands(pages):
    tree = pages("two levels")
    state = json.loads(tree["/state.json"].body)
    assert state["state"] == "evacuate"
    assert [(one["story"], one["level"], len(one["towns"])) for one in state["orders"]] == [
        (2, 4, 8),
        (1, 3, 5),
    ]
    for one in state["orders"]:
        assert one["page"] in tree
        assert one["reason"] == "flood"
    assert state["updated"] == "2026-09-18T12:00:00+00:00"


def test_one_thread_tells_of_the_city_and_of_jma_the_newest_first(pages):
    thread = document(pages("two levels")["/"].body).xpath("//ol[@class='thread']/li")
    lines = [plain(line) for line in thread]
    assert lines[0] == "9月18日(金)21時00分引き上げ避難指示8町"
    assert lines[2] == "9月18日(金)20時20分発令高齢者等避難13町"
    assert "大雨" in lines[1]
    times = [line.xpath("string(.//time/@datetime)") for line in thread]
    assert times == sorted(times, reverse=True)


def test_the_list_has_what_stands_first_and_what_is_over_in_its_history(pages):
    page = document(pages("two levels")["/alerts/"].body)
    rows = page.xpath("//section[@aria-labelledby='h-force']//li//a/@href")
    assert rows[:2] == ["/evacuation/2/", "/evacuation/1/"]
    assert rows[2] == "/alerts/1/"
    page = document(pages("lifted")["/alerts/"].body)
    assert page.xpath("//section[@aria-labelledby='h-force']//li//a/@href") == ["/alerts/1/"]
    lines = [plain(line) for line in page.xpath("//ol[@class='thread']/li")]
    assert lines[:2] == [
        "2026年9月18日(金)22時40分解除避難指示",
        "2026年9月18日(金)22時40分解除高齢者等避難",
    ]
    page = document(pages("an error")["/alerts/"].body)
    assert "まちがいの訂正避難指示" in plain(page.xpath("//ol[@class='thread']/li")[0])


@pytest.mark.parametrize("name", [*LEVELS, "lifted", "an error"])
def test_the_feed_leads_to_the_story(pages, name):
    tree = pages(name)
    for prefix in CODES.values():
        feed = tree[f"{prefix}alerts/feed.atom"].body.decode()
        assert f"{prefix}evacuation/1/" in feed


@pytest.mark.parametrize("name", LEVELS)
def test_the_home_needs_no_second_file_and_no_script(pages, name):
    for address in CODES.values():
        page = document(pages(name)[address].body)
        assert page.xpath("//link[@rel='stylesheet'] | //script | //img") == []


@pytest.mark.parametrize("name", states.ORDERS)
def test_what_is_decided_makes_its_pages_again(pages, name):
    tree = pages(name)
    fixed = ("", "alerts/", "shelters/", "alerts/feed.atom")
    for prefix in CODES.values():
        for rest in fixed:
            assert ORDERS in tree[prefix + rest].keys, rest
        page = tree[f"{prefix}evacuation/1/"]
        stands = block(document(page.body)) is not None
        # While it stands it offers sites.
        more = {IN_FORCE, SITES} if stands else set()
        assert page.keys == {order_key(1), ORDERS, CITY} | more
    assert ORDERS in tree["/state.json"].keys


def test_a_story_brings_its_pages_into_being_and_one_that_is_not_there_has_none(pages):
    pages("order 4")
    (family,) = (one for one in alert_pages.PAGES if one.name == "evacuation")
    born = [f"{prefix}evacuation/7/" for prefix in CODES.values()]
    assert list(family.born_of(order_key(7))) == born
    assert not list(family.born_of(ORDERS))
    assert dict(family.render(["/en/evacuation/77/"])) == {"/en/evacuation/77/": None}


def test_words_that_nobody_checked_say_so(pages):
    for address in ("/", "/evacuation/1/"):
        assert "まだ人が確かめていません" in plain(document(pages("order 4")[address].body))
