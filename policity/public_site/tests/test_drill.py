"""In a drill's home every public page is marked; in any other none is."""

import json

import brotli
import pytest

from policity.kit.languages import split
from policity.public_site.tests.states import STATES
from policity.public_site.tests.test_pages import WIRE_LIMIT, Strict, document, pages, published_as

WORDS = {"ja": "訓練", "ja-easy": "訓練", "en": "Drill", "zh-hans": "演练", "ko": "훈련"}


@pytest.fixture(params=STATES)
def tree(request, monkeypatch, settings):
    settings.DRILL = True
    return published_as(monkeypatch, request.param)


def test_every_page_begins_with_the_strip_and_names_the_drill_in_its_titles(tree):
    found = pages(tree)
    assert found
    for address, page in found.items():
        # Pages for errors speak Japanese first.
        word = WORDS[split(address)[0].code]
        assert page.body[0].get("class") == "drill", address
        assert "訓練" in page.body[0].text_content(), address
        assert word in page.findtext(".//title"), address
        for heading in page.iter("h1"):
            assert heading[0].get("class") == "drill-word", address
            assert word in heading.text_content(), address


def test_marked_pages_are_well_formed_and_small(tree):
    for address, rendered in tree.items():
        if not address.endswith(("/", ".html")):
            continue
        parser = Strict()
        parser.feed(rendered.body.decode())
        assert parser.open == [], address
        assert len(brotli.compress(rendered.body, quality=5)) <= WIRE_LIMIT, address


def test_machines_are_told(tree):
    assert json.loads(tree["/state.json"].body)["drill"] is True


@pytest.mark.parametrize("state", STATES)
def test_elsewhere_there_is_no_trace_of_it(monkeypatch, state):
    tree = published_as(monkeypatch, state)
    assert "drill" not in json.loads(tree["/state.json"].body)
    for address, page in pages(tree).items():
        assert not page.find_class("drill"), address
        assert document(tree[address].body).findtext(".//title") == page.findtext(".//title")
        assert "訓練" not in page.findtext(".//title"), address
