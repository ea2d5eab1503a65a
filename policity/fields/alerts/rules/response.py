"""What the city does with a transition: its own rules, read from data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity
from policity.fields.alerts.rules.orders import Level


class FrontState(StrEnum):
    """How the front page stands. Only what the city itself orders makes it say "evacuate"."""

    CALM = "calm"
    CAUTION = "caution"
    WARNING = "warning"
    DANGER = "danger"
    EVACUATE = "evacuate"

    @property
    def rank(self) -> int:
        """0 (calm) to 4 (evacuate)."""
        return list(FrontState).index(self)


class Sending(StrEnum):
    """Whether a message goes out to people, and when."""

    NONE = "none"
    NOW = "now"
    APPROVED = "approved"


class Answer(StrEnum):
    """What the city does with one phenomenon at one severity, as staff choose it."""

    SEND = "send"
    APPROVE = "approve"
    PUBLISH = "publish"
    RECORD = "record"

    @classmethod
    def of(cls, rule: "Rule | None") -> "Answer":
        """What a rule comes to; without one everything is told."""
        if rule is None:
            return cls.SEND
        if not rule.publish:
            return cls.RECORD
        return _ANSWERS[rule.send]

    @property
    def rule(self) -> "Rule":
        """As a rule without conditions."""
        sending = next((s for s, answer in _ANSWERS.items() if answer is self), Sending.NONE)
        return Rule(publish=self is not Answer.RECORD, send=sending)


_ANSWERS = {
    Sending.NOW: Answer.SEND,
    Sending.APPROVED: Answer.APPROVE,
    Sending.NONE: Answer.PUBLISH,
}


def allowed(severity: Severity) -> tuple[Answer, ...]:
    """What may be chosen. Where life is in danger people are told, at once or after a look."""
    everything = tuple(Answer)
    return everything if severity.rank < Severity.SEVERE.rank else everything[:2]


Answers = Mapping[Phenomenon, Mapping[Severity, Answer]]
"""What staff chose instead of the rules that ship."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the city's answer. An empty condition fits everything."""

    publish: bool
    send: Sending = Sending.NOW
    phenomena: frozenset[Phenomenon] = frozenset()
    severities: frozenset[Severity] = frozenset()
    changes: frozenset[Change] = frozenset()
    areas: frozenset[str] = frozenset()

    def fits(
        self, phenomenon: Phenomenon, severity: Severity, change: Change, lineage: tuple[str, ...]
    ) -> bool:
        """Whether every condition the rule names holds."""
        return (
            (not self.phenomena or phenomenon in self.phenomena)
            and (not self.severities or severity in self.severities)
            and (not self.changes or change in self.changes)
            and (not self.areas or not self.areas.isdisjoint(lineage))
        )


@dataclass(frozen=True, slots=True)
class Responses:
    """The city's rules, whole."""

    rules: tuple[Rule, ...]
    fronts: Mapping[tuple[Phenomenon, Severity], FrontState]
    order_fronts: Mapping[Level, FrontState]
    lasts: Mapping[Phenomenon, timedelta]
    cap_lasts: timedelta
    newer_rules: timedelta
    kinds: Mapping[str, frozenset[Phenomenon]]

    def answering(self, answers: Answers) -> "Responses":
        """These rules with what staff chose before them.

        What depends on how a change was heard (already in force when we first heard of it) stays
        first: that is no question of how grave it is.
        """
        chosen = tuple(
            replace(
                answer.rule, phenomena=frozenset({phenomenon}), severities=frozenset({severity})
            )
            for phenomenon, by_severity in answers.items()
            for severity, answer in by_severity.items()
            if answer in allowed(severity)
        )
        heard = tuple(rule for rule in self.rules if rule.changes)
        rest = tuple(rule for rule in self.rules if not rule.changes)
        return replace(self, rules=heard + chosen + rest)

    def answer(
        self, phenomenon: Phenomenon, severity: Severity, change: Change, lineage: tuple[str, ...]
    ) -> Answer:
        """What the first rule that fits comes to."""
        return Answer.of(self._first(phenomenon, severity, change, lineage))

    def publishes(
        self, phenomenon: Phenomenon, severity: Severity, change: Change, lineage: tuple[str, ...]
    ) -> bool:
        """Whether a change becomes a message. The first rule that fits decides."""
        rule = self._first(phenomenon, severity, change, lineage)
        return rule is None or rule.publish

    def sends(
        self, phenomenon: Phenomenon, severity: Severity, change: Change, lineage: tuple[str, ...]
    ) -> Sending:
        """Whether a message that a change became goes out to those who chose to hear."""
        rule = self._first(phenomenon, severity, change, lineage)
        return Sending.NOW if rule is None else rule.send

    def _first(
        self, phenomenon: Phenomenon, severity: Severity, change: Change, lineage: tuple[str, ...]
    ) -> Rule | None:
        fitting = (r for r in self.rules if r.fits(phenomenon, severity, change, lineage))
        return next(fitting, None)

    def kind(self, phenomenon: Phenomenon) -> str:
        """What residents choose a phenomenon by (residents/facts/kinds.toml)."""
        return next(kind for kind, phenomena in self.kinds.items() if phenomenon in phenomena)

    def front(self, phenomenon: Phenomenon, severity: Severity) -> FrontState:
        """The front page's state for one thing in force."""
        return self.fronts[phenomenon, severity]

    def order_front(self, level: Level) -> FrontState:
        """The front page's state while an order of the city's own stands anywhere in it."""
        return self.order_fronts[level]


def parse(text: str) -> Responses:
    """Read the rules' file. Raises ValueError that names the faulty entry."""
    try:
        data = tomllib.loads(text)
        rules = tuple(_rule(entry) for entry in data["rule"])
        default = {Severity(name): FrontState(state) for name, state in data["front"].items()}
        fronts = {(p, s): default[s] for p in Phenomenon for s in Severity}
        for entry in data["front_exception"]:
            for p in entry["phenomena"]:
                for s in entry["severities"]:
                    fronts[Phenomenon(p), Severity(s)] = FrontState(entry["state"])
        orders = {level: FrontState(data["front_order"][str(level.value)]) for level in Level}
        lasts = {Phenomenon(p): timedelta(hours=h) for p, h in data["lasts_hours"].items()}
        cap_lasts = timedelta(hours=data["cap"]["lasts_hours"])
        newer = timedelta(days=data["generation"]["newer_rules_days"])
        kinds = {kind: frozenset(map(Phenomenon, names)) for kind, names in data["kinds"].items()}
    except (KeyError, TypeError) as error:
        raise ValueError(f"responses.toml: {error} is missing or of the wrong kind") from error
    named = [phenomenon for phenomena in kinds.values() for phenomenon in phenomena]
    if len(named) != len(set(named)) or set(named) != set(Phenomenon):
        raise ValueError("responses.toml: each phenomenon belongs to one of [kinds]")
    if FrontState.EVACUATE in fronts.values():
        raise ValueError('responses.toml: only [front_order] may say "evacuate"')
    if any(state.rank < FrontState.WARNING.rank for state in orders.values()):
        raise ValueError("responses.toml: [front_order] is never calmer than a warning")
    return Responses(rules, fronts, orders, lasts, cap_lasts, newer, kinds)


def _rule(entry: dict[str, Any]) -> Rule:
    unknown = entry.keys() - {"publish", "send", "phenomena", "severities", "changes", "areas"}
    if unknown:
        raise ValueError(f"responses.toml: a rule does not know {', '.join(sorted(unknown))}")
    return Rule(
        publish=entry["publish"],
        send=Sending(entry.get("send", "now")),
        phenomena=frozenset(map(Phenomenon, entry.get("phenomena", ()))),
        severities=frozenset(map(Severity, entry.get("severities", ()))),
        changes=frozenset(map(Change, entry.get("changes", ()))),
        areas=frozenset(entry.get("areas", ())),
    )


@cache
def shipped() -> Responses:
    """The rules that ship."""
    return parse((files("policity.fields.alerts") / "facts" / "responses.toml").read_text("utf-8"))
