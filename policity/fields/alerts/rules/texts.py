"""What residents read of an alert, in every language. The words are data: `facts/texts/`.

`plan.toml` says which alert has which steps, for all languages alike; a file per language holds
the words. What staff wrote instead takes the place of the same entry (`queries.words`). Everything
is checked on loading, so that no page finds a word missing.

ja-easy carries readings as `{漢字|かんじ}` (`kit.ruby`); no other language does.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from policity.fields.alerts.rules import codes, wording
from policity.fields.alerts.rules.bulletin import CAP, Change, Phenomenon, Severity
from policity.kit import ruby

_SHIPPED = files("policity.fields.alerts") / "facts" / "texts"
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-鿿]")
_ANY = "any"
_CHANGES = (*(change.value for change in Change), "withdrawn")
_HAZARDS = (
    "flood",
    "landslide",
    "storm_surge",
    "earthquake",
    "tsunami",
    "fire",
    "inland_flood",
    "volcano",
)
_SITES = ("emergency_site", "shelter", "welfare_shelter")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do now. `icon` is one of the names at the head of plan.toml."""

    icon: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class AlertText:
    """What an alert is called, what is happening, and what to do: three steps at most.

    `checked_by` names who checked it, person after person; empty while any part is unchecked.
    """

    name: str
    headline: str
    steps: tuple[Step, ...]
    checked_by: str


@dataclass(frozen=True, slots=True)
class Named:
    """A word and the sentence that explains it."""

    name: str
    body: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Which alert has which steps: plan.toml."""

    levelled: frozenset[Phenomenon]
    icons: Mapping[str, str]
    groups: Mapping[str, Sequence[str]]
    alerts: Mapping[Phenomenon, Mapping[str, str]]

    def entry(self, phenomenon: Phenomenon, severity: Severity) -> tuple[str, bool]:
        """The severity whose text fits, and whether it was made for this severity.

        Where there is none, the nearest lower speaks, or else the nearest higher.
        """
        own = self.alerts[phenomenon]
        if _ANY in own:
            return _ANY, True
        if severity in own:
            return severity, True
        lower = [s for s in Severity if s in own and s.rank < severity.rank]
        higher = [s for s in Severity if s in own and s.rank > severity.rank]
        return (lower[-1] if lower else higher[0]), False

    def deeds(self, phenomenon: Phenomenon, severity: Severity, level: int | None) -> Severity:
        """The severity that decides what to do: the warning level's, where there is one."""
        if level is None or phenomenon not in self.levelled:
            return severity
        return codes.LEVELS.get(level, severity)


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts in all languages, complete."""

    plan: Plan
    words: Mapping[str, Mapping[str, str]]

    def say(
        self, language: str, phenomenon: Phenomenon, severity: Severity, level: int | None
    ) -> AlertText:
        """The text for an alert.

        The name is JMA's and follows the severity; what is happening and what to do follow the
        warning level where there is one. A severity that JMA has no name for is called by the
        phenomenon.
        """
        row, own = self.plan.entry(phenomenon, severity)
        if own:
            name = self.words[language][f"alerts.{phenomenon}.{row}.name"]
        else:
            name = self._composed(language, phenomenon, severity)
        deeds = self.plan.deeds(phenomenon, severity, level)
        row, own = self.plan.entry(phenomenon, deeds)
        headline = f"alerts.{phenomenon}.{row}" if own else f"alerts.{Phenomenon.OTHER}.{deeds}"
        group = self.plan.alerts[phenomenon][row]
        return self._text(language, headline, group, name=name)

    def called(
        self, language: str, phenomenon: Phenomenon, severity: Severity, *, told: str, kind: str
    ) -> str:
        """What an alert is called: 大雨警報, "Heavy rain warning".

        In Japanese as its office called it (`told`), where that is Japanese. JMA's own names are
        for its telegrams alone: in every other language another sender's alert (`kind` CAP) is
        called by the phenomenon and how grave it is.
        """
        if language == "ja" and told and (kind != CAP or _JAPANESE.search(told)):
            return ruby.foreign(told)
        if kind == CAP:
            return self._composed(language, phenomenon, severity)
        return self.say(language, phenomenon, severity, None).name

    def _composed(self, language: str, phenomenon: Phenomenon, severity: Severity) -> str:
        words = self.words[language]
        return (
            words["composed"]
            .replace("<phenomenon>", words[f"phenomena.{phenomenon}"])
            .replace("<severity>", words[f"severities.{severity}"])
        )

    def plain_severity(self, language: str, severity: Severity) -> str:
        """How grave, in an everyday word: 注意, 警戒, 危険, 命の危険."""
        return self.words[language][f"severities.{severity}"]

    def change_name(self, language: str, change: str) -> str:
        """The word for a `Change`, or "withdrawn"."""
        return self.words[language][f"changes.{change}"]

    def level_name(self, language: str, level: int) -> str:
        """JMA's level (1–5), always as an equivalent: 警戒レベル3相当."""
        return self.words[language][f"levels.{level}"]

    def hazard_name(self, language: str, hazard: str) -> str:
        """A hazard that an emergency site is designated for, by its key in `places`."""
        return self.words[language][f"hazards.{hazard}"]

    def site_kind(self, language: str, kind: str) -> Named:
        """One of the three kinds of sites, and whom it is for."""
        return self._named(language, f"sites.{kind}")

    def source(self, language: str) -> str:
        """Who issued it: the Japan Meteorological Agency."""
        return self.words[language]["source"]

    def indoors(self, language: str) -> AlertText:
        """How to be safe indoors (屋内安全確保)."""
        return self._text(language, "indoors", "indoors")

    def calm(self, language: str) -> AlertText:
        """Nothing is in force, and how to prepare."""
        return self._text(language, "calm", "calm")

    def _named(self, language: str, key: str) -> Named:
        words = self.words[language]
        return Named(words[f"{key}.name"], words[f"{key}.body"])

    def _text(self, language: str, key: str, group: str, *, name: str = "") -> AlertText:
        words = self.words[language]
        steps = self.plan.groups[group]
        parts = [key, *(f"steps.{step}" for step in steps)]
        return AlertText(
            name=name or words[f"{key}.name"],
            headline=words[f"{key}.headline"],
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


def load(over: wording.Said = wording.NOTHING) -> Texts:
    """Our texts, with a city's own in their place, by language and key.

    Raises KeyError for a text that is missing and ValueError for one that cannot be shown, with
    one line that names file, key and language.
    """
    plan = _plan(tomllib.loads((_SHIPPED / "plan.toml").read_text("utf-8")))
    return Texts(plan, wording.read_all(_SHIPPED, frozenset(wanted(plan)), over))


@cache
def shipped() -> Texts:
    """The texts that ship."""
    return load()


def _plan(data: dict[str, Any]) -> Plan:
    """Raises KeyError or ValueError where the plan names what it does not have."""
    plan = Plan(
        levelled=frozenset(map(Phenomenon, data["levelled"])),
        icons=data["steps"],
        groups=data["groups"],
        alerts={Phenomenon(name): rows for name, rows in data["alerts"].items()},
    )
    unknown = {
        *(set(Phenomenon) - plan.alerts.keys()),
        *(set(plan.icons.values()) - set(data["icons"])),
        *(step for steps in plan.groups.values() for step in steps if step not in plan.icons),
        *(group for rows in plan.alerts.values() for group in rows.values()) - plan.groups.keys(),
        *({"indoors", "calm"} - plan.groups.keys()),
        *(row for rows in plan.alerts.values() for row in rows if row not in (*Severity, _ANY)),
        *(s for s in Severity if s not in plan.alerts.get(Phenomenon.OTHER, ())),
    }
    if unknown:
        raise KeyError(f"plan.toml: {', '.join(sorted(unknown))} is not there")
    return plan


def wanted(plan: Plan) -> Iterable[str]:
    """Every key that a language needs."""
    yield from ("checked_by", "source", "composed")
    for group in ("indoors", "calm"):
        yield from (f"{group}.name", f"{group}.headline")
    for table, keys in (
        ("changes", _CHANGES),
        ("severities", tuple(Severity)),
        ("levels", ("1", "2", "3", "4", "5")),
        ("phenomena", tuple(Phenomenon)),
        ("hazards", _HAZARDS),
    ):
        yield from (f"{table}.{key}" for key in keys)
    for site in _SITES:
        yield from (f"sites.{site}.name", f"sites.{site}.body")
    for step in plan.icons:
        yield from (f"steps.{step}.title", f"steps.{step}.body")
    for phenomenon, rows in plan.alerts.items():
        for row in rows:
            yield from (f"alerts.{phenomenon}.{row}.{part}" for part in ("name", "headline"))
