"""The hand log: what a sender began and what gateways answered, a line each, as it happens. Pure.

"B claim attempt person" before anything is sent, "A claim attempt person result code text" when
the answer is there, "U claim attempt person" for what was not begun and will not be. Lines are
appended with one write each round; a last line without its end was cut off by a crash and says
nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from policity.foundations.delivery.rules.handing import Answer, Item, Result


class Key(NamedTuple):
    """An item, as logs name it."""

    claim: int
    attempt: int
    person: int


class Line(NamedTuple):
    """An answer that a log holds."""

    key: Key
    result: Result
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class HandLog:
    """What a log says: answers in order, what was given back, what was begun and never answered."""

    answers: tuple[Line, ...]
    unbegun: tuple[Key, ...]
    open: tuple[Key, ...]


def lines(answers: Iterable[Answer], begun: Iterable[Item]) -> bytes:
    """What to append for one round."""
    parts = [
        f"A\t{item.claim}\t{item.attempt}\t{item.person}\t{result.value}\t{code}\t{_line(text)}\n"
        for item, result, code, text in answers
    ]
    parts += [f"B\t{item.claim}\t{item.attempt}\t{item.person}\n" for item in begun]
    return "".join(parts).encode("utf-8", "replace")


def given_back(items: Iterable[Item]) -> bytes:
    """What to append for items that nobody will begin."""
    return "".join(f"U\t{i.claim}\t{i.attempt}\t{i.person}\n" for i in items).encode("ascii")


def still_open(keys: Iterable[Key]) -> bytes:
    """The beginning of the next log: what the one before leaves unanswered."""
    return "".join(f"B\t{k.claim}\t{k.attempt}\t{k.person}\n" for k in keys).encode("ascii")


def read(data: bytes) -> HandLog:
    """What a log says, or whole lines of one. Raises ValueError for what no engine wrote."""
    answers: list[Line] = []
    unbegun: list[Key] = []
    begun: dict[Key, None] = {}
    whole, newline, _ = data.rpartition(b"\n")
    for line in whole.decode("utf-8", "replace").split("\n") if newline else ():
        kind, claim, attempt, person, *said = line.split("\t")
        key = Key(int(claim), int(attempt), int(person))
        if kind == "B":
            begun[key] = None
        elif kind == "A":
            begun.pop(key, None)
            result, code, text = said
            answers.append(Line(key, _RESULTS[result], int(code), text))
        elif kind == "U":
            unbegun.append(key)
        else:
            raise ValueError(f"not a line of a hand log: {line[:80]!r}")
    return HandLog(tuple(answers), tuple(unbegun), tuple(begun))


def keys(items: Iterable[Item]) -> list[Key]:
    """Items as logs name them."""
    return [Key(item.claim, item.attempt, item.person) for item in items]


_RESULTS = {str(result.value): result for result in Result}


def _line(text: str) -> str:
    # Most answers are one line already.
    return text if text.isprintable() else " ".join(text.split())
