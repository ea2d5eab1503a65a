"""A measure's schedule (工程) as it stands in one cell: "令和6年度 設計；令和7～8年度 広げる"."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policity.kit.eras import BadYear, fiscal_name, read_fiscal

LONGEST = 100
_PHASES = re.compile(r"[;；\n]+")
_PHASE = re.compile(r"([^\s:：～〜~–-]+)(?:[～〜~–-]([^\s:：]+))?[\s:：]+(.+)")
_ERA = re.compile(r"[^\d元]+")
_SHORT = re.compile(r"(\d{1,2})年?度?")


class BadSchedule(ValueError):  # noqa: N818  # the thing refused
    """Not a schedule. The message is Japanese for staff."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What is done from a fiscal year to another, the last included."""

    first_year: int
    last_year: int
    text: str


def read(cell: str) -> tuple[Phase, ...]:
    """The phases of a cell in the order of their years. Raises BadSchedule."""
    phases = [_phase(one.strip()) for one in _PHASES.split(cell) if one.strip()]
    return tuple(sorted(phases, key=lambda one: (one.first_year, one.last_year)))


def written(phases: Iterable[Phase]) -> str:
    """The same as a cell."""
    return "；".join(f"{_span(one)} {one.text}" for one in phases)


def _span(one: Phase) -> str:
    return "～".join(dict.fromkeys(map(fiscal_name, (one.first_year, one.last_year))))


def _phase(text: str) -> Phase:
    found = _PHASE.fullmatch(text)
    if found is None:
        raise BadSchedule(
            f"「{text[:30]}」は、「令和7～8年度 することの名前」のように書いてください。"
            "いくつもあるときは「；」で区切ります"
        )
    if len(found[3]) > LONGEST:
        raise BadSchedule(f"「{found[3][:30]}」は、{LONGEST}文字までにしてください")
    try:
        first, last = (read_fiscal(one) for one in _ends(found[1], found[2]))
    except BadYear as error:
        raise BadSchedule(f"年度ではありません（{error}）") from error
    if first > last:
        raise BadSchedule(f"「{text[:30]}」は、終わりが始まりより前です")
    return Phase(first, last, found[3])


def _ends(first: str, last: str | None) -> Iterator[str]:
    """The two years as they may be read alone: 令和7～8年度 ends in 令和8年度."""
    yield first
    short, era = _SHORT.fullmatch(last or ""), _ERA.match(first)
    yield f"{era[0]}{short[1]}" if short and era else last or first
