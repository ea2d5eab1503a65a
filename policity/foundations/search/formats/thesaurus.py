"""The file of words that mean the same."""

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from policity.foundations.search.rules.asking import Thesaurus, group_key

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Groups of expressions that say the same, and words of questions that name nothing."""

    same: tuple[Group, ...]
    idle: frozenset[str] = frozenset()

    def thesaurus(self, *, more: Sequence[Group] = (), ended: Collection[str] = ()) -> Thesaurus:
        """What a question is read by: these and more, without the groups of `ended` keys."""
        groups = (*self.same, *more)
        return Thesaurus.of([one for one in groups if group_key(one) not in ended], self.idle)


def read(text: str) -> Words:
    """From the text of a file. Raises ValueError, KeyError or TypeError where it is none."""
    said = tomllib.loads(text)
    groups = tuple(tuple(map(_text, group)) for group in said["same"])
    return Words(groups, frozenset(map(_text, said["idle"])))


def _text(word: object) -> str:
    if not isinstance(word, str):
        raise TypeError("a word is a text")
    return word


@cache
def shipped() -> Words:
    """The one that comes with the program (facts/thesaurus.toml)."""
    file = files("policity.foundations.search") / "facts" / "thesaurus.toml"
    return read(file.read_text("utf-8"))
