"""Where the counterfoils of hand logs lie, when they may go, and what a lost machine's say."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import structlog
from django.conf import settings

from policity.foundations.delivery.channels.desk import logs
from policity.foundations.delivery.formats import handlog
from policity.foundations.delivery.formats.handlog import Known
from policity.foundations.delivery.rules.handing import Result
from policity.kit.declare import Lane

log = structlog.get_logger("policity.delivery")

# Beside the copies; below it a folder for each home and lane, and below that one for each engine.
HAND = "hand"
# In the run/ of a home that was brought back: what lay there, a folder for each engine.
LOST = "lost"
# Which of them are a home's own.
ID = ".id"
OLD, REMEMBERED = timedelta(days=14), timedelta(days=1)


def hand() -> Path:
    """Where hand logs lie."""
    return Path(settings.HOME) / "run" / "hand"


def place(lane: Lane) -> Path | None:
    """Where a lane's counterfoils are written; None: nowhere, copies go into no folder.

    A home that is brought back has others: a lost one's are read there, and never written to.
    For who holds the lane's lock.
    """
    if settings.BACKUP_FOLDER is None:
        return None
    file = hand() / f"{lane}{ID}"
    if not file.exists():
        hand().mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(uuid4().hex)
        part.rename(file)
    return Path(settings.BACKUP_FOLDER) / HAND / file.read_text()


def over(*, now: datetime) -> list[Path]:
    """Those of logs that are in the ledger: they may go once the copy has the ledger as it is now.

    Of other homes those that are old: of a lost one, they were read long ago. Raises OSError.
    """
    if settings.BACKUP_FOLDER is None:
        return []
    mine = {file.read_text() for file in hand().glob(f"*{ID}")}
    return [
        file
        for file in (Path(settings.BACKUP_FOLDER) / HAND).glob("*/*/*.log")
        if (
            not (hand() / file.parent.name / file.name).exists()
            if file.parent.parent.name in mine
            else now.timestamp() - file.stat().st_mtime > OLD.total_seconds()
        )
    ]


def known(*, now: datetime) -> dict[str, Known]:
    """How far a lost machine had come, by marks, in a home that was brought back.

    None of the rows says so yet: each does when its turn comes, instead of being sent, those as
    well that are still to be made. After a day nobody tells the same again, and all is removed.
    """
    found: dict[str, Known] = {}
    for folder in sorted((Path(settings.HOME) / "run" / LOST).glob("*/")):
        if now.timestamp() - folder.stat().st_mtime > REMEMBERED.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for mark, one in handlog.known(file.read_bytes() for file in logs(folder)).items():
            if mark not in found or one.result is Result.HANDED:
                found[mark] = one
    if found:
        log.warning("counterfoils", known=len(found))
    return found
