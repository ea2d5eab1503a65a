"""Measures and their indicators as offices keep them: a table in CSV or XLSX, a row an indicator.

Everything that is wrong is told at once, with its row and column, in Japanese, and nothing of it is
taken. What stands in no cell is what the row above says of the measure (施策番号 to 段階).
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from policity.foundations.city_plan.rules.attaining import Aim, Direction, Reckoning
from policity.foundations.city_plan.rules.stages import Kind
from policity.kit.eras import BadYear, fiscal_name, read_fiscal

LARGEST = 5_000_000
"""Bytes. What an XLSX unpacks to may be ten times that."""

MOST_ROWS, MOST_COLUMNS, MOST_FAULTS = 5_000, 100, 50
DIGITS = 14
"""Before the point; four come after it."""

NOT_MEASURED = "測っていない"
_YEARLY = re.compile(r"(目標|上限|実績)[\s_]*(.+)")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_REASON = re.compile(rf"{NOT_MEASURED}[:：\s、]*(.*)")
_NOTHING = frozenset({"", "-", "－", "ー", "―", "—"})
_LISTS = re.compile("[、,;；\n]+")

MEASURE = ("施策番号", "施策名", "内容", "分野", "視点", "課題", "上位計画の目標", "担当課", "協力",
           "予算", "開始", "終了", "段階")  # fmt: skip
INDICATOR = ("指標番号", "指標名", "種類", "単位", "向き", "達成度の出し方", "積み上げ", "基準値",
             "基準年度", "内訳", "測り方", "自動集計", "根拠")  # fmt: skip
NEEDED = ("施策番号", "施策名", "分野", "指標番号", "指標名", "種類", "単位", "向き")
LONGEST = {
    "施策番号": 20, "施策名": 100, "協力": 200, "指標番号": 20, "指標名": 100, "単位": 20,
    "自動集計": 60, "根拠": 300,
}  # fmt: skip

KINDS = {"投入": Kind.INPUT, "活動": Kind.OUTPUT, "成果": Kind.OUTCOME}
DIRECTIONS = {"増やす": Direction.UP, "減らす": Direction.DOWN, "範囲に保つ": Direction.KEEP}
RECKONINGS = {"目標比": Reckoning.TARGET, "基準から": Reckoning.BASELINE}
SPLITS = {"町": "town", "年齢": "age", "ことば": "language"}


class BadTable(ValueError):  # noqa: N818  # the thing refused
    """Not a table that can be taken. `problems` has one Japanese line for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Around:
    """What a table is held against: the plan's years, and the names it may use."""

    first_year: int
    last_year: int
    facets: Mapping[str, Sequence[str]]
    departments: Sequence[str]
    stages: Mapping[str, str]
    metrics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Given:
    """A figure of a year, or why there is none."""

    number: Decimal | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """An indicator with its years."""

    code: str
    name: str
    kind: Kind
    unit: str
    direction: Direction
    reckoning: Reckoning
    adds_up: bool
    baseline: Decimal | None
    baseline_year: int | None
    splits: tuple[str, ...]
    method: str
    metric: str
    evidence: str
    targets: Mapping[int, Aim]
    values: Mapping[int, Given]


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure with its indicators. `serves` has (kind of facet, name); budgets are in yen."""

    code: str
    name: str
    summary: str
    field: str
    serves: tuple[tuple[str, str], ...]
    department: str
    partners: str
    budget: int | None
    first_year: int
    last_year: int
    stage: str
    indicators: list[IndicatorRow] = made(default_factory=list)


Cells = Mapping[str, str]
T = TypeVar("T")


def read(data: bytes, around: Around) -> tuple[MeasureRow, ...]:
    """The measures of a table. Raises BadTable."""
    header, rows = _xlsx(data) if data[:2] == b"PK" else _csv(data)
    columns = _columns(header, around)
    faults: list[str] = []
    found: dict[str, MeasureRow] = {}
    above: Cells = {}
    for line, cells in rows:
        row = dict(zip(columns, cells, strict=False))
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            faults.append(f"{line}行目: 見出しより列が多い行です")
            continue
        if not row["施策番号"]:
            if not above:
                faults.append(f"{line}行目 施策番号: 書いてください")
                continue
            row |= {name: above[name] for name in MEASURE if name in above}
        elif row["施策番号"] in found and row["施策番号"] != above.get("施策番号"):
            faults.append(f"{line}行目 施策番号: 「{row['施策番号']}」は、前の行と同じ番号です")
            continue
        above = {name: row[name] for name in MEASURE if name in row}
        _Row(line, row, around, found, faults).take()
        if len(faults) > MOST_FAULTS:
            raise BadTable([*faults[:MOST_FAULTS], "ほかにもあります"])
    if faults:
        raise BadTable(faults)
    if not found:
        raise BadTable(["施策が一つもありません。見出しの下の行を確かめてください"])
    return tuple(found.values())


class _Row:
    """One row, whose faults are told with its number."""

    def __init__(
        self,
        line: int,
        cells: Cells,
        around: Around,
        found: dict[str, MeasureRow],
        faults: list[str],
    ) -> None:
        self.line, self.cells, self.around = line, cells, around
        self.found, self.faults = found, faults

    def take(self) -> None:
        """Join it to what was found, or tell what is wrong."""
        before = len(self.faults)
        for name in NEEDED:
            if not self.cells[name]:
                self._wrong(name, "書いてください")
        for name, most in LONGEST.items():
            if len(self.cells.get(name, "")) > most:
                self._wrong(name, f"{most}文字までにしてください")
        if len(self.faults) > before:
            return
        measure, indicator = self._measure(), self._indicator()
        known = self.found.get(measure.code)
        if known and (known.name, known.field) != (measure.name, measure.field):
            self._wrong("施策名", f"施策 {measure.code} の前の行と、名前か分野がちがいます")
        if known and any(one.code == indicator.code for one in known.indicators):
            self._wrong("指標番号", f"「{indicator.code}」は、この施策の前の行と同じ番号です")
        if len(self.faults) == before:
            self.found.setdefault(measure.code, measure).indicators.append(indicator)

    def _wrong(self, column: str, words: str) -> None:
        self.faults.append(f"{self.line}行目 {column}: {words}")

    def _cell(self, name: str) -> str:
        return self.cells.get(name, "")

    def _measure(self) -> MeasureRow:
        around = self.around
        first = self._year("開始", around.first_year) or around.first_year
        last = self._year("終了", around.last_year) or around.last_year
        if first > last:
            self._wrong("終了", "開始より前です")
        budget = self._number("予算")
        if budget is not None and (budget < 0 or budget != budget.to_integral_value()):
            self._wrong("予算", "0以上の、円の数で書いてください")
            budget = None
        names = {name: code for code, name in around.stages.items()}
        return MeasureRow(
            code=self._cell("施策番号"),
            name=self._cell("施策名"),
            summary=self._cell("内容"),
            field=self._facet("分野", "field", self._cell("分野")),
            serves=tuple(
                (kind, self._facet(column, kind, name))
                for column, kind in (
                    ("視点", "viewpoint"),
                    ("課題", "challenge"),
                    ("上位計画の目標", "goal"),
                )
                for name in dict.fromkeys(_list(self._cell(column)))
            ),
            department=self._one_of("担当課", {name: name for name in around.departments}, ""),
            partners=self._cell("協力"),
            budget=None if budget is None else int(budget),
            first_year=first,
            last_year=last,
            stage=self._one_of("段階", names, next(iter(around.stages))),
        )

    def _indicator(self) -> IndicatorRow:
        kind = self._one_of("種類", KINDS, Kind.OUTCOME)
        direction = self._one_of("向き", DIRECTIONS, Direction.UP)
        reckoning = self._one_of("達成度の出し方", RECKONINGS, Reckoning.TARGET)
        metric = self._cell("自動集計")
        if metric and metric not in self.around.metrics:
            self._wrong("自動集計", f"「{metric}」という集計はありません")
        values = dict(self._values())
        if not self._cell("根拠") and any(given.number is not None for given in values.values()):
            self._wrong("根拠", "実績の根拠（資料の名前と場所）を書いてください")
        baseline = self._number("基準値")
        if reckoning is Reckoning.BASELINE and baseline is None:
            self._wrong("基準値", "「基準から」で出すときは、書いてください")
        return IndicatorRow(
            code=self._cell("指標番号"),
            name=self._cell("指標名"),
            kind=kind,
            unit=self._cell("単位"),
            direction=direction,
            reckoning=reckoning,
            adds_up=self._one_of(
                "積み上げ", {"はい": True, "○": True, "いいえ": False}, otherwise=False
            ),
            baseline=baseline,
            baseline_year=self._year("基準年度", None),
            splits=tuple(
                SPLITS[name]
                for name in _list(self._cell("内訳"))
                if self._known("内訳", name, SPLITS)
            ),
            method=self._cell("測り方"),
            metric=metric,
            evidence=self._cell("根拠"),
            targets=dict(self._targets(direction)),
            values=values,
        )

    def _yearly(self, what: str) -> Iterator[tuple[int, str, str]]:
        for column, text in self.cells.items():
            named = _YEARLY.fullmatch(column)
            if named and named[1] == what and text not in _NOTHING:
                yield read_fiscal(named[2]), column, text

    def _targets(self, direction: Direction) -> Iterator[tuple[int, Aim]]:
        upper = {year: (column, text) for year, column, text in self._yearly("上限")}
        for year, column, _ in self._yearly("目標"):
            number = self._number(column)
            most = self._number(upper[year][0]) if year in upper else None
            if number is None:
                continue
            if direction is Direction.KEEP:
                if most is None:
                    self._wrong(column, "「範囲に保つ」指標には、上限も書いてください")
                elif most < number:
                    self._wrong(upper[year][0], "上限が、目標（下限）より小さい数です")
                else:
                    yield year, Aim(number, most)
            else:
                up = direction is Direction.UP
                yield year, Aim(number if up else None, None if up else number)
        if direction is not Direction.KEEP:
            for column, _ in upper.values():
                self._wrong(column, "上限は、「範囲に保つ」指標だけに書きます")

    def _values(self) -> Iterator[tuple[int, Given]]:
        for year, column, text in self._yearly("実績"):
            if self._cell("自動集計"):
                self._wrong(column, "システムが数える指標には、実績を書けません")
                continue
            reason = _REASON.fullmatch(text)
            if reason is None:
                number = self._number(column)
                if number is not None:
                    yield year, Given(number)
            elif not reason[1].strip():
                self._wrong(
                    column, f"「{NOT_MEASURED}：調査は3年ごと」のように、わけも書いてください"
                )
            elif len(reason[1]) > 300:
                self._wrong(column, "測っていないわけは、300文字までにしてください")
            else:
                yield year, Given(None, reason[1].strip())

    def _number(self, column: str) -> Decimal | None:
        text = self._cell(column)
        if text in _NOTHING:
            return None
        plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
        unit = unicodedata.normalize("NFKC", self._cell("単位"))
        plain = plain.removesuffix(unit).removesuffix("%" if unit == "%" else "")
        if not _NUMBER.fullmatch(plain):
            self._wrong(
                column, f"数字ではありません（{text[:30]}）。単位や言葉は書かないでください"
            )
            return None
        number = Decimal(plain)
        if abs(number) >= 10**DIGITS:
            self._wrong(column, "大きすぎる数です")
            return None
        if number != round(number, 4):
            self._wrong(column, "小数は、4桁までです")
            return None
        if unit == "%" and column != "予算" and not 0 <= number <= 100:
            self._wrong(column, f"割合は、0から100までです（{text[:30]}）")
            return None
        return number

    def _year(self, column: str, otherwise: int | None) -> int | None:
        text = self._cell(column)
        if not text:
            return otherwise
        try:
            year = read_fiscal(text)
        except BadYear:
            self._wrong(column, f"年度ではありません（{text[:30]}）")
            return otherwise
        if column != "基準年度" and not self.around.first_year <= year <= self.around.last_year:
            self._wrong(column, f"計画の期間にない年度です（{text[:30]}）")
        return year

    def _facet(self, column: str, kind: str, name: str) -> str:
        names = self.around.facets.get(kind, ())
        if name.isdecimal() and 0 < int(name) <= len(names):
            return names[int(name) - 1]
        self._known(column, name, names)
        return name

    def _one_of(self, column: str, words: Mapping[str, T], otherwise: T) -> T:
        text = self._cell(column)
        if not text:
            return otherwise
        return words[text] if self._known(column, text, words) else otherwise

    def _known(self, column: str, name: str, names: Sequence[str] | Mapping[str, object]) -> bool:
        if name in names:
            return True
        choices = "、".join(list(names)[:8]) or "まだ一つもありません"
        self._wrong(column, f"「{name[:30]}」はありません（{choices}）")
        return False


def _list(text: str) -> list[str]:
    return [one.strip() for one in _LISTS.split(text) if one.strip()]


def _columns(header: Sequence[str], around: Around) -> list[str]:
    """The columns' names. Raises BadTable."""
    columns = [_heading(cell) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    faults = [
        f"1行目: {_letter(place)}列に見出しがありません。見出しのセルの結合は、解いてください"
        for place, name in enumerate(columns)
        if not name
    ]
    years: dict[tuple[str, int], str] = {}
    for name in columns:
        if not name or name in MEASURE or name in INDICATOR:
            continue
        named = _YEARLY.fullmatch(name)
        if named is None:
            faults.append(f"1行目: 「{name[:30]}」という列はありません")
            continue
        try:
            year = read_fiscal(named[2])
        except BadYear:
            faults.append(f"1行目: 「{name[:30]}」の年度が読めません（例: 目標 令和8年度）")
            continue
        if not around.first_year <= year <= around.last_year:
            span = f"{fiscal_name(around.first_year)}～{fiscal_name(around.last_year)}"
            faults.append(f"1行目: 「{name[:30]}」は、計画の期間（{span}）にない年度です")
        if (named[1], year) in years:
            faults.append(f"1行目: 「{name[:30]}」と「{years[named[1], year]}」は、同じ年度です")
        years[named[1], year] = name
    faults += [f"1行目: 「{name}」の列がありません" for name in NEEDED if name not in columns]
    doubled = sorted({name for name in columns if name and columns.count(name) > 1})
    faults += [f"1行目: 「{name[:30]}」の列が2つあります" for name in doubled]
    if faults:
        raise BadTable(faults[:MOST_FAULTS])
    return columns


def _heading(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", cell).split())


def _letter(place: int) -> str:
    """A column as spreadsheets call it: A, B, … AA."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text


Rows = Iterator[tuple[int, list[str]]]


def _csv(data: bytes) -> tuple[list[str], Rows]:
    if len(data) > LARGEST:
        raise BadTable([f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです"])
    text = _text(data)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise BadTable(
            [f"{reader.line_num}行目: CSVとして読めません（引用符を確かめてください）"]
        ) from error
    return _split(rows)


def _text(data: bytes) -> str:
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadTable(["文字が読めません。CSVを、UTF-8かShift_JISで保存してください"])


def _xlsx(data: bytes) -> tuple[list[str], Rows]:
    """The first sheet's values. Merged headings are told; below them, a merge is its first cell."""
    if len(data) > LARGEST:
        raise BadTable([f"ファイルが大きすぎます。{LARGEST // 1_000_000}MBまでです"])
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(member.file_size for member in package.infolist()) > 10 * LARGEST:
                raise BadTable(["ファイルの中身が大きすぎます"])
        sheet = load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
    except BadTable:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError,
            OSError, TypeError, SyntaxError) as error:  # fmt: skip
        raise BadTable(
            ["Excelのファイルとして読めません。xlsx で保存しなおしてください"]
        ) from error
    merged = [str(area) for area in sheet.merged_cells.ranges if area.min_row == 1]
    if merged:
        raise BadTable(
            [
                f"1行目: 見出しのセルが結合されています（{area}）。結合を解いて、"
                "どの列にも「目標 令和8年度」のように書いてください"
                for area in merged
            ]
        )
    if sheet.max_column > MOST_COLUMNS:
        raise BadTable([f"列が多すぎます。{MOST_COLUMNS}列までです"])
    if sheet.max_row > 2 * MOST_ROWS:
        raise BadTable([f"行が多すぎます。{MOST_ROWS:,}行までです"])
    rows = [
        (line, [_said(cell.value, cell.number_format) for cell in cells])
        for line, cells in enumerate(sheet.iter_rows(), 1)
    ]
    return _split(rows)


def _said(value: object, shape: str) -> str:
    """A cell as it reads: 0.9 shown as a percentage is 90."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = Decimal(str(value)) * (100 if "%" in shape else 1)
        except InvalidOperation:
            return str(value)
        if not number.is_finite():
            return str(value)
        return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
    return str(value).strip()


def _split(rows: Sequence[tuple[int, list[str]]]) -> tuple[list[str], Rows]:
    if not rows:
        raise BadTable(["何も書かれていません"])
    header = rows[0][1]
    body = [(line, cells) for line, cells in rows[1:] if any(cells)]
    if len(body) > MOST_ROWS:
        raise BadTable([f"行が多すぎます。{MOST_ROWS:,}行までです"])
    width = len(header)
    return header, iter([(line, cells + [""] * (width - len(cells))) for line, cells in body])
