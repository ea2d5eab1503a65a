"""Whether a site is open, and who may be told to go there. Pure.

The states are those of the Cabinet Office's EEI (災害対応基本共有情報 v1.1), crowding among them.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum

from policity.foundations.places.rules.sites import HAZARDS, Kind


class Openness(StrEnum):
    """How a site stands, as the staff in it say. A site nobody ever opened is UNOPENED."""

    UNOPENED = "unopened"
    OPEN = "open"
    CROWDED = "crowded"
    FULL = "full"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether people are in it: a full one is open too."""
        return self in _OPEN

    @property
    def boxes(self) -> int:
        """How many of three boxes are filled where it is drawn: 1, 2, 3; 0 where it is shut."""
        return _OPEN.index(self) + 1 if self in _OPEN else 0


_OPEN = (Openness.OPEN, Openness.CROWDED, Openness.FULL)

OPENNESS_NAMES = {
    Openness.UNOPENED: "未開設",
    Openness.OPEN: "開設",
    Openness.CROWDED: "混雑",
    Openness.FULL: "満員",
    Openness.CLOSED: "閉鎖",
}

OPENNESS_WORDS = {
    Openness.UNOPENED: "開いていない",
    Openness.OPEN: "空いている",
    Openness.CROWDED: "混んでいる",
    Openness.FULL: "満員",
    Openness.CLOSED: "閉じた",
}
"""The same in the words of those who stand in the site."""

LONGEST_NOTE = 100
"""Characters of a note: it stands beside a site on a phone."""

MOST_EVACUEES = 20_000
"""More people in one site than this is a slip of the hand."""


class Use(StrEnum):
    """What may be said of a site to everybody."""

    GO = "go"
    OPEN = "open"
    STAY = "stay"
    FULL = "full"
    UNFIT = "unfit"
    ASK_FIRST = "ask_first"
    UNSAID = "unsaid"


def asked_of(hazards: Iterable[str], designated: Iterable[Collection[str]]) -> tuple[str, ...]:
    """The hazards in force that a site must be designated for, every one of them.

    A hazard that the city has designated no site for tells no two sites apart: it is left out
    here, and the page says that there is none for it. Asking for it all the same would hide the
    sites that are safe from the flood because nobody ever mapped the flooded drains.
    `designated` has what each emergency site of the city is designated for, open or not.
    """
    any_site = frozenset(hazard for site in designated for hazard in site)
    return tuple(hazard for hazard in HAZARDS if hazard in any_site.intersection(hazards))


def use_of(
    kind: Kind,
    designated: Collection[str],
    state: Openness,
    *,
    hazards: Collection[str],
    asked: Collection[str],
    may_go: bool,
) -> Use:
    """What may be said of a site while `hazards` are in force, of which `asked` are asked of it.

    GO needs all of this: staff opened it, there is room, people may go out, it is an emergency
    site, and it is designated for every hazard asked for. Every one, and not a list a hazard: who
    flees the slope must not be led into the flood that is in force beside it, and nobody
    knows from afar which of the two comes to their door.

    Where nobody may go out nothing is said of any site: a name on the page is an invitation.
    With no hazard in force an open site is OPEN, and no reason to go. A shelter is a place to
    STAY, whatever is in force. A welfare shelter is never for all, however empty it is.
    """
    if not state.is_open or not may_go:
        return Use.UNSAID
    if kind is Kind.WELFARE_SHELTER:
        return Use.ASK_FIRST
    # Nothing asked, and yet hazards: no site of the city is for what is happening.
    fit = not hazards or (bool(asked) and frozenset(asked) <= frozenset(designated))
    if kind is Kind.EMERGENCY_SITE and not fit:
        return Use.UNFIT
    if state is Openness.FULL:
        return Use.FULL
    if kind is Kind.SHELTER:
        return Use.STAY
    return Use.GO if hazards else Use.OPEN


def problem(evacuees: int | None, note: str) -> str:
    """Why this cannot be recorded of a site, in Japanese; empty when it can."""
    if evacuees is not None and not 0 <= evacuees <= MOST_EVACUEES:
        return f"避難した人の数は、0から{MOST_EVACUEES}までの数字で入れてください。"
    if len(note) > LONGEST_NOTE:
        return f"メモは{LONGEST_NOTE}字までです（{len(note)}字あります）。"
    return ""
