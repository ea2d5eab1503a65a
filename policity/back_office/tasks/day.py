"""Each morning the administrators hear how the system stands, also when all is well.

A mail that does not come is a message too.
"""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from policity.back_office.tasks import staff
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.accounts.queries import with_mail
from policity.foundations.accounts.rules.mails import About
from policity.foundations.accounts.services import audit

# Before the offices open.
HOUR = 7
ACT = "status.mailed"
_told: list[date] = []


def tell(now: datetime) -> int:
    """Once a day from seven o'clock on, whatever restarts: put the mails into the queue."""
    local = timezone.localtime(now)
    day = local.date()
    if local.hour < HOUR or day in _told:
        return 0
    _told[:] = [day]
    with transaction.atomic():
        if AuditEntry.objects.filter(act=ACT, on=_about(day)).exists():
            return 0
        readers = with_mail({Role.ADMINISTRATOR}, on=day)
        for one in readers:
            staff.on_mail_wanted(user=one.pk, about=About.DAY, on=day.toordinal(), now=now)
        if readers:
            audit.record(ACT, on=_about(day), by=None, now=now, count=len(readers))
    return len(readers)


def _about(day: date) -> str:
    return f"day:{day.isoformat()}"
