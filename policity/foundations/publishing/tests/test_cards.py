"""A share card is drawn for each page that names one, once, and when nothing else is to do."""

import io
import time
from collections.abc import Iterator, Sequence
from unittest.mock import Mock

import pytest
from django.template import Context, Template
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from policity.foundations.publishing import declarations, services
from policity.foundations.publishing.formats import cards
from policity.foundations.publishing.formats.cards import Card
from policity.foundations.publishing.models import Page
from policity.kit.declare import Lane, PageFamily, Rendered, Stage
from policity.kit.languages import BY_CODE

FAMILY = declarations.PAGES[0]


@pytest.mark.parametrize(
    "title",
    ["桜", "", "\n", "桜の見ごろと散歩コース、" * 20, "Where to see cherry blossoms", "벚꽃 산책",
     "x" * 10_000, "あ" * 10_000, "😀\0"],
)  # fmt: skip
def test_any_title_is_drawn_in_one_size_small_and_quickly(title: str):
    card = Card(title, title, title, "ja")
    begun = time.monotonic()
    body = cards.draw(card)
    assert time.monotonic() - begun < 2
    assert Image.open(io.BytesIO(body)).size == cards.SIZE
    assert len(body) < 60_000
    assert cards.draw(card) == body


def test_a_chinese_card_has_chinese_signs():
    japanese, chinese = (cards.draw(Card("直骨角", "", "見本市", one)) for one in ("ja", "zh-Hans"))
    assert japanese != chinese


def test_a_title_too_long_is_cut_above_the_landscape():
    ground, long = (
        Image.open(io.BytesIO(cards.draw(Card(title, "", "", "ja")))) for title in ("", "あ" * 500)
    )
    below = (0, 520, *cards.SIZE)
    assert long.crop(below).tobytes() == ground.crop(below).tobytes()


def told(title: str, section: str = "", city: str = "見本市", code: str = "ja") -> bytes:
    language = BY_CODE[code]
    said = Template("{% load cards %}{% share_card title section=section lead=title %}").render(
        Context({
            "title": title, "section": section, "city_name": city, "language": language,
            "public_url": "https://www.example.lg.jp", "rest": "news/",
        })
    )  # fmt: skip
    return f'<html lang="{language.html}"><head>{said}</head></html>'.encode()


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}|¦"))


@given(texts, texts, texts, st.sampled_from(sorted(BY_CODE)))
def test_what_a_page_says_of_its_card_is_what_is_drawn(title, section, city, code):
    body = told(title, section, city, code)
    card = cards.read(body)
    assert cards.address(card) == cards.address_in(body)
    assert card.title.split() == title.split()


def test_readings_and_phrases_are_no_part_of_a_card():
    assert cards.read(told("{市役所|しやくしょ}の¦窓口")).title == "市役所の窓口"


def test_a_drills_card_says_so(settings):
    settings.DRILL = True
    assert "訓練" in cards.read(told("桜")).title


@pytest.fixture
def pages(db: None, tree, declare):
    """Two pages with titles that a test may change: None is gone."""
    titles: dict[str, str | None] = {"/a/": "桜", "/b/": "桜"}

    def render(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
        for address in addresses:
            title = titles[address]
            yield address, None if title is None else Rendered(told(title), frozenset({address}))

    leaf = PageFamily(
        name="pages", lane=Lane.ROUTINE, stage=Stage.LEAF, addresses=lambda: titles,
        born_of=lambda key: (), render=render,
    )  # fmt: skip
    declare({"pages": leaf, FAMILY.name: FAMILY})
    return titles


def write() -> list[str]:
    """Everything that waits is done; says which cards are there then."""
    services.mark_stale(["/a/", "/b/"], now=timezone.now())
    services.render_due(now=timezone.now())
    while services.draw_step(now=timezone.now()):
        pass
    services.render_due(now=timezone.now())
    found = Page.objects.filter(family=FAMILY.name).order_by("address")
    return list(found.values_list("address", flat=True))


@pytest.mark.django_db(transaction=True)
def test_pages_of_one_title_share_a_card_that_goes_with_the_last_of_them(pages, tree):
    services.rebuild()
    services.render_due(now=timezone.now())
    assert not (tree / "cards").exists(), "cards wait until the pages are written"
    [first] = write()
    assert (tree / first[1:]).read_bytes() == cards.draw(Card("桜", "", "見本市", "ja"))
    pages["/a/"] = "梅"
    both = write()
    assert len(both) == 2
    assert first in both
    pages["/b/"] = None
    [last] = write()
    assert last != first
    assert [one.name for one in (tree / "cards").iterdir()] == [last.rpartition("/")[2]]


@pytest.mark.django_db(transaction=True)
def test_a_card_is_drawn_once_unless_somebody_spoils_it(pages, tree, monkeypatch):
    services.rebuild()
    [card] = write()
    draw = Mock(wraps=cards.draw)
    monkeypatch.setattr(cards, "draw", draw)
    services.rebuild()
    assert write() == [card]
    assert services.verify(now=timezone.now()).differences == ()
    draw.assert_not_called()
    (tree / card[1:]).write_bytes(b"")
    services.rebuild()
    assert write() == [card]
    draw.assert_called_once()
    assert Image.open(tree / card[1:]).size == cards.SIZE


@pytest.mark.django_db(transaction=True)
def test_what_was_forgotten_is_drawn_with_the_next_rebuild(pages, tree):
    services.rebuild()
    [card] = write()
    Page.objects.filter(address=card).delete()
    (tree / card[1:]).unlink()
    assert [one.problem for one in services.verify(now=timezone.now()).differences] == ["missing"]
    services.rebuild()
    assert write() == [card]
    assert services.verify(now=timezone.now()).differences == ()
