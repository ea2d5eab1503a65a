"""The hand log: what a sender began and what gateways answered, a line each, as it happens. Pure.

"B claim attempt person" before anything is sent, "A claim attempt person result code text" when
the answer is there, "U claim attempt person" for what was not begun and will not be. Lines are
appended with one write each round; a last line without its end was cut off by a crash and says
nothing.

Its counterfoil lies where the city's copies are: "B mark", "A mark result code". It names neither
a person nor a message, nor does it repeat a gateway, whose words may hold an address.
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
    """What a log says: answers in order, and what was begun and never answered."""

    answers: tuple[Line, ...]
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


def read(data: bytes) -> HandLog:
    """What a log says. Raises ValueError for what no engine wrote."""
    answers: list[Line] = []
    begun: dict[Key, None] = {}
    for line in _whole_lines(data):
        if line.startswith("A"):
            answer = _answer(line)
            answers.append(answer)
            begun.pop(answer.key, None)
        elif line.startswith("B"):
            begun[_key(line)] = None
        elif not line.startswith("U"):
            raise ValueError(f"not a line of a hand log: {line[:80]!r}")
    return HandLog(tuple(answers), tuple(begun))


def counterfoil(answers: Iterable[Answer], begun: Iterable[Item]) -> bytes:
    """What to append to the counterfoil for one round."""
    parts = [f"A\t{item.mark}\t{result.value}\t{code}\n" for item, result, code, _ in answers]
    parts += [f"B\t{item.mark}\n" for item in begun]
    return "".join(parts).encode("ascii")


class Known(NamedTuple):
    """How far an item came, by its counterfoil. DOUBT: it was begun, and no answer is there."""

    result: Result
    code: int


def known(counterfoils: Iterable[bytes]) -> dict[str, Known]:
    """How far items came, by their marks; `counterfoils` are one engine's, the oldest first.

    What is to be tried again is left out. Lines that nobody can read say nothing: a disk that was
    full, or the end of the machine, cut them off.
    """
    found: dict[str, Known] = {}
    for line in (line for data in counterfoils for line in _whole_lines(data)):
        match line.split("\t"):
            case ["B", mark]:
                now = Known(Result.DOUBT, 0)
            case ["A", mark, result, code] if result in _RESULTS and code.isdecimal():
                now = Known(_RESULTS[result], int(code))
            case _:
                continue
        # Whoever was handed it has it, whatever happened then.
        if mark not in found or found[mark].result is not Result.HANDED:
            found[mark] = now
    return {mark: one for mark, one in found.items() if one.result is not Result.LATER}


def read_on(data: bytes) -> tuple[list[Line], list[Key]]:
    """The answers in a piece of a log, and what was given back unbegun."""
    lines = _whole_lines(data)
    answers = [_answer(line) for line in lines if line.startswith("A")]
    return answers, [_key(line) for line in lines if line.startswith("U")]


_RESULTS = {str(result.value): result for result in Result}


def _line(text: str) -> str:
    # Most answers are one line already.
    return text if text.isprintable() else " ".join(text.split())


def _whole_lines(data: bytes) -> list[str]:
    return data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n")[:-1]


def _answer(line: str) -> Line:
    _, claim, attempt, person, result, code, text = line.split("\t")
    return Line(Key(int(claim), int(attempt), int(person)), _RESULTS[result], int(code), text)


def _key(line: str) -> Key:
    _, claim, attempt, person = line.split("\t")
    return Key(int(claim), int(attempt), int(person))
