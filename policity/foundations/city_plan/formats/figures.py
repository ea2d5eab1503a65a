"""A figure as somebody writes it down: a number, or that nobody measured it, and why."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from policity.foundations.city_plan.formats.cells import BadTable

DIGITS = 14
"""Before the point; four come after it."""

NOT_MEASURED = "測っていない"
LONGEST_REASON, LONGEST_NAME, MOST_PARTS = 300, 50, 200
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_REASON = re.compile(rf"{NOT_MEASURED}[:：\s、]*(.*)")
_PART = re.compile(rf"(.+?)[\s,、:：]+({NOT_MEASURED}.*|[-+]?[0-9][^\s、:：]*)")
_DIGITS = str.maketrans("０１２３４５６７８９．，－＋", "0123456789.,-+")
NOTHING = frozenset({"", "-", "－", "ー", "―", "—"})


@dataclass(frozen=True, slots=True)
class Given:
    """A figure of a year, or why there is none."""

    number: Decimal | None
    reason: str = ""


class BadFigure(ValueError):  # noqa: N818  # the thing refused
    """Not a figure. The message is one Japanese sentence."""


def number(text: str, unit: str) -> Decimal | None:
    """A number, in full width too, with commas and its unit; None: nothing. Raises BadFigure."""
    if text in NOTHING:
        return None
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    unit = unicodedata.normalize("NFKC", unit)
    plain = plain.removesuffix(unit).removesuffix("%" if unit == "%" else "")
    if not _NUMBER.fullmatch(plain):
        raise BadFigure(f"数字ではありません（{text[:30]}）。単位や言葉は書かないでください")
    found = Decimal(plain)
    if abs(found) >= 10**DIGITS:
        raise BadFigure("大きすぎる数です")
    if found != round(found, 4):
        raise BadFigure("小数は、4桁までです")
    if unit == "%" and not 0 <= found <= 100:
        raise BadFigure(f"割合は、0から100までです（{text[:30]}）")
    return found


def given(text: str, unit: str) -> Given | None:
    """A number, or "測っていない：" with why; None: nothing is said. Raises BadFigure."""
    reason = _REASON.fullmatch(text)
    if reason is None:
        found = number(text, unit)
        return None if found is None else Given(found)
    if not reason[1].strip():
        raise BadFigure(f"「{NOT_MEASURED}：調査は3年ごと」のように、わけも書いてください")
    if len(reason[1]) > LONGEST_REASON:
        raise BadFigure(f"測っていないわけは、{LONGEST_REASON}文字までにしてください")
    return Given(None, reason[1].strip())


def parts(text: str, unit: str) -> dict[str, Given]:
    """The parts of a whole, one a line: "泉町 31.5", as two columns of a spreadsheet paste.

    Raises BadTable with a line for each fault.
    """
    found: dict[str, Given] = {}
    faults = []
    lines = [(at, line.strip()) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_PARTS:
        raise BadTable([f"内訳は、{MOST_PARTS}行までです。"])
    for at, line in lines:
        said = _PART.fullmatch(line.translate(_DIGITS))
        if said is None:
            faults.append(f"{at}行目: 「泉町 31.5」のように、名前と数字を書いてください。")
            continue
        name = line[: said.end(1)]
        try:
            figure = given(said[2], unit)
        except BadFigure as error:
            faults.append(f"{at}行目: {error}。")
            continue
        if len(name) > LONGEST_NAME:
            faults.append(f"{at}行目: 名前は、{LONGEST_NAME}文字までにしてください。")
        elif name in found:
            faults.append(f"{at}行目: 「{name}」は、前の行と同じ名前です。")
        elif figure is not None:
            found[name] = figure
    if faults:
        raise BadTable(faults)
    return found
