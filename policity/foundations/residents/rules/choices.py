"""What a resident wants to hear: kinds, each from a severity up, and hours of quiet. Pure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from policity.kit.declare import Lane
from policity.kit.severity import Severity

ACCOUNT = "account"
"""The kind of what concerns somebody's own registration."""

EVENT = "event"
"""The kind of what concerns an event that somebody signed up for."""

STAFF = "staff"
"""The kind of what members of staff are told of their work; no resident hears it."""

APART = (ACCOUNT, STAFF)
"""What concerns its reader alone: it stands on no board, and no figure of the city counts it."""

_UNCHOSEN = (ACCOUNT, EVENT, STAFF)

Wants = Mapping[str, Severity]
"""The least severity of each kind that is wanted. A kind that is missing is not."""

LEVELS = {
    "1": Severity.MINOR,
    "2": Severity.MINOR,
    "3": Severity.MODERATE,
    "4": Severity.SEVERE,
    "5": Severity.EXTREME,
}
"""The numbers of imported lists are warning levels (警戒レベル); "weather:3" is 警報 and above."""

DAY = 24 * 60

_CLOCK = re.compile("([01]?[0-9]|2[0-3]):([0-5][0-9])")


class BadChoice(ValueError):  # noqa: N818  # the thing refused
    """Not a choice. The message is one Japanese clause for whoever made it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be chosen. `default` is None for what must be asked for.

    From `wakes` up it is danger to life: quiet hours do not hold it back. Without `degrees` it is
    heard as a whole, from minor up, or not at all.
    """

    code: str
    lane: Lane
    default: Severity | None
    wakes: Severity
    degrees: bool = True


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind that can be chosen, in the order in which it is offered."""
    found = _read()["kind"]
    return {kind["code"]: _kind(kind["code"], kind) for kind in found}


@cache
def kind(code: str) -> Kind:
    """A kind by its code, those that nobody chooses too. Raises KeyError."""
    return _kind(code, _read()[code]) if code in _UNCHOSEN else kinds()[code]


def _read() -> dict[str, Any]:
    file = files("policity.foundations.residents") / "facts" / "kinds.toml"
    return tomllib.loads(file.read_text("utf-8"))


def _kind(code: str, data: Mapping[str, Any]) -> Kind:
    default = data.get("default", "none")
    return Kind(
        code=code,
        lane=Lane(data["lane"]),
        default=None if default == "none" else Severity(default),
        wakes=Severity(data["wakes"]),
        degrees=data.get("degrees", True),
    )


def defaults() -> Wants:
    """What somebody hears who chose nothing."""
    return {kind.code: kind.default for kind in kinds().values() if kind.default}


def parse_levels(text: str) -> Wants:
    """Choices as lists carry them: "weather:3;evacuation:3". Raises BadChoice."""
    found: dict[str, Severity] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        code, colon, number = (word.strip() for word in part.partition(":"))
        if code not in kinds():
            raise BadChoice(f"種類「{code}」はありません（{'、'.join(kinds())}）")
        if not colon or number not in LEVELS:
            raise BadChoice(f"「{part}」のレベルは1から5の数字で書いてください")
        if code in found:
            raise BadChoice(f"種類「{code}」が2回あります")
        found[code] = LEVELS[number] if kinds()[code].degrees else Severity.MINOR
    if not found:
        raise BadChoice("種類が書いてありません")
    return found


def pack(wants: Wants) -> str:
    """Choices as they are stored, one spelling for each: "evacuation:minor;weather:moderate".

    Choosing nothing at all is a choice ("-"); an empty text means the city's defaults.
    """
    return ";".join(f"{code}:{wants[code].value}" for code in sorted(wants)) or "-"


def unpack(text: str) -> Wants:
    """What `pack` gave; the defaults for an empty text. Kinds that are gone are left out."""
    if not text:
        return defaults()
    pairs = (part.partition(":") for part in text.split(";") if part != "-")
    return {code: Severity(severity) for code, _, severity in pairs if code in kinds()}


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only danger to life is heard, in minutes of the day. It may span midnight.

    Equal ends: no quiet at all.
    """

    starts: int
    ends: int

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day (0–1439) lies in the quiet hours: start in, end out."""
        if self.starts <= self.ends:
            return self.starts <= minute < self.ends
        return minute >= self.starts or minute < self.ends

    def minutes_left(self, minute: int) -> int:
        """How many minutes until they end, 0 where they do not hold."""
        return (self.ends - minute) % DAY if self.holds(minute) else 0


def parse_clock(text: str) -> int:
    """ "22:00" as minutes of the day. Raises BadChoice."""
    found = _CLOCK.fullmatch(text.strip())
    if found:
        return int(found[1]) * 60 + int(found[2])
    raise BadChoice(f"時刻「{text.strip()}」は 22:00 のように書いてください")
