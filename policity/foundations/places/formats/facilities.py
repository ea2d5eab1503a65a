"""Lists of facilities as cities publish them: 公共施設一覧, 公衆トイレ一覧, AED設置箇所一覧.

Both the older 推奨データセット and today's 自治体標準 are read, in UTF-8, UTF-16 or Shift_JIS.
Everything that is wrong is told at once, with its line, in Japanese, and nothing of it is taken.
Hours are read where the columns say them; what stands in remarks is kept as it was written.
"""

import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from policity.foundations.places.rules.facilities import FEATURES, LONGEST, OTHER, Facility
from policity.foundations.places.rules.hours import BadHours, Hours, Span, Spans, minutes
from policity.foundations.places.rules.sites import BEYOND_KM, sign_problem
from policity.kit import geometry
from policity.kit.web import is_web_address

LARGEST = 1_000_000
"""Bytes."""

MOST_ROWS, MOST_FAULTS = 5_000, 50
_NUMBER = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")
_DAYS = "月火水木金土日"
_NOT = re.compile("なし|無|不可|×|ありません")
_WORDS = {
    "wheelchair": ("車椅子", "車いす"),
    "wide_toilet": ("多目的トイレ", "多機能トイレ", "バリアフリートイレ", "だれでもトイレ"),
    "ostomate": ("オストメイト",),
    "diapers": ("おむつ", "オムツ", "ベビーベッド"),
    "nursing": ("授乳",),
    "lift": ("エレベーター", "エレベータ"),
    "braille": ("点字", "音声"),
    "writing": ("筆談",),
    "parking": ("駐車場", "駐車スペース"),
}
_YES = frozenset({"有", "あり", "1", "○", "◯", "TRUE", "true", "可"})


class BadList(ValueError):  # noqa: N818  # the thing refused
    """Not a list that can be taken. `problems` has one Japanese line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class FacilityList:
    """A whole list: what kind of list it is, in its public name, and its rows."""

    dataset: str
    rows: tuple[Facility, ...]


@cache
def kinds() -> Mapping[str, Mapping[str, str]]:
    """Every kind by its key, in the order of the lists, with its name by language."""
    return {
        key: {code: name for code, name in kind.items() if code != "words"}
        for key, kind in _kinds().items()
    }


@cache
def _kinds() -> Mapping[str, Mapping[str, str]]:
    path = files("policity.foundations.places") / "facts" / "facility_kinds.toml"
    return tomllib.loads(path.read_text("utf-8"))


def read(data: bytes, *, boundary: geometry.Surface | None = None) -> FacilityList:
    """The facilities of a list. With the city's boundary far-off places are faults. BadList."""
    header, rows = _table(_text(data))
    dataset, kind = _dataset(header)
    faults: list[str] = []
    found: dict[str, Facility] = {}
    for line, cells in rows:
        row = dict(zip(header, cells, strict=False))
        wrong = _row_faults(row, len(cells), len(header), boundary)
        if not wrong and row.get("NO", row.get("ID", "")) in found:
            wrong = ["番号（NO・ID）が、前の行と同じです"]
        faults += [f"{line}行目: {fault}" for fault in wrong]
        if not wrong:
            one = _facility(row, kind)
            found[one.source_id] = one
        if len(found) > MOST_ROWS:
            raise BadList([f"行が多すぎます。{MOST_ROWS:,}行までです。"])
    if faults:
        more = [f"ほかに{len(faults) - MOST_FAULTS}件あります"] if len(faults) > MOST_FAULTS else []
        raise BadList(faults[:MOST_FAULTS] + more)
    if not found:
        raise BadList(["施設が一つもありません。見出しの下の行を確かめてください。"])
    return FacilityList(dataset, tuple(found.values()))


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise BadList([f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです。"])
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadList(["文字が読めません。CSVを、UTF-8かShift_JISで保存してください。"])


def _table(text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    first = text.partition("\n")[0]
    delimiter = "\t" if first.count("\t") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [unicodedata.normalize("NFKC", cell).strip() for cell in next(reader, [])]
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise BadList(
            [f"{reader.line_num}行目: CSVとして読めません（引用符を確かめてください）"]
        ) from error
    return header, iter([(line, cells) for line, cells in rows if any(cells)])


def _dataset(header: list[str]) -> tuple[str, str]:
    """What list it is: its public name, and the kind of all its rows (empty: each has its own)."""
    columns = set(header)
    missing = [name for name in ("名称", "緯度", "経度") if name not in columns]
    if not columns & {"住所", "所在地_連結表記"}:
        missing.append("住所")
    if missing or not columns & {"NO", "ID"}:
        raise BadList(
            [
                "1行目: 公共施設一覧・公衆トイレ一覧・AED設置箇所一覧の見出しではありません"
                f"（ない列: {'、'.join(missing or ['NO または ID'])}）"
            ]
        )
    if "小児対応設備の有無" in columns or "小児対応設備有無" in columns:
        return "AED設置箇所一覧", "aed"
    if "男性トイレ総数" in columns or "オストメイト設置トイレ有無" in columns:
        return "公衆トイレ一覧", "toilet"
    return "公共施設一覧", ""


def _row_faults(
    row: Mapping[str, str], cells: int, columns: int, boundary: geometry.Surface | None
) -> list[str]:
    if cells > columns:
        return [f"列が{cells}あります（{columns}のはずです）"]
    faults = [
        f"{what}が空です"
        for what, value in (
            ("名称", row.get("名称")),
            ("番号（NO・ID）", row.get("NO") or row.get("ID")),
        )
        if not value
    ]
    for name, value in row.items():
        if any(unicodedata.category(sign) == "Cc" and sign not in "\r\n" for sign in value):
            faults.append(f"{name}に、制御文字が入っています")
        elif fault := sign_problem(name, value):
            faults.append(fault)
    faults += [
        f"{name}が長すぎます（{longest}文字まで）"
        for name, longest in (("名称", LONGEST["name"]), ("住所", LONGEST["address"]))
        if len(row.get(name, "")) > longest
    ]
    place = [row.get("緯度", ""), row.get("経度", "")]
    if any(place):
        wrong = [value for value in place if not _NUMBER.fullmatch(value)]
        if wrong:
            faults.append(f"緯度・経度「{wrong[0]}」は数ではありません")
        elif boundary is not None:
            lat, lon = map(float, place)
            if (away := geometry.beyond_km(boundary, (lon, lat))) > BEYOND_KM:
                faults.append(f"緯度{lat}、経度{lon}は市から{away:.0f}キロメートル離れています")
    return faults


def _facility(row: Mapping[str, str], kind: str) -> Facility:
    def of(*names: str, longest: str = "notes") -> str:
        said = next((row[name] for name in names if row.get(name)), "")
        return " ".join(said.split())[: LONGEST[longest]]

    url = of("URL", longest="url")
    lat, lon = row.get("緯度"), row.get("経度")
    note = of("利用可能日時特記事項", "利用可能時間特記事項", longest="hours_note")
    address = of("住所", "所在地_連結表記", longest="address")
    return Facility(
        source_id=(row.get("NO") or row["ID"])[:60],
        kind=kind or _kind_of(f"{row.get('備考', '')} {row['名称']}"),
        name=of("名称", longest="name"),
        kana=_hiragana(of("名称_カナ", longest="kana")),
        address=address,
        lat=float(lat) if lat else None,
        lon=float(lon) if lon else None,
        phone=of("電話番号", longest="phone"),
        url=url if is_web_address(url) else "",
        where=of("設置位置", longest="where"),
        hours=_hours(row, note),
        hours_note=note,
        features=_features(row),
        notes=of("説明", longest="notes"),
    )


def _kind_of(text: str) -> str:
    """The first kind one of whose words is there; remarks stand before the name."""
    found = [
        (text.index(word), key)
        for key, kind in _kinds().items()
        for word in kind["words"]
        if word in text
    ]
    return min(found)[1] if found else OTHER


def _hiragana(kana: str) -> str:
    """Katakana of any width as hiragana; empty where it is no reading."""
    plain = unicodedata.normalize("NFKC", kana)
    plain = re.sub("[ァ-ヶ]", lambda found: chr(ord(found[0]) - 0x60), plain)
    return plain if re.fullmatch("[ぁ-ゖー・ ]+", plain) else ""


def _hours(row: Mapping[str, str], note: str) -> Hours | None:
    """Hours where the columns say all of them, and no remark says otherwise."""
    days = row.get("利用可能曜日", "")
    opens = row.get("開始時間") or row.get("利用開始時間", "")
    closes = row.get("終了時間") or row.get("利用終了時間", "")
    if note or not (days and opens and closes) or set(days) - set(_DAYS):
        return None
    try:
        span: Spans = (Span(minutes(opens[:5]), minutes(closes[:5])),)
    except BadHours:
        return None
    return Hours(tuple(span if day in days else () for day in _DAYS))


def _features(row: Mapping[str, str]) -> tuple[str, ...]:
    said = re.split("[;；、,/。 　]", row.get("バリアフリー情報", ""))
    found = {
        key
        for part in said
        if part and not _NOT.search(part)
        for key, words in _WORDS.items()
        if any(word in part for word in words)
    }
    for key, names in (
        ("wide_toilet", ("車椅子使用者用トイレ有無",)),
        ("ostomate", ("オストメイト設置トイレ有無",)),
        ("diapers", ("乳幼児用設備設置トイレ有無",)),
        ("children", ("小児対応設備の有無", "小児対応設備有無")),
    ):
        if any(row.get(name) in _YES for name in names):
            found.add(key)
    return tuple(key for key in FEATURES if key in found)
