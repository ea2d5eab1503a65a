import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import brotli
import feedparser
import pytest
from django.conf import settings
from django.urls import Resolver404, resolve
from lxml import etree, html

from policity.design import assets
from policity.fields.alerts import declarations as alert_pages
from policity.fields.alerts.rules.bulletin import CAP, Phenomenon
from policity.foundations.places import queries as place_queries
from policity.foundations.places.declarations import in_each_language
from policity.foundations.search import declarations as search_pages
from policity.kit.declare import Stage
from policity.kit.languages import LANGUAGES, split
from policity.public_site import declarations as front_pages
from policity.public_site.tests.states import (
    EXTREME,
    MINOR,
    MODERATE,
    STATES,
    history,
    renamed,
    stand,
)

# What the foot of every page leads to; whether it is there is tried with its own room's pages.
ELSEWHERE = frozenset(
    address
    for room in ("events/", "places/", "charm/", "plan/")
    for address in in_each_language(room)
)
FAMILIES = (*front_pages.PAGES, *alert_pages.PAGES)
SITE_MAP = next(family for family in search_pages.PAGES if family.name == "site-map")
WIRE_LIMIT = 50_000
ASSETS = ("/assets/", "/sw.js")
# What only the city itself may order (警戒レベル4 避難指示 …).
CITY_ORDERS = ("避難指示が出", "避難指示を発令", "高齢者等避難が", "緊急安全確保が")


def document(body: bytes) -> Any:
    return html.document_fromstring(body)


def published():
    """Every declared address with its rendering."""
    return {
        address: rendered
        for family in FAMILIES
        if (addresses := list(family.addresses()))
        for address, rendered in family.render(addresses)
    }


def answered(place):
    """Whether the application answers an address itself, or another room publishes it."""
    if place in ELSEWHERE or place in SITE_MAP.addresses():
        return True
    try:
        return bool(resolve(place))
    except Resolver404:
        return False


def pages(tree):
    return {a: document(r.body) for a, r in tree.items() if a.endswith(("/", ".html"))}


_rendered: dict[tuple[str, bool], Any] = {}


def published_as(monkeypatch, name):
    """Stands in a state that is not changed, and gives what is published: rendered once."""
    stand(monkeypatch, name)
    key = name, settings.DRILL
    if key not in _rendered:
        _rendered[key] = published()
    return dict(_rendered[key])


@pytest.fixture(params=STATES)
def tree(request, monkeypatch):
    return published_as(monkeypatch, request.param)


class Strict(HTMLParser):
    """Every element that opens closes, in order."""

    VOID = frozenset({"meta", "link", "img", "br", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.open = []
        self.ids = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {tag}"
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open, f"{tag} was never opened"
        assert self.open.pop() == tag


def test_every_declared_address_is_rendered_in_every_language(tree):
    assert all(tree.values())
    for language in LANGUAGES:
        for rest in ("", "alerts/", "shelters/", "alerts/feed.atom"):
            assert language.prefix + rest in tree


def test_pages_are_well_formed(tree):
    for address, rendered in tree.items():
        if not address.endswith(("/", ".html")):
            continue
        parser = Strict()
        parser.feed(rendered.body.decode())
        assert parser.open == [], address
        assert len(parser.ids) == len(set(parser.ids)), address


def test_every_link_leads_somewhere_declared(tree):
    for address, page in pages(tree).items():
        ids = set(page.xpath("//@id"))
        for target in page.xpath("//@href | //@src"):
            if target.startswith("tel:"):
                continue
            place, _, mark = target.partition("#")
            assert not place or place in tree or answered(place), f"{address} → {target}"
            if mark and place in tree:
                assert document(tree[place].body).xpath("//*[@id=$i]", i=mark)
            elif mark:
                assert mark in ids, f"{address} → {target}"


def test_every_page_leads_to_registering_in_its_language(tree):
    for address, page in pages(tree).items():
        if not address.startswith("/errors/"):
            language, rest = split(address)
            links = page.xpath("//a[@href=$to]", to=f"{language.prefix}register/")
            # From home twice: in the page, and in its foot.
            assert len(links) == (1 if rest else 2), address


def test_while_the_application_is_down_everybody_is_told_to_call_119(tree):
    page = document(tree["/errors/503.html"].body)
    sections = page.xpath("//section")
    assert len(sections) == len(LANGUAGES)
    for section in sections:
        assert "119" in section.text_content()


def test_the_service_worker_keeps_its_name_at_the_root(tree):
    assert tree["/sw.js"].body == assets.content("sw.js")


def test_pages_ask_nobody_else_for_anything(tree):
    for address, page in pages(tree).items():
        for target in page.xpath("//link/@href | //img/@src | //script/@src"):
            assert target.startswith("/"), f"{address} → {target}"
        for meta in page.xpath("//meta[@property]"):
            assert "://" not in meta.get("content") or meta.get("property") in (
                "og:url",
                "og:image",
            )
            meta.drop_tree()
        assert "://" not in re.sub(
            r"http://www\.w3\.org\S*", "", html.tostring(page, encoding="unicode")
        )


def test_headings_go_down_one_step_at_a_time(tree):
    for address, page in pages(tree).items():
        levels = [int(e.tag[1]) for e in page.xpath("//h1|//h2|//h3|//h4")]
        assert levels.count(1) == 1, address
        assert levels[0] == 1, address
        assert all(b - a <= 1 for a, b in pairwise(levels)), (address, levels)


def test_each_page_says_its_language_and_its_sisters(tree):
    for address, page in pages(tree).items():
        if address.startswith("/errors/"):
            continue
        language, rest = split(address)
        assert page.get("lang") == language.html
        assert page.xpath("//link[@hreflang]/@href") == [o.prefix + rest for o in LANGUAGES]
        chosen = page.xpath("//nav[@class='lang']/a[@aria-current]")
        assert [a.get("href") for a in chosen] == [address]
        assert page.findtext(".//title").strip(" ·")


def test_the_same_state_gives_the_same_bytes(tree):
    again = published()
    assert {a: r.body for a, r in tree.items()} == {a: r.body for a, r in again.items()}


def test_a_home_fits_the_wire_with_all_it_needs(tree):
    for language in LANGUAGES:
        body = tree[language.prefix].body
        page = document(body)
        needed = set(page.xpath("//link[@rel='stylesheet']/@href | //img/@src | //script/@src"))
        whole = body + b"".join(tree[address].body for address in needed)
        assert len(brotli.compress(whole, quality=5)) <= WIRE_LIMIT


@pytest.mark.parametrize("name", ["warning", "danger", "extreme", "storm", "quake"])
def test_an_emergency_home_needs_no_second_file(monkeypatch, name):
    stand(monkeypatch, name)
    for address in (language.prefix for language in LANGUAGES):
        page = document(published()[address].body)
        assert page.xpath("//link[@rel='stylesheet'] | //script | //img") == []
        assert page.xpath("//style")


def test_weather_never_sounds_like_the_citys_own_order(tree):
    for address, page in pages(tree).items():
        text = page.text_content()
        for order in CITY_ORDERS:
            assert order not in text, address


@pytest.mark.parametrize("name", ["caution", "warning", "danger", "extreme"])
def test_a_level_is_told_as_an_equivalent_by_four_signs(monkeypatch, name):
    stand(monkeypatch, name)
    tree = published()
    level = STATES[name][0][0].event.level
    order = document(tree["/"].body).xpath("//section[contains(@class,'order--')]")[0]
    assert f"order--{level}" in order.get("class")
    assert len(order.xpath(".//svg[@class='ladder']/path[@class='on']")) == level
    assert order.xpath("string(.//p[@class='order__level'])").replace("\n", " ").split() == [
        "警戒レベル", str(level), "相当",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["storm", "quake", "advisory"])
def test_what_has_no_level_never_wears_a_levels_colour(monkeypatch, name):
    stand(monkeypatch, name)
    for address, page in pages(published()).items():
        found = " ".join(page.xpath("//@class"))
        assert not re.search(r"(order|lv)--[2345]", found), address


def test_another_senders_alert_has_none_of_jmas_names(monkeypatch):
    stand(monkeypatch, "another sender")
    tree = published()
    names = {
        language.code: document(tree[f"{language.prefix}alerts/7/"].body).findtext(".//title")
        for language in LANGUAGES
    }
    assert {code: name.partition(" · ")[0] for code, name in names.items()} == {
        "ja": "大雨（命の危険）",
        "ja-easy": "大雨（命が 危ない）",
        "en": "Heavy rain (danger to life)",
        "zh-hans": "暴雨（生命危险）",
        "ko": "호우(생명 위험)",
    }
    for address, page in pages(tree).items():
        if "/alerts/" in address or address == split(address)[0].prefix:
            assert "特別警報" not in page.text_content(), address
            assert "mergency warning" not in page.text_content(), address
            assert "특별경보" not in page.text_content(), address
    assert "Example Weather Office" in document(tree["/en/alerts/7/"].body).text_content()
    told = etree.fromstring(tree["/alerts/7.cap"].body)
    assert "Heavy rain (danger to life)" in [e.text for e in told.iter("{*}event")]
    # The code is the sender's own, and JMA's name does not stand on it.
    assert told.findall(".//{*}eventCode") == []


def test_in_japanese_a_sender_is_quoted(monkeypatch):
    words = "記録的{大雨|のおそれ"
    monkeypatch.setitem(
        STATES,
        "another sender",
        ((history(7, Phenomenon.HEAVY_RAIN, (EXTREME, None), kind=CAP, name=words),), ()),
    )
    stand(monkeypatch, "another sender")
    tree = published()
    assert "記録的｛大雨｜のおそれ" in document(tree["/alerts/7/"].body).findtext(".//title")


def test_at_level_five_nobody_is_sent_anywhere(monkeypatch):
    stand(monkeypatch, "extreme")
    home = document(published()["/"].body)
    assert home.xpath("//li[contains(@class, 'shelter')]") == []
    assert "屋内" in home.text_content()


def test_beside_a_storm_nobody_is_sent_anywhere(monkeypatch):
    """暴風特別警報 has no level, and the rain beside it is only at level 3."""
    stand(monkeypatch, "storm and rain")
    tree = published()
    rain = next(h.event.id for h in STATES["storm and rain"][0] if h.event.level)
    page = tree[f"/alerts/{rain}/"]
    assert document(page.body).xpath("//section[@aria-labelledby='h-now']//a") == []
    # When the storm is over the page offers them again.
    assert "alerts:in-force" in page.keys
    stand(monkeypatch, "warning")
    page = document(published()[f"/alerts/{rain}/"].body)
    assert page.xpath("//section[@aria-labelledby='h-now']//a/@href") == ["/shelters/"]


@pytest.mark.parametrize(("name", "said"), [("calm", False), ("caution", False), ("warning", True)])
def test_shelters_say_how_to_be_safe_indoors_once_it_is_urgent(monkeypatch, name, said):
    stand(monkeypatch, name)
    page = document(published()["/shelters/"].body)
    assert bool(page.xpath("//section[@aria-labelledby='h-in']//li")) == said


def test_what_is_over_asks_for_nothing_and_what_was_an_error_says_so(monkeypatch):
    stand(monkeypatch, "danger")
    tree = published()
    found = {}
    for number in (1, 8, 9):
        page = document(tree[f"/alerts/{number}/"].body)
        asks = page.xpath("//*[@aria-labelledby='h-now'] | //*[contains(@class, 'order--')]")
        newest = page.xpath("//ol[@class='thread']/li")[0].text_content()
        lead = "".join(page.xpath("//p[@class='page-head__lead']//text()"))
        ends = [word for word in ("おわりました", "取り消されました") if word in lead]
        found[number] = bool(asks), ends, "解除" in newest, "取り消し" in newest
    assert found == {
        1: (True, [], False, False),
        8: (False, ["おわりました"], True, False),
        9: (False, ["取り消されました"], False, True),
    }


def test_what_is_over_is_called_by_the_worst_it_was(monkeypatch):
    worst_first = history(8, Phenomenon.HEAVY_SNOW, (MODERATE, None), (MINOR, None), over=True)
    monkeypatch.setitem(STATES, "calm", ((), (worst_first,)))
    stand(monkeypatch, "calm")
    (line,) = document(published()["/alerts/"].body).xpath("//ol[@class='thread']/li")
    assert "大雪警報" in line.text_content()


def test_the_newest_step_comes_first(monkeypatch):
    stand(monkeypatch, "danger")
    tree = published()
    for address in ("/", "/alerts/1/"):
        first = document(tree[address].body).xpath("//ol[@class='thread']/li")[0].text_content()
        assert "20時30分" in first, address


def test_what_was_asked_for_elsewhere_names_its_place_in_every_language(monkeypatch):
    ours = history(1, Phenomenon.HEAVY_RAIN, (MODERATE, 3))
    theirs = replace(ours, event=replace(ours.event, place="2920100", area_name="奈良市"))
    monkeypatch.setitem(STATES, "warning", ((theirs,), ()))
    stand(monkeypatch, "warning")
    tree = published()
    for language in LANGUAGES:
        address = f"{language.prefix}alerts/1/"
        assert "奈良市" in document(tree[address].body).text_content(), address


def test_words_nobody_has_checked_say_so(monkeypatch):
    stand(monkeypatch, "warning")
    for number in (1, 2, 3):
        page = document(published()[f"/alerts/{number}/"].body)
        assert "まだ人が確かめていません" in page.text_content()


def test_the_three_kinds_of_sites_stay_apart(monkeypatch):
    stand(monkeypatch, "calm")
    page = document(published()["/shelters/"].body)
    for kind in ("emergency_site", "shelter", "welfare_shelter"):
        section = page.xpath(f"//section[@aria-labelledby='h-{kind}']")[0]
        names = sorted(s.name for s in place_queries.sites() if s.kind == kind)
        assert sorted("".join(b.itertext()) for b in section.xpath(".//li/b")) == names


def test_a_hazard_without_sites_is_no_link(monkeypatch):
    stand(monkeypatch, "calm")
    page = document(published()["/shelters/"].body)
    assert page.xpath("//li[@id='inland_flood']/a") == []
    assert page.xpath("string(//li[@id='flood']/a/b)") == "26"
    # Choosing works by the style sheet alone: each hazard has its rule.
    for mark in page.xpath("//ul[@class='pick']/li/@id"):
        assert (
            mark == "all"
            or f"#{mark}:target) .fits:not(.fits--{mark})" in assets.content("app.css").decode()
        )


def test_telegrams_and_names_are_escaped(monkeypatch):
    stand(monkeypatch, "danger", city=renamed("<b>X</b>"))
    for address, rendered in published().items():
        if address.endswith(("/", ".html", ".atom")):
            assert b"<b>X" not in rendered.body, address
            assert "<低い土地>".encode() not in rendered.body, address


def test_easy_japanese_reads_what_we_say(tree):
    for address, page in pages(tree).items():
        if not address.startswith("/easy/"):
            continue
        for skipped in page.xpath(
            "//*[@class='lang'] | //li[contains(@class,'shelter')] | //title | //style"
        ):
            skipped.drop_tree()
        for ruby in page.xpath("//ruby"):
            ruby.drop_tree()
        assert re.findall(r"[一-鿿々]", page.text_content()) == [], address


def test_feeds_are_read_by_others_and_hold_no_clock(tree):
    for language in LANGUAGES:
        feed = feedparser.parse(tree[f"{language.prefix}alerts/feed.atom"].body)
        assert not feed.bozo
        updated = [entry.updated for entry in feed.entries]
        assert updated == sorted(updated, reverse=True)
        assert feed.feed.updated == (updated[0] if updated else "1970-01-01T00:00:00+00:00")


def test_cap_is_valid_and_speaks_every_language(tree, shared_data):
    schema = etree.XMLSchema(etree.parse(next((shared_data / "cap").rglob("*CAP*1.2*.xsd"))))
    found = [a for a in tree if a.endswith(".cap")]
    assert bool(found) == any(re.fullmatch(r"/alerts/\d+/", a) for a in tree)
    for address in found:
        message = etree.fromstring(tree[address].body)
        schema.assertValid(message)
        languages = [e.text for e in message.iter("{*}language")]
        assert languages == ["ja", "ja-x-easy", "en", "zh-Hans", "ko"]
        assert "Evacuate" not in tree[address].body.decode()


def test_the_state_for_machines_agrees_with_home(tree):
    state = json.loads(tree["/state.json"].body)
    home = document(tree["/"].body)
    assert (state["state"] == "calm") == (not home.xpath("//section[contains(@class,'order')]"))
    assert set(state["summary"]) == {language.code for language in LANGUAGES}
    for entry in state["in_force"]:
        assert entry["page"] in tree


def test_an_alert_that_is_gone_has_no_page(monkeypatch):
    stand(monkeypatch, "calm")
    families = {family.name: family for family in alert_pages.PAGES}
    assert dict(families["alert"].render(["/en/alerts/77/"])) == {"/en/alerts/77/": None}
    assert dict(families["alert-cap"].render(["/alerts/77.cap"])) == {"/alerts/77.cap": None}


def test_an_event_brings_its_pages_into_being():
    families = {family.name: family for family in FAMILIES}
    born = [
        *families["alert"].born_of("alerts:event:12"),
        *families["alert-cap"].born_of("alerts:event:12"),
    ]
    assert born == [*(f"{language.prefix}alerts/12/" for language in LANGUAGES), "/alerts/12.cap"]
    assert not list(families["alert"].born_of("alerts:in-force"))


def test_a_city_brings_its_fixed_pages_into_being(monkeypatch):
    stand(monkeypatch, "new")
    for family in FAMILIES:
        if family.name.startswith("alert") and family.stage is Stage.LEAF:
            continue
        assert list(family.born_of("places:city")) == list(family.addresses())


@pytest.fixture
def empty(monkeypatch):
    """What is published before a city is loaded."""
    stand(monkeypatch, "new")

    def nobody():
        raise place_queries.NoCity

    monkeypatch.setattr(place_queries, "city", nobody)
    return published()


def test_without_a_city_there_is_a_home_that_says_so(empty):
    homes = [language.prefix for language in LANGUAGES]
    errors = [f"/errors/{kind}.html" for kind in (404, 413, 429, 500, 503)]
    assert sorted(a for a in empty if not a.startswith(ASSETS)) == sorted(homes + errors)
    for home in homes:
        # So that loading a city replaces it.
        assert empty[home].keys == {"places:city"}
        text = document(empty[home].body).text_content()
        assert "policity places load" in text
        assert "119" in text
    assert "まだ準備中です" in document(empty["/"].body).text_content()


@pytest.mark.parametrize(
    "promise",
    [
        test_pages_are_well_formed,
        test_every_link_leads_somewhere_declared,
        test_pages_ask_nobody_else_for_anything,
        test_headings_go_down_one_step_at_a_time,
        test_each_page_says_its_language_and_its_sisters,
        test_easy_japanese_reads_what_we_say,
    ],
)
def test_a_home_without_a_city_keeps_what_every_page_promises(empty, promise):
    promise(empty)


def test_every_page_is_rendered_again_when_the_city_changes(tree):
    for address, rendered in tree.items():
        if not address.startswith(ASSETS):
            assert "places:city" in rendered.keys, address
