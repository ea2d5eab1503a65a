"""Drills to real people, ready to be read: whom they reach, who let them out, what stopped them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from policity.back_office.presenters.reach import number
from policity.fields.alerts.rules.drill_texts import DrillText, drill_texts
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.models import DrillStep
from policity.foundations.delivery.queries import DrillHand, DrillSending
from policity.foundations.delivery.rules.drilling import APPROVALS, AUDIENCE, DRILL, refusal
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.rules.reach import reached
from policity.foundations.delivery.services import marked_as_drill
from policity.foundations.delivery.services.composing import Sample, samples
from policity.foundations.residents import queries as residents
from policity.foundations.residents.queries import Reached
from policity.kit import ruby
from policity.kit.languages import LANGUAGES, Language

SHOWN = 30
ACT = DrillStep.Act


@dataclass(frozen=True, slots=True)
class Line:
    """One drill to real people in the list. `acts`: somebody has to do something about it."""

    message: int
    title: str
    at: datetime
    by: str
    course: str
    acts: bool
    said: str


@dataclass(frozen=True, slots=True)
class Page:
    """One of them, whole. `missing` is how many approvals are still wanted."""

    line: Line
    steps: tuple[DrillHand, ...]
    missing: int
    open: bool
    refused: str
    samples: tuple[tuple[Language, Sample], ...]
    counts: tuple[tuple[str, str], ...]


def taking_part() -> Reached:
    """Whom a drill would reach now: everybody who chose to take part."""
    return residents.preview(AUDIENCE)


def lines() -> tuple[Line, ...]:
    """The newest first."""
    return tuple(map(_line, delivery.drill_sendings(SHOWN)))


def page(message: int, *, reader: int, now: datetime) -> Page:
    """One of them, for one person: `refused` is why this one may not approve. LookupError."""
    found = next(iter(delivery.drill_sendings(1, message=message)), None)
    if found is None:
        raise LookupError(message)
    line, approvals = _line(found), found.who(ACT.APPROVED)
    (composer,) = found.who(ACT.COMPOSED)
    waits = found.stage == "awaiting"
    return Page(
        line=line,
        steps=found.steps,
        missing=APPROVALS - len(approvals) if waits else 0,
        open=found.open,
        refused=refusal(
            composer=composer.by_id or 0,
            approved=[step.by_id for step in approvals if step.by_id],
            approver=reader,
        ),
        samples=tuple(_samples(found.texts, now=now)),
        counts=tuple(_counts(message, now=now)) if found.who(ACT.SENT) else (),
    )


def choices(*, now: datetime) -> tuple[tuple[DrillText, Sample], ...]:
    """The texts that there are, each as a Japanese reader would get it."""
    return tuple((one, _sample(one, now=now)) for one in drill_texts().values())


def _sample(one: DrillText, *, now: datetime) -> Sample:
    ((_, sample), *_) = _samples(marked_as_drill(one.texts), now=now)
    return sample


def _samples(
    texts: Mapping[str, Mapping[str, str]], *, now: datetime
) -> Iterator[tuple[Language, Sample]]:
    made = samples(
        texts=texts, severity=AUDIENCE.severity, path="", now=now, kind=DRILL, leads_to=""
    )
    for language in LANGUAGES:
        yield language, made[language.code]


def _counts(message: int, *, now: datetime) -> Iterator[tuple[str, str]]:
    found = delivery.standings([message], now=now)[message]
    states = found.split.states
    yield "対象", number(found.targets)
    yield "渡した", number(reached(states))
    for word, state in (
        ("待ち", State.QUEUED), ("失敗", State.FAILED), ("手段なし", State.UNREACHABLE),
        ("取り下げ", State.WITHDRAWN),
    ):  # fmt: skip
        yield word, number(states[state])


def _line(found: DrillSending) -> Line:
    (composed,) = found.who(ACT.COMPOSED)
    approvals = len(found.who(ACT.APPROVED))
    stopped, withdrawn, sent = (found.who(a) for a in (ACT.STOPPED, ACT.WITHDRAWN, ACT.SENT))
    course, said = "送りました", ""
    if stopped:
        because = stopped[0].because
        course = "自動で止めました"
        said = f"「{because}」が出たため" if because else "緊急時に切り替えたため"
    elif withdrawn:
        course, said = "取りやめました", f"取りやめた人：{withdrawn[0].by}"
    elif not sent:
        course, said = "承認を待っています", f"{APPROVALS}人のうち {approvals}人が承認しました"
    elif found.open:
        course = "送っています"
    return Line(
        message=found.message,
        title=ruby.plain(found.texts["ja"]["title"]),
        at=composed.at,
        by=composed.by,
        course=course,
        acts=not (stopped or withdrawn or sent),
        said=said,
    )
