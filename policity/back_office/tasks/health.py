"""How the system stands, as a file for a city's monitoring, twice a minute."""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from policity.back_office.presenters.health import lines, worst
from policity.foundations.continuity.queries import ALARMS
from policity.foundations.continuity.rules.health import State
from policity.foundations.continuity.services import note

EVERY = timedelta(seconds=30)
_told: list[datetime] = []


def tell(now: datetime) -> int:
    """Write what is not well into `run/alarms.json`. Ends no work."""
    if _told and timedelta(0) <= now - _told[0] < EVERY:
        return 0
    _told[:] = [now]
    found = lines(now=now)
    bad = [line for line in found if line.state >= State.WEAK]
    said = {
        "at": now.isoformat(),
        "state": worst(found).name.lower(),
        "alarms": [
            {"key": one.key, "state": one.state.name.lower(), "what": one.what, "do": one.do}
            for one in bad
        ],
    }
    note(Path(settings.HOME), ALARMS, said)
    return 0
