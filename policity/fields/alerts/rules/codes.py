"""What the codes of telegrams mean, by the tables in `facts/`, read once.

The tables name their sources. A code that no table knows keeps its own name: it never vanishes.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from policity.fields.alerts.rules.bulletin import Generation, Phenomenon, Severity

_FACTS = Path(__file__).parent.parent / "facts"


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((_FACTS / name).read_text(encoding="utf-8"))


_CODES = _table("codes.toml")
_KINDS = _table("kinds.toml")
_CAP = _table("cap.toml")
_GENERATIONS = {Generation.OLD: "old", Generation.NEW: "new"}


class Told(NamedTuple):
    """What a code says: the phenomenon, how grave, and the 警戒レベル where there is one."""

    phenomenon: Phenomenon
    severity: Severity
    level: int | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A telegram that gives events. `family` names its reader, `told` is what all its events
    are where it has one grade only."""

    code: str
    family: str
    generation: Generation
    scope: frozenset[Phenomenon]
    told: Told


class Flash(NamedTuple):
    """A 気象防災速報: what its tag means. `subject` tells it from a warning beside it."""

    told: Told
    subject: str


LEVELS: Mapping[int, Severity] = {
    int(level): Severity(severity) for level, severity in _CODES["severity"]["level"].items()
}
"""How grave a 警戒レベル is."""


def _severity(tier: str, level: int | None) -> Severity:
    """The graver of what the tier and the level say."""
    by_tier = Severity(_CODES["severity"]["tier"][tier])
    if level is None:
        return by_tier
    return max(by_tier, LEVELS[level], key=lambda s: s.rank)


def _of_level(phenomenon: Phenomenon, level: int) -> Told:
    return Told(phenomenon, LEVELS[level], level)


def _warnings(generation: Generation) -> dict[str, Told]:
    levels = _CODES["warning"]["levels"][_GENERATIONS[generation]]
    found = {}
    for code, (phenomenon, tier) in _CODES["warning"]["codes"].items():
        level = levels.get(phenomenon, {}).get(tier)
        found[code] = Told(Phenomenon(phenomenon), _severity(tier, level), level)
    return found


WARNINGS: Mapping[Generation, Mapping[str, Told]] = {g: _warnings(g) for g in Generation}


def unknown_warning(name: str) -> Told:
    """A warning whose code no table knows: its own name says how grave it is."""
    tier = next(
        (row["tier"] for row in _CODES["tier_words"] if row["word"] in name),
        "advisory",
    )
    return Told(Phenomenon.OTHER, _severity(tier, None), None)


def _kind(row: dict[str, Any]) -> Kind:
    told = Told(Phenomenon.OTHER, Severity.MINOR, None)
    if "level" in row:
        told = _of_level(Phenomenon(row["phenomenon"]), row["level"])
    elif "severity" in row:
        told = Told(Phenomenon(row["phenomenon"]), Severity(row["severity"]), None)
    return Kind(
        row["kind"],
        row["family"],
        Generation[row["generation"].upper()],
        frozenset(map(Phenomenon, row.get("scope", ()))),
        told,
    )


KINDS: Mapping[str, Kind] = {row["title"]: _kind(row) for row in _KINDS["read"]}

IGNORED: Mapping[str, tuple[str, str]] = {
    title: (kind, row["reason"])
    for row in _KINDS["ignored"]
    for title, kind in row["titles"].items()
}
"""Control/Title to telegram code and the reason why it gives no events."""


@lru_cache(maxsize=256)
def river(code: str, name: str) -> Told:
    """A flood forecast of a river, level 2–5, by its code or else by its name."""
    level = _CODES["river"]["levels"].get(code)
    if level is None:
        # 氾濫注意情報（警戒情報解除）: what stands in brackets is not the grade.
        bare = name.partition("（")[0]
        words = _CODES["river"]["words"]
        level = next((row["level"] for row in words if row["word"] in bare), None)
    if level is None:
        return Told(Phenomenon.FLOOD, unknown_warning(name).severity, None)
    return _of_level(Phenomenon.FLOOD, level)


def river_holds(kind: str, generation: Generation, code: str) -> bool:
    """Whether a river's code by itself says "as before" in this kind of telegram."""
    held: dict[str, list[str]] = _CODES["river"]["holding"].get(kind, {})
    return code in held.get(_GENERATIONS[generation], ())


INTENSITIES: Mapping[str, tuple[str, Severity]] = {
    code: (name, Severity(severity)) for code, (name, severity) in _CODES["intensity"].items()
}
"""震度 as told ("5-") to its name and severity."""

TSUNAMI: Mapping[str, Severity] = {
    code: Severity(severity) for code, severity in _CODES["tsunami"].items()
}

FLASHES: Mapping[str, Flash] = {
    tag: Flash(
        Told(Phenomenon(row["phenomenon"]), Severity(row["severity"]), None),
        row.get("subject", ""),
    )
    for tag, row in _CODES["flash"].items()
}

HEAT = Told(Phenomenon.HEAT, Severity(_CODES["heat"]["severity"]), None)


def heat_region(title: str) -> tuple[str, str] | None:
    """The region whose name begins the title of a heat alert: its name and code."""
    regions: dict[str, str] = _CODES["heat"]["regions"]
    return next(((name, code) for name, code in regions.items() if title.startswith(name)), None)


@lru_cache(maxsize=256)
def volcano(name: str) -> Severity | None:
    """How grave a volcanic warning is by its name; None: nothing is in force."""
    row = next(row for row in _CODES["volcano"] if row["word"] in name)
    return Severity(row["severity"]) if "severity" in row else None


CAP_SEVERITIES: Mapping[str, Severity] = {
    name: Severity(severity) for name, severity in _CAP["severity"].items()
}

_CAP_WORDS = [
    # From the beginning of a word, so that a train is not rain; Japanese has no such edge.
    (re.compile("|".join(rf"\b{w}" if w.isascii() else w for w in row["words"])), row["phenomenon"])
    for row in _CAP["words"]
]


CAP_TESTS = frozenset(_CAP["tests"])


def cap_phenomenon(codes: tuple[str, ...], event: str) -> Phenomenon:
    """The phenomenon of a CAP alert by its event codes, else by the words of its event."""
    for code in codes:
        if code in _CAP["codes"]:
            return Phenomenon(_CAP["codes"][code])
    for text in (*codes, event):
        low = text.lower().replace("_", " ")
        for words, phenomenon in _CAP_WORDS:
            if words.search(low):
                return Phenomenon(phenomenon)
    return Phenomenon.OTHER
