"""An indicator's years as a picture (SVG), and in one sentence for who does not see it."""

from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from policity.foundations.city_plan import presenters
from policity.foundations.city_plan.formats.printing import style
from policity.foundations.city_plan.presenters import words
from policity.foundations.city_plan.presenters.figures import Line, Series
from policity.foundations.city_plan.presenters.reaching import Reached
from policity.foundations.city_plan.rules.attaining import Gap
from policity.foundations.city_plan.rules.charting import (
    BASE,
    HEIGHT,
    WIDTH,
    Ahead,
    Chart,
    Mark,
    chart,
)
from policity.kit import ruby


def draw(series: Series, name: str, *, paper: bool = False) -> SafeString:
    """The picture. `name` is its own on the page; on `paper` it stands alone, with its style."""
    marks = [_mark(line) for line in series.lines]
    ahead = [
        Ahead(one.year, one.middle, one.low, one.high)
        for one in (series.trend.forecasts if series.trend else ())
    ]
    # As much as a picture can tell; the table beside it is exact.
    labels = [
        presenters.number(round(line.number, 1)) for line in series.lines if line.number is not None
    ]
    drawn = chart(marks, ahead, longest=max(map(len, labels), default=1))
    said = "; ".join(map(_said, series.lines))
    return _rendered(drawn, labels, name=name, title=series.name, desc=said, paper=paper)


def reached(years: Sequence[Reached], name: str, title: str, *, span: range) -> SafeString:
    """How many of a field's targets were reached, in percent; `span` has all years of the picture.

    Fields stand beside each other: their years and their whole are in the same place.
    """
    known = {one.year: one for one in years}
    marks = [
        Mark(year, 100 * one.reached / one.all, provisional=one.provisional)
        if (one := known.get(year))
        else Mark(year, None)
        for year in span
    ]
    labels = [f"{one.reached}/{one.all}" for one in years]
    said = "; ".join(
        f"{_spoken(words.year(one.year))} {label}" for one, label in zip(years, labels, strict=True)
    )
    drawn = chart(marks, longest=max(map(len, labels)), most=100)
    return _rendered(drawn, labels, name=name, title=title, desc=said)


def _rendered(
    drawn: Chart, labels: Sequence[str], *, name: str, title: str, desc: str, paper: bool = False
) -> SafeString:
    context: dict[str, Any] = {
        "chart": drawn,
        "dots": list(zip(drawn.dots, labels, strict=True)),
        "years": list(
            zip(drawn.years, words.axis(tuple(year for year, _ in drawn.years)), strict=True)
        ),
        "width": WIDTH,
        "height": HEIGHT,
        "base": BASE,
        "name": name,
        "title": title,
        "desc": desc,
        "style": mark_safe(f"<style>{style()}</style>") if paper else "",  # noqa: S308  # ours
    }
    return render_to_string("city_plan/chart.html", context)


def _mark(line: Line) -> Mark:
    low, high = (line.aim.low, line.aim.high) if line.aim else (None, None)
    return Mark(
        year=line.year,
        value=None if line.number is None else float(line.number),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        reached=line.reached,
        provisional=line.provisional,
        unmeasured=line.gap is Gap.NOT_MEASURED,
    )


def _said(line: Line) -> str:
    parts = [_spoken(words.year(line.year))]
    if line.number is not None:
        parts.append(presenters.number(line.number))
    else:
        parts.append(_spoken(gettext(words.GAPS.get(line.gap or Gap.NO_VALUE, words.NOT_MEASURED))))
    if line.aim:
        limits = [one for one in (line.aim.low, line.aim.high) if one is not None]
        parts.append(f"({_spoken(gettext('目標'))} {'–'.join(map(presenters.number, limits))})")
    return " ".join(parts)


def _spoken(text: str) -> str:
    """What is only heard has no readings beside it: words that have one are told by it."""
    return "".join(reading or base for base, reading in ruby.parts(text))
