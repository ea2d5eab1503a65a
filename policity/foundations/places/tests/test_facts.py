"""A folder of facts: what is wrong is told with its line, all at once."""

# ruff: noqa: E501  # a case reads best on one line

import json
import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from policity.foundations.places.formats.facts import BadFacts, read
from policity.foundations.places.formats.jma_areas import read as read_areas
from policity.foundations.places.rules.areas import TREES, Layer
from policity.foundations.places.tests.conftest import CITIES

SHIPPED = sorted(path.name for path in CITIES.iterdir())


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "towns", "kinds"),
    [("nishitokyo", 114, (49, 33, 28)), ("mitaka", 62, (80, 35, 37))],
)
def test_a_shipped_folder_is_sound(name, towns, kinds):
    facts = read(files(CITIES / name))
    assert len(facts.towns) == towns
    counted = [
        sum(s.kind == k for s in facts.sites) for k in dict.fromkeys(s.kind for s in facts.sites)
    ]
    assert sorted(counted) == sorted(kinds)
    assert all(town.kana and town.postal_code and not town.code for town in facts.towns)


def test_two_cities_ship():
    assert len(SHIPPED) == 2


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    data = path.read_bytes()
    assert data.count(old.encode()) >= 1
    path.write_bytes(data.replace(old.encode(), new.encode(), 1))


TOWN_2 = "泉町一丁目,泉町,1,いずみちょう,35.737914,139.548538,2020011,"
TOWN_3 = "泉町二丁目,泉町,2,いずみちょう,35.739911,139.550566,2020011,"
SITE_3 = "E1322900004201,emergency_site,ひばりが丘総合運動場,,東京都西東京市ひばりが丘3-1,35.74486,139.537665,earthquake,,,"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("towns.csv", "postal_code", "postcode", "towns.csv 1行目: 列がありません: postal_code"),
        ("towns.csv", "postal_code,code", "postal_code,code,extra", "towns.csv 1行目: 知らない列"),
        ("towns.csv", TOWN_3, TOWN_2, "towns.csv 3行目: 「泉町一丁目」は2行目にもあります"),
        ("towns.csv", TOWN_3, TOWN_2.replace("一", "１"), "3行目: 「泉町１丁目」は2行目にも"),
        ("towns.csv", "泉町二丁目", "泉町三丁目", "3行目: 「泉町三丁目」は「泉町」と丁目「2」から"),
        ("towns.csv", "泉町二丁目", "", "towns.csv 3行目: name が空です"),
        ("towns.csv", "35.739911", "北", "towns.csv 3行目: lat「北」は数ではありません"),
        ("towns.csv", "35.739911", "nan", "towns.csv 3行目: lat「nan」は数ではありません"),
        ("towns.csv", "35.739911", "３５", "towns.csv 3行目: lat「３５」は数ではありません"),
        ("towns.csv", "35.739911", "36.739911", "towns.csv 3行目: 緯度36.739911、経度139.550566は市から"),
        ("towns.csv", "35.739911,139.550566", "139.550566,35.739911", "towns.csv 3行目: 緯度139.55"),
        ("towns.csv", "泉町,2,", "泉町,二,", "towns.csv 3行目: chome「二」は"),
        ("towns.csv", "いずみちょう,35.739911", "いずみちょう,35.739911,1", "3行目: 列が9あります"),
        ("towns.csv", "139.550566,2020011", "139.550566,202-0011", "3行目: 郵便番号「202-0011」"),
        ("towns.csv", TOWN_3, '"' + TOWN_3, "行目: CSVとして読めません"),
        ("towns.csv", "いずみちょう,35.739911", "いず\0みちょう,35.739911", "towns.csv 3行目: 改行や制御文字"),
        ("towns.csv", "泉町二丁目", "泉町{二丁目", "towns.csv 3行目: name「泉町{二丁目」に { | } は"),
        ("towns.csv", "いずみちょう,35.739911", "いずみ|ちょう,35.739911", "towns.csv 3行目: kana「いずみ|"),
        ("sites.csv", "ひばりが丘総合運動場", "{運動場|うんどうじょう}", "sites.csv 3行目: name「{運動場|"),
        ("sites.csv", "ひばりが丘3-1", "ひばりが丘3-1}", "sites.csv 3行目: address「東京都西東京市ひばりが丘3-1}」に"),
        ("city.toml", 'prefecture = "', 'prefecture = "{', "city.toml: prefecture「{"),
        ("city.toml", 'en = "', 'en = "|', "city.toml: names.en「|"),
        ("sites.csv", "landslide earthquake", "meteor", "sites.csv 2行目: 災害の種類「meteor」はありません"),
        ("sites.csv", SITE_3, SITE_3.replace("emergency_site", "park"), "sites.csv 3行目: 種類「park」"),
        ("sites.csv", SITE_3, SITE_3.replace("emergency_site", "shelter"), "3行目: 災害の種類は指定緊急"),
        ("sites.csv", "E1322900004201", "E1322900002201", "sites.csv 3行目: 共通ID「E1322900002201」は2行目"),
        ("sites.csv", "139.537665", "138.5", "sites.csv 3行目: 緯度35.74486、経度138.5は市から"),
        ("city.toml", 'code = "13229"', 'code = "1322"', "city.toml: code がない"),
        ("city.toml", 'en = "', 'fr = "', "city.toml: names.en がない"),
        ("city.toml", "{西東京市|", "{三鷹市|", "city.toml: names.ja と names.ja-easy は"),
        ("city.toml", "{西東京市|", "西東京市|", "city.toml: names.ja と names.ja-easy は"),
        ("city.toml", 'name = "西東京市"', "name = 西東京市", "city.toml 3行目: TOMLとして読めません"),
        ("city.toml", "other_jma_codes = []", 'other_jma_codes = "351"', "other_jma_codes がない"),
        ("boundary.geojson", '{"type"', '{"typ"', "boundary.geojson: GeoJSONとして読めません"),
        ("boundary.geojson", "Polygon", "LineString", "boundary.geojson: "),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(folder, file, old, new, fault):
    spoil(folder, file, old, new)
    with pytest.raises(BadFacts) as caught:
        read(files(folder))
    assert any(fault in problem for problem in caught.value.problems), caught.value.problems


def test_every_fault_is_told_at_once(folder):
    spoil(folder, "towns.csv", "35.739911", "北")
    spoil(folder, "sites.csv", "139.537665", "東")
    with pytest.raises(BadFacts) as caught:
        read(files(folder))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("file", ["city.toml", "towns.csv", "sites.csv", "boundary.geojson"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(BadFacts, match=f"^{file}: ファイルがありません$"):
        read(files(folder))


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-16"])
def test_another_encoding_is_refused(folder, encoding):
    text = (folder / "towns.csv").read_text()
    (folder / "towns.csv").write_bytes(text.encode(encoding))
    with pytest.raises(BadFacts, match=r"^towns.csv [12]行目: UTF-8で書かれていません$"):
        read(files(folder))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n"])
def test_a_mark_and_other_line_ends_are_read(folder, end):
    wanted = read(files(folder))
    for name in ("towns.csv", "sites.csv"):
        text = (folder / name).read_text().replace("\n", end)
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = read(files(folder))
    assert (found.towns, found.sites) == (wanted.towns, wanted.sites)


@pytest.mark.parametrize("keep", [0, 1])
def test_a_city_has_towns(folder, keep):
    lines = (folder / "towns.csv").read_text().splitlines(keepends=True)
    (folder / "towns.csv").write_text("".join(lines[:keep]))
    with pytest.raises(BadFacts, match=r"towns\.csv"):
        read(files(folder))


def test_an_empty_table_of_sites_is_no_table(folder):
    (folder / "sites.csv").write_text("")
    with pytest.raises(BadFacts, match=r"sites\.csv 1行目: 列がありません"):
        read(files(folder))


RING = ((139.54, 35.73), (139.56, 35.73), (139.56, 35.74), (139.54, 35.73))


def own(*names: str, ring: Sequence[tuple[float, float]] = RING) -> str:
    shape = {"type": "Polygon", "coordinates": [ring]}
    return json.dumps(
        {"features": [{"properties": {"name": name}, "geometry": shape} for name in names]}
    )


def test_towns_may_have_polygons_of_their_own(folder):
    (folder / "towns.geojson").write_text(own("泉町一丁目"))
    facts = read(files(folder))
    assert [town.name for town in facts.towns if town.polygon] == ["泉町一丁目"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (own("泉町九丁目"), "「泉町九丁目」はtowns.csvにありません"),
        (own("泉町一丁目", "泉町一丁目"), "同じ町が二度あります"),
        (
            own("泉町一丁目", ring=((0, 0), (1, 1), (1, 0), (0, 1), (0, 0))),
            "泉町一丁目: 線が交わる",
        ),
        ("[]", "FeatureCollection"),
        ("{", "FeatureCollection"),
    ],
)
def test_a_towns_polygon_must_be_one(folder, text, fault):
    (folder / "towns.geojson").write_text(text)
    with pytest.raises(BadFacts, match=fault):
        read(files(folder))


LIVING = "name,people,households,as_of\n"


def test_a_table_may_say_who_lives_in_the_towns(folder):
    assert not [town for town in read(files(folder)).towns if town.people is not None]
    (folder / "inhabitants.csv").write_text(LIVING + "泉町１丁目,1200,500,2026-11-01\n")
    facts = read(files(folder))
    counted = [town for town in facts.towns if town.people is not None]
    assert [(one.name, one.people, one.households, one.counted_on) for one in counted] == [
        ("泉町一丁目", 1200, 500, date(2026, 11, 1))
    ]
    assert len(facts.towns) == 114


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("泉町九丁目,1,1,2026-11-01", "2行目: 「泉町九丁目」はtowns.csvにありません"),
        ("泉町一丁目,1,2,2026-11-01", "世帯2が、人口1より多く"),
        ("泉町一丁目,many,2,2026-11-01", "people「many」は数ではありません"),
        ("泉町一丁目,-1,2,2026-11-01", "people「-1」は数ではありません"),
        ("泉町一丁目,1,1,11月1日", "as_of「11月1日」は"),
        ("泉町一丁目,1,1,2026-11-01\n泉町一丁目,1,1,2026-11-01", "3行目: 「泉町一丁目」は2行目"),
        (",1,1,2026-11-01", "name が空です"),
        ("泉町一丁目,1", "列が2あります"),
    ],
)
def test_a_table_of_who_lives_there_is_read_strictly(folder, row, fault):
    (folder / "inhabitants.csv").write_text(LIVING + row + "\n")
    with pytest.raises(BadFacts, match=re.escape(fault)):
        read(files(folder))


def test_the_table_of_areas_is_whole_and_agrees_with_the_source(shared_data):
    rows = read_areas((CITIES.parent / "jma_areas.csv").read_bytes())
    held = {(row.layer, row.code): row for row in rows}
    assert len(held) == len(rows)
    for tree in TREES:
        for layer, above in pairwise(tree):
            parents = {row.parent for row in rows if row.layer is layer}
            assert all((above, parent) in held for parent in parents)
    source = json.loads((shared_data / "jma/codes/jma-area-2021/area.json").read_text())
    for layer in TREES[0]:
        for code, area in source[f"{layer.value}s"].items():
            row = held[layer, code]
            assert (row.name, row.en_name) == (area["name"], area["enName"])
            assert row.parent == area.get("parent", "")
    assert held[Layer.CLASS20, "1322900"].kana == "にしとうきょうし"
