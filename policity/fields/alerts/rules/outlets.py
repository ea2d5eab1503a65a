"""Texts for where a message is told by hand: short enough, and never cut in the middle. Pure."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LINK = re.compile(r"https?://\S+")
_LINK_WEIGHS = 23
# What X counts as one; everything else is two (twitter-text's configuration, version 3).
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))


@dataclass(frozen=True, slots=True)
class Outlet:
    """A place where staff tell by hand. `title` and `body` are the most that it takes.

    `counts`: it also wants to know how many people and households an order is for.
    """

    code: str
    name: str
    how: str
    counting: str
    title: int
    body: int
    counts: bool = False

    def length(self, text: str) -> int:
        """How long a text is, as this place counts."""
        if self.counting != "x":
            return len(text)
        links = _LINK.findall(text)
        return len(links) * _LINK_WEIGHS + sum(map(_weight, _LINK.sub("", text)))


@dataclass(frozen=True, slots=True)
class Ready:
    """A text to copy, with its length as the place counts."""

    title: str
    body: str
    length: int


def _weight(sign: str) -> int:
    return 1 if any(first <= ord(sign) <= last for first, last in _LIGHT) else 2


def fit(outlet: Outlet, titles: Sequence[str], bodies: Sequence[Sequence[str]]) -> Ready | None:
    """The first title and the first body that fit; None where even the shortest is too long.

    `bodies` are lists of lines, the fullest first. Where there is no title it leads the body.
    """
    title = next((text for text in titles if outlet.length(text) <= outlet.title), "")
    if outlet.title and not title:
        return None
    for lines in bodies:
        said = [line for line in ([] if outlet.title else list(titles[:1])) + list(lines) if line]
        text = "\n".join(said)
        if outlet.length(text) <= outlet.body:
            return Ready(title, text, outlet.length(text))
    return None


@cache
def outlets() -> tuple[Outlet, ...]:
    """The places that ship, in their order."""
    text = (files("policity.fields.alerts") / "facts" / "outlets.toml").read_text("utf-8")
    return tuple(Outlet(**entry) for entry in tomllib.loads(text)["outlet"])
