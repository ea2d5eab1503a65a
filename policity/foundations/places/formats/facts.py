"""A city's folder of facts, read strictly: city.toml, towns.csv, sites.csv, boundary.geojson.

towns.geojson (the towns' own polygons, by the property `name`) may stand beside them, and
inhabitants.csv (people and households of each town by the resident register). Everything
that is wrong is told at once, with file and line, in Japanese, and nothing of it is taken.
"""

import csv
import io
import json
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from policity.foundations.places.rules.sites import (
    BEYOND_KM,
    KIND_NAMES,
    Kind,
    problems,
    sign_problem,
)
from policity.kit import geometry, ruby
from policity.kit.addresses import normalise
from policity.kit.languages import LANGUAGES

CITY, TOWNS, SITES, BOUNDARY = "city.toml", "towns.csv", "sites.csv", "boundary.geojson"
TOWN_POLYGONS, INHABITANTS = "towns.geojson", "inhabitants.csv"
NEEDED = (CITY, TOWNS, SITES, BOUNDARY)
FILES = (*NEEDED, TOWN_POLYGONS, INHABITANTS)

_TOWN_COLUMNS = ("name", "base", "chome", "kana", "lat", "lon", "postal_code", "code")
_SITE_COLUMNS = (
    "source_id", "kind", "name", "kana", "address", "lat", "lon",
    "hazards", "same_address", "receives", "notes",
)  # fmt: skip
_INHABITANTS_COLUMNS = ("name", "people", "households", "as_of")
_DECIMAL = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")
_WHERE = re.compile(r"line (\d+)")
_HIGHEST_CHOME = 99


class BadFacts(ValueError):  # noqa: N818  # the thing refused, in the reader's words
    """The folder is not a city's. `problems` holds one Japanese line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class TownFacts:
    """A row of towns.csv, with the town's own polygon (GeoJSON geometry) or ""."""

    name: str
    base: str
    chome: int | None
    kana: str
    lat: float
    lon: float
    postal_code: str
    code: str
    polygon: str
    people: int | None = None
    households: int | None = None
    counted_on: date | None = None


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A row of sites.csv."""

    source_id: str
    kind: Kind
    name: str
    kana: str
    address: str
    lat: float
    lon: float
    hazards: tuple[str, ...]
    same_address: bool
    receives: str
    notes: str


@dataclass(frozen=True, slots=True)
class CityFacts:
    """A whole folder. `boundary` is the surface of boundary.geojson."""

    code: str
    name: str
    kana: str
    names: Mapping[str, str]
    prefecture: str
    jma_code: str
    other_jma_codes: tuple[str, ...]
    boundary: geometry.Surface
    towns: tuple[TownFacts, ...]
    sites: tuple[SiteFacts, ...]


def read(files: Mapping[str, bytes]) -> CityFacts:
    """The facts of a folder, given as its files' bytes by name. Raises BadFacts."""
    faults: list[str] = []
    faults.extend(f"{name}: ファイルがありません" for name in NEEDED if name not in files)
    texts = {name: _text(name, data, faults) for name, data in files.items()}
    if faults:
        raise BadFacts(faults)
    city = _city(texts[CITY], faults)
    boundary = _boundary(texts[BOUNDARY], faults)
    polygons = _polygons(texts[TOWN_POLYGONS], faults) if TOWN_POLYGONS in texts else {}
    towns = list(_towns(texts[TOWNS], polygons, boundary, faults))
    if INHABITANTS in texts:
        towns = _inhabited(towns, texts[INHABITANTS], faults)
    if not towns and not faults:
        faults.append(f"{TOWNS}: 町がひとつもありません")
    sites = list(_sites(texts[SITES], boundary, faults))
    if faults or boundary is None:
        raise BadFacts(faults)
    return CityFacts(**city, boundary=boundary, towns=tuple(towns), sites=tuple(sites))


def _city(text: str, faults: list[str]) -> dict[str, Any]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _WHERE.search(str(error))
        faults.append(f"{CITY} {line[1] if line else '最後の'}行目: TOMLとして読めません")
        return {}
    names = found.get("names")
    names = names if isinstance(names, dict) else {}
    others = found.get("other_jma_codes")
    checks = {
        "code": _matches(found.get("code"), r"[0-9]{5}"),
        "jma_code": _matches(found.get("jma_code"), r"[0-9]{7}"),
        **{key: _matches(found.get(key), r"\S.*") for key in ("name", "kana", "prefecture")},
        **{f"names.{one.code}": _matches(names.get(one.code), r"\S.*") for one in LANGUAGES},
        "other_jma_codes": isinstance(others, list)
        and all(_matches(code, r"(coast:)?[0-9]{1,7}") for code in others),
    }
    wrong = [key for key, well in checks.items() if not well]
    faults.extend(f"{CITY}: {key} がない、または書き方がちがいます" for key in wrong)
    if wrong:
        return {}
    plain = {
        **{key: found[key] for key in ("name", "kana", "prefecture")},
        **{f"names.{one.code}": names[one.code] for one in LANGUAGES if one.code != "ja-easy"},
    }
    said = [sign_problem(key, text) for key, text in plain.items()]
    faults.extend(f"{CITY}: {problem}" for problem in said if problem)
    try:
        easy_is_name = ruby.plain(names["ja-easy"]) == found["name"]
    except ValueError:
        easy_is_name = False
    if names["ja"] != found["name"] or not easy_is_name:
        faults.append(f"{CITY}: names.ja と names.ja-easy は name と同じ名前にしてください")
    return {
        **{key: found[key] for key in ("code", "name", "kana", "prefecture", "jma_code")},
        "names": {one.code: names[one.code] for one in LANGUAGES},
        "other_jma_codes": tuple(others or ()),
    }


def _matches(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _boundary(text: str, faults: list[str]) -> geometry.Surface | None:
    try:
        return geometry.from_geojson(text)
    except geometry.BadPolygon as error:
        faults.append(f"{BOUNDARY}: {error}")
        return None


def _polygons(text: str, faults: list[str]) -> dict[str, str]:
    """The towns' own polygons by name, as GeoJSON geometries."""
    try:
        features = json.loads(text)["features"]
        found = {one["properties"]["name"]: json.dumps(one["geometry"]) for one in features}
    except (ValueError, KeyError, TypeError):
        faults.append(f"{TOWN_POLYGONS}: nameをもつ面の集まり（FeatureCollection）ではありません")
        return {}
    if len(found) != len(features):
        faults.append(f"{TOWN_POLYGONS}: 同じ町が二度あります")
    for name, polygon in found.items():
        try:
            geometry.from_geojson(polygon)
        except geometry.BadPolygon as error:
            faults.append(f"{TOWN_POLYGONS}: {name}: {error}")
    return found


def _towns(
    text: str, polygons: dict[str, str], boundary: geometry.Surface | None, faults: list[str]
) -> Iterator[TownFacts]:
    seen: dict[str, int] = {}
    for row in _rows(TOWNS, text, _TOWN_COLUMNS, faults):
        name, base = row.filled("name"), row.filled("base")
        chome = row.whole("chome")
        if name and normalise(name) != normalise(f"{base}{chome}丁目" if chome else base):
            row.fault(f"「{name}」は「{base}」と丁目「{chome or ''}」からできていません")
        if name and (first := seen.setdefault(normalise(name), row.line)) != row.line:
            row.fault(f"「{name}」は{first}行目にもあります")
        if row["postal_code"] and not _matches(row["postal_code"], r"[0-9]{7}"):
            row.fault(f"郵便番号「{row['postal_code']}」は7桁の数字ではありません")
        lat, lon = row.place(boundary)
        polygon = polygons.pop(name, "")
        yield TownFacts(
            name, base, chome, row["kana"], lat, lon, row["postal_code"], row["code"], polygon
        )
    faults.extend(f"{TOWN_POLYGONS}: 「{name}」は{TOWNS}にありません" for name in polygons)


def _inhabited(towns: list[TownFacts], text: str, faults: list[str]) -> list[TownFacts]:
    """The towns with who lives there; a town that the table leaves out has no number."""
    known = {normalise(town.name): town for town in towns}
    seen: dict[str, int] = {}
    for row in _rows(INHABITANTS, text, _INHABITANTS_COLUMNS, faults):
        key = normalise(row.filled("name"))
        people, households, on = row.count("people"), row.count("households"), row.day("as_of")
        if key and key not in known:
            row.fault(f"「{row['name']}」は{TOWNS}にありません")
        elif first := seen.get(key):
            row.fault(f"「{row['name']}」は{first}行目にもあります")
        elif people < households:
            row.fault(f"世帯{households}が、人口{people}より多くなっています")
        elif key:
            seen[key] = row.line
            known[key] = replace(known[key], people=people, households=households, counted_on=on)
    return list(known.values())


def _sites(text: str, boundary: geometry.Surface | None, faults: list[str]) -> Iterator[SiteFacts]:
    seen: dict[str, int] = {}
    for row in _rows(SITES, text, _SITE_COLUMNS, faults):
        source_id = row.filled("source_id")
        if source_id and (first := seen.setdefault(source_id, row.line)) != row.line:
            row.fault(f"共通ID「{source_id}」は{first}行目にもあります")
        hazards = tuple(row["hazards"].split())
        kind = Kind.SHELTER
        if row["kind"] in KIND_NAMES:
            kind = Kind(row["kind"])
            for problem in problems(kind, hazards, row["receives"]):
                row.fault(problem)
        else:
            row.fault(f"種類「{row['kind']}」はありません（{'、'.join(KIND_NAMES)}）")
        if row["same_address"] not in ("", "1"):
            row.fault("same_address は 1 か空です")
        lat, lon = row.place(boundary)
        yield SiteFacts(
            source_id=source_id,
            kind=kind,
            name=row.filled("name"),
            kana=row["kana"],
            address=row.filled("address"),
            lat=lat,
            lon=lon,
            hazards=hazards,
            same_address=row["same_address"] == "1",
            receives=row["receives"],
            notes=row["notes"],
        )


class _Row:
    """A row of a table, that knows where it stands. Faulty cells give a harmless value."""

    def __init__(self, line: int, cells: Mapping[str, str], fault: Callable[[str], None]) -> None:
        self.line = line
        self.fault = fault
        self._cells = cells

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def filled(self, column: str) -> str:
        if not self[column]:
            self.fault(f"{column} が空です")
        return self[column]

    def whole(self, column: str) -> int | None:
        if not self[column]:
            return None
        if _matches(self[column], "[0-9]{1,2}") and 0 < int(self[column]) <= _HIGHEST_CHOME:
            return int(self[column])
        self.fault(f"{column}「{self[column]}」は1から{_HIGHEST_CHOME}の数ではありません")
        return None

    def count(self, column: str) -> int:
        if _matches(self[column], "[0-9]{1,7}"):
            return int(self[column])
        self.fault(f"{column}「{self[column]}」は数ではありません")
        return 0

    def day(self, column: str) -> date | None:
        try:
            return date.fromisoformat(self[column])
        except ValueError:
            self.fault(f"{column}「{self[column]}」は 2026-11-01 のような日ではありません")
            return None

    def place(self, boundary: geometry.Surface | None) -> tuple[float, float]:
        wrong = [one for one in ("lat", "lon") if not _DECIMAL.fullmatch(self[one])]
        for column in wrong:
            self.fault(f"{column}「{self[column]}」は数ではありません")
        if wrong:
            return 0.0, 0.0
        lat, lon = float(self["lat"]), float(self["lon"])
        away = geometry.beyond_km(boundary, (lon, lat)) if boundary else 0
        if away > BEYOND_KM:
            self.fault(f"緯度{lat}、経度{lon}は市から{away:.0f}キロメートル離れています")
        return lat, lon


def _rows(file: str, text: str, columns: tuple[str, ...], faults: list[str]) -> Iterator[_Row]:
    """The rows of a table under a header with exactly these columns, in any order."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)

    def fault_at(line: int) -> Callable[[str], None]:
        return lambda fault: faults.append(f"{file} {line}行目: {fault}")

    try:
        header = [cell.strip() for cell in next(reader, [])]
        if sorted(header) != sorted(columns):
            fault_at(1)(_columns_fault(header, columns))
            return
        for cells in reader:
            fault = fault_at(reader.line_num)
            if not any(cells):
                continue
            if len(cells) != len(header):
                fault(f"列が{len(cells)}あります（{len(header)}のはずです）")
            elif any(unicodedata.category(sign) == "Cc" for cell in cells for sign in cell):
                fault("改行や制御文字が入っています")
            else:
                row = dict(zip(header, map(str.strip, cells), strict=True))
                for problem in filter(None, map(sign_problem, row.keys(), row.values())):
                    fault(problem)
                yield _Row(reader.line_num, row, fault)
    except csv.Error:
        fault_at(reader.line_num)("CSVとして読めません（引用符を確かめてください）")


def _columns_fault(header: list[str], columns: tuple[str, ...]) -> str:
    missing = [column for column in columns if column not in header]
    if missing:
        return f"列がありません: {'、'.join(missing)}"
    return f"知らない列、または二度ある列があります。列は {'、'.join(columns)} です"


def _text(file: str, data: bytes, faults: list[str]) -> str:
    """UTF-8, with or without a mark. Nothing of a file in another encoding is read."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.append(f"{file} {line}行目: UTF-8で書かれていません")
        return ""
