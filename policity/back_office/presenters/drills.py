"""Drills, ready to be read: what runs, what the earlier ones came to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from policity.back_office.presenters.reach import STATES, WHY, lasting, number
from policity.back_office.services import Course, Drill

COURSES = {
    Course.RUNNING: "動いています",
    Course.FINISHED: "終わりました",
    Course.STOPPED: "途中で止めました",
    Course.BROKEN_OFF: "最後まで行っていません",
}
EVERYWHERE = "町が分からない人"


@dataclass(frozen=True, slots=True)
class Line:
    """One drill in the list."""

    drill: Drill
    title: str
    course: str
    said: str


@dataclass(frozen=True, slots=True)
class Town:
    """Who was not reached in a town, and why."""

    name: str
    targets: str
    unreached: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished drill came to, in words. The states' sum is `targets`.

    `failed` says why the failed ones failed.
    """

    sentence: str
    targets: str
    states: tuple[tuple[str, str, str], ...]
    times: tuple[tuple[str, str], ...]
    towns: tuple[Town, ...]
    failed: str
    beside: tuple[tuple[str, str], ...]


def line(drill: Drill) -> Line:
    """One drill in a line."""
    if drill.result is not None:
        said = came_to(drill.result)
    else:
        said = drill.progress[-1] if drill.progress else ""
    return Line(drill, title(drill), COURSES[drill.course], said)


def title(drill: Drill) -> str:
    """ "大雨　見本の市民 2,000人"."""
    return f"{drill.title}　見本の市民 {number(drill.people)}人" if drill.people else drill.title


def outcome(drill: Drill) -> Outcome | None:
    """What it came to; None where it was not finished."""
    found = drill.result
    if found is None:
        return None
    return Outcome(
        sentence=came_to(found),
        targets=number(found["targets"]),
        states=tuple(
            (word, number(found["states"][state.word]), note) for state, word, note, _ in STATES
        ),
        times=(
            ("作ってから、承認して発令するまで", seconds(found["approve_s"])),
            ("発令してから、最初の一人に渡すまで", seconds(found["first_handover_s"])),
            ("発令してから、最後の一人に渡すまで", seconds(found["last_handover_s"])),
        ),
        towns=tuple(
            Town(
                town["town"] or EVERYWHERE,
                number(town["targets"]),
                number(town["unreached"]),
                _whys(town["reasons"]),
            )
            for town in found["unreached"]
        ),
        failed=_whys({word: n for word, n in found["reasons"].items() if word in WHY}),
        beside=tuple(_beside(found)),
    )


def came_to(found: Mapping[str, Any]) -> str:
    """A drill's result in a sentence: how many of how many, and how many were missed."""
    targets, missed = found["targets"], _missed(found)
    if not missed:
        return f"{number(targets)}人の全員に渡りました。"
    said = f"{number(targets)}人のうち {number(targets - missed)}人に渡りました。"
    return f"{said}届かなかった人は {number(missed)}人です。"


def _missed(found: Mapping[str, Any]) -> int:
    return sum(int(town["unreached"]) for town in found["unreached"])


def _beside(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    answers = found.get("answers")
    if answers:
        said = f"無事です {number(answers['safe'])}人、助けが必要 {number(answers['help'])}人"
        yield "返事", said
    yield "送った知らせ", f"{number(found['messages'])}件（メール {number(found['mails'])}通）"


_REASONS = {state.word: word for state, word, _, _ in STATES} | {
    str(reason): word for reason, word in WHY.items()
}


def _whys(reasons: Mapping[str, int]) -> str:
    """ "手段なし 167人、失敗 2人". A word that nobody knows stays as it is."""
    return "、".join(
        f"{_REASONS.get(word, word)} {number(some)}人" for word, some in reasons.items()
    )


def seconds(found: float | None) -> str:
    """ "3.2秒", "2分05秒"; in words where nobody measured."""
    if found is None:
        return "測れませんでした"
    return f"{found:.1f}秒" if found < 60 else lasting(timedelta(seconds=found))


def running(drills: Iterable[Drill]) -> Drill | None:
    """The one that runs."""
    return next((one for one in drills if one.course is Course.RUNNING), None)
