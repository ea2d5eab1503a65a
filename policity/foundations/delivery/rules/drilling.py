"""Drills to real people: what one must be, who lets it out, and what ends it. Pure.

A drill goes to who chose to take part, says in every channel that it is one, leads to no page of an
order, is let out by two persons who did not compose it, and gives way to anything severe.
"""

from collections.abc import Collection, Mapping

from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT
from policity.kit.severity import Severity

DRILL = "drill"
"""The kind that residents choose who take part in drills."""

AUDIENCE = Audience(DRILL, Severity.MINOR)
"""Everybody who chose so, and nobody else."""

APPROVALS = 2


def is_drill(kind: str, audience: Audience) -> bool:
    """Whether a message or whom it goes to makes it a drill: then it must be one in everything."""
    return DRILL in (kind, audience.kind)


def faults(
    *,
    kind: str,
    severity: str,
    level: int | None,
    texts: Mapping[str, Mapping[str, str]],
    marks: Mapping[str, tuple[str, str]],
    audience: Audience,
    leads: bool,
) -> tuple[str, ...]:
    """Why a message may not go out as a drill; empty when it may.

    `marks` are the beginning of titles and the first sentence, by language; `leads` says that it
    has a page or a personal link that asks for something.
    """
    said = (
        (kind != DRILL or audience != AUDIENCE, "it is not for those alone who take part"),
        (severity != Severity.MINOR or level is not None, "it has the severity of something real"),
        (leads, "it leads somewhere"),
        *(
            (
                not (text["title"].startswith(prefix) and text["body"].startswith(sentence)),
                f"it is not marked in {code}",
            )
            for code, (prefix, sentence) in marks.items()
            for text in (texts.get(code) or {"title": "", "body": ""},)
        ),
    )
    return tuple(fault for is_one, fault in said if is_one)


def refusal(*, composer: int, approved: Collection[int], approver: int) -> str:
    """Why somebody may not approve a drill, in Japanese; empty when they may."""
    if approver == composer:
        return "作った人は、承認できません。ほかの二人に承認してもらってください。"
    if approver in approved:
        return "あなたは、もう承認しました。あと一人は、ほかの人です。"
    return ""


def is_approved(*, composer: int, approved: Collection[int]) -> bool:
    """Whether enough persons have let it out, each counted once and the composer never."""
    return len({*approved} - {composer}) >= APPROVALS


def ends_drills(kind: str, severity: str) -> bool:
    """Whether something real is so grave that no drill goes on beside it."""
    return kind not in (DRILL, ACCOUNT) and Severity(severity).rank >= Severity.SEVERE.rank
