"""What the page of components shows: every component's own template, in each of its states."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from policity.design import drills
from policity.design.templatetags.policity import icons
from policity.fields.alerts.rules import order_texts, texts
from policity.fields.alerts.rules.bulletin import Phenomenon, Severity
from policity.fields.alerts.rules.orders import Level
from policity.foundations.city_plan.formats.facts import stages
from policity.foundations.city_plan.presenters import charts
from policity.foundations.city_plan.presenters import pages as plan
from policity.foundations.city_plan.presenters.figures import Line, Series
from policity.foundations.city_plan.rules.attaining import Aim, Gap
from policity.foundations.city_plan.rules.parting import Part
from policity.foundations.city_plan.rules.trending import Course, Forecast, Trend
from policity.foundations.events import presenters as events
from policity.foundations.places.rules.sites import HAZARDS
from policity.kit import moments

_BOXES = {"open": 1, "crowded": 2, "full": 3}
# What may be in force, by the colour of its block: an alert of each.
_TONES = {
    "5": (Phenomenon.HEAVY_RAIN, Severity.EXTREME, 5),
    "4": (Phenomenon.LANDSLIDE, Severity.SEVERE, 4),
    "3": (Phenomenon.FLOOD, Severity.MODERATE, 3),
    "2": (Phenomenon.STORM_SURGE, Severity.MINOR, 2),
    "act": (Phenomenon.STORM, Severity.MODERATE, None),
    "calm": (Phenomenon.FOG, Severity.MINOR, None),
}
_DAY = date(2026, 12, 3)
# Years of an indicator: its figure, and whether it reached the target. None was not measured.
_YEARS = {
    2021: (52, False),
    2022: (61, True),
    2023: (None, None),
    2024: (66, False),
    2025: (81, True),
}


def shown(code: str) -> dict[str, Any]:
    """Made-up values in the language that is active. Nothing of the city's is read."""
    return {
        "levels": range(1, 6),
        "orders": range(3, 6),
        "icons": sorted(icons()),
        "drill": drills.mark(code),
        "steps": [
            {"icon": "bag", "title": gettext("施設をさがす"), "body": gettext("市の地図")},
            {"icon": "phone", "title": gettext("電話"), "body": gettext("住所")},
        ],
        "open_rows": [
            {
                "state": state,
                "boxes": [number < count for number in range(3)],
                "evacuees": 40 * count,
                "site": {
                    "name": "見本小学校",
                    "address": "見本町一丁目1-1",
                    "hazards": [("flood", texts.shipped().hazard_name(code, "flood"))],
                },
            }
            for state, count in _BOXES.items()
        ],
        "open_sites": {"asked": ""},
        "sites": [
            {
                "number": "sample",
                "name": "見本中学校",
                "address": "見本町二丁目2-2",
                "hazards": [(key, texts.shipped().hazard_name(code, key)) for key in HAZARDS],
            }
        ],
        "alerts": list(_alerts(code)),
        "order": _order(code, Level.EVACUATE),
        "order_rows": [_order(code, level) for level in (Level.EVACUATE, Level.ELDERLY)],
        "order_levels": list(_levels(code)),
        "order_map": _MAP,
        "spots_map": {**_MAP, "dots": [(60, 90)], "marks": [(210, 120, 1), (300, 80, 2)]},
        "walk_map": {**_MAP, "way": "M70 150L160 90L290 120", "marks": [(70, 150, 1)]},
        "events": [_event(), _event(mark=gettext("終了"), off=True)],
        "month": _month(code),
        "totals": [
            {"state": state.value, "name": gettext(name), "count": 12 - 3 * number}
            for number, (state, name) in enumerate(plan.STATES.items())
        ],
        "indicator": plan.indicator(_series(), _series(), "c-chart"),
        "multiples": [charts.draw(_series(), name) for name in ("c-one", "c-other")],
        "stages": [(one.name, number == 2) for number, one in enumerate(stages().values())],
        "hits": [_hit()],
        "moving": '{"points": [[35.7256, 139.5386, "見本", ""]]}',
    }  # fmt: skip


def _at() -> datetime:
    return datetime(2026, 9, 18, 20, 40, tzinfo=timezone.get_default_timezone())


def _alerts(code: str) -> Iterator[dict[str, Any]]:
    for tone, (phenomenon, severity, level) in _TONES.items():
        text = texts.shipped().say(code, phenomenon, severity, level)
        yield {
            # Its link leads to the list: there is no such alert.
            "id": "#",
            "tone": tone,
            "level": level,
            "severity_name": texts.shipped().plain_severity(code, severity),
            "name": text.name,
            "headline": text.headline,
            "area": "見本市",
            "office": texts.shipped().source(code),
            "since": moments.full(_at(), code),
        }


def _order(code: str, level: Level) -> dict[str, Any]:
    words = order_texts.shipped()
    text = words.say(code, level, "flood")
    before, _, after = text.level.partition(str(level.value))
    return {
        "level": level.value,
        "level_words": (before.strip(), after.strip()),
        "name": text.name,
        "headline": text.headline,
        "towns": "見本町一丁目、¦見本町二丁目",
        "reason": text.reason,
        "note": "川の近くの道は、通れません。" if code == "ja" else "",
        "source": words.source(code, "見本市"),
        "at": _at(),
        "page": "alerts/",
    }


def _levels(code: str) -> Iterator[dict[str, Any]]:
    for level in reversed(Level):
        order = _order(code, level)
        label = f"{order_texts.shipped().level(code, level)} {order['name']}"
        yield {
            "level": level.value,
            "label": label,
            "headline": order["headline"],
            "orders": [order],
        }


_MAP = {
    "width": 400,
    "height": 200,
    "city": "M20 60L190 15L380 50L350 180L60 185Z",
    "levels": [
        (3, "M20 60L130 32L140 182L60 185Z"),
        (4, "M130 32L190 15L260 28L255 181L140 182Z"),
        (5, "M260 28L380 50L350 180L255 181Z"),
    ],
    "sites": [(70, 120), (200, 150)],
    "labels": [{"x": 195, "y": 90, "text": "見本町"}],
}


def _event(*, mark: str = "", off: bool = False) -> dict[str, Any]:
    return {
        "page": "events/",
        "day": _DAY,
        "title": "見本の会",
        "lang": "ja",
        "when": "12/3 10:00",
        "clock": "10:00",
        "place": "見本公民館",
        "mark": mark,
        "off": off,
    }


def _month(code: str) -> dict[str, Any]:
    month = events.month(_DAY.replace(day=1), (), code)
    rows = {_DAY.day: (_event(),), 18: (_event(), _event(mark=gettext("終了"), off=True))}
    weeks = [
        [day if day.outside else replace(day, rows=rows.get(day.number, ())) for day in week]
        for week in month["weeks"]
    ]
    return month | {"weeks": weeks}


def _series() -> Series:
    last = max(_YEARS)
    return Series(
        code="1-1-a",
        name="見本の講座に来た人",
        kind="成果",
        unit="人",
        direction="増やす",
        baseline=None,
        baseline_year=None,
        method="見本の数え方",
        counted="",
        lines=tuple(
            Line(
                year=year,
                number=None if number is None else Decimal(number),
                gap=Gap.NOT_MEASURED if number is None else None,
                reason="見本のわけ" if number is None else "",
                aim=Aim(Decimal(55 + 5 * (year - 2021)), None),
                percent=None if number is None else number * 100 // (55 + 5 * (year - 2021)),
                by_first=None,
                reached=reached,
                provisional=year >= last - 1,
                corrected=False,
            )
            for year, (number, reached) in _YEARS.items()
        ),
        trend=Trend(Course.RISING, 6, 4, 8, (Forecast(last + 1, 85, 78, 92),)),
        no_trend="",
        parts=(
            Part("town", "見本町一丁目", Decimal(48)),
            Part("town", "見本町二丁目", None, withheld=True),
        ),
    )


def _hit() -> dict[str, Any]:
    return {
        "address": "",
        "title": [{"text": "見本", "hit": True}, {"text": "の会"}],
        "text": [{"text": "公民館で、"}, {"text": "見本", "hit": True}, {"text": "の会をします。"}],
        "kind": gettext("イベント"),
        "day": _DAY,
    }
