"""An indicator's figures and targets by hand, what a table brings, and what the system counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.utils import timezone

from policity.foundations.city_plan import presenters as words
from policity.foundations.city_plan.models import Indicator, Snapshot, Target, Value
from policity.foundations.city_plan.presenters.words import SPLITS
from policity.foundations.city_plan.queries import metrics as counted
from policity.foundations.city_plan.rules.attaining import MONTHS, Aim
from policity.foundations.city_plan.rules.parting import Part
from policity.foundations.city_plan.rules.spans import Length
from policity.foundations.city_plan.services import Taken
from policity.kit.declare import Metric
from policity.kit.eras import fiscal_name, fiscal_year

MOST_SNAPSHOTS = 60
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure or a target that was brought, with why and by whom; the newest counts."""

    what: str
    more: str
    by: str
    at: datetime


def figures(indicator: Indicator, fiscal: int) -> list[Entry]:
    """Every figure of a year, the newest first. One query."""
    rows = Value.objects.filter(indicator=indicator, year=fiscal, split="", part="")
    return [_figure(row, indicator.unit) for row in rows.select_related("by").order_by("-pk")]


def _figure(row: Value, unit: str) -> Entry:
    what = "測っていない" if row.number is None else f"{words.number(row.number)}{unit}"
    if row.months < MONTHS:
        what += f"（{row.months}か月分）"
    more = row.reason or row.evidence
    return Entry(what, more, _by(row), timezone.localtime(row.at))


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of a year, told apart in one way: each name with its figure and its rows."""

    name: str
    rows: tuple[tuple[str, str, str], ...]


def splits(indicator: Indicator, fiscal: int) -> list[Split]:
    """The newest figure of each part of a year, by who brings it. One query."""
    rows = Value.objects.filter(indicator=indicator, year=fiscal).exclude(split="")
    last = {(row.split, row.part): row for row in rows.order_by("pk")}
    parts = [Part(row.split, row.part, row.number, row.reason) for row in last.values()]
    return _splits(parts, indicator.unit)


def _splits(parts: Iterable[Part], unit: str) -> list[Split]:
    ordered = sorted(parts, key=lambda one: (one.split, one.name))
    return [
        Split(SPLITS.get(name, name), tuple(_part(one, unit) for one in some))
        for name, some in groupby(ordered, key=lambda one: one.split)
    ]


def _part(one: Part, unit: str) -> tuple[str, str, str]:
    if one.number is None:
        return one.name, f"測っていない：{one.reason}", ""
    rows = "" if one.rows is None else f"{one.rows:,}件"
    return one.name, f"{words.number(one.number)}{unit}", rows


def targets(indicator: Indicator, fiscal: int) -> list[Entry]:
    """Every target of a year, the newest first. One query."""
    rows = Target.objects.filter(indicator=indicator, year=fiscal).select_related("by")
    return [
        Entry(
            words.aim(Aim(row.low, row.high), indicator.unit),
            row.reason,
            _by(row),
            timezone.localtime(row.at),
        )
        for row in rows.order_by("-pk")
    ]


def _by(row: Value | Target) -> str:
    return str(row.by) if row.by else "（取り込み）"


@dataclass(frozen=True, slots=True)
class Change:
    """Measures that a table brings or changes."""

    word: str
    names: tuple[str, ...]
    more: int


def changes(taken: Taken) -> list[Change]:
    """What a table changes, a group at a time; of many only the first are named."""
    groups: Iterable[tuple[str, Sequence[str]]] = (
        ("新しい施策", taken.new),
        ("変わる施策", taken.changed),
    )
    return [
        Change(word, tuple(codes[:MOST_NAMED]), max(len(codes) - MOST_NAMED, 0))
        for word, codes in groups
        if codes
    ]


def has_any(taken: Taken) -> bool:
    """Whether a table changes anything."""
    return bool(taken.new or taken.changed or taken.targets or taken.values)


# ---- What the system counts ----


@dataclass(frozen=True, slots=True)
class Span:
    """What was counted of a month or a fiscal year."""

    name: str
    figure: str
    rows: int
    left_out: tuple[tuple[str, int], ...]
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """A metric: what it counts in words, what it comes to this fiscal year, and what was kept."""

    metric: Metric
    year: str
    now: Span
    splits: list[Split]
    asked: tuple[str, ...]
    months: tuple[Span, ...]
    years: tuple[Span, ...]
    used: tuple[str, ...]


def metric(name: str, *, now: datetime) -> Counted | None:
    """One metric as staff look into it; None: there is none of this name."""
    one = counted.metrics().get(name)
    if one is None:
        return None
    fiscal = fiscal_year(timezone.localdate(now))
    reading, asked = counted.looked_into(one, fiscal, now=now)
    figure = reading.reason if reading.number is None else words.number(reading.number) + one.unit
    rows = Snapshot.objects.filter(metric=name).order_by("-begins", "-version")[:MOST_SNAPSHOTS]
    kept = [(Length(row.length), _span(row, one.unit)) for row in rows]
    used = Indicator.objects.filter(metric=name).order_by("measure__plan", "measure__code", "code")
    return Counted(
        metric=one,
        year=fiscal_name(fiscal),
        now=Span("", figure, reading.rows, _left_out(reading.left_out), one.version, now),
        splits=_splits(counted.split_reading(reading), one.unit),
        asked=asked,
        months=tuple(span for length, span in kept if length is Length.MONTH),
        years=tuple(span for length, span in kept if length is Length.YEAR),
        used=tuple(
            f"{plan}　{code} {name_}"
            for plan, code, name_ in used.values_list(
                "measure__plan__name", "measure__code", "name"
            )
        ),
    )


def _span(row: Snapshot, unit: str) -> Span:
    is_year = row.length == Length.YEAR
    return Span(
        name=fiscal_name(row.begins.year) if is_year else _month(row.begins),
        figure=row.reason if row.number is None else f"{words.number(row.number)}{unit}",
        rows=row.rows,
        left_out=_left_out(row.left_out),
        version=row.version,
        at=timezone.localtime(row.made_at),
    )


def _left_out(found: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((why, count) for why, count in found.items() if count)


def _month(day: date) -> str:
    return f"{day.year}年{day.month}月"
