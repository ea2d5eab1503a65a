"""What the page of components shows: every component's own template, in each of its states."""

from datetime import date
from typing import Any

from django.utils.translation import gettext

from policity.design.templatetags.policity import icons

_BOXES = {"open": 1, "crowded": 2, "full": 3}


def shown() -> dict[str, Any]:
    """Made-up values in the language that is active. Nothing of the city's is read."""
    return {
        "levels": range(1, 6),
        "orders": range(3, 6),
        "icons": sorted(icons()),
        "steps": [
            {"icon": "bag", "title": gettext("施設をさがす"), "body": gettext("市の地図")},
            {"icon": "phone", "title": gettext("電話"), "body": gettext("住所")},
        ],
        "open_rows": [
            {
                "state": state,
                "boxes": [number < count for number in range(3)],
                "evacuees": 40 * count,
                "site": {"name": "見本小学校", "address": "見本町一丁目1-1", "hazards": ()},
            }
            for state, count in _BOXES.items()
        ],
        "open_sites": {"asked": ""},
        "events": [_event(), _event(mark=gettext("終了"), off=True)],
        "moving": '{"points": [[35.7256, 139.5386, "見本", ""]]}',
    }


def _event(*, mark: str = "", off: bool = False) -> dict[str, Any]:
    return {
        "page": "events/",
        "day": date(2026, 12, 3),
        "title": "見本の会",
        "lang": "ja",
        "when": "12/3 10:00",
        "place": "見本公民館",
        "mark": mark,
        "off": off,
    }
