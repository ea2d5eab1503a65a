"""How the copies stand, from a file in the home: asked also when the database is away."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from policity.foundations.continuity.rules.age import too_old

FILE = "copied.json"
"""The file, in the home's run/."""


@dataclass(frozen=True, slots=True)
class Synced:
    """Up to when everything is in the copy; `changes` are those since the whole one."""

    at: datetime
    generation: str
    changes: int


def synced(home: Path) -> Synced | None:
    """Up to when everything is in the copy; None where nothing was ever copied."""
    try:
        said = json.loads((home / "run" / FILE).read_text())
    except FileNotFoundError:
        return None
    return Synced(datetime.fromisoformat(said["at"]), said["generation"], said["changes"])


def behind(*, now: datetime) -> bool:
    """Whether copies are to be made and are too old to rely on. A file is read, no database."""
    if not settings.BACKUP:
        return False
    found = synced(Path(settings.HOME))
    return too_old(found.at if found else None, now=now)
