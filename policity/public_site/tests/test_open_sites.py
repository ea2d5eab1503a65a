"""Which open sites a page names, as what, and when it names none."""

import json
import re

import brotli
import pytest

from policity.fields.alerts.rules.bulletin import Phenomenon
from policity.foundations.places.rules.sites import Kind
from policity.kit.languages import LANGUAGES
from policity.public_site.tests.states import (
    MODERATE,
    OPENED,
    STATES,
    history,
    opened,
    sites,
    stand,
)
from policity.public_site.tests.test_pages import WIRE_LIMIT, document, published

ALL_OPEN = {site.name: "open" for site in sites()}
# Nobody may be sent anywhere.
INSIDE = ["extreme", "storm", "storm and rain"]


def names(kind=None, hazard=None):
    """The names of the sites of a kind, of those for a hazard."""
    return [
        site.name
        for site in sites()
        if kind in (None, site.kind) and (hazard is None or hazard in site.hazards)
    ]


def lists(page):
    """What stands under each heading of the block of open sites, name by name."""
    block = page.xpath("//*[@aria-labelledby='h-shelters' or @aria-labelledby='h-open']")[0]
    found: dict[str, list[str]] = {}
    heading = ""
    for part in block.iter("h3", "b", "li"):
        if part.tag == "h3":
            heading = part.text_content().split("（")[0]
        elif part.tag == "b" and part.getparent().get("class", "").startswith("shelter"):
            found.setdefault(heading, []).append(part.text_content())
        elif part.get("class") == "shelter__no":
            found.setdefault("not now", []).append(part.text_content())
    return found


def block(page):
    found = page.xpath("//*[@aria-labelledby='h-shelters' or @aria-labelledby='h-open']")
    return found[0].text_content() if found else ""


def test_each_open_site_stands_where_its_use_puts_it(monkeypatch):
    stand(monkeypatch, "danger")
    tree = published()
    for address in ("/", "/shelters/"):
        assert lists(document(tree[address].body)) == {
            "いま、行ける所": ["向台小学校", "田無小学校", "谷戸第二小学校"],
            "not now": ["向台公園"],
            "泊まる場所": ["向台小学校", "田無小学校", "谷戸第二小学校"],
            "福祉避難所": ["ひばりが丘保育園"],
        }, address


def test_the_page_says_the_room_that_is_left_by_shape_and_by_word(monkeypatch):
    stand(monkeypatch, "danger")
    page = document(published()["/"].body)
    rows = page.xpath("//h3[text()='いま、行ける所']/following-sibling::ul[1]/li")
    found = [
        (len(row.xpath(".//i[@class='on']")), row.xpath("string(.//p/span)"), row.get("class"))
        for row in rows
    ]
    assert found == [
        (1, "空いています", "shelter shelter--open"),
        (2, "混んでいます", "shelter shelter--open"),
        (3, "満員", "shelter shelter--open shelter--full"),
    ]
    assert all(len(row.xpath(".//i")) == 3 for row in rows)
    assert "84人" in rows[0].text_content()
    assert "9月18日(金) 19時20分 現在" in block(page)
    assert "洪水のときに使える所だけです" in block(page).replace("\n", "")


def test_only_what_is_for_the_hazard_may_be_gone_to(monkeypatch):
    stand(monkeypatch, "danger", with_openings=opened(ALL_OPEN))
    found = lists(document(published()["/"].body))
    fit = names(Kind.EMERGENCY_SITE, "flood")
    assert sorted(found["いま、行ける所"]) == sorted(fit)
    unfit = set(names(Kind.EMERGENCY_SITE)) - set(fit)
    assert set(found["not now"]) == unfit


def test_a_site_for_one_of_two_hazards_is_for_neither(monkeypatch):
    """Who flees the slope must not be led into the flood that is in force beside it."""
    slide = history(11, Phenomenon.LANDSLIDE, (MODERATE, 3))
    flood = history(2, Phenomenon.FLOOD, (MODERATE, 3))
    monkeypatch.setitem(STATES, "warning", ((slide, flood), ()))
    stand(monkeypatch, "warning", with_openings=opened(ALL_OPEN))
    found = lists(document(published()["/"].body))
    both = set(names(Kind.EMERGENCY_SITE, "flood")) & set(names(Kind.EMERGENCY_SITE, "landslide"))
    assert set(found["いま、行ける所"]) == both
    assert "けやき小学校" in found["not now"]  # for landslides alone
    assert "東京都立田無高等学校" in found["not now"]  # for floods alone


def test_a_hazard_the_city_has_no_site_for_is_said(monkeypatch):
    stand(monkeypatch, "danger")
    said = block(document(published()["/"].body))
    assert "内水氾濫（道や家に水がたまる）のときに使えると決まっている場所は、ありません" in said
    # Where nothing is open it would only hide that.
    stand(monkeypatch, "danger", with_openings={})
    assert "内水氾濫" not in block(document(published()["/"].body))
    surge = history(12, Phenomenon.STORM_SURGE, (MODERATE, 3))
    monkeypatch.setitem(STATES, "warning", ((surge,), ()))
    stand(monkeypatch, "warning", with_openings=opened(ALL_OPEN))
    found = lists(document(published()["/"].body))
    assert "いま、行ける所" not in found
    assert len(found["not now"]) == len(names(Kind.EMERGENCY_SITE))


@pytest.mark.parametrize("name", INSIDE)
def test_where_nobody_may_go_out_no_site_is_named(monkeypatch, name):
    stand(monkeypatch, name, with_openings=opened(ALL_OPEN))
    tree = published()
    for language in LANGUAGES:
        for rest in ("", "shelters/"):
            page = document(tree[language.prefix + rest].body)
            assert lists(page) == {}, language.code
            assert page.xpath("//p[contains(@class, 'note--act')]")
    assert "避難所へ行かないでください" in block(document(tree["/"].body))
    assert "Do not go to a shelter." in block(document(tree["/en/"].body))


def test_a_welfare_shelter_is_offered_to_nobody(monkeypatch):
    stand(monkeypatch, "quake", with_openings=opened(ALL_OPEN))
    page = document(published()["/"].body)
    found = lists(page)
    assert found["福祉避難所"] == names(Kind.WELFARE_SHELTER)
    rows = page.xpath("//ul[preceding-sibling::h3[1][text()='福祉避難所']]/li")
    assert rows
    for row in rows:
        assert row.xpath(".//*[contains(@class, 'room')]") == []
        assert "受け入れる人: " in row.text_content()
    assert "For: Pregnant people" in block(document(published()["/en/"].body))
    said = block(page)
    assert "だれでも入れる所ではありません。直接行かないでください。" in said
    assert "まず、市に相談してください。" in said


@pytest.mark.parametrize("kind", [Kind.SHELTER, Kind.WELFARE_SHELTER])
def test_nothing_but_an_emergency_site_is_somewhere_to_go_to_now(monkeypatch, kind):
    only = {n: o for n, o in opened(ALL_OPEN).items() if sites()[n].kind is kind}
    for name in ("danger", "quake", "calm"):
        stand(monkeypatch, name, with_openings=only)
        page = document(published()["/"].body)
        assert not {"いま、行ける所", "開いている所"} & lists(page).keys()
        if name != "calm":
            assert "いま、行ける所は開いていません" in block(page)


def test_full_sites_are_nowhere_to_go_to(monkeypatch):
    stand(monkeypatch, "danger", with_openings=opened(dict.fromkeys(OPENED, "full")))
    page = document(published()["/"].body)
    assert "行ける所は、いま満員です" in block(page)
    listed = page.xpath("//h3[text()='いま、行ける所']/following-sibling::ul[1]/li/@class")
    assert set(listed) == {"shelter shelter--open shelter--full"}
    assert page.xpath("//ul[@class='deeds']/li")


@pytest.mark.parametrize("with_openings", [{}, opened(dict.fromkeys(OPENED, "closed"))])
@pytest.mark.parametrize("name", ["warning", "danger", "quake"])
def test_none_open_is_said_with_how_to_be_safe_indoors(monkeypatch, name, with_openings):
    stand(monkeypatch, name, with_openings=with_openings)
    tree = published()
    for address, steps in (("/", "//ul[@class='deeds']/li"), ("/shelters/", "//ol/li/b")):
        page = document(tree[address].body)
        assert lists(page) == {}
        assert "いま、開いている避難所はありません。" in block(page)
        assert page.xpath(steps)
    assert "No shelter is open now." in block(document(tree["/en/"].body))
    assert bool(with_openings) == ("現在" in block(document(tree["/"].body)))


def test_what_is_open_while_nothing_is_in_force_is_said_and_nobody_is_sent(monkeypatch):
    stand(monkeypatch, "calm", with_openings=opened({"向台公園": "open"}))
    tree = published()
    for address in ("/", "/shelters/"):
        page = document(tree[address].body)
        assert lists(page) == {"開いている所": ["向台公園"]}
        assert "地震" in block(page)
    stand(monkeypatch, "calm", with_openings={})
    tree = published()
    assert document(tree["/"].body).xpath("//*[@aria-labelledby='h-open']") == []
    assert "いま、開いている避難所はありません。" in block(document(tree["/shelters/"].body))


@pytest.mark.parametrize("name", ["caution", "advisory"])
def test_an_advisory_sends_nobody_anywhere(monkeypatch, name):
    stand(monkeypatch, name, with_openings=opened(OPENED))
    found = lists(document(published()["/"].body))
    assert "いま、行ける所" not in found
    everything = {"向台小学校", "田無小学校", "谷戸第二小学校"} | (
        # Thunder asks for no site: nothing that is open is unfit for it.
        {"向台公園"} if name == "advisory" else set()
    )
    assert set(found["開いている所"]) == everything


def test_in_every_language_the_block_is_there(monkeypatch):
    stand(monkeypatch, "danger")
    tree = published()
    for language in LANGUAGES:
        page = document(tree[language.prefix].body)
        found = list(lists(page).values())
        assert [len(some) for some in found] == [3, 1, 3, 1], language.code


def test_whom_a_welfare_shelter_receives_is_said_in_the_pages_language(monkeypatch):
    stand(monkeypatch, "quake", with_openings=opened(ALL_OPEN))
    tree = published()
    for address in ("/en/", "/ko/", "/en/shelters/", "/ko/shelters/"):
        page = document(tree[address].body)
        said = page.xpath("//li[contains(@class, 'shelter')]/p[not(descendant-or-self::*[@lang])]")
        assert said, address
        for words in said:
            assert not re.search("[ぁ-んァ-ヶ一-鿿]", words.text_content()), address


def test_what_staff_write_for_themselves_is_on_no_page(monkeypatch):
    stand(monkeypatch, "danger")
    for address, rendered in published().items():
        assert b"for staff alone" not in rendered.body, address
        assert "見本" not in rendered.body.decode(errors="ignore"), address


def test_with_everything_open_a_home_still_fits_the_wire(monkeypatch):
    stand(monkeypatch, "danger", with_openings=opened(ALL_OPEN, evacuees=1234))
    tree = published()
    for language in LANGUAGES:
        assert len(brotli.compress(tree[language.prefix].body, quality=5)) <= WIRE_LIMIT


def test_the_state_for_machines_says_what_is_open_and_for_whom(monkeypatch):
    stand(monkeypatch, "danger")
    rendered = published()["/state.json"]
    assert "places:sites" in rendered.keys
    found = json.loads(rendered.body)["shelters_open"]
    assert {(one["name"], one["kind"]): (one["state"], one["use"]) for one in found} == {
        ("向台小学校", "emergency_site"): ("open", "go"),
        ("田無小学校", "emergency_site"): ("crowded", "go"),
        ("谷戸第二小学校", "emergency_site"): ("full", "full"),
        ("向台公園", "emergency_site"): ("open", "unfit"),
        ("向台小学校", "shelter"): ("open", "stay"),
        ("田無小学校", "shelter"): ("crowded", "stay"),
        ("谷戸第二小学校", "shelter"): ("full", "full"),
        ("ひばりが丘保育園", "welfare_shelter"): ("open", "ask_first"),
    }
    (school,) = [one for one in found if one["id"] == "E1322900013201"]
    assert school["hazards"] == ["flood", "landslide", "earthquake"]
    assert re.fullmatch(r"2026-09-18T\d\d:20:00\+00:00", school["since"])
    stand(monkeypatch, "extreme")
    uses = {one["use"] for one in json.loads(published()["/state.json"].body)["shelters_open"]}
    assert uses == {"unsaid"}
