"""A plan's year as open data: a table (CSV) and a document (JSON), with the same figures."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from policity.foundations.city_plan import presenters
from policity.foundations.city_plan.formats import schedules
from policity.foundations.city_plan.models import Facet
from policity.foundations.city_plan.presenters import words
from policity.foundations.city_plan.presenters.figures import Line, Series, Sheet
from policity.foundations.city_plan.queries.showing import Card, PlanView
from policity.foundations.city_plan.rules.parting import Part
from policity.kit.eras import fiscal_name

PROVISIONAL = "速報"
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"-?[0-9.]+")
HEAD = (
    "計画", "分野", "施策番号", "施策名", "担当課", "指標番号", "指標名", "種類", "単位",
    "向き", "基準値", "基準年度",
    "年度", "年度（西暦）", "目標（以上）", "目標（以下）", "実績", "実績がないわけ",
    "達成度（％）",
    "はじめの目標での達成度（％）", "速報", "施策の評価", "内訳", "内訳の名前",
    # What was there before keeps its place.
    "視点", "課題", "上位計画の目標", "工程",
)  # fmt: skip
_SERVED = (Facet.Kind.VIEWPOINT, Facet.Kind.CHALLENGE, Facet.Kind.GOAL)


def table(view: PlanView, sheets: Iterable[Sheet]) -> bytes:
    """CSV, a line for each indicator and year: UTF-8 with a byte order mark, for spreadsheets.

    Below an indicator's years, a line for each part of the last one.
    """
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(HEAD)
    for sheet in sheets:
        for series in sheet.series:
            rows.writerows(_row(view, sheet, series, line) for line in series.lines)
            rows.writerows(_part(view, sheet, series, one) for one in series.parts)
    return out.getvalue().encode("utf-8-sig")


def _row(view: PlanView, sheet: Sheet, series: Series, line: Line) -> Sequence[str]:
    told = view.told.get(sheet.card.code, {}).get(line.year)
    low, high = (line.aim.low, line.aim.high) if line.aim else (None, None)
    cells = (
        *_first(view, sheet, series, line.year), plain(low), plain(high), plain(line.number),
        why(line), _whole(line.percent), _whole(line.by_first),
        PROVISIONAL if line.provisional else "", told.grade if told else "", "", "",
        *_serves(sheet.card),
    )  # fmt: skip
    return [_safe(one) for one in cells]


def _part(view: PlanView, sheet: Sheet, series: Series, part: Part) -> Sequence[str]:
    cells = (
        *_first(view, sheet, series, series.now.year), "", "", plain(part.number), why_part(part),
        "", "", PROVISIONAL if series.now.provisional else "", "",
        words.SPLITS.get(part.split, part.split), part.name, *_serves(sheet.card),
    )  # fmt: skip
    return [_safe(one) for one in cells]


def _first(view: PlanView, sheet: Sheet, series: Series, year: int) -> Sequence[str]:
    """What is said of an indicator in each of its lines."""
    card = sheet.card
    return (
        view.name, sheet.field, card.code, card.name, card.department, series.code, series.name,
        series.kind, series.unit, series.direction, plain(series.baseline),
        fiscal_name(series.baseline_year) if series.baseline_year else "",
        fiscal_name(year), str(year),
    )  # fmt: skip


def _serves(card: Card) -> Iterator[str]:
    """What a measure serves, a cell for each kind, and when what is done."""
    for kind in _SERVED:
        yield "、".join(name for of, name in card.serves if of == kind)
    yield schedules.written(card.schedule)


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def document(view: PlanView, fiscal: int, sheets: Iterable[Sheet]) -> bytes:
    """JSON: the plan, its measures, their indicators, each with its years."""
    said = {
        "plan": {
            "code": view.code, "name": view.name, "first_year": view.first_year,
            "last_year": view.last_year, "is_sample": view.is_sample,
        },
        "year": fiscal,
        "measures": [_measure(sheet) for sheet in sheets],
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False).encode()


def _measure(sheet: Sheet) -> dict[str, Any]:
    card, told = sheet.card, sheet.told
    return {
        "code": card.code, "name": card.name, "field": sheet.field, "summary": card.summary,
        "department": card.department, "partners": card.partners, "budget": card.budget,
        "schedule": [
            {"first_year": one.first_year, "last_year": one.last_year, "text": one.text}
            for one in card.schedule
        ],
        "serves": [{"kind": kind, "name": name} for kind, name in card.serves],
        "stage": sheet.stage, "attainment_percent": sheet.percent, "reached": sheet.reached,
        "measured": sheet.measured, "all": sheet.all,
        "is_sample": card.is_sample,
        "published": told is not None,
        "grade": told.grade if told else None,
        "ends": told.ends if told else None,
        "reasons": dict(told.reasons) if told else {},
        "actions": list(told.actions) if told else [],
        "indicators": [_indicator(one) for one in sheet.series],
    }  # fmt: skip


def _indicator(one: Series) -> dict[str, Any]:
    return {
        "code": one.code, "name": one.name, "kind": one.kind, "unit": one.unit,
        "direction": one.direction, "baseline": _exact(one.baseline),
        "baseline_year": one.baseline_year, "method": one.method,
        "years": [
            {
                "year": line.year,
                "at_least": _exact(line.aim.low) if line.aim else None,
                "at_most": _exact(line.aim.high) if line.aim else None,
                "figure": _exact(line.number),
                "why_none": why(line) or None,
                "attainment_percent": line.percent,
                "attainment_percent_by_first_target": line.by_first,
                "provisional": line.provisional,
            }
            for line in one.lines
        ],
        "parts": [
            {
                "split": part.split, "name": part.name, "figure": _exact(part.number),
                "why_none": why_part(part) or None,
            }
            for part in one.parts
        ],
    }  # fmt: skip


def plain(value: Decimal | None) -> str:
    """A figure for machines: no commas, no noughts that say nothing."""
    return presenters.number(value).replace(",", "")


def _exact(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)


def why(line: Line) -> str:
    """Why there is no figure, in Japanese; empty where there is one."""
    if line.number is not None or line.gap is None:
        return ""
    gap = presenters.GAPS[line.gap]
    return f"{gap}：{line.reason}" if line.reason else gap


def why_part(part: Part) -> str:
    """Why a part has no figure, in Japanese; empty where it has one."""
    if part.number is not None:
        return ""
    return words.WITHHELD if part.withheld else f"{words.NOT_MEASURED}：{part.reason}"
