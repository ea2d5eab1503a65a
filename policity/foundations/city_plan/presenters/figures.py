"""A plan's figures for everybody, once: pages, report, PDF, CSV and JSON all tell these.

A year whose sheet was not published, or which is not over, is provisional (速報).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from policity.foundations.city_plan.models import Indicator
from policity.foundations.city_plan.queries.evaluating import (
    Evaluation,
    IndicatorView,
    MeasureView,
    YearView,
)
from policity.foundations.city_plan.queries.showing import Card, PlanView, Told
from policity.foundations.city_plan.rules.attaining import Aim, Gap, percent
from policity.foundations.city_plan.rules.grading import Whole
from policity.foundations.city_plan.rules.parting import Part, for_everybody
from policity.foundations.city_plan.rules.trending import Trend


@dataclass(frozen=True, slots=True)
class Line:
    """An indicator in a fiscal year. `number` is None where `gap` says why, `reason` in words.

    `percent` is the attainment, rounded down; `by_first` by the target that was set first.
    `corrected`: another figure came after the decision.
    """

    year: int
    number: Decimal | None
    gap: Gap | None
    reason: str
    aim: Aim | None
    percent: int | None
    by_first: int | None
    reached: bool | None
    provisional: bool
    corrected: bool


@dataclass(frozen=True, slots=True)
class Series:
    """An indicator with its years, the last one is told of. `counted` says how a metric counts.

    `parts` are those of the last year, without what is told of few.
    """

    code: str
    name: str
    kind: str
    unit: str
    direction: str
    baseline: Decimal | None
    baseline_year: int | None
    method: str
    counted: str
    lines: tuple[Line, ...]
    trend: Trend | None
    no_trend: str
    parts: tuple[Part, ...]

    @property
    def now(self) -> Line:
        """The year that is told of."""
        return self.lines[-1]


class State(StrEnum):
    """How a measure stands to its targets. UNKNOWN: too little was measured."""

    REACHED = "reached"
    PARTLY = "partly"
    MISSED = "missed"
    UNKNOWN = "unknown"


def state(whole: Whole) -> State:
    """How a measure stands: it reached all targets that were measured, some, or none."""
    if whole.share is None:
        return State.UNKNOWN
    if whole.reached == whole.measured:
        return State.REACHED
    return State.PARTLY if whole.reached else State.MISSED


@dataclass(frozen=True, slots=True)
class Sheet:
    """A measure in a fiscal year. `percent` is its attainment; None: too little was measured.

    `told` is what was published of the year, or None.
    """

    card: Card
    field: str
    stage: str
    state: State
    percent: int | None
    reached: int
    measured: int
    all: int
    told: Told | None
    series: tuple[Series, ...]


def sheet(view: MeasureView, card: Card, told: Mapping[int, Told], fiscal: int) -> Sheet:
    """A measure's sheet for everybody. `told` is what was published of it by year."""
    return Sheet(
        card=card,
        field=view.field,
        stage=card.stage if not view.has_sheet else view.stage.name,
        state=state(view.whole),
        percent=None if view.whole.share is None else percent(view.whole.share),
        reached=view.whole.reached,
        measured=view.whole.measured,
        all=view.whole.all,
        told=told.get(fiscal),
        series=tuple(_series(one, told) for one in view.indicators),
    )


def sheets(found: Evaluation, view: PlanView) -> Iterator[Sheet]:
    """Every measure of a year, in the plan's order."""
    for one in found.measures:
        yield sheet(one, view.measures[one.code], view.told.get(one.code, {}), found.year)


def _series(one: IndicatorView, told: Mapping[int, Told]) -> Series:
    return Series(
        code=one.code,
        name=one.name,
        kind=Indicator.KINDS[one.kind],
        unit=one.unit,
        direction=Indicator.DIRECTIONS[one.direction],
        baseline=one.baseline,
        baseline_year=one.baseline_year,
        method=one.method,
        # Where a figure by hand stands is the office's own matter.
        counted=one.now.evidence if one.metric else "",
        lines=tuple(_line(year, told) for year in one.years),
        trend=one.trend,
        no_trend=one.no_trend,
        parts=for_everybody(one.parts),
    )


def _line(year: YearView, told: Mapping[int, Told]) -> Line:
    attained, figure = year.attained, year.figure
    return Line(
        year=year.year,
        number=figure.number if figure else None,
        gap=attained.gap,
        reason=figure.reason if figure else "",
        aim=year.aim,
        percent=None if attained.share is None else percent(attained.share),
        by_first=None if attained.by_first is None else percent(attained.by_first),
        reached=None if attained.share is None else attained.share >= 1,
        provisional=bool(figure and figure.number is not None)
        and (attained.provisional or year.year not in told),
        corrected=year.corrected,
    )
