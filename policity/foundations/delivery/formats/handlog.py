"""The hand log: what a sender began and what gateways answered, a line each, as it happens. Pure.

"B claim attempt person" before anything is sent, "A claim attempt person result code text" when
the answer is there. Lines are appended with one write each round; a last line without its end was
cut off by a crash and says nothing.
"""

from collections.abc import Iterable, Sequence
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
        f"A\t{a.item.claim}\t{a.item.attempt}\t{a.item.person}\t{a.result.value}\t{a.code}\t"
        f"{' '.join(a.text.split())}\n"
        for a in answers
    ]
    parts += [f"B\t{item.claim}\t{item.attempt}\t{item.person}\n" for item in begun]
    return "".join(parts).encode("utf-8", "replace")


def still_open(keys: Iterable[Key]) -> bytes:
    """The beginning of the next log: what the one before leaves unanswered."""
    return "".join(f"B\t{k.claim}\t{k.attempt}\t{k.person}\n" for k in keys).encode("ascii")


def read(data: bytes) -> HandLog:
    """What a log says, whole lines only. Raises ValueError for what no sender wrote."""
    answers: list[Line] = []
    begun: dict[Key, None] = {}
    whole, newline, _ = data.rpartition(b"\n")
    for line in whole.decode("utf-8", "replace").split("\n") if newline else ():
        parts = line.split("\t")
        key = Key(*map(int, parts[1:4]))
        if parts[0] == "B":
            begun[key] = None
        elif parts[0] == "A":
            begun.pop(key, None)
            answers.append(Line(key, Result(int(parts[4])), int(parts[5]), parts[6]))
        else:
            raise ValueError(f"not a line of a hand log: {line[:80]!r}")
    return HandLog(tuple(answers), tuple(begun))


def keys(items: Sequence[Item]) -> list[Key]:
    """Items as logs name them."""
    return [Key(item.claim, item.attempt, item.person) for item in items]
