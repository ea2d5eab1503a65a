"""Notes in the home's run/, for who looks when the database may be away."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from policity.foundations.continuity import queries


def note(home: Path, file: str, said: dict[str, Any]) -> None:
    """Write a note; whoever reads sees the one before or this one."""
    target = home / "run" / file
    target.parent.mkdir(exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(json.dumps(said, ensure_ascii=False))
    part.replace(target)


def heard_time(home: Path, source: str, *, ahead: timedelta, now: datetime) -> None:
    """Note how far our clock was ahead of a server's. A full disk keeps nobody from reading on."""
    heard = queries.noted(home, queries.CLOCKS)
    heard[source] = {"at": now.isoformat(), "ahead_s": round(ahead.total_seconds(), 1)}
    with suppress(OSError):
        note(home, queries.CLOCKS, heard)
