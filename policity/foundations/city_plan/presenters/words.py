"""Years, figures and targets as the public pages say them. Call it with the language active."""

from decimal import Decimal

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_noop

from policity.design.templatetags.policity import said, typed
from policity.foundations.city_plan import presenters
from policity.foundations.city_plan.presenters.figures import Line
from policity.foundations.city_plan.rules.attaining import Aim, Gap
from policity.foundations.city_plan.rules.parting import Part
from policity.kit.eras import fiscal_name

_EASY_ERAS = {
    "明治": "めいじ",
    "大正": "たいしょう",
    "昭和": "しょうわ",
    "平成": "へいせい",
    "令和": "れいわ",
}
_YEARS = {"en": "FY{}", "zh-hans": "{}年度", "ko": "{}년도"}
# Stand for what is put into a text after its readings were drawn: no text holds them.
_PARTS = "\ufdd3\ufdd4\ufdd5\ufdd6"

AT_LEAST = gettext_noop("%(figure)s以上")
AT_MOST = gettext_noop("%(figure)s以下")
BETWEEN = gettext_noop("%(low)sから%(high)sまで")
NOT_MEASURED = gettext_noop("測っていない")
GAPS = {
    Gap.NO_VALUE: gettext_noop("まだ入っていません"),
    Gap.NOT_MEASURED: NOT_MEASURED,
}
WITHHELD = gettext_noop("人数が少ないので、出しません")
SPLITS = {
    "town": gettext_noop("町ごと"),
    "age": gettext_noop("年齢ごと"),
    "language": gettext_noop("ことばごと"),
    "kind": gettext_noop("連絡先ごと"),
    "how": gettext_noop("伝わり方ごと"),
}
_OTHER_SPLIT = gettext_noop("内訳")


def told(text: str, **parts: SafeString | str) -> SafeString:
    """A text of ours with readings, and parts: what is drawn already stands, words are escaped."""
    marks = dict(zip(parts, _PARTS, strict=False))
    drawn = str(said(gettext(text) % marks))
    for name, mark in marks.items():
        drawn = drawn.replace(mark, conditional_escape(parts[name]))
    return mark_safe(drawn)  # noqa: S308  # said escapes, and so do the parts


def year(fiscal: int) -> str:
    """A fiscal year: "令和7年度", "FY2025"; in やさしい日本語 with readings."""
    code = get_language() or "ja"
    if code in _YEARS:
        return _YEARS[code].format(fiscal)
    name = fiscal_name(fiscal)
    if code == "ja":
        return name
    era, number = name[:2], name[2:-2]
    if number == "元":
        return f"{{{era}元年度|{_EASY_ERAS[era]}がんねんど}}"
    return f"{{{era}|{_EASY_ERAS[era]}}}{number}{{年度|ねんど}}"


def period(first: int, last: int) -> str:
    """From a fiscal year to another, with the Western years where the page counts eras."""
    code = get_language() or "ja"
    if code in _YEARS:
        return f"{year(first)}–{last}" if code == "en" else f"{first}–{year(last)}"
    return f"{year(first)}（{first}）〜{year(last)}（{last}）"


def span(first: int, last: int) -> str:
    """A year, or from one to another, as a list tells it."""
    return year(first) if first == last else f"{year(first)}〜{year(last)}"


def axis(years: tuple[int, ...]) -> list[str]:
    """Years along a chart: an era's first one whole, then numbers alone. It has no readings."""
    if get_language() != "ja":
        return [str(one) if not n else f"{one % 100:02}" for n, one in enumerate(years)]
    names = [fiscal_name(one).removesuffix("年度") for one in years]
    return [
        name if not n or name[:2] != names[n - 1][:2] else name[2:] for n, name in enumerate(names)
    ]


def figure(value: Decimal | float, unit: str) -> SafeString:
    """A figure with its unit, which is Japanese."""
    number = presenters.number(Decimal(str(value)))
    if get_language() == "ja" or unit.isascii():
        return format_html('<span class="w">{}{}</span>', number, unit)
    return format_html('<span class="w">{}<span lang="ja">{}</span></span>', number, typed(unit))


def aim(target: Aim, unit: str) -> SafeString:
    """A target: "90%以上"."""
    if target.high is None:
        return told(AT_LEAST, figure=figure(target.low or Decimal(0), unit))
    if target.low is None:
        return told(AT_MOST, figure=figure(target.high, unit))
    return told(BETWEEN, low=figure(target.low, ""), high=figure(target.high, unit))


def result(line: Line, unit: str) -> SafeString:
    """What a year came to, or that nobody measured it."""
    if line.number is not None:
        return figure(line.number, unit)
    return told(GAPS.get(line.gap or Gap.NO_VALUE, NOT_MEASURED))


def split(name: str) -> SafeString:
    """How a whole is told apart: "町ごと"."""
    return told(SPLITS.get(name, _OTHER_SPLIT))


def part(one: Part, unit: str) -> SafeString:
    """What a part came to, or why it is not told."""
    if one.number is not None:
        return figure(one.number, unit)
    return told(WITHHELD if one.withheld else NOT_MEASURED)
