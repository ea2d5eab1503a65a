"""The state of emergency on the first page, in every language and before anything is in force."""

import json
import re
from typing import Any

import pytest
from lxml import html

from policity.fields.alerts.queries.records import EMERGENCY
from policity.kit.languages import LANGUAGES
from policity.public_site import declarations
from policity.public_site.tests.states import EMERGENCY as STANDING
from policity.public_site.tests.states import EVENING, stand

SAID = {
    "ja": ("災害対策本部を設けました", "19時20分"),
    "ja-easy": ("災害対策本部をつくりました", "午後7時20分"),
    "en": ("Disaster headquarters set up", "19:20"),
    "zh-hans": ("已设立灾害对策本部", "19:20"),
    "ko": ("재해대책본부를 설치했습니다", "19시 20분"),
}
HOMES = {language.code: language.prefix for language in LANGUAGES}


def first_pages(*names):
    return {
        address: rendered
        for family in declarations.PAGES
        if family.name in names
        for address, rendered in family.render(list(family.addresses()))
    }


def read(body: bytes) -> tuple[Any, str]:
    """A page and its text, without readings and without white space."""
    page: Any = html.document_fromstring(body)
    said: Any = html.document_fromstring(re.sub(rb"<r[tp]>.*?</r[tp]>", b"", body))
    return page, re.sub(r"\s", "", said.text_content())


@pytest.mark.parametrize("code", HOMES)
@pytest.mark.parametrize("name", ["calm", "new", "dry", "caution", "danger"])
def test_it_is_said_since_when_whatever_is_in_force(monkeypatch, name, code):
    stand(monkeypatch, name, with_emergency=STANDING)
    page, text = read(first_pages("home")[HOMES[code]].body)
    for words in SAID[code]:
        assert re.sub(r"\s", "", words) in text
    levels = page.xpath("//p[@class='order__level']/b")
    assert bool(levels) == (name in ("caution", "danger"))
    assert len(page.xpath("//section[contains(@class,'order')]")) == 1
    assert not page.xpath("//*[@class='scene']")
    assert "見本" not in text
    assert "石神井川の水位" not in text


@pytest.mark.parametrize("code", HOMES)
@pytest.mark.parametrize("name", ["calm", "danger"])
def test_once_it_is_over_nothing_is_left_of_it(monkeypatch, name, code):
    stand(monkeypatch, name)
    page, text = read(first_pages("home")[HOMES[code]].body)
    assert re.sub(r"\s", "", SAID[code][0]) not in text
    assert bool(page.xpath("//*[@class='scene']")) == (name == "calm")


@pytest.mark.parametrize("standing", [None, STANDING])
def test_machines_are_told_since_when(monkeypatch, standing):
    stand(monkeypatch, "calm", with_emergency=standing)
    state = json.loads(first_pages("state")["/state.json"].body)
    assert state["emergency"] == (EVENING.isoformat() if standing else None)
    # Weather and headquarters are two things.
    assert state["state"] == "calm"


def test_the_first_pages_are_made_again_when_it_changes(monkeypatch):
    stand(monkeypatch, "calm")
    pages = first_pages("home", "state")
    assert len(pages) == len(LANGUAGES) + 1
    assert all(EMERGENCY in rendered.keys for rendered in pages.values())
