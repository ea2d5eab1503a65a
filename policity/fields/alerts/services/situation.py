"""What the installation that the Internet reaches says of the situation, written down inside."""

from datetime import datetime

from policity.fields.alerts.models import ReceivedSituation
from policity.fields.alerts.rules.situation import Situation
from policity.foundations.crossing import formats


def take(situation: Situation, made_at: datetime, now: datetime) -> None:
    """Keep it in the place of the one before, in the caller's transaction."""
    said = formats.pack(Situation, situation).decode()
    ReceivedSituation.objects.update_or_create(
        pk=1, defaults={"made_at": made_at, "received_at": now, "said": said}
    )
