"""Drills to real people, from the crisis room: only while nothing real is the matter."""

from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from policity.fields.alerts.queries.drilling import obstacle
from policity.fields.alerts.rules.drill_texts import drill_texts
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act, may
from policity.foundations.accounts.queries import roles
from policity.foundations.delivery import services as delivery

log = structlog.get_logger("policity.alerts")


class DrillError(ValueError):
    """What was asked for cannot be done. The text says why and what to do, in Japanese."""


@transaction.atomic
def compose(*, text: str, by: User, now: datetime) -> int:
    """Propose a drill with one of the texts that there are; its message's number.

    It waits for two others. Raises DrillError.
    """
    _require(by, Act.RUN_DRILLS, now=now)
    found = drill_texts().get(text)
    if found is None:
        raise DrillError("訓練の文を、えらんでください。")
    dispatch = delivery.propose_drill(
        thread=f"alerts:drill:{now:%Y%m%d%H%M%S}", texts=found.texts, by=by, now=now
    )
    # As below.
    _unhindered()
    log.info("drill_composed", message=dispatch.message_id, text=text)
    return int(dispatch.message_id)


@transaction.atomic
def approve(*, message: int, by: User, now: datetime) -> bool:
    """One of two approvals; True: the drill goes out. Raises DrillError."""
    _require(by, Act.APPROVE, now=now)
    try:
        sent = delivery.approve_drill(message=message, by=by, now=now)
    except delivery.DrillRefusedError as error:
        raise DrillError(str(error)) from error
    # Only now, with the drill in our hands: what comes later finds it and stops it.
    _unhindered()
    log.info("drill_approved", message=message, sent=sent)
    return sent


@transaction.atomic
def withdraw(*, message: int, by: User, now: datetime) -> None:
    """Take back what of a drill still waits. Raises DrillError."""
    _require(by, Act.RUN_DRILLS, now=now)
    try:
        delivery.withdraw_drill(message=message, by=by, now=now)
    except delivery.DrillRefusedError as error:
        raise DrillError(str(error)) from error
    log.info("drill_withdrawn", message=message)


def _unhindered() -> None:
    if hindrance := obstacle():
        raise DrillError(hindrance)


def _require(by: User, act: Act, *, now: datetime) -> None:
    """Whatever calls this room: who may not, does not."""
    if not may(roles(by, on=timezone.localdate(now)), act):
        raise DrillError("この仕事をする権限がありません。管理者に相談してください。")
