import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import translation

from policity.foundations import places
from policity.foundations.places import presenters
from policity.foundations.places.queries import CityView, SiteView, TownView
from policity.foundations.places.rules.sites import Kind
from policity.kit import ruby

CITY = CityView(
    code="13229",
    name="西東京市",
    kana="にしとうきょうし",
    names={"ja": "西東京市", "en": "Nishitokyo City"},
    prefecture="東京都",
    jma_code="1322900",
    lineage=(),
    lat=0,
    lon=0,
    boundary=(),
)
TOWN = TownView(1, "保谷町一丁目", "保谷町", 1, "ほうやちょう", 0, 0, "", "")
SITE = SiteView(
    id=1,
    source_id="",
    kind=Kind.EMERGENCY_SITE,
    name="保谷第二小学校",
    kana="",
    address="東京都西東京市保谷町1-2-3",
    town=TOWN,
    lat=0,
    lon=0,
    hazards=frozenset({"flood", "fire"}),
    same_address=False,
    receives="",
    notes="",
)


def row(site, code="ja", hazards=None):
    with translation.override(code):
        return presenters.rows([site], hazards or {}, CITY, code)[0]


def test_the_address_begins_with_the_town():
    assert row(SITE).address == "保谷町1-2-3"
    # A site outside the city keeps its whole address.
    outside = replace(SITE, address="東京都調布市深大寺1-1")
    assert row(outside).address == "東京都調布市深大寺1-1"


def test_easy_japanese_reads_towns_and_common_words():
    easy = row(SITE, "ja-easy")
    assert easy.name == "{保谷|ほうや}{第二|だいに}{小学校|しょうがっこう}"
    assert easy.address == "{保谷町|ほうやちょう}1-2-3"
    assert row(SITE, "en").name == "保谷第二小学校"


def test_a_sites_own_reading_wins():
    assert (
        row(replace(SITE, kana="ほうやだいに"), "ja-easy").name == "{保谷第二小学校|ほうやだいに}"
    )


def test_hazards_come_in_the_order_asked_for():
    names = {"fire": "Fire", "earthquake": "Earthquake", "flood": "Flood"}
    assert row(SITE, hazards=names).hazards == (("fire", "Fire"), ("flood", "Flood"))


@pytest.mark.parametrize("city", ["nishitokyo", "mitaka"])
def test_whom_a_site_receives_is_said_in_every_language(city):
    table = Path(places.__path__[0]) / "facts" / "cities" / city / "sites.csv"
    with table.open(encoding="utf-8") as lines:
        said = {line["receives"] for line in csv.DictReader(lines)} - {""}
    assert said
    for words in said:
        assert row(replace(SITE, receives=words)).receives == words
        for code in ("en", "ko"):
            assert not re.search(
                "[ぁ-んァ-ヶ一-鿿]", row(replace(SITE, receives=words), code).receives
            )
            assert row(replace(SITE, receives=words), code).receives
        easy = row(replace(SITE, receives=words), "ja-easy").receives
        assert easy
        assert ruby.readings_missing(easy) == ()


@pytest.mark.parametrize("code", ["ja", "ja-easy", "en"])
@pytest.mark.parametrize("kana", ["", "だい|に"])
def test_a_stored_sign_of_the_markup_fails_no_page(code, kana):
    marked = replace(SITE, name="第二{小学校", kana=kana, address="保谷町1}", receives="高齢者|")
    for text in (row(marked, code).name, row(marked, code).address, row(marked, code).receives):
        assert ruby.html(text)
