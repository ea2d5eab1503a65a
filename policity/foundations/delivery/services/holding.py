"""Letting routine messages wait, while everybody and every machine is needed for something else."""

from datetime import datetime

import structlog
from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.delivery.models import Hold
from policity.foundations.delivery.services.telling import stop_drills
from policity.kit.declare import Lane

log = structlog.get_logger("policity.delivery")


@transaction.atomic
def hold_routine(*, by: User, now: datetime) -> None:
    """Begin nothing routine from now on. Said twice, it is held once.

    Nothing is withdrawn but drills, which are not for now: the rest goes out when it is released.
    Who may, is checked by who calls.
    """
    _, new = Hold.objects.get_or_create(
        lane=Lane.ROUTINE, until=None, defaults={"since": now, "by": by}
    )
    if new:
        stop_drills(because=None, by=by, now=now)
        log.warning("routine_held")


@transaction.atomic
def release_routine(*, now: datetime) -> None:
    """What waits goes out. Nothing happens where nothing is held."""
    if Hold.objects.filter(lane=Lane.ROUTINE, until=None).update(until=now):
        log.warning("routine_released")
