"""Questions of one's own to those who came, what is answered, and how answers are counted. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

MOST_QUESTIONS = 10
MOST_CHOICES = 20
LONGEST_QUESTION, LONGEST_CHOICE, LONGEST_ANSWER = 200, 100, 1000
POINTS = (5, 4, 3, 2, 1)
"""Of a score, the best first."""

Given: TypeAlias = int | list[int] | str | None
"""Which choice, from 0; which choices; how many points; a text. None: nothing was answered."""


class Kind(StrEnum):
    """How a question is answered."""

    ONE = "one"
    MANY = "many"
    SCORE = "score"
    TEXT = "text"

    @property
    def chooses(self) -> bool:
        """Whether it has choices of its own."""
        return self in (Kind.ONE, Kind.MANY)


@dataclass(frozen=True, slots=True)
class Words:
    """A question in one language."""

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `words` has Japanese always, and other languages where somebody wrote them."""

    kind: Kind
    required: bool
    words: Mapping[str, Words]

    def said(self, code: str) -> Words:
        """In a language; in Japanese where nobody translated it."""
        return self.words.get(code) or self.words["ja"]

    @property
    def stored(self) -> dict[str, Any]:
        """As JSON."""
        words = {
            code: {"text": one.text, "choices": list(one.choices)}
            for code, one in self.words.items()
        }
        return {"kind": self.kind.value, "required": self.required, "words": words}


def read(stored: Iterable[Mapping[str, Any]] | None) -> tuple[Question, ...]:
    """Questions from JSON."""
    return tuple(
        Question(
            Kind(one["kind"]),
            one["required"],
            {
                code: Words(said["text"], tuple(said["choices"]))
                for code, said in one["words"].items()
            },
        )
        for one in stored or ()
    )


def problem(question: Question) -> str:
    """Why it cannot be asked so, in one Japanese sentence for staff; empty where it can."""
    words = question.words.get("ja", Words(""))
    if not words.text:
        return "質問の文を書いてください。なくすときは、選択肢とほかの言葉の文も空にしてください。"
    if any(len(one.text) > LONGEST_QUESTION for one in question.words.values()):
        return f"質問の文は、{LONGEST_QUESTION}文字までにしてください。"
    if any(len(choice) > LONGEST_CHOICE for one in question.words.values()
           for choice in one.choices):  # fmt: skip
        return f"選択肢は、1つ{LONGEST_CHOICE}文字までにしてください。"
    if not question.kind.chooses:
        if any(one.choices for one in question.words.values()):
            return "選択肢は、「1つ選ぶ」と「いくつでも選ぶ」だけに書けます。"
    elif not 2 <= len(words.choices) <= MOST_CHOICES:
        return f"選択肢を、1行に1つ、2つから{MOST_CHOICES}まで書いてください。"
    for one in question.words.values():
        if len(set(one.choices)) < len(one.choices):
            return "同じ選択肢が、2つあります。"
        if not one.text or len(one.choices) != len(words.choices):
            return "ほかの言葉でも、質問の文と、日本語と同じ数の選択肢を書いてください。"
    return ""


class BadAnswer(ValueError):  # noqa: N818  # the thing refused
    """It is no answer to the question."""


class NoAnswer(BadAnswer):
    """It has to be answered, and was not."""


class LongAnswer(BadAnswer):
    """It is longer than what is kept."""


def answer(question: Question, given: Sequence[str]) -> Given:
    """What was answered, from what a form sent. Raises BadAnswer."""
    said = [one for one in given if one.strip()]
    if not said:
        if question.required:
            raise NoAnswer
        return None
    if question.kind is Kind.TEXT:
        if len(said[0]) > LONGEST_ANSWER:
            raise LongAnswer
        if "\0" in said[0]:
            # No database keeps it.
            raise BadAnswer
        return said[0].strip()
    known = {str(number): number for number in options(question)}
    if not known.keys() >= set(said) or (len(said) > 1 and question.kind is not Kind.MANY):
        raise BadAnswer
    chosen = sorted({known[one] for one in said})
    return chosen if question.kind is Kind.MANY else chosen[0]


def options(question: Question) -> Sequence[int]:
    """What can be chosen, in the order in which it is shown; nothing where one writes."""
    if question.kind is Kind.SCORE:
        return POINTS
    return range(len(question.words["ja"].choices))


@dataclass(frozen=True, slots=True)
class Count:
    """What all answered to a question: how many did, how many chose each option, what was written.

    `mean` is of a score.
    """

    answers: int
    chosen: tuple[int, ...]
    mean: float | None
    texts: tuple[str, ...]


def count(questions: Sequence[Question], rows: Sequence[Sequence[Given]]) -> tuple[Count, ...]:
    """The answers of all, by question. Each row is one person's, in the questions' order."""
    return tuple(
        _count(question, [row[number] for row in rows if row[number] is not None])
        for number, question in enumerate(questions)
    )


def _count(question: Question, answers: Sequence[Given]) -> Count:
    flat = [one for some in answers for one in (some if isinstance(some, list) else [some])]
    chosen = tuple(flat.count(option) for option in options(question))
    points = [one for one in flat if isinstance(one, int)]
    is_scored = question.kind is Kind.SCORE and points
    mean = sum(points) / len(points) if is_scored else None
    texts = tuple(one for one in flat if isinstance(one, str))
    return Count(len(answers), chosen, mean, texts)
