"""Where a page of alerts is shown elsewhere, its card says what was when, and stays true."""

import io
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone, translation
from lxml import html
from PIL import Image

from policity.design.templatetags.policity import plainly
from policity.fields.alerts.presenters.cards import alert_card, over_card
from policity.fields.alerts.queries.words import order_texts, texts
from policity.fields.alerts.rules.orders import Level
from policity.foundations.publishing.formats import cards
from policity.foundations.publishing.formats.cards import Card
from policity.kit.languages import LANGUAGES
from policity.public_site.tests.states import STATES
from policity.public_site.tests.test_pages import published_as

PREFIXES = {language.code: language.prefix for language in LANGUAGES}


def card(tree, address: str) -> Card:
    body = tree[address].body
    found = cards.read(body)
    assert cards.address(found) == cards.address_in(body)
    return found


def told(tree, address: str) -> dict[str, str]:
    page: Any = html.document_fromstring(tree[address].body)
    return {one.get("property"): one.get("content") for one in page.xpath("//head/meta")}


@pytest.mark.parametrize("name", STATES)
def test_every_page_of_alerts_has_a_card_whose_words_fit(monkeypatch, name):
    tree = published_as(monkeypatch, name)
    found = [
        one for one in tree if one.endswith("/") and ("alerts/" in one or "evacuation/" in one)
    ]
    assert len(found) >= len(LANGUAGES)
    for address in found:
        shown = card(tree, address)
        assert told(tree, address)["og:url"].endswith(address)
        assert shown.title
        # Nothing of it is cut: the year stands at its end.
        assert cards._fitting(shown.section, 34) in ([], [shown.section]), shown.section


@pytest.mark.parametrize("code", PREFIXES)
def test_an_alerts_card_says_how_grave_since_when(monkeypatch, code):
    tree = published_as(monkeypatch, "danger")
    shown = card(tree, f"{PREFIXES[code]}alerts/1/")
    level, _, since = shown.section.partition(" · ")
    assert "4" in level
    assert "2026" in since
    assert plainly(texts().level_name(code, 4)) != level, "never as the city's own"
    assert told(tree, f"{PREFIXES[code]}alerts/1/")["og:description"]


@pytest.mark.parametrize("code", PREFIXES)
def test_the_citys_own_says_its_level_and_what_is_over_says_so(monkeypatch, code):
    address = f"{PREFIXES[code]}evacuation/1/"
    stands = card(published_as(monkeypatch, "order 4"), address)
    assert stands.title == plainly(order_texts().name(code, Level.EVACUATE))
    level, _, since = stands.section.partition(" · ")
    assert level == plainly(order_texts().level(code, Level.EVACUATE))
    assert "2026" in since
    lifted = card(published_as(monkeypatch, "lifted"), address)
    assert "2026" in lifted.section
    assert level not in lifted.section
    assert "og:description" not in told(published_as(monkeypatch, "lifted"), address)
    wrong = card(published_as(monkeypatch, "an error"), address)
    assert wrong.title != stands.title
    assert wrong.section == ""


@pytest.mark.parametrize("code", PREFIXES)
def test_the_longest_moment_of_the_year_fits(code):
    at = datetime(2026, 12, 24, 22, 59, tzinfo=timezone.get_default_timezone())
    alert = next(one for one in STATES["danger"][0] if one.event.level == 4).event
    told = [replace(alert, changed_at=at), replace(alert, ended_at=at)]
    with translation.override(code):
        lines = [alert_card(one, code) for one in told]
        lines += [over_card(at, code, goes_on=one) for one in (True, False)]
    for line in (" ".join(plainly(one).split()) for one in lines):
        assert "2026" in line
        assert cards._fitting(line, 34) == [line]


def test_what_changes_has_another_card(monkeypatch):
    """Who kept the old one has what was true when; who asks anew never gets it."""
    graver, before = (
        cards.address_in(published_as(monkeypatch, name)["/alerts/1/"].body)
        for name in ("danger", "warning")
    )
    assert graver != before
    over = [card(published_as(monkeypatch, "danger"), f"/alerts/{n}/").section for n in (8, 9)]
    assert "2026年" in over[0]
    assert "おわりました" in over[0]
    assert over[1] == "この発表は、取り消されました。"


def test_a_drills_card_says_so_first(monkeypatch, settings):
    settings.DRILL = True
    for address in ("/alerts/1/", "/evacuation/1/", "/alerts/"):
        shown = card(published_as(monkeypatch, "order 4"), address)
        assert shown.title.startswith("【訓練】")
        assert Image.open(io.BytesIO(cards.draw(shown))).size == cards.SIZE


def test_the_list_says_nothing_that_passes(monkeypatch):
    found = {cards.address_in(published_as(monkeypatch, name)["/alerts/"].body) for name in STATES}
    assert len(found) == 1
