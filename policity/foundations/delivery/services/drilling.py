"""A drill to real people: proposed by one, let out by two others, taken back by anybody of them."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from policity.design import drills
from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.delivery import queries
from policity.foundations.delivery.models import Dispatch, DrillStep, Message
from policity.foundations.delivery.rules import drilling
from policity.foundations.delivery.services.telling import (
    DRILLS,
    let_out,
    send,
    tell,
    withdraw,
)
from policity.foundations.work import services as work
from policity.kit.declare import Lane
from policity.kit.severity import Severity

log = structlog.get_logger("policity.delivery")


class DrillRefusedError(ValueError):
    """It was not approved, or not taken back. The text says why, in Japanese."""


@work.alone(DRILLS)
def propose_drill(
    *, thread: str, texts: Mapping[str, Mapping[str, str]], by: User, now: datetime
) -> Dispatch:
    """A drill that waits for two approvals. Its texts are marked here, whatever they say."""
    message = tell(
        kind=drilling.DRILL,
        thread=thread,
        severity=Severity.MINOR,
        level=None,
        texts=marked_as_drill(texts),
        told_at=now,
        now=now,
    )
    dispatch = send(
        messages=[message],
        audience=drilling.AUDIENCE,
        by=by,
        now=now,
        approved=False,
        leads_to="",
    )
    _step(message.pk, DrillStep.Act.COMPOSED, by=by, now=now)
    return dispatch


def marked_as_drill(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Texts by language, each with the words that make it a drill before it."""
    return {
        code: {
            "title": drills.titled(text["title"], code, always=True),
            "body": drills.told(text["body"], code, always=True),
        }
        for code, text in texts.items()
    }


@work.alone(DRILLS)
def approve_drill(*, message: int, by: User, now: datetime) -> bool:
    """One of two approvals. True: it was the last, and the drill goes out.

    Neither is given in a state of emergency, nor while anything severe is being sent. Raises
    DrillRefusedError.
    """
    dispatch = _open(message)
    if dispatch.stage != Dispatch.Stage.AWAITING:
        raise DrillRefusedError("この訓練は、もう送りました。")
    if queries.held(Lane.ROUTINE):
        raise DrillRefusedError("緊急時の間は、訓練の知らせを送れません。")
    if queries.sends_severe():
        raise DrillRefusedError("本物の緊急の知らせを送っています。訓練の知らせは送れません。")
    composer, approved = _hands(message)
    if refused := drilling.refusal(composer=composer, approved=approved, approver=by.pk):
        raise DrillRefusedError(refused)
    _step(message, DrillStep.Act.APPROVED, by=by, now=now)
    if not drilling.is_approved(composer=composer, approved=[*approved, by.pk]):
        return False
    dispatch.stage = Dispatch.Stage.ACCEPTED
    dispatch.approved_at, dispatch.approved_by = now, by
    dispatch.save(update_fields=["stage", "approved_at", "approved_by"])
    # It is told when it goes out; hours may have gone by.
    Message.objects.filter(pk=message).update(told_at=now)
    _step(message, DrillStep.Act.SENT, by=by, now=now)
    let_out(dispatch, now=now)
    log.info("dispatch", message=message, stage=dispatch.stage, lane=dispatch.lane)
    return True


@work.alone(DRILLS)
def withdraw_drill(*, message: int, by: User, now: datetime) -> None:
    """Take back what of a drill has not been handed over. Raises DrillRefusedError."""
    dispatch = _open(message)
    if dispatch.message_id not in queries.open_drills():
        raise DrillRefusedError("この訓練は、もう送り終わりました。")
    withdraw(message=message, now=now)
    _step(message, DrillStep.Act.WITHDRAWN, by=by, now=now)


def _open(message: int) -> Dispatch:
    found: Dispatch | None = (
        Dispatch.objects.select_for_update()
        .filter(message=message, message__kind=drilling.DRILL)
        .first()
    )
    if found is None:
        raise DrillRefusedError("この訓練は、ありません。")
    if found.stage == Dispatch.Stage.WITHDRAWN:
        raise DrillRefusedError("この訓練は、もう取りやめになっています。")
    return found


def _hands(message: int) -> tuple[int, list[int]]:
    """Who composed it, and who has approved it."""
    steps = DrillStep.objects.filter(message=message).values_list("act", "by")
    hands = [(act, by) for act, by in steps if by is not None]
    (composer,) = (by for act, by in hands if act == DrillStep.Act.COMPOSED)
    return composer, [by for act, by in hands if act == DrillStep.Act.APPROVED]


def _step(message: int, act: DrillStep.Act, *, by: User, now: datetime) -> None:
    DrillStep.objects.create(message_id=message, act=act, at=now, by=by)
    audit.record(f"drill.{act.value}", on=f"delivery.message:{message}", by=by, now=now)
