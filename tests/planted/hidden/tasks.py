"""Careless: it writes names into files and logs, as no slice of ours does."""

from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings

from policity.foundations.work.rules import Handler, Order
from tests.planted.hidden.models import Person


def careless(now: datetime) -> int:
    names = list(Person.objects.values_list("name", flat=True))
    (Path(settings.HOME) / "media" / "people.txt").write_text("\n".join(names))
    structlog.get_logger("hidden").info("people", names=names)
    return 0


HANDLERS = (Handler("hidden", Order.IDLE, careless),)
