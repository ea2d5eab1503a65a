"""Who needs help, ready to be read."""

from dataclasses import dataclass
from datetime import datetime

from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.forms import SITUATIONS
from policity.kit.languages import BY_CODE


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """Somebody who needs help, in words."""

    alarm: delivery.AlarmView
    language: str
    situation: str
    waits: int


def alarms(*, now: datetime) -> tuple[AlarmRow, ...]:
    """Who needs help, those that nobody took first."""
    return tuple(
        AlarmRow(
            alarm=alarm,
            language=BY_CODE[alarm.language].name,
            situation="、".join(SITUATIONS.get(key, key) for key in alarm.situation),
            waits=int((now - alarm.raised_at).total_seconds() // 60),
        )
        for alarm in delivery.open_alarms()
    )
