"""The city's rules as staff read and change them, and what they would have done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policity.back_office.presenters.reach import number
from policity.fields.alerts.models import Action
from policity.fields.alerts.queries import words
from policity.fields.alerts.queries.trials import Trial, Tried
from policity.fields.alerts.queries.words import EditView, Words
from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity, Status
from policity.fields.alerts.rules.edits import Book
from policity.fields.alerts.rules.response import Answer, allowed
from policity.foundations.places import queries as places

JA = "ja"
ANSWERS = {
    Answer.SEND: ("送る", "ページにのせ、受け取ると決めた人に、すぐ送ります。"),
    Answer.APPROVE: ("承認のあとで送る", "ページにはすぐのせ、職員が承認したら送ります。"),
    Answer.PUBLISH: ("公開だけ", "ページと配信一覧にのせ、だれにも送りません。"),
    Answer.RECORD: ("記録だけ", "知らせにはしません。出ているあいだ、ページには出ます。"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What is done with a phenomenon at one severity. `name` is JMA's, where there is one."""

    severity: Severity
    name: str
    answer: Answer
    label: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A phenomenon with a cell for each severity."""

    phenomenon: Phenomenon
    name: str
    cells: tuple[Cell, ...]


def severities() -> list[str]:
    """How grave, in everyday words, the least first."""
    return [words.texts().plain_severity(JA, severity) for severity in Severity]


def rules() -> list[Line]:
    """Everything that may come, and what the city does with it."""
    used, lineage = words.current(), _lineage()
    return [Line(one, phenomenon_name(one), _cells(one, used, lineage)) for one in Phenomenon]


def _lineage() -> tuple[str, ...]:
    return places.lineage(places.city().jma_code)


def phenomenon_name(phenomenon: Phenomenon) -> str:
    """大雨, 洪水, 地震."""
    return words.texts().words[JA][f"phenomena.{phenomenon}"]


def _cells(phenomenon: Phenomenon, used: Words, lineage: tuple[str, ...]) -> tuple[Cell, ...]:
    said, texts = _answers(phenomenon, used, lineage), words.texts()
    shipped = _answers(phenomenon, Words({}), lineage)
    cells = []
    for severity in Severity:
        _, own = texts.plan.entry(phenomenon, severity)
        name = texts.say(JA, phenomenon, severity, None).name if own else ""
        answer = said[severity]
        changed = answer is not shipped[severity]
        cells.append(Cell(severity, name, answer, ANSWERS[answer][0], changed))
    return tuple(cells)


def _answers(
    phenomenon: Phenomenon, used: Words, lineage: tuple[str, ...]
) -> dict[Severity, Answer]:
    """What is done with something that has just been issued."""
    return {
        severity: used.responses.answer(phenomenon, severity, Change.ISSUED, lineage)
        for severity in Severity
    }


def answers_of(phenomenon: Phenomenon, data: dict[str, Any]) -> dict[Severity, Answer]:
    """What is done where so much differs from what ships."""
    return _answers(phenomenon, Words({(Book.RULES, phenomenon): data}), _lineage())


@dataclass(frozen=True, slots=True)
class Choice:
    """A severity with what may be chosen for it. `persons` would be told now."""

    severity: Severity
    plain: str
    name: str
    options: tuple[tuple[Answer, str, str], ...]
    chosen: Answer
    shipped: str
    persons: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules that are tried would have done with a step of a telegram."""

    tried: Tried
    title: str
    then: str
    would: str
    differs: bool


@dataclass(frozen=True, slots=True)
class RulePage:
    """A phenomenon's rules, as chosen, and what they would have done."""

    phenomenon: Phenomenon
    name: str
    choices: tuple[Choice, ...]
    past: tuple[Outcome, ...]
    history: Sequence[EditView]
    seen: int


def rule(phenomenon: Phenomenon, chosen: Mapping[Severity, Answer]) -> RulePage:
    """For the choices of a form, whether they are in use or not."""
    trial = _on_trial(phenomenon, chosen)
    shipped, texts = answers_of(phenomenon, {}), words.texts()
    choices = []
    for severity in Severity:
        _, own = texts.plan.entry(phenomenon, severity)
        choices.append(
            Choice(
                severity,
                texts.plain_severity(JA, severity),
                texts.say(JA, phenomenon, severity, None).name if own else "",
                tuple((answer, *ANSWERS[answer]) for answer in allowed(severity)),
                chosen[severity],
                ANSWERS[shipped[severity]][0],
                number(trial.persons(phenomenon, severity)),
            )
        )
    history = words.history(book=Book.RULES, subject=phenomenon)
    return RulePage(
        phenomenon,
        phenomenon_name(phenomenon),
        tuple(choices),
        tuple(outcome(tried) for tried in trial.past(phenomenon)),
        history,
        history[0].number if history else 0,
    )


@dataclass(frozen=True, slots=True)
class Telegram:
    """What a telegram would bring that somebody laid before the rules. `real`: no exercise."""

    real: bool
    here: tuple[Outcome, ...]
    elsewhere: str


def of_file(data: bytes, phenomenon: Phenomenon, chosen: Mapping[Severity, Answer]) -> Telegram:
    """Raises `rules.bulletin.Refused` for what is no telegram."""
    status, tried = _on_trial(phenomenon, chosen).of_file(data)
    here = tuple(outcome(one) for one in tried if one.phenomenon is phenomenon)
    others = dict.fromkeys(phenomenon_name(one.phenomenon) for one in tried)
    return Telegram(status is Status.ACTUAL, here, "、".join(others))


def _on_trial(phenomenon: Phenomenon, chosen: Mapping[Severity, Answer]) -> Trial:
    data = {str(severity): str(answer) for severity, answer in chosen.items()}
    return Trial(words.current().changed(Book.RULES, phenomenon, data).responses)


def outcome(tried: Tried) -> Outcome:
    """In words."""
    change = words.texts().change_name(JA, tried.change)
    then = ""
    if tried.action is not None:
        then = tried.action.label
        if tried.action in (Action.SENT, Action.AWAITING_APPROVAL):
            then = f"{number(tried.reached)}人に送信"
    would = _would(tried)
    was = {
        Action.SENT: Answer.SEND,
        Action.AWAITING_APPROVAL: Answer.APPROVE,
        Action.PUBLISHED: Answer.PUBLISH,
        Action.RECORDED: Answer.RECORD,
    }
    differs = tried.action is not None and was[tried.action] is not tried.answer
    return Outcome(tried, f"{tried.name}　{change}", then, would, differs)


def _would(tried: Tried) -> str:
    if tried.answer is Answer.RECORD:
        return "記録だけ。だれにも送りません"
    if tried.answer is Answer.PUBLISH:
        return "公開だけ。だれにも送りません"
    whom = f"{number(tried.persons)}人"
    if tried.only_followers:
        whom = f"前の知らせを受けた{whom}"
    return f"{whom}に送ります" if tried.answer is Answer.SEND else f"承認のあとで{whom}に送ります"
