"""A year's report for reading and for print, in Japanese: HTML and PDF tell the same things."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils import translation
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from policity.foundations.city_plan.formats import schedules
from policity.foundations.city_plan.formats.facts import schemes
from policity.foundations.city_plan.presenters import charts, pages, tables, words
from policity.foundations.city_plan.presenters.figures import Line, Series, Sheet
from policity.foundations.city_plan.queries.showing import PlanView
from policity.foundations.city_plan.rules.parting import Part

HEAD = ("年度", "目標", "実績", "達成度")


def report(view: PlanView, fiscal: int, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """The whole report, for the page."""
    with translation.override("ja"):
        return {
            "plan": view,
            "period": words.period(view.first_year, view.last_year),
            "year": words.year(fiscal),
            "is_provisional": any(one.told is None for one in sheets),
            "totals": pages.tallies(sheets),
            "fields": _fields(view, sheets),
            "matrices": pages.served(view),
            "scheme": schemes()[view.scheme],
            "head": HEAD,
            "csv": f"/{pages.data(view.code, fiscal, 'csv')}",
            "json": f"/{pages.data(view.code, fiscal, 'json')}",
            "plan_page": f"/{pages.plan_page(view.code)}",
        }


def _fields(view: PlanView, sheets: Sequence[Sheet]) -> list[dict[str, Any]]:
    found = []
    for field in view.fields():
        own = [one for one in sheets if one.card.field == field.number]
        if own:
            found.append(
                {
                    "name": field.name,
                    "number": field.number,
                    "tallies": pages.tallies(own),
                    "sheets": [_sheet(one, view, f"f{field.number}m{n}")
                               for n, one in enumerate(own, 1)],
                }
            )  # fmt: skip
    return found


def _sheet(sheet: Sheet, view: PlanView, name: str) -> dict[str, Any]:
    told, scheme = sheet.told, schemes()[view.scheme]
    names = {one.code: one.name for one in sheet.series}
    card = sheet.card
    return {
        "id": name,
        "sheet": sheet,
        "state": words.told(pages.STATES[sheet.state]),
        "facts": [
            (label, text)
            for label, text in (
                ("担当", card.department),
                ("いっしょにする人", card.partners),
                ("予算（計画の全体で）", f"{card.budget:,}円" if card.budget is not None else ""),
                ("工程", schedules.written(card.schedule)),
                ("活用状況の段階", sheet.stage),
                ("終わり", f"{words.year(told.year)}で終わります" if told and told.ends else ""),
                *(
                    (kind.label, "、".join(of for facet, of in card.serves if facet == kind))
                    for kind in pages.FACETS
                ),
            )
            if text
        ],
        "grade": f"{told.grade} {scheme.name_of(told.grade)}" if told and told.grade else "",
        "direction": scheme.directions.get(told.direction, "") if told else "",
        "reasons": [
            (names[code], text) for code, text in told.reasons.items() if code in names
        ] if told else [],
        "said": [
            (label, text)
            for label, text in (
                ("市の決定", told.text),
                ("委員会の意見", told.review),
                ("市民の意見と、市の考え", told.heard),
            )
            if text
        ] if told else [],
        "actions": told.actions if told else (),
        "series": [
            {"name": one.name, "kind": one.kind, "chart": _Drawn(one, f"{name}s{n}"),
             "rows": [_row(line, one.unit) for line in one.lines], "splits": _splits(one)}
            for n, one in enumerate(sheet.series, 1)
        ],
    }  # fmt: skip


class _Drawn:
    """A chart that is drawn when it is asked for: a page and a PDF want it differently."""

    def __init__(self, series: Series, name: str) -> None:
        self._series, self._name = series, name

    def __str__(self) -> SafeString:
        return charts.draw(self._series, self._name)

    __html__ = __str__

    def for_paper(self) -> str:
        """With its style, standing alone."""
        return charts.draw(self._series, self._name, paper=True)


def _row(line: Line, unit: str) -> tuple[str, str, str, str]:
    """A year's cells: year, target, figure or why there is none, attainment."""
    figure = strip_tags(words.result(line, unit))
    if line.provisional and line.number is not None:
        figure = f"{figure}（{tables.PROVISIONAL}）"
    if line.number is None and line.reason:
        figure = f"{figure}：{line.reason}"
    if line.corrected:
        figure = f"{figure}（決定のあとで訂正あり）"
    return (
        words.year(line.year),
        strip_tags(words.aim(line.aim, unit)) if line.aim else "",
        figure,
        "" if line.percent is None else f"{line.percent}%",
    )


def _splits(series: Series) -> list[tuple[str, list[tuple[str, str]]]]:
    """The parts of the report's year: how they are told apart, and each with its figure."""
    return [
        (strip_tags(split["name"]),
         [(one.name, _part(one, figure)) for one, figure in split["rows"]])
        for split in pages.splits(series)
    ]  # fmt: skip


def _part(one: Part, figure: SafeString) -> str:
    text = strip_tags(figure)
    return f"{text}：{one.reason}" if one.reason else text


def paper(city: str, view: PlanView, fiscal: int, sheets: Sequence[Sheet]) -> Iterator[Any]:
    """The same for the press: each measure in its turn (None), and then the whole, as data."""
    told = report(view, fiscal, sheets)
    with translation.override("ja"):
        fields = []
        for field in told["fields"]:
            measures = []
            for one in field["sheets"]:
                measures.append(_pressed(one))
                yield None
            fields.append(
                {"name": field["name"], "tallies": _counts(field["tallies"]), "sheets": measures}
            )
        yield {
            "city": city,
            "plan": view.name,
            "subtitle": view.subtitle,
            "parent": view.parent,
            "period": told["period"],
            "year": told["year"],
            "vision": view.vision,
            "sample": view.is_sample,
            "samples": view.has_samples and not view.is_sample,
            "provisional": told["is_provisional"],
            "states": [strip_tags(one.name) for one in told["totals"]],
            "totals": _counts(told["totals"]),
            "head": list(HEAD),
            "fields": fields,
            "matrices": [
                {"name": strip_tags(one["name"]), "of": list(one["of"]),
                 "rows": [[row["name"], *map(str, row["counts"])] for row in one["rows"]]}
                for one in told["matrices"]
            ],
            "grades": [
                [one.code, one.name] for one in (*told["scheme"].grades, *told["scheme"].marks)
            ],
            "source": view.source,
        }  # fmt: skip


def _counts(tallies: Iterable[pages.Tally]) -> list[str]:
    return [str(one.count) for one in tallies]


def _pressed(one: dict[str, Any]) -> dict[str, Any]:
    sheet: Sheet = one["sheet"]
    return {
        "name": sheet.card.name,
        "code": sheet.card.code,
        "summary": sheet.card.summary,
        "state": strip_tags(one["state"]),
        "percent": "―" if sheet.percent is None else f"{sheet.percent}%",
        "reached": f"目標{sheet.all}個のうち、{sheet.reached}個に届きました",
        "grade": one["grade"],
        "direction": one["direction"],
        "facts": [list(pair) for pair in one["facts"]],
        "reasons": [list(pair) for pair in one["reasons"]],
        "said": [list(pair) for pair in one["said"]],
        "actions": list(one["actions"]),
        "series": [
            {"name": of["name"], "kind": of["kind"], "chart": of["chart"].for_paper(),
             "rows": [list(row) for row in of["rows"]],
             "splits": [[name, [list(row) for row in rows]] for name, rows in of["splits"]]}
            for of in one["series"]
        ],
    }  # fmt: skip
