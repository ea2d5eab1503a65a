"""Mails that come back: into the ledger, by the sender's address they were sent under."""

from datetime import datetime

import structlog
from django.conf import settings

from policity.foundations.delivery.formats.mail import read_bounce, read_verp
from policity.foundations.delivery.models import LedgerRow
from policity.foundations.delivery.rules.ledger import State, befores
from policity.foundations.delivery.services.counting import moved
from policity.foundations.residents import services as residents
from policity.foundations.residents.models import Channel
from policity.foundations.work import services as work

log = structlog.get_logger("policity.delivery")

_STATES = {"failed": State.FAILED, "delivered": State.DELIVERED}


@work.alone(residents.TOPIC)
def bounce(data: bytes, *, to: str = "", now: datetime) -> State | None:
    """Take in a delivery status notification (RFC 3464). None: it changes nothing.

    `to` is the envelope's recipient where the receiving server told it. Raises ValueError for
    what is no such notification, or is not about a mail of ours.
    """
    found = read_bounce(data, to)
    about = read_verp(found.to, settings.SECRET_KEY.encode())
    if about is None:
        raise ValueError("not about a mail of ours")
    message, person = about
    state = _STATES.get(found.action)
    if state is None:
        return None
    row = LedgerRow.objects.filter(message=message, person=person, channel=Channel.MAIL)
    before = [one.value for one in befores(state)]
    row = row.filter(state__in=before)
    if row.exists():
        moved([message])
    changed = row.update(
        state=state, changed_at=now, reason=f"{found.status} {found.diagnostic}".strip()[:200]
    )
    if state is State.FAILED and found.status.startswith("5.1."):
        dead = residents.Dead(person, Channel.MAIL, "", f"{found.status} {found.diagnostic}")
        residents.retire([dead], now=now)
    log.info("bounce", message=message, action=found.action, status=found.status)
    return state if changed else None
