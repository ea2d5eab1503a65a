"""What residents read of evacuation information, in every language. The words: `facts/orders/`."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from policity.fields.alerts.rules import wording
from policity.fields.alerts.rules.orders import Level, Move
from policity.fields.alerts.rules.texts import Step

_SHIPPED = files("policity.fields.alerts") / "facts" / "orders"
_ANY = "any"
_ONCE = (
    "checked_by", "source", "title", "level", "towns", "everywhere", "lifted.title",
    "lifted.headline", "error.title", "error.headline", "error.none", "error.still", "count", "one",
    "moves.error", *(f"moves.{move}" for move in Move),
)  # fmt: skip

Said = Mapping[str, str]
"""A text by language code."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Reasons, and which level has which steps: plan.toml."""

    reasons: tuple[str, ...]
    icons: Mapping[str, str]
    levels: Mapping[Level, Mapping[str, Sequence[str]]]

    def steps(self, level: Level, reason: str) -> Sequence[str]:
        """What to do now, the first first."""
        rows = self.levels[level]
        return rows.get(reason, rows[_ANY])


@dataclass(frozen=True, slots=True)
class OrderText:
    """A decision in one language. `checked_by` is empty while any part of it is unchecked."""

    name: str
    level: str
    headline: str
    reason: str
    steps: tuple[Step, ...]
    checked_by: str


@dataclass(frozen=True, slots=True)
class OrderTexts:
    """All of them, complete."""

    plan: Plan
    words: Mapping[str, Said]

    def say(self, code: str, level: Level, reason: str) -> OrderText:
        """What an order is called, why it is given, and what to do."""
        words = self.words[code]
        steps = self.plan.steps(level, reason)
        parts = [f"levels.{level}", f"reasons.{reason}", *(f"steps.{step}" for step in steps)]
        return OrderText(
            name=words[f"levels.{level}.name"],
            level=self.level(code, level),
            headline=words[f"levels.{level}.headline"],
            reason=self.reason(code, level, reason),
            steps=tuple(
                Step(
                    self.plan.icons[step],
                    words[f"steps.{step}.title"],
                    words[f"steps.{step}.body"],
                )
                for step in steps
            ),
            checked_by=wording.checkers(words, parts),
        )

    def name(self, code: str, level: Level) -> str:
        """高齢者等避難, 避難指示 or 緊急安全確保."""
        return self.words[code][f"levels.{level}.name"]

    def level(self, code: str, level: Level) -> str:
        """警戒レベル4: the city's own, not an equivalent."""
        return self.words[code]["level"].replace("<level>", str(level.value))

    def reason(self, code: str, level: Level, reason: str) -> str:
        """Why: what may happen, or at level 5 what is happening."""
        row = "now" if level is Level.SECURE else "likely"
        return self.words[code][f"reasons.{reason}.{row}"]

    def reason_name(self, code: str, reason: str) -> str:
        """The hazard in a word or two."""
        return self.words[code][f"reasons.{reason}.name"]

    def title(self, code: str, level: Level) -> str:
        """避難指示（警戒レベル4）."""
        return self._fill(code, "title", level)

    def lifted(self, code: str, level: Level) -> tuple[str, str]:
        """That something of this level is over, and what to mind: title and sentence."""
        return self._fill(code, "lifted.title", level), self._fill(code, "lifted.headline", level)

    def everywhere(self, code: str) -> str:
        """The whole city, as a place."""
        return self.words[code]["everywhere"]

    def counted(self, code: str, count: int) -> str:
        """How many towns: 8町, "1 area"."""
        return self.words[code]["one" if count == 1 else "count"].replace("<count>", str(count))

    def move_name(self, code: str, move: Move | None) -> str:
        """What was done: 発令, 引き上げ …; None: that it was sent in error."""
        return self.words[code][f"moves.{move or 'error'}"]

    def source(self, code: str, city: str) -> str:
        """Who issued it."""
        return self.words[code]["source"].replace("<city>", city)

    def unchecked(self, level: Level | None, reason: str) -> tuple[str, ...]:
        """The languages whose text of a decision nobody has checked yet, by code."""
        return tuple(code for code in self.words if not self._checked(code, level, reason))

    def _checked(self, code: str, level: Level | None, reason: str) -> str:
        if level is None:
            return wording.checkers(self.words[code], ["lifted"])
        return self.say(code, level, reason).checked_by

    def tell(
        self, level: Level, reason: str, *, towns: Said, notes: Said
    ) -> dict[str, dict[str, str]]:
        """Title and body of the message that issues an order. `notes` were checked by a person."""
        found = {}
        for code in self.words:
            text = self.say(code, level, reason)
            lines = [self._towns(code, towns), text.reason, text.headline, notes.get(code, "")]
            found[code] = {"title": self.title(code, level), "body": _lines(lines)}
        return found

    def tell_lifted(self, level: Level, *, towns: Said, notes: Said) -> dict[str, dict[str, str]]:
        """The message that an order of this level is over."""
        found = {}
        for code in self.words:
            title, headline = self.lifted(code, level)
            lines = [self._towns(code, towns), headline, notes.get(code, "")]
            found[code] = {"title": title, "body": _lines(lines)}
        return found

    def tell_error(
        self, level: Level | None, *, towns: Said, stands: Iterable[Level | None]
    ) -> dict[str, dict[str, str]]:
        """The message that a decision was sent in error. `stands`: what stands in its towns now.

        `level` is what was sent; None where it was a lifting, and what stood still stands.
        """
        levels = set(stands)
        only = next(iter(levels)) if len(levels) == 1 else None
        spoken = level or only or Level.ELDERLY
        found = {}
        for code in self.words:
            name = self.name(code, level) if level else self.lifted(code, spoken)[0]
            words = self.words[code]
            now = ""
            if levels == {None}:
                now = words["error.none"]
            elif only:
                now = words["error.still"].replace("<name>", self.title(code, only))
            lines = [self._towns(code, towns), words["error.headline"].replace("<name>", name), now]
            found[code] = {
                "title": words["error.title"].replace("<name>", name),
                "body": _lines(lines),
            }
        return found

    def _towns(self, code: str, towns: Said) -> str:
        return self.words[code]["towns"].replace("<towns>", towns[code])

    def _fill(self, code: str, key: str, level: Level) -> str:
        filled = self.words[code][key].replace("<name>", self.name(code, level))
        return filled.replace("<level>", str(level.value))


def load(over: wording.Said = wording.NOTHING) -> OrderTexts:
    """Our texts, with a city's own in their place, by language and key.

    Raises KeyError for a text that is missing and ValueError for one that cannot be shown, with
    one line that names file, key and language.
    """
    plan = _plan(tomllib.loads((_SHIPPED / "plan.toml").read_text("utf-8")))
    return OrderTexts(plan, wording.read_all(_SHIPPED, frozenset(wanted(plan)), over))


@cache
def shipped() -> OrderTexts:
    """The texts that ship."""
    return load()


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line)


def _plan(data: dict[str, Any]) -> Plan:
    """Raises KeyError where the plan names what it does not have."""
    plan = Plan(
        reasons=tuple(data["reasons"]),
        icons=data["steps"],
        levels={Level(int(level)): rows for level, rows in data["levels"].items()},
    )
    unknown = {
        *(f"levels.{level}" for level in Level if _ANY not in plan.levels.get(level, ())),
        *(row for rows in plan.levels.values() for row in rows if row not in (*plan.reasons, _ANY)),
        *(
            step
            for rows in plan.levels.values()
            for steps in rows.values()
            for step in steps
            if step not in plan.icons
        ),
    }
    if unknown:
        raise KeyError(f"orders/plan.toml: {', '.join(sorted(unknown))} is not there")
    return plan


def wanted(plan: Plan) -> Iterable[str]:
    """Every key that a language needs."""
    yield from _ONCE
    for level in Level:
        yield from (f"levels.{level}.name", f"levels.{level}.headline")
    for reason in plan.reasons:
        yield from (f"reasons.{reason}.{part}" for part in ("name", "likely", "now"))
    for step in plan.icons:
        yield from (f"steps.{step}.title", f"steps.{step}.body")
