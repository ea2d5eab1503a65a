"""Readings, lineages, and what a site may say of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.places.rules.areas import TREES, lineage
from policity.foundations.places.rules.readings import chome_kana, easy_name
from policity.foundations.places.rules.sites import HAZARDS, Kind, problems
from policity.kit import ruby


@pytest.mark.parametrize(
    ("chome", "said"),
    [(1, "いっ"), (2, "に"), (3, "さん"), (4, "よん"), (6, "ろく"), (8, "はっ"), (10, "じゅっ"),
     (11, "じゅういっ"), (12, "じゅうに"), (20, "にじゅっ"), (38, "さんじゅうはっ")],
)  # fmt: skip
def test_the_number_is_read_by_rule(chome, said):
    assert chome_kana(chome) == f"{said}ちょうめ"


@pytest.mark.parametrize(
    ("base", "kana", "said"),
    [
        ("泉町", "いずみちょう", "{泉町|いずみちょう}"),
        ("ひばりが丘", "ひばりがおか", "ひばりが{丘|おか}"),
        ("ひばりが丘北", "ひばりがおかきた", "ひばりが{丘北|おかきた}"),
        ("井の頭", "いのかしら", "{井の頭|いのかしら}"),
        ("あきる野", "あきるの", "あきる{野|の}"),
        ("つつじヶ丘", "つつじがおか", "{つつじヶ丘|つつじがおか}"),
        ("ひばり", "ひばり", "ひばり"),
        ("泉町", "", "泉町"),
    ],
)
def test_furigana_stands_over_the_kanji_only(base, kana, said):
    assert easy_name(base, kana, "", "") == said
    assert easy_name(base, kana, "三丁目", "さんちょうめ") == said + "{三丁目|さんちょうめ}"


@given(st.text("ひが丘ヶ町", min_size=1), st.text("ひがおか"))
def test_furigana_never_changes_the_name(base, kana):
    assert ruby.plain(easy_name(base, kana, "", "")) == base


PARENTS = {
    ("class20", "7"): "15",
    ("class15", "15"): "10",
    ("class10", "10"): "10",
    ("office", "10"): "1",
    ("center", "1"): "",
    ("quake_city", "7"): "351",
    ("quake_area", "351"): "13",
    ("quake_pref", "13"): "",
}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("7", ("7", "15", "10", "1", "351", "13")),
        ("15", ("15", "10", "1")),
        ("10", ("10", "1")),
        ("351", ("351", "13")),
        ("99", ("99",)),
        ("", ("",)),
    ],
)
def test_a_lineage_runs_up_both_trees(code, found):
    assert lineage(code, PARENTS) == found


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([str(layer) for tree in TREES for layer in tree]), st.text("ab")),
        st.text("ab"),
    ),
    st.text("ab"),
)
def test_any_table_gives_a_lineage_without_end_or_double(parents, code):
    found = lineage(code, parents)
    assert found[0] == code
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("kind", "hazards", "receives", "faults"),
    [
        (Kind.EMERGENCY_SITE, HAZARDS, "", 0),
        (Kind.EMERGENCY_SITE, ("meteor",), "", 1),
        (Kind.EMERGENCY_SITE, (), "高齢者", 1),
        (Kind.SHELTER, (), "", 0),
        (Kind.SHELTER, ("flood",), "高齢者", 2),
        (Kind.WELFARE_SHELTER, (), "高齢者", 0),
        (Kind.WELFARE_SHELTER, (), "", 1),
        (Kind.WELFARE_SHELTER, ("flood",), "高齢者", 1),
    ],
)
def test_a_site_says_only_what_its_kind_may(kind, hazards, receives, faults):
    assert len(list(problems(kind, hazards, receives))) == faults
