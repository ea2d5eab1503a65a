"""A sheet's way through a year: whose turn it is, what each may do, what each has to say. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Turn(StrEnum):
    """Whose turn it is."""

    DEPARTMENT = "department"
    PLANNING = "planning"
    COMMITTEE = "committee"
    COMMENT = "comment"
    HEADQUARTERS = "headquarters"
    DECIDED = "decided"
    PUBLISHED = "published"


class Act(StrEnum):
    """What somebody does with a sheet."""

    RATE = "rate"
    CHECK = "check"
    REVIEW = "review"
    HEAR = "hear"
    DECIDE = "decide"
    PUBLISH = "publish"
    RETURN = "return"


# A sheet that is returned begins anew with its department. From the decision on it is locked.
NEXT: Mapping[tuple[Turn, Act], Turn] = {
    (Turn.DEPARTMENT, Act.RATE): Turn.PLANNING,
    (Turn.PLANNING, Act.CHECK): Turn.COMMITTEE,
    (Turn.COMMITTEE, Act.REVIEW): Turn.COMMENT,
    (Turn.COMMENT, Act.HEAR): Turn.HEADQUARTERS,
    (Turn.HEADQUARTERS, Act.DECIDE): Turn.DECIDED,
    (Turn.DECIDED, Act.PUBLISH): Turn.PUBLISHED,
    **{
        (turn, Act.RETURN): Turn.DEPARTMENT
        for turn in (Turn.PLANNING, Turn.COMMITTEE, Turn.HEADQUARTERS)
    },
}
FORWARD: Mapping[Turn, Act] = {turn: act for turn, act in NEXT if act is not Act.RETURN}
"""What leads on from each turn, in a year's order."""
LOCKED = frozenset({Turn.DECIDED, Turn.PUBLISHED})
GRADING = frozenset({Act.RATE, Act.REVIEW, Act.DECIDE})


class Done(StrEnum):
    """What became of something that was decided a year before."""

    DONE = "done"
    NOT_DONE = "not_done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What became of one of last year's actions, and why where it was not done."""

    action: str
    done: Done
    why: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says with an act.

    `answers` by question, `reasons` by the code of an indicator that missed its target, `actions`
    are what will change next year, `stage` where the measure is to be from then on. `ends`: the
    measure ends with the sheet's year, on target or not.
    """

    text: str = ""
    grade: str = ""
    direction: str = ""
    stage: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    follow_ups: Sequence[FollowUp] = ()
    actions: Sequence[str] = ()
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sheet asks for: its stage's questions, what was missed, what was decided last year.

    `later` is the later year whose sheet is open already, in words; empty: none is.
    """

    questions: Sequence[str]
    missed: Mapping[str, str]
    decided: Sequence[str]
    grades: Collection[str]
    directions: Collection[str]
    stages: Collection[str]
    later: str = ""


def faults(act: Act, said: Said, asked: Asked) -> tuple[str, ...]:
    """What is still to be said before the act counts, in Japanese; empty when nothing is."""
    found = []
    if act in GRADING and said.grade not in asked.grades:
        found.append("評価を、区分の中から選んでください。")
    if said.direction and said.direction not in asked.directions:
        found.append("今後の方向を、区分の中から選んでください。")
    if act is Act.RATE:
        found += _rating(said, asked)
    if act is Act.DECIDE:
        if asked.directions and not said.direction:
            found.append("今後の方向を、選んでください。")
        if said.stage and said.stage not in asked.stages:
            found.append("活用状況の段階を、区分の中から選んでください。")
    if said.ends:
        found += _ending(act, said, asked)
    if act in (Act.RETURN, Act.REVIEW, Act.HEAR) and not said.text.strip():
        words = {
            Act.RETURN: "差し戻すわけを書いてください。",
            Act.REVIEW: "委員会の意見を書いてください。",
            Act.HEAR: "寄せられた意見と、市の考えを書いてください（なければ「意見なし」）。",
        }
        found.append(words[act])
    return tuple(found)


def _ending(act: Act, said: Said, asked: Asked) -> list[str]:
    if act is not Act.DECIDE:
        return ["施策を終えることは、本部の決定でだけ決められます。"]
    found = []
    if not said.text.strip():
        found.append("この年度で終えるわけを、「決定のわけ」に書いてください。")
    if asked.later:
        found.append(f"{asked.later}のシートがもう開いているので、この年度では終えられません。")
    return found


def lasts_until(last: int, year: int, decided: Said | None) -> int:
    """A measure's last year as decided with a year's sheet: never a later one than before."""
    return min(last, year) if decided is not None and decided.ends else last


def _rating(said: Said, asked: Asked) -> list[str]:
    found = [
        f"「{question}」に答えてください。"
        for question in asked.questions
        if not said.answers.get(question, "").strip()
    ]
    found += [
        f"「{name}」が目標に届かなかったわけを書いてください。"
        for code, name in asked.missed.items()
        if not said.reasons.get(code, "").strip()
    ]
    told = {one.action: one for one in said.follow_ups}
    for action in asked.decided:
        if action not in told:
            found.append(f"昨年度に決めた「{action}」がどうなったかを選んでください。")
        elif told[action].done is not Done.DONE and not told[action].why.strip():
            found.append(f"昨年度に決めた「{action}」をしていないわけを書いてください。")
    return found
