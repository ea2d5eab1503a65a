"""A plan as the public pages show it, in one language. Call it with that language active."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext_noop

from policity.design.templatetags.policity import said
from policity.foundations.city_plan.formats.facts import schemes, stages
from policity.foundations.city_plan.models import Facet, Indicator, Plan
from policity.foundations.city_plan.presenters import charts, words
from policity.foundations.city_plan.presenters.figures import Line, Series, Sheet, State
from policity.foundations.city_plan.presenters.matrix import matrices
from policity.foundations.city_plan.presenters.reaching import reaching
from policity.foundations.city_plan.queries.showing import (
    MOST_NEW,
    PlanView,
    Told,
    Years,
    evaluated_years,
    years,
)
from policity.foundations.city_plan.rules.addresses import part
from policity.foundations.city_plan.rules.attaining import Gap
from policity.foundations.city_plan.rules.cycle import Done
from policity.foundations.city_plan.rules.stages import Kind
from policity.foundations.city_plan.rules.trending import Chance, Course, chance

STATES = {
    State.REACHED: gettext_noop("目標のすべてに届いた"),
    State.PARTLY: gettext_noop("目標の一部に届いた"),
    State.MISSED: gettext_noop("目標に届かなかった"),
    State.UNKNOWN: words.NOT_MEASURED,
}
COURSES = {
    Course.RISING: gettext_noop("数字は、上がってきています。"),
    Course.FALLING: gettext_noop("数字は、下がってきています。"),
    Course.UNCLEAR: gettext_noop("上がっているか下がっているか、まだはっきりしません。"),
}
CHANCES = {
    Chance.LIKELY: gettext_noop("このままなら、いまの目標に届きそうです。"),
    Chance.OPEN: gettext_noop("このままなら、いまの目標に届くかどうか、どちらとも言えません。"),
    Chance.UNLIKELY: gettext_noop("このままなら、いまの目標に届きそうにありません。"),
}
DONE = {
    Done.DONE: gettext_noop("しました"),
    Done.NOT_DONE: gettext_noop("まだしていません"),
    Done.DROPPED: gettext_noop("やめました"),
}
FACETS = {
    Facet.Kind.VIEWPOINT: gettext_noop("視点"),
    Facet.Kind.CHALLENGE: gettext_noop("課題"),
    Facet.Kind.GOAL: gettext_noop("上の計画の目標"),
}


def plan_page(code: str) -> str:
    """Where a plan stands, without the language."""
    return f"plan/{part(code)}/"


def field_page(code: str, number: int) -> str:
    """Where one of its fields does."""
    return f"{plan_page(code)}fields/{number}/"


def measure_page(code: str, measure: str) -> str:
    """Where one of its measures does."""
    return f"{plan_page(code)}measures/{part(measure)}/"


def report_page(code: str, fiscal: int) -> str:
    """Where its report of a fiscal year does; in Japanese alone."""
    return f"{plan_page(code)}report/{fiscal}/"


def data(code: str, fiscal: int, ending: str) -> str:
    """Its figures of a fiscal year for machines."""
    return f"{plan_page(code)}{fiscal}.{ending}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many measures stand how, in an order that is always the same."""

    state: State
    name: SafeString
    count: int


def tallies(sheets: Sequence[Sheet]) -> list[Tally]:
    """How many of some measures reached their targets, and so on."""
    found = Counter(one.state for one in sheets)
    return [Tally(state, words.told(name), found[state]) for state, name in STATES.items()]


def other(plan: Plan) -> dict[str, Any]:
    """A plan in a list."""
    return {
        "name": plan.name,
        "page": plan_page(plan.code),
        "period": words.period(plan.first_year, plan.last_year),
        "is_sample": plan.is_sample,
    }


def dashboard(view: PlanView, sheets: Sequence[Sheet], *, now: datetime) -> dict[str, Any]:
    """A plan as a whole in the last year that is over."""
    over = years(view.first_year, view.last_year, now=now).over
    begun = evaluated_years(view, now=now)
    return {
        "plan": view,
        "period": words.period(view.first_year, view.last_year),
        "year": words.year(over),
        "totals": tallies(sheets) if sheets else [],
        "over_years": _over_years(view, sheets),
        "fields": [
            {
                "number": field.number,
                "name": field.name,
                "page": field_page(view.code, field.number),
                "tallies": [one for one in tallies(own) if one.count],
                "count": len(own),
            }
            for field in view.fields()
            for own in [[one for one in sheets if one.card.field == field.number]]
        ],
        "matrices": served(view),
        "new": _new(view),
        "years": [
            {
                "name": words.year(fiscal),
                "report": f"/{report_page(view.code, fiscal)}",
                "csv": f"/{data(view.code, fiscal, 'csv')}",
                "json": f"/{data(view.code, fiscal, 'json')}",
            }
            for fiscal in sorted(begun, reverse=True)
        ],
        "scheme": schemes()[view.scheme],
    }


def _over_years(view: PlanView, sheets: Sequence[Sheet]) -> list[dict[str, Any]]:
    """How many targets each field reached, year by year; a field without one is left out."""
    fields = [
        (own, reaching(one for one in sheets if one.card.field == own.number))
        for own in view.fields()
    ]
    told = [one.year for _, years in fields for one in years]
    span = range(min(told), max(told) + 1) if told else range(0)
    return [
        {
            "name": own.name,
            "page": field_page(view.code, own.number),
            "chart": charts.reached(years, f"c{own.number}", own.name, span=span),
            "years": [(words.year(one.year), one) for one in years],
        }
        for own, years in fields
        if years
    ]


def served(view: PlanView) -> list[dict[str, Any]]:
    """How many of each field's measures serve what, a table for each kind."""
    return [
        {
            "kind": one.kind,
            "name": words.told(FACETS[one.kind]),
            "of": one.names,
            "rows": [
                {
                    "page": field_page(view.code, row.field.number),
                    "name": row.field.name,
                    "counts": row.counts,
                }
                for row in one.rows
            ],
        }
        for one in matrices(view)
    ]


def _new(view: PlanView) -> list[dict[str, Any]]:
    """What was published last."""
    told = [
        (one.published_at, view.measures[code], one)
        for code, by_year in view.told.items()
        for one in by_year.values()
    ]
    told.sort(key=lambda each: (each[0], each[1].code), reverse=True)
    return [
        {
            "at": at,
            "name": card.name,
            "page": measure_page(view.code, card.code),
            "year": words.year(one.year),
        }
        for at, card, one in told[:MOST_NEW]
    ]


def field(view: PlanView, number: int, sheets: Sequence[Sheet], told: Years) -> dict[str, Any]:
    """One field with its measures."""
    own = next(one for one in view.fields() if one.number == number)
    return {
        "plan": view,
        "plan_page": plan_page(view.code),
        "field": own,
        "year": words.year(told.over),
        "tallies": [one for one in tallies(sheets) if one.count],
        "rows": [
            {
                "sheet": one,
                "page": measure_page(view.code, one.card.code),
                "state": words.told(STATES[one.state]),
            }
            for one in sheets
        ],
        "multiples": [_multiple(view, one, f"c{n}") for n, one in enumerate(sheets) if one.series],
    }


def _multiple(view: PlanView, sheet: Sheet, name: str) -> dict[str, Any]:
    """A measure by the indicator that says most of it: what came of it, where that is measured."""
    outcome = Indicator.KINDS[Kind.OUTCOME]
    lead = next((one for one in sheet.series if one.kind == outcome), sheet.series[0])
    now = lead.now
    return {
        "page": measure_page(view.code, sheet.card.code),
        "measure": sheet.card.name,
        "name": lead.name,
        "figure": words.result(now, lead.unit),
        "is_measured": now.number is not None,
        "aim": words.aim(now.aim, lead.unit) if now.aim else "",
        "year": words.year(now.year),
        "chart": charts.draw(lead, name),
        "rows": [_row(line, lead.unit) for line in lead.lines],
    }


def measure(
    view: PlanView, over: Sheet, begun: Sheet, *, told: Mapping[int, Told], span: Years
) -> dict[str, Any]:
    """One measure: `over` is the year that is told of, `begun` has all years that began."""
    last = max(told.values(), key=lambda one: one.year, default=None)
    card = over.card
    scheme = schemes()[view.scheme]
    names = {one.code: one.name for one in over.series}
    return {
        "plan": view,
        "plan_page": plan_page(view.code),
        "field": {"name": over.field, "page": field_page(view.code, card.field)},
        "card": card,
        "cost": words.figure(card.budget, "円") if card.budget is not None else "",
        "period": words.period(card.first_year, card.last_year),
        "schedule": [
            {
                "years": words.span(one.first_year, one.last_year),
                "text": one.text,
                "now": one.first_year <= span.begun <= one.last_year,
            }
            for one in card.schedule
        ],
        "year": words.year(span.over),
        "over": over,
        "state": words.told(STATES[over.state]),
        "is_provisional": span.over not in told,
        "stages": [(one.name, one.name == over.stage) for one in stages().values()],
        "stage": next(one for one in stages().values() if one.name == over.stage),
        "series": [
            indicator(one, now, f"c{number}")
            for number, (one, now) in enumerate(zip(begun.series, over.series, strict=True), 1)
        ],
        "told": last,
        "ends": words.year(last.year) if last and last.ends else "",
        "told_year": words.year(last.year) if last else "",
        "grade_name": scheme.name_of(last.grade) if last else "",
        "direction": scheme.directions.get(last.direction, "") if last else "",
        "reasons": [
            (names[code], text) for code, text in last.reasons.items() if code in names
        ] if last else [],
        "follow_ups": [
            (action, words.told(DONE[Done(done)]), why) for action, done, why in last.follow_ups
        ] if last else [],
        "facets": [
            (words.told(name), [of for kind, of in card.serves if kind == facet])
            for facet, name in FACETS.items()
            if any(kind == facet for kind, _ in card.serves)
        ],
    }  # fmt: skip


def indicator(begun: Series, over: Series, name: str) -> dict[str, Any]:
    """An indicator: how it stood in the year that is told of, and all its years."""
    now = over.now
    return {
        "name": begun.name,
        "kind": begun.kind,
        "unit": begun.unit,
        "method": begun.method,
        "counted": begun.counted,
        "now": now,
        "year": words.year(now.year),
        "figure": words.result(now, begun.unit),
        "aim": words.aim(now.aim, begun.unit) if now.aim else "",
        "is_measured": now.number is not None,
        "nobody": now.gap is Gap.NOT_MEASURED,
        "chart": charts.draw(begun, name),
        "rows": [_row(line, begun.unit) for line in begun.lines],
        "outlook": _outlook(begun),
        "splits": splits(over),
    }


def splits(series: Series) -> list[dict[str, Any]]:
    """The figures of an indicator's parts, a way of telling them apart at a time."""
    return [
        {
            "name": words.split(name),
            "rows": [(one, words.part(one, series.unit)) for one in some],
        }
        for name, some in groupby(series.parts, key=lambda one: one.split)
    ]


def _row(line: Line, unit: str) -> dict[str, Any]:
    return {
        "line": line,
        "year": words.year(line.year),
        "figure": words.result(line, unit),
        "aim": words.aim(line.aim, unit) if line.aim else "",
    }


def _outlook(series: Series) -> list[SafeString]:
    """Where it has been going, and where it may be; why nothing is said where nothing is."""
    if series.trend is None:
        return [words.told(TOO_FEW)]
    found = [words.told(COURSES[series.trend.course])]
    target = next((line.aim for line in reversed(series.lines) if line.aim), None)
    for ahead in series.trend.forecasts[:1]:
        found.append(
            words.told(
                LIKELY_FROM,
                year=said(words.year(ahead.year)),
                low=words.figure(_round(ahead.low), ""),
                high=words.figure(_round(ahead.high), series.unit),
            )
        )
        if target:
            found.append(words.told(CHANCES[chance(ahead, target)]))
    return found


def _round(value: float) -> float:
    """An estimate, to as many places as it may be taken for."""
    return round(value) if abs(value) >= 10 else round(value, 1)


TOO_FEW = gettext_noop("見通しは、4年分の実績がそろってから出します。")
LIKELY_FROM = gettext_noop("%(year)sは、10回のうち8回は%(low)sから%(high)sのあいだになりそうです。")
