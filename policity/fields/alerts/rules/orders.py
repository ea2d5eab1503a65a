"""The city's own evacuation information (避難情報): what stands where, and what a decision changes.

Levels 3 to 5 of 災害対策基本法 60条 and 61条の2, as the Cabinet Office's guideline of 2021 names
them. Only the city issues these. Every decision is kept; what stands in a town is what was decided
for it last. Pure.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from policity.fields.alerts.rules.bulletin import Severity
from policity.fields.alerts.rules.codes import LEVELS
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

OTHER = "other"
"""The reason for which no site is designated; words must say what it is."""

LONGEST_NOTE = 200
"""Characters of what is added by hand: it must fit into a notification."""


class Level(IntEnum):
    """The 警戒レベル that a city issues: 高齢者等避難, 避難指示, 緊急安全確保."""

    ELDERLY = 3
    EVACUATE = 4
    SECURE = 5

    @property
    def severity(self) -> Severity:
        """How grave it is, by which residents choose and quiet hours are judged."""
        return LEVELS[self.value]


class Move(StrEnum):
    """What a decision does in a town."""

    ISSUED = "issued"
    RAISED = "raised"
    LOWERED = "lowered"
    REPEATED = "repeated"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was issued for some towns, by number. `level` is None where it lifts."""

    id: int
    level: Level | None
    towns: frozenset[int]
    reason: str
    at: datetime


def standing(decisions: Iterable[Decision]) -> dict[int, Decision]:
    """What stands in each town, of decisions in the order in which they were issued.

    Leave out those that were sent in error: what stood before them stands again.
    """
    found: dict[int, Decision] = {}
    for decision in decisions:
        for town in decision.towns:
            if decision.level is None:
                found.pop(town, None)
            else:
                found[town] = decision
    return found


def moves(before: Mapping[int, Decision], decision: Decision) -> dict[int, Move]:
    """What a decision does in each of its towns. Where it lifts nothing, nothing."""
    found: dict[int, Move] = {}
    for town in decision.towns:
        stood = before.get(town)
        if decision.level is None:
            if stood:
                found[town] = Move.LIFTED
        elif stood is None or stood.level is None:
            found[town] = Move.ISSUED
        elif stood.level == decision.level:
            found[town] = Move.REPEATED
        else:
            found[town] = Move.RAISED if decision.level > stood.level else Move.LOWERED
    return found


@dataclass(frozen=True, slots=True)
class Turn:
    """What one decision did alike in some towns. A lifting is spoken of by the level that ended.

    `stood` has the decisions that stood there until then.
    """

    decision: int
    move: Move
    level: Level
    towns: frozenset[int]
    stood: frozenset[int]


@dataclass(frozen=True, slots=True)
class Course:
    """How it came about: what stands by town, every turn in order, and what ended what.

    `ended` maps a decision of which nothing stands any more to the one that took its last town.
    """

    stands: Mapping[int, Decision]
    turns: tuple[Turn, ...]
    ended: Mapping[int, Decision]


def course(decisions: Iterable[Decision]) -> Course:
    """Decisions played through, in the order in which they were issued.

    Leave out those that were sent in error, as for `standing`.
    """
    stands: dict[int, Decision] = {}
    turns: list[Turn] = []
    ended: dict[int, Decision] = {}
    for decision in decisions:
        alike: dict[tuple[Move, Level], set[int]] = {}
        for town, move in moves(stands, decision).items():
            level = decision.level or stands[town].level
            if level:
                alike.setdefault((move, level), set()).add(town)
        turns += [
            Turn(
                decision.id,
                move,
                level,
                frozenset(towns),
                frozenset(stands[town].id for town in towns if town in stands),
            )
            for (move, level), towns in sorted(
                alike.items(), key=lambda one: (-one[0][1], list(Move).index(one[0][0]))
            )
        ]
        ended |= dict.fromkeys(replaced(stands, decision.towns), decision)
        for town in decision.towns:
            if decision.level is None:
                stands.pop(town, None)
            else:
                stands[town] = decision
    return Course(stands, tuple(turns), ended)


def replaced(before: Mapping[int, Decision], towns: Collection[int]) -> tuple[int, ...]:
    """The decisions of which nothing stands any more once `towns` are decided anew, ascending."""
    stood = {decision.id for decision in before.values()}
    remains = {decision.id for town, decision in before.items() if town not in towns}
    return tuple(sorted(stood - remains))


def worst(decisions: Iterable[Decision]) -> Level | None:
    """The highest level among them."""
    return max((d.level for d in decisions if d.level), default=None)


def heard_as(before: Mapping[int, Decision], decision: Decision) -> Severity:
    """How grave a message is that tells of a decision: what it lifts was as grave as it stood."""
    if decision.level is not None:
        return decision.level.severity
    ended = worst(before[town] for town in decision.towns if town in before)
    return (ended or Level.ELDERLY).severity


def faults(
    *,
    level: Level | None,
    towns: Collection[int],
    known: Collection[int],
    reason: str,
    reasons: Collection[str],
    notes: Mapping[str, str],
    before: Mapping[int, Decision],
) -> list[str]:
    """Why this cannot be issued, each with what to do, in Japanese; empty when it can."""
    found = []
    if not towns:
        found.append("町がえらばれていません。一覧か地図で、町をえらんでください。")
    elif strange := set(towns).difference(known):
        found.append(
            f"この市にない町が{len(strange)}あります。画面を読み直し、町をえらび直してください。"
        )
    elif level is None and not any(town in before for town in towns):
        found.append("えらんだ町に、避難情報は出ていません。解除する町をえらんでください。")
    if level is not None and reason not in reasons:
        found.append("理由がえらばれていません。")
    if level is not None and reason == OTHER and not notes.get(LANGUAGES[0].code):
        found.append("理由が「そのほか」のときは、付け加える文に、何が危険かを書いてください。")
    found += [
        f"付け加える文は{LONGEST_NOTE}字までです（{len(text)}字あります）。"
        for text in notes.values()
        if len(text) > LONGEST_NOTE
    ]
    if not all(map(_well_formed, notes.values())):
        # It would stop every page and message that carries it.
        found.append("付け加える文の { | } が合っていません。ふりがなは {漢字|かんじ} と書きます。")
    return found


def _well_formed(text: str) -> bool:
    try:
        ruby.plain(text)
    except ValueError:
        return False
    return True


def refusal(*, composers: Collection[int], approver: int, alone: bool, reason: str) -> str:
    """Why somebody may not approve, in Japanese; empty when they may.

    Two persons decide. One alone may where the city allows it (`alone`), says why, and a second
    person looks at it afterwards.
    """
    if approver not in composers:
        return ""
    if not alone:
        return "作った人は、承認できません。ほかの人に承認してもらってください。"
    if not reason.strip():
        return "一人で発令するときは、その理由を書いてください。あとで、ほかの人が確かめます。"
    return ""
