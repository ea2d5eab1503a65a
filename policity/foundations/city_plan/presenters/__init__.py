"""A year's evaluation in words, for staff."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from policity.foundations.city_plan.formats.facts import stages
from policity.foundations.city_plan.models import Indicator
from policity.foundations.city_plan.queries.evaluating import (
    Evaluation,
    IndicatorView,
    MeasureView,
)
from policity.foundations.city_plan.rules.attaining import Aim, Gap, percent
from policity.foundations.city_plan.rules.stages import Move
from policity.foundations.city_plan.rules.trending import Chance, Course, chance
from policity.kit.declare import Metric, Reading
from policity.kit.eras import fiscal_name

GAPS = {
    Gap.NO_VALUE: "実績がまだ入っていません",
    Gap.NOT_MEASURED: "測っていない",
    Gap.NO_TARGET: "この年度の目標がありません",
}
COURSES = {
    Course.RISING: "上がっている",
    Course.FALLING: "下がっている",
    Course.UNCLEAR: "はっきりしない",
}
CHANCES = {
    Chance.LIKELY: "届きそう",
    Chance.OPEN: "どちらとも言えない",
    Chance.UNLIKELY: "届きそうにない",
}


def number(value: Decimal | None) -> str:
    """A figure without noughts that say nothing: 90.0000 is 90, with commas."""
    if value is None:
        return ""
    text = f"{value:,.4f}"
    return text.rstrip("0").rstrip(".")


def share(value: Fraction | None) -> str:
    """An attainment, rounded down."""
    return "―" if value is None else f"{percent(value)}%"


def aim(target: Aim, unit: str) -> str:
    """A target: "90%以上", "60秒以下", "18～28℃"."""
    if target.high is None:
        return f"{number(target.low)}{unit}以上"
    if target.low is None:
        return f"{number(target.high)}{unit}以下"
    return f"{number(target.low)}～{number(target.high)}{unit}"


def report(found: Evaluation) -> Iterator[str]:
    """The whole year, line by line."""
    mark = "（見本）" if found.is_sample else ""
    yield f"{found.name}{mark}　{fiscal_name(found.year)}の評価　区分: {found.scheme.name}"
    field = ""
    for one in found.measures:
        if one.field != field:
            field = one.field
            yield ""
            yield f"■ {field}"
        yield from _measure(one)
    if not found.measures:
        yield "この年度の施策は、まだありません"


def _measure(one: MeasureView) -> Iterator[str]:
    whole = one.whole
    grade = one.grade or "人が決めます"
    mark = "（見本）" if one.is_sample else ""
    locked = "　決定ずみ" if one.decided else ""
    yield (
        f"{one.code} {one.name}{mark}　{grade}　達成度 {share(whole.share)}"
        f"　{whole.all}つのうち{whole.reached}つに届いた　段階 {one.stage.name}{locked}"
    )
    for indicator in one.indicators:
        yield f"   {_indicator(indicator)}"
    if one.move:
        yield f"   → 次の段階の案: {stages()[one.move.to].name}（{_because(one.move)}）"


def _because(move: Move) -> str:
    criterion = move.because
    bound = criterion.at_least if criterion.at_least is not None else criterion.below
    words = "以上" if criterion.at_least is not None else "未満"
    return f"{Indicator.KINDS[criterion.kind]}の達成度が{criterion.years}年{share(bound)}{words}"


def _indicator(one: IndicatorView) -> str:
    now = one.now
    words = [f"{one.code} {one.name}（{Indicator.KINDS[one.kind]}）"]
    if now.figure is not None and now.figure.number is not None:
        words.append(f"{number(now.figure.number)}{one.unit}")
    if now.attained.gap:
        why = now.figure.reason if now.figure else ""
        words.append(GAPS[now.attained.gap] + (f"：{why}" if why else ""))
    if now.aim:
        words.append(f"目標 {aim(now.aim, one.unit)}")
    if now.attained.share is not None:
        words.append(f"達成度 {share(now.attained.share)} {now.grade or ''}".rstrip())
    if now.attained.by_first is not None:
        words.append(f"はじめの目標なら {share(now.attained.by_first)}")
    if now.attained.provisional:
        words.append("年度の途中")
    if now.corrected:
        words.append("決定のあとで訂正あり")
    if one.trend:
        words.append(f"傾向 {COURSES[one.trend.course]}")
        ahead = one.trend.forecasts[:1]
        if ahead and now.aim:
            words.append(f"このままなら、いまの目標に {CHANCES[chance(ahead[0], now.aim)]}")
    return "　".join(words)


def counted(metric: Metric, reading: Reading) -> Iterator[str]:
    """What the system counted, from how much, and what it left out."""
    figure = reading.reason if reading.number is None else f"{number(reading.number)}{metric.unit}"
    yield f"{metric.name}　{metric.title}　{figure}（{reading.rows:,}件から、第{metric.version}版）"
    yield f"   {metric.counts}"
    if reading.left_out:
        listed = "、".join(f"{why} {count:,}" for why, count in reading.left_out.items())
        yield f"   数えていないもの: {listed}"
