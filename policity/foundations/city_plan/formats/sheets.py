"""Measures and their indicators as offices keep them: a table in CSV or XLSX, a row an indicator.

Everything that is wrong is told at once, with its row and column, in Japanese, and nothing of it is
taken. What stands in no cell is what the row above says of the measure (施策番号 to 段階).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from decimal import Decimal
from typing import TypeVar

from policity.foundations.city_plan.formats import cells as raw
from policity.foundations.city_plan.formats.cells import BadTable
from policity.foundations.city_plan.formats.figures import (
    NOTHING,
    BadFigure,
    Given,
    given,
    number,
)
from policity.foundations.city_plan.formats.schedules import BadSchedule, Phase
from policity.foundations.city_plan.formats.schedules import read as read_schedule
from policity.foundations.city_plan.rules.attaining import Aim, Direction, Reckoning
from policity.foundations.city_plan.rules.stages import Kind
from policity.kit.eras import BadYear, fiscal_name, read_fiscal

MOST_FAULTS = 50
_YEARLY = re.compile(r"(目標|上限|実績)[\s_]*(.+)")
_PART = re.compile(r"(.+?)[:：](.{1,50})")
_LISTS = re.compile("[、,;；\n]+")

PART = "部分"
"""Says of which part a row tells: "町：泉町". It stands below its indicator's own row."""

MEASURE = ("施策番号", "施策名", "内容", "分野", "視点", "課題", "上位計画の目標", "担当課", "協力",
           "予算", "開始", "終了", "工程", "段階")  # fmt: skip
INDICATOR = ("指標番号", "指標名", "種類", "単位", "向き", "達成度の出し方", "積み上げ", "基準値",
             "基準年度", "内訳", "測り方", "自動集計", "根拠", PART)  # fmt: skip
NEEDED = ("施策番号", "施策名", "分野", "指標番号", "指標名", "種類", "単位", "向き")
LONGEST = {
    "施策番号": 20, "施策名": 100, "協力": 200, "指標番号": 20, "指標名": 100, "単位": 20,
    "自動集計": 60, "根拠": 300,
}  # fmt: skip

KINDS = {"投入": Kind.INPUT, "活動": Kind.OUTPUT, "成果": Kind.OUTCOME}
DIRECTIONS = {"増やす": Direction.UP, "減らす": Direction.DOWN, "範囲に保つ": Direction.KEEP}
RECKONINGS = {"目標比": Reckoning.TARGET, "基準から": Reckoning.BASELINE}
SPLITS = {"町": "town", "年齢": "age", "ことば": "language"}


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
class IndicatorRow:
    """An indicator with its years. `parts` are by year, by how they are told apart, and by name."""

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
    parts: dict[tuple[int, str, str], Given] = made(default_factory=dict)


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
    schedule: tuple[Phase, ...]
    stage: str
    indicators: list[IndicatorRow] = made(default_factory=list)


Cells = Mapping[str, str]
T = TypeVar("T")


def read(data: bytes, around: Around) -> tuple[MeasureRow, ...]:
    """The measures of a table. Raises BadTable."""
    header, rows = raw.read(data)
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
        if self._cell(PART):
            self._part()
            return
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
            schedule=self._schedule(first, last),
            stage=self._one_of("段階", names, next(iter(around.stages))),
        )

    def _schedule(self, first: int, last: int) -> tuple[Phase, ...]:
        try:
            phases = read_schedule(self._cell("工程"))
        except BadSchedule as error:
            self._wrong("工程", str(error))
            return ()
        for one in phases:
            if not first <= one.first_year <= one.last_year <= last:
                span = f"{fiscal_name(first)}～{fiscal_name(last)}"
                self._wrong("工程", f"「{one.text[:30]}」は、施策の期間（{span}）の外です")
        return phases

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
            if named and named[1] == what and text not in NOTHING:
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
            elif said := self._given(column, text, self._cell("単位")):
                yield year, said

    def _given(self, column: str, text: str, unit: str) -> Given | None:
        try:
            return given(text, unit)
        except BadFigure as error:
            self._wrong(column, str(error))
            return None

    def _part(self) -> None:
        """Join a part's figures to the indicator that stands above."""
        code = self._cell("指標番号")
        measure = self.found.get(self._cell("施策番号"))
        above = measure.indicators if measure else []
        whole = next((one for one in above if one.code == code), None)
        if whole is None:
            self._wrong("指標番号", f"「{code[:20]}」の行が、これより上にありません")
            return
        named = _PART.fullmatch(self._cell(PART))
        if named is None or SPLITS.get(named[1]) not in whole.splits:
            known = "、".join(f"{name}：…" for name, of in SPLITS.items() if of in whole.splits)
            self._wrong(
                PART, f"指標の「内訳」にあるものを書いてください（{known or 'ありません'}）"
            )
            return
        own = {*MEASURE, "指標番号", PART}
        for column, text in self.cells.items():
            if text and column not in own and not column.startswith("実績"):
                self._wrong(column, "部分の行には、実績だけを書きます")
        split, name = SPLITS[named[1]], named[2].strip()
        for year, column, text in self._yearly("実績"):
            said = self._given(column, text, whole.unit)
            if whole.metric:
                self._wrong(column, "システムが数える指標には、実績を書けません")
            elif (year, split, name) in whole.parts:
                self._wrong(PART, f"「{name}」は、前の行と同じ部分です")
            elif said and said.number is not None and not whole.evidence:
                self._wrong(column, "実績の根拠を、指標の行に書いてください")
            elif said:
                whole.parts[year, split, name] = said

    def _number(self, column: str) -> Decimal | None:
        # What is spent is no share, whatever the indicator beside it is.
        unit = "" if column == "予算" else self._cell("単位")
        try:
            return number(self._cell(column), unit)
        except BadFigure as error:
            self._wrong(column, str(error))
            return None

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
    columns = [raw.heading(cell) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    faults = [
        f"1行目: {raw.letter(place)}列に見出しがありません。見出しのセルの結合は、解いてください"
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
