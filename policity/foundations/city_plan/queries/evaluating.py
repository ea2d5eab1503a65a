"""A plan's measures as they stand in a fiscal year: one reading of each table for all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from policity.foundations.city_plan.formats.facts import schemes, stages
from policity.foundations.city_plan.models import (
    Indicator,
    Measure,
    Plan,
    Serving,
    Sheet,
    Target,
    Value,
)
from policity.foundations.city_plan.queries.metrics import (
    metrics,
    snapshots,
    so_far,
    split_reading,
    split_snapshot,
)
from policity.foundations.city_plan.rules.attaining import (
    MONTHS,
    Aim,
    Attained,
    Direction,
    Figure,
    Gap,
    Reckoning,
    improved,
    stand,
    whole_year,
)
from policity.foundations.city_plan.rules.grading import Scheme, Whole, together
from policity.foundations.city_plan.rules.parting import Part
from policity.foundations.city_plan.rules.spans import whole_months
from policity.foundations.city_plan.rules.stages import Kind, Move, Stage, proposed
from policity.foundations.city_plan.rules.trending import TooFew, Trend, trend
from policity.kit.eras import fiscal_year


@dataclass(frozen=True, slots=True)
class YearView:
    """An indicator in one fiscal year. `evidence` says where its figure stands.

    `corrected`: another figure was written after the year's sheet was decided.
    """

    year: int
    figure: Figure | None
    aim: Aim | None
    attained: Attained
    grade: str | None
    evidence: str
    corrected: bool


@dataclass(frozen=True, slots=True)
class IndicatorView:
    """An indicator with all its years up to the one that is evaluated, that one last.

    `trend` is None where there are too few years; `no_trend` then says so. `parts` are those of the
    year that is evaluated, all of them: `rules.parting` says which are for everybody.
    """

    code: str
    name: str
    kind: Kind
    unit: str
    direction: Direction
    reckoning: Reckoning
    adds_up: bool
    baseline: Decimal | None
    baseline_year: int | None
    method: str
    metric: str
    years: tuple[YearView, ...]
    trend: Trend | None
    no_trend: str
    parts: tuple[Part, ...]

    @property
    def now(self) -> YearView:
        """The year that is evaluated."""
        return self.years[-1]


@dataclass(frozen=True, slots=True)
class MeasureView:
    """A measure in a fiscal year. `move` is the stage that its figures propose.

    `has_sheet`: `stage` is that of the year's sheet, not the one it is at now.
    """

    code: str
    name: str
    field: str
    department: str
    serves: tuple[tuple[str, str], ...]
    is_sample: bool
    stage: Stage
    whole: Whole
    grade: str | None
    move: Move | None
    decided: bool
    has_sheet: bool
    indicators: tuple[IndicatorView, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A plan in a fiscal year."""

    code: str
    name: str
    year: int
    is_sample: bool
    scheme: Scheme
    measures: tuple[MeasureView, ...]


class NoYear(LookupError):  # noqa: N818  # the thing missing
    """The plan has no such year. The message is one Japanese sentence."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A figure, where it stands, when it was written, and its parts where a metric has them."""

    figure: Figure
    evidence: str
    at: datetime | None
    parts: tuple[Part, ...] = ()


_Key = tuple[int, int]
"""An indicator and a fiscal year."""


def evaluate(
    plan: Plan, fiscal: int, *, now: datetime, only: str = "", among: Collection[str] | None = None
) -> Evaluation:
    """The plan's measures in a fiscal year, with the years before; or `only` the one of a code.

    Or those `among` some codes.

    Eight queries, however many there are, and those of each metric while its year runs. NoYear.
    """
    if not plan.first_year <= fiscal <= plan.last_year:
        raise NoYear(f"{plan.name}に、その年度はありません。")
    these = Measure.objects.filter(plan=plan, first_year__lte=fiscal, last_year__gte=fiscal)
    these = these.filter(code=only) if only else these
    these = these.filter(code__in=among) if among is not None else these
    rows = list(these.select_related("field", "department").order_by("field__number", "code"))
    indicators = defaultdict(list)
    for one in Indicator.objects.filter(measure__in=these).order_by("code"):
        indicators[one.measure_id].append(one)
    ours = [one for row in rows for one in indicators[row.pk]]
    sheets: dict[int, dict[int, Sheet]] = defaultdict(dict)
    for sheet in Sheet.objects.filter(measure__in=these, year__lte=fiscal):
        sheets[sheet.measure_id][sheet.year] = sheet
    aims, figures = _aims(these, fiscal), _figures(these, fiscal)
    parts = _parts(these, fiscal)
    for key, told in _counted(ours, plan, fiscal, now=now).items():
        figures[key] = [told]
        if key[1] == fiscal:
            parts[key[0]] = [(part, None) for part in told.parts]
    serves = _serves(these)
    scheme = schemes()[plan.scheme]
    views = []
    for row in rows:
        decided = {year: sheet.decided_at for year, sheet in sheets[row.pk].items()}
        found = tuple(
            _indicator(one, plan, fiscal, aims, figures, parts.get(one.pk, ()), decided, scheme)
            for one in indicators[row.pk]
        )
        own = sheets[row.pk].get(fiscal)
        views.append(_measure(row, own, found, serves.get(row.pk, ()), scheme))
    return Evaluation(plan.code, plan.name, fiscal, plan.is_sample, scheme, tuple(views))


def _aims(these: QuerySet[Measure], fiscal: int) -> dict[_Key, list[tuple[Aim, datetime]]]:
    found = defaultdict(list)
    rows = Target.objects.filter(indicator__measure__in=these, year__lte=fiscal).order_by("pk")
    for indicator, year_, low, high, at in rows.values_list(
        "indicator_id", "year", "low", "high", "at"
    ):
        found[indicator, year_].append((Aim(low, high), at))
    return found


def _figures(these: QuerySet[Measure], fiscal: int) -> dict[_Key, list[_Told]]:
    found = defaultdict(list)
    rows = Value.objects.filter(
        indicator__measure__in=these, year__lte=fiscal, split="", part=""
    ).order_by("pk")
    for indicator, year_, number, reason, months, evidence, at in rows.values_list(
        "indicator_id", "year", "number", "reason", "months", "evidence", "at"
    ):
        found[indicator, year_].append(_Told(Figure(number, reason, months), evidence, at))
    return found


def _parts(these: QuerySet[Measure], fiscal: int) -> dict[int, list[tuple[Part, datetime | None]]]:
    """What was brought of parts in the year, in its order, by indicator, each with when."""
    found = defaultdict(list)
    rows = Value.objects.filter(indicator__measure__in=these, year=fiscal).exclude(split="")
    for indicator, split, name, number, reason, at in rows.order_by("pk").values_list(
        "indicator_id", "split", "part", "number", "reason", "at"
    ):
        found[indicator].append((Part(split, name, number, reason), at))
    return found


def _counted(
    indicators: Iterable[Indicator], plan: Plan, fiscal: int, *, now: datetime
) -> dict[_Key, _Told]:
    """What the system counted: a year's snapshot, and of the year that runs what it is so far."""
    by_metric = defaultdict(list)
    for one in indicators:
        if one.metric:
            by_metric[one.metric].append(one.pk)
    if not by_metric:
        return {}
    found: dict[_Key, _Told] = {}
    for (name, year_), kept in snapshots(by_metric, until=date(fiscal, 12, 31)).items():
        for pk in by_metric[name]:
            if plan.first_year <= year_ <= fiscal:
                figure = Figure(kept.number, "" if kept.number is not None else kept.reason)
                source = _source(name, kept.version, kept.rows)
                found[pk, year_] = _Told(figure, source, None, split_snapshot(kept))
    today = timezone.localdate(now)
    if fiscal_year(today) == fiscal:
        # Before its first month is over, what there is stands for that month.
        months = max(whole_months(fiscal, today), 1)
        for name in sorted(by_metric.keys() & metrics().keys()):
            metric = metrics()[name]
            reading = so_far(metric, fiscal, now=now)
            # One month short: it is provisional until the year is over.
            figure = Figure(reading.number, reading.reason, min(months, MONTHS - 1))
            source = _source(name, metric.version, reading.rows)
            for pk in by_metric[name]:
                found[pk, fiscal] = _Told(figure, source, None, split_reading(reading))
    return found


def _source(name: str, version: int, rows: int) -> str:
    return f"自動で集計（{name} 第{version}版、{rows:,}件から）"


def _serves(these: QuerySet[Measure]) -> Mapping[int, tuple[tuple[str, str], ...]]:
    found = defaultdict(list)
    rows = Serving.objects.filter(measure__in=these).order_by("facet__kind", "facet__number")
    for measure, kind, name in rows.values_list("measure_id", "facet__kind", "facet__name"):
        found[measure].append((kind, name))
    return {measure: tuple(some) for measure, some in found.items()}


def _indicator(
    one: Indicator,
    plan: Plan,
    fiscal: int,
    aims: Mapping[_Key, list[tuple[Aim, datetime]]],
    figures: Mapping[_Key, list[_Told]],
    parts: Iterable[tuple[Part, datetime | None]],
    decided: Mapping[int, datetime | None],
    scheme: Scheme,
) -> IndicatorView:
    years = tuple(
        _year(one, year_, aims.get((one.pk, year_), ()), figures.get((one.pk, year_), ()),
              decided.get(year_), scheme)
        for year_ in range(plan.first_year, fiscal + 1)
    )  # fmt: skip
    # The last of each that was known when it was decided.
    until = decided.get(fiscal)
    last = {
        (part.split, part.name): part
        for part, at in parts
        if until is None or at is None or at <= until
    }
    line: Trend | None = None
    why = ""
    try:
        line = _trend(one, years, plan)
    except TooFew as error:
        why = str(error)
    return IndicatorView(
        code=one.code,
        name=one.name,
        kind=Kind(one.kind),
        unit=one.unit,
        direction=Direction(one.direction),
        reckoning=Reckoning(one.reckoning),
        adds_up=one.adds_up,
        baseline=one.baseline,
        baseline_year=one.baseline_year,
        method=one.method,
        metric=one.metric,
        years=years,
        trend=line,
        no_trend=why,
        parts=tuple(last.values()),
    )


def _year(
    one: Indicator,
    year_: int,
    aims: Iterable[tuple[Aim, datetime]],
    figures: Iterable[_Told],
    decided_at: datetime | None,
    scheme: Scheme,
) -> YearView:
    """What was decided upon is what was known then; what came later shows beside it."""
    told = list(figures)
    known = [t for t in told if decided_at is None or t.at is None or t.at <= decided_at]
    held = [aim for aim, at in aims if decided_at is None or at <= decided_at]
    last = known[-1] if known else None
    figure = last.figure if last else None
    attained = stand(
        figure,
        held,
        reckoning=Reckoning(one.reckoning),
        baseline=one.baseline,
        adds_up=one.adds_up,
    )
    return YearView(
        year=year_,
        figure=figure,
        aim=held[-1] if held else None,
        attained=attained,
        grade=scheme.grade(attained, _better(one, figure, held) if scheme.compares else None),
        evidence=last.evidence if last else "",
        corrected=len(known) < len(told),
    )


def _better(one: Indicator, figure: Figure | None, held: Sequence[Aim]) -> Fraction | None:
    if figure is None or figure.number is None or one.baseline is None or not held:
        return None
    value = whole_year(figure.number, figure.months, adds_up=one.adds_up)
    return improved(value, held[-1], one.baseline)


def _trend(one: Indicator, years: Iterable[YearView], plan: Plan) -> Trend:
    known = {
        view.year: float(view.figure.number)
        for view in years
        if view.figure and view.figure.number is not None and view.figure.months == MONTHS
    }
    bounds: dict[str, Any] = {"least": 0.0, "most": 100.0} if one.unit == "%" else {}
    return trend(known, until=plan.last_year, **bounds)


def _measure(
    row: Measure,
    sheet: Sheet | None,
    indicators: tuple[IndicatorView, ...],
    serves: tuple[tuple[str, str], ...],
    scheme: Scheme,
) -> MeasureView:
    stage = stages()[sheet.stage if sheet else row.stage]
    whole = together([(one.kind, one.now.attained) for one in indicators], stage.weights)
    return MeasureView(
        code=row.code,
        name=row.name,
        field=row.field.name,
        department=row.department.name if row.department else "",
        serves=serves,
        is_sample=row.is_sample,
        stage=stage,
        whole=whole,
        grade=scheme.grade_measure(whole.share),
        move=proposed(stage, _history(indicators, stage)),
        decided=bool(sheet and sheet.decided_at),
        has_sheet=sheet is not None,
        indicators=indicators,
    )


def _history(indicators: tuple[IndicatorView, ...], stage: Stage) -> list[dict[Kind, Any]]:
    """Each kind's attainment in as many years as the stage asks for.

    One indicator that was not measured leaves its kind unknown only with most of it (`together`).
    """
    back = max((one.years for one in (*stage.forward, *stage.backward)), default=0)
    years: list[dict[Kind, Any]] = []
    if not back:
        return years
    for views in zip(*(one.years[-back:] for one in indicators), strict=True):
        of = dict.fromkeys(Kind)
        for kind in Kind:
            mine = [
                (kind, view.attained)
                for one, view in zip(indicators, views, strict=True)
                if one.kind is kind
            ]
            only = {each: int(each is kind) for each in Kind}
            # What is only so far moves nothing.
            if mine and not any(attained.provisional for _, attained in mine):
                of[kind] = together(mine, only).share
        years.append(of)
    return years


def missed(view: MeasureView) -> dict[str, str]:
    """The indicators that fell short of their target, or were not measured, by code."""
    return {
        one.code: one.name
        for one in view.indicators
        if (one.now.attained.share is not None and one.now.attained.share < 1)
        or one.now.attained.gap is Gap.NO_VALUE
    }
