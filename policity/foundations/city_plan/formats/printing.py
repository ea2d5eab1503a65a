"""A year's report as PDF: A4, tagged, with its font inside, as a printer takes it."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import noto_cjk_sans_jp_regular
import typst

_TEMPLATES = Path(__file__).parent.parent / "templates" / "city_plan"
_REPORT = _TEMPLATES / "report.typ"
_FONTS = str(Path(noto_cjk_sans_jp_regular.__file__).parent)


@cache
def style() -> str:
    """What a chart looks like where no page tells it."""
    return (_TEMPLATES / "chart.css").read_text("utf-8")


def pdf(told: Mapping[str, Any]) -> bytes:
    """The report of what `presenters.printing.paper` tells."""
    made: bytes = typst.compile(  # type: ignore[misc]  # its stub leaves its input open
        _REPORT.read_bytes(),
        sys_inputs={"report": json.dumps(told)},
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
    )
    return made
