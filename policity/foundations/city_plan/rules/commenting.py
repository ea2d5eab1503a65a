"""What residents say of a plan: what can be received, and what is told of it. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 4000
LONGEST_NAME = 60
LONGEST_ADDRESS = 200
# By web, in one call. More is a flood, or no city reads them: then it is honest to take no more.
MOST = 5000
# A name of one sign stands in half of all words.
SHORTEST_NAME = 2


class Channel(StrEnum):
    """How a comment came."""

    WEB = "web"
    MAIL = "mail"
    PAPER = "paper"


class Outcome(StrEnum):
    """What becomes of what some comments say."""

    REFLECTED = "reflected"
    INCLUDED = "included"
    NOTED = "noted"
    DECLINED = "declined"
    ANSWERED = "answered"


class Reason(StrEnum):
    """Why a comment is withheld: it is in no group, and counted as withheld."""

    PERSONAL = "personal"
    ABUSE = "abuse"
    ADVERT = "advert"
    OTHER = "other"


class Stage(StrEnum):
    """How a call for comments stands."""

    DRAFT = "draft"
    COMING = "coming"
    OPEN = "open"
    CLOSED = "closed"
    PUBLISHED = "published"


PUBLIC = frozenset({Stage.COMING, Stage.OPEN, Stage.CLOSED, Stage.PUBLISHED})
"""Stages at which a call has a page."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many comments came, by channel, and where they are: all of them, added up."""

    by_channel: Mapping[Channel, int]
    grouped: int
    withheld: int
    waiting: int

    @property
    def all(self) -> int:
        """How many came."""
        return sum(self.by_channel.values())


def tidy(text: str) -> str:
    """A text with one sign for the end of a line, and none around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def readable(text: str) -> str:
    """The same without signs that steer a machine or turn lines around, and are no words."""
    return "".join(
        sign
        for sign in text
        if (sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs")) and sign not in _TURNS
    )


# Which way lines run (Unicode's bidirectional controls): what stands there reads as something else.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def names(texts: Iterable[str], particulars: Iterable[str]) -> tuple[str, ...]:
    """Which of these names and addresses stand in one of the texts, however they are written."""
    said = [_bare(text) for text in texts]
    return tuple(
        one
        for one in sorted(set(particulars))
        if len(bare := _bare(one)) >= SHORTEST_NAME and any(bare in text for text in said)
    )


_BLANK = re.compile(r"[\s・,，.．、。-]+")


def _bare(text: str) -> str:
    return _BLANK.sub("", unicodedata.normalize("NFKC", text).casefold())


def against_publishing(stage: Stage, numbers: Numbers, unanswered: Sequence[str]) -> list[str]:
    """What is still to be done before the answers are published, in Japanese; empty: nothing.

    `unanswered` are the titles of groups without an answer.
    """
    if stage is not Stage.CLOSED:
        return ["受け付けが終わってから、公開できます。"]
    found = []
    if numbers.waiting:
        found.append(f"まだまとめていない意見が、{numbers.waiting}件あります。")
    found += [f"「{title}」に、市の考えを書いてください。" for title in unanswered]
    return found
