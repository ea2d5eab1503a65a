"""One address, however it is written."""

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from policity.kit.addresses import normalise, parse

TOWNS = (
    "泉町一丁目",
    "泉町三丁目",
    "泉町十三丁目",
    "ひばりが丘一丁目",
    "ひばりが丘北一丁目",
    "東本町",
    "八番町",
)
HYPHENS = "-‐‑–—―−ー－─ｰ"
DIGITS = ("0123456789", "０１２３４５６７８９", "〇一二三四五六七八九")


def kanji(number: int) -> str:
    ten, one = divmod(number, 10)
    return ("十" if ten == 1 else DIGITS[2][ten] + "十" if ten else "") + (
        DIGITS[2][one] if one else ""
    )


@st.composite
def spellings(draw, numbers: tuple[int, int, int]) -> str:
    """One of the ways to write 泉町<chome>-<ban>-<go> that people use."""

    def number(value: int) -> str:
        form = draw(st.integers(0, 3))
        return kanji(value) if form == 3 else "".join(DIGITS[form][int(n)] for n in str(value))

    chome, ban, go = map(number, numbers)
    hyphen = st.sampled_from([*HYPHENS, "ハイフン", " - "])
    a, b, c = draw(
        st.sampled_from(
            [
                (
                    "丁目",
                    draw(st.sampled_from(["番", "番地", "番地の"])),
                    draw(st.sampled_from(["号", ""])),
                ),
                ("丁目", draw(hyphen), ""),
                (draw(hyphen), draw(hyphen), ""),
                ("の", "の", ""),
                ("丁目の", "の", ""),
            ]
        )
    )
    space = draw(st.sampled_from(["", " ", "\u3000"]))
    before = draw(
        st.sampled_from(["", "東京都", "西東京市", "東京都　西東京市", "東京都西東京市大字"])
    )
    return f"{before}{space}泉町{space}{chome}{a}{ban}{b}{go}{c}"


@given(st.data(), st.tuples(*[st.integers(1, 39)] * 3))
def test_every_spelling_of_an_address_is_one(data, numbers):
    written = data.draw(spellings(numbers))
    chome, ban, go = numbers
    assert normalise(written).endswith(f"泉町{chome}-{ban}-{go}")
    town, rest = parse(written, (f"泉町{kanji(chome)}丁目", "泉町"), ("東京都", "西東京市"))
    assert (town, rest) == (f"泉町{kanji(chome)}丁目", f"{ban}-{go}")


SIGNS = (
    f"{HYPHENS}{DIGITS[0]}{DIGITS[1]}{DIGITS[2]}十百丁目番地号の大字ヶノ泉町室 aがか\u3000\u3099"
)


@given(st.text(st.sampled_from(SIGNS)))
@example("大大字字")
def test_normalising_again_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_any_text_is_taken(text):
    assert normalise(normalise(text)) == normalise(text)
    town, rest = parse(text, TOWNS)
    assume(town is None)
    assert rest == normalise(text)


@pytest.mark.parametrize(
    ("written", "town", "rest"),
    [
        ("泉町13-1", "泉町十三丁目", "1"),
        ("泉町3丁目6番8号 コーポ101", "泉町三丁目", "6-8コーポ101"),
        ("泉町3-6-8 101号室", "泉町三丁目", "6-8 101号室"),
        ("泉町3", "泉町三丁目", ""),
        ("ひばりヶ丘北1-2", "ひばりが丘北一丁目", "2"),
        ("ひばりケ丘１丁目", "ひばりが丘一丁目", ""),
        ("東本町8番14号", "東本町", "8-14"),
        ("八番町2-1", "八番町", "2-1"),
        ("泉町3番6号", None, "泉町3-6"),
        ("泉町2-1", None, "泉町2-1"),
        ("泉町130-1", None, "泉町130-1"),
        ("泉町", None, "泉町"),
        ("三鷹市泉町3-6", None, "三鷹市泉町3-6"),
        ("", None, ""),
    ],
)
def test_the_town_an_address_begins_with(written, town, rest):
    assert parse(written, TOWNS, ("東京都", "西東京市")) == (town, rest)


def test_no_towns_find_nothing():
    assert parse("泉町3-6", ()) == (None, "泉町3-6")


def test_numerals_inside_names_stay():
    assert normalise("三鷹市八番町二丁目五番") == "三鷹市八番町2-5"
    assert normalise("一番町センタービル二〇一号室") == "一番町センタービル二〇一号室"


@pytest.mark.parametrize(
    ("code", "city", "elsewhere"), [("132292", "西東京市", 0), ("132047", "三鷹市", 3)]
)
def test_every_published_site_address_names_its_town(shared_data, code, city, elsewhere):
    towns = tuple(
        row["town"]
        for row in json.loads((shared_data / f"geo/towns/geolonia_{city}.json").read_text())
    )
    addresses = [
        feature["properties"]["住所"]
        for kind in ("emergency", "evacuation")
        for feature in json.loads((shared_data / f"shelters/gsi/{kind}/{code}.json").read_text())[
            "features"
        ]
    ]
    lost = [one for one in addresses if parse(one, towns, ("東京都", city))[0] is None]
    assert len(lost) == elsewhere
    assert all(f"東京都{city}" not in one for one in lost)
